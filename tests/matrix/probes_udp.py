# SPDX-License-Identifier: MIT
"""UDP with a program on it."""
import struct
import time

import wire
from lab import STACK, need
from registry import probe

SO_RCVBUF, SO_BROADCAST, IP_MTU_DISCOVER, MSG_TRUNC = (1, 8), (1, 6), (0, 10), 0x20


def bound(lab, port, address=STACK):
    name = lab.agent.name()
    lab.agent.call(name, "udp")
    lab.agent.call(name, "bind", address, port)
    return name


def datagram(p, port, data, **fields):
    p.send(wire.UDP, wire.udp(p.ip, STACK, 7000, port, data, **fields))


def got(lab, name, wait_ms=300, size=65536):
    """What the program receives, or None."""
    if not lab.agent.call(name, "poll", wait_ms):
        return None
    return lab.agent.call(name, "recvfrom", size)


@probe("U01", "M", "a wrong checksum is not delivered; none at all is")
def udp_checksum_delivery(lab, p):
    name = bound(lab, 7101)
    datagram(p, 7101, b"evil", check=0x1234)
    need(not got(lab, name, 100), "delivered")
    datagram(p, 7101, b"bare", check=0)
    need(got(lab, name) == ["bare", 0, p.ip, 7000], "one without a checksum is lost")
    lab.agent.call(name, "close")
    return "yes"


@probe("U02", "M", "a length below the packet's cuts; above, nothing is delivered")
def udp_length_delivery(lab, p):
    name = bound(lab, 7102)
    short = wire.udp(p.ip, STACK, 7000, 7102, b"abc")
    p.send(wire.UDP, short + b"padding")
    answer = got(lab, name)
    need(answer and answer[0] == "abc", f"{answer}")
    for length in (0, 7, 100):
        datagram(p, 7102, b"evil", length=length, check=0)
    need(not got(lab, name, 100), "delivered")
    lab.agent.call(name, "close")
    return "cut, dropped"


@probe("U03", "M", "a short read tells that it cut; the queue is bounded", alone=True)
def udp_queue(lab, p):
    name = bound(lab, 7103)
    lab.agent.call(name, "setsockopt", *SO_RCVBUF, 8192)
    datagram(p, 7103, b"x" * 1000)
    answer = got(lab, name, size=10)
    need(answer and len(answer[0]) == 10 and answer[1] & MSG_TRUNC, f"{answer}")
    for _ in range(2000):
        datagram(p, 7103, b"y" * 1000)
    time.sleep(0.2)
    n = 0
    while got(lab, name, 50):
        n += 1
    need(0 < n < 1000, f"{n} of 2,000 were kept")
    lab.agent.call(name, "close")
    return "cut, bounded"


@probe("U04", "M", "a broadcast goes to every socket that fits; sending one needs SO_BROADCAST")
def udp_broadcast(lab, p):
    names = []
    for _ in range(2):
        names.append(lab.agent.name())
        lab.agent.call(names[-1], "udp")
        lab.agent.call(names[-1], "setsockopt", 1, 2, 1)
        lab.agent.call(names[-1], "bind", "0.0.0.0", 7104)
    segment = wire.udp(p.ip, "10.0.0.255", 7000, 7104, b"all")
    p.send(wire.UDP, segment, dst="10.0.0.255", mac=wire.BROADCAST_MAC)
    need([bool(got(lab, n)) for n in names] == [True, True], "not to all")
    answer = lab.agent.ask(names[0], "sendto", "x", "10.0.0.255", 9)
    need(answer.get("errno") == "EACCES", f"without leave: {answer}")
    seen = lab.watch()
    lab.agent.call(names[0], "setsockopt", *SO_BROADCAST, 1)
    lab.agent.call(names[0], "sendto", "x", "10.0.0.255", 9)
    time.sleep(0.1)
    lab.watchers.remove(seen)
    sent = [f for f in iter(lambda: None if seen.empty() else seen.get(), None) if f.dst == "10.0.0.255"]
    need(sent and sent[0].mac_dst == wire.BROADCAST_MAC, "not sent")
    for n in names:
        lab.agent.call(n, "close")
    return "all, EACCES"


@probe("U05", "M", "an answer comes from the address and port that were asked")
def udp_source(lab, p):
    name = bound(lab, 7105, "0.0.0.0")
    datagram(p, 7105, b"who")
    need(got(lab, name), "not delivered")
    lab.agent.call(name, "sendto", "me", p.ip, 7000)
    f = p.next(lambda f: f.protocol == wire.UDP, 0.3)
    need(f and (f.src, f.sport, f.dport, f.data) == (STACK, 7105, 7000, b"me"), f"{f}")
    lab.agent.call(name, "close")
    return "yes"


@probe("C08", "M", "a connected socket learns of port unreachable: ECONNREFUSED")
def udp_refused(lab, p):
    name = lab.agent.name()
    lab.agent.call(name, "udp")
    lab.agent.call(name, "connect", p.ip, 7106)
    lab.agent.call(name, "send", "anybody?")
    f = p.next(lambda f: f.protocol == wire.UDP, 0.3)
    need(f, "nothing is sent")
    p.send(wire.ICMP, wire.icmp(3, 3, data=f.ip[:28]))
    time.sleep(0.1)
    answer = lab.agent.ask(name, "recv", 10)
    need(answer.get("errno") == "ECONNREFUSED", f"{answer}")
    lab.agent.call(name, "close")
    return "ECONNREFUSED"


@probe("I11", "M", "a datagram above the MTU goes in fragments")
def udp_fragments(lab, p):
    name = bound(lab, 7107)
    lab.agent.call(name, "setsockopt", *IP_MTU_DISCOVER, 0)
    text = "".join(chr(i * 7 & 0x7F) for i in range(4000))
    lab.agent.call(name, "sendto", text, p.ip, 7000)
    parts = p.all(lambda f: f.protocol == wire.UDP, 0.2)
    need(len(parts) == 3 and len({f.ident for f in parts}) == 1, f"{len(parts)} fragments")
    whole = b"".join(f.payload for f in sorted(parts, key=lambda f: f.frag & 0x1FFF))
    need(whole[8:] == text.encode("latin-1") and struct.unpack_from("!H", whole, 4)[0] == 4008, "wrong bytes")
    need([bool(f.frag & wire.MF) for f in sorted(parts, key=lambda f: f.frag & 0x1FFF)] == [True, True, False], "MF")
    lab.agent.call(name, "close")
    return "3 fragments"


@probe("I11", "M", "IP_MTU_DISCOVER: a datagram that may not be cut carries DF, and above the MTU there is EMSGSIZE")
def udp_dont_fragment(lab, p):
    name = bound(lab, 7108)
    lab.agent.call(name, "setsockopt", *IP_MTU_DISCOVER, 2)
    answer = lab.agent.ask(name, "sendto", "x" * 1473, p.ip, 7000)
    need(answer.get("errno") == "EMSGSIZE", f"{answer}")
    lab.agent.call(name, "sendto", "x" * 1472, p.ip, 7000)
    f = p.next(lambda f: f.protocol == wire.UDP, 0.3)
    need(f and f.frag == wire.DF, "no DF")
    lab.agent.call(name, "close")
    return "EMSGSIZE, DF"


__all__ = []
