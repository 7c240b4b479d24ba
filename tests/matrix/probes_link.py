# SPDX-License-Identifier: MIT
"""ARP and neighbours."""
import time

import wire
from conn import SYN
from lab import STACK, need
from registry import probe

GATEWAY_OF_NOBODY = "10.0.0.251"


def start_connect(lab, address, port=80):
    name = lab.agent.name()
    lab.agent.call(name, "socket")
    answer = lab.agent.ask(name, "connect", address, port)
    need(answer.get("errno") == "EINPROGRESS", f"connect: {answer}")
    return name


def asks_for(p):
    return lambda f: f.operation == 1 and f.dst == p.ip


@probe("A01", "M", "ARP: answers for its own address only; learns who asks for it")
def own_address_only(lab, p):
    q = lab.phantom(answers_arp=False)
    p.arp(tpa=q.ip)
    need(not p.next(lambda f: f.operation == 2, 0.15), "answered for another")
    q.arp()
    need(q.next(lambda f: f.operation == 2, 0.3), "no answer for its own")
    start_connect(lab, q.ip)
    f = q.next(lambda f: f.flags is not None or f.operation == 1, 0.3)
    need(f and f.flags == SYN and f.mac_dst == q.mac, "who asked was not learned")
    return "yes"


@probe("A02", "M", "ARP with a wrong hardware type, protocol or length is dropped")
def wrong_format(lab, p):
    for wrong in ({"hardware": 15}, {"protocol": 0x86DD}, {"hlen": 8}, {"plen": 16}):
        p.arp(**wrong)
        need(not p.next(lambda f: f.operation == 2, 0.1), f"{wrong} is answered")
    p.arp(operation=9)
    need(not p.next(lambda f: f.operation == 2, 0.1), "operation 9 is answered")
    return "dropped"


@probe("A03", "M", "a broadcast, group or zero address of a sender is refused",
       why="Linux answers, and takes the address into its table")
def sender_address(lab, p):
    seen = lab.watch()
    for sha in (b"\xff" * 6, b"\x01\x00\x5e\x00\x00\x01", b"\0" * 6):
        q = lab.phantom(answers_arp=False)
        q.arp(sha=sha)
    time.sleep(0.2)
    lab.watchers.remove(seen)
    while not seen.empty():
        f = seen.get()
        need(f.operation != 2, "answered")
    return "refused"


@probe("A04", "M", "at most one request in a second for one address", slow=True)
def request_rate(lab, p):
    q = lab.phantom(answers_arp=False)
    for _ in range(5):
        start_connect(lab, q.ip)
    f = q.all(asks_for(q), 2.6)
    gaps = [b.time - a.time for a, b in zip(f, f[1:])]
    need(2 <= len(f) <= 3 and min(gaps) > 0.9, " ".join(f"{g:.2f}" for g in gaps))
    return "1 in a second"


@probe("A05", "M", "a packet waits while the address is asked for")
def packet_waits(lab, p):
    q = lab.phantom(answers_arp=False)
    start_connect(lab, q.ip)
    f = q.next(asks_for(q), 0.5)
    need(f, "no request")
    time.sleep(0.3)
    q.arp(2, tha=f.sha, tpa=STACK, mac_dst=f.sha)
    need(q.next(lambda f: f.flags == SYN, 0.1), "the SYN is lost")
    return "goes at once"


@probe("A06", "M", "a rival for its address is told so, once",
       why="Linux leaves conflicts to programs (avahi, NetworkManager)")
def conflict(lab, p):
    seen = lab.watch()
    for _ in range(3):
        p.frame(wire.ethernet(wire.BROADCAST_MAC, p.mac, wire.ARP_TYPE,
                              wire.arp(1, p.mac, STACK, b"\0" * 6, STACK)))
        time.sleep(0.05)
    time.sleep(0.2)
    lab.watchers.remove(seen)
    defended = 0
    while not seen.empty():
        f = seen.get()
        defended += f.operation is not None and f.src == STACK and f.dst == STACK
    need(defended == 1, f"{defended} announcements")
    return "once"


@probe("A07", "M", "a flood of strangers does not push out who is in use", alone=True)
def stranger_flood(lab, p):
    for i in range(4000):
        mac = bytes((2, 1, 0, 0, i >> 8, i & 255))
        body = wire.arp(1, mac, f"10.0.{i >> 8 & 255}.{i & 255}", b"\0" * 6, STACK)
        p.frame(wire.ethernet(wire.BROADCAST_MAC, mac, wire.ARP_TYPE, body))
        if i % 200 == 199:
            time.sleep(0.002)
            p.send(wire.ICMP, wire.echo(1, i))
    p.answers_arp = False
    p.send(wire.ICMP, wire.echo(4242, 1))
    f = p.next(lambda f: f.type == 0 and f.payload[4:6] == b"\x10\x92", 0.5)
    p.answers_arp = True
    need(f, "the peer was forgotten")
    return "kept"


@probe("A08", "S", "nobody answers ARP: EHOSTUNREACH after about 3 s", slow=True)
def nobody_there(lab, p):
    q = lab.phantom(answers_arp=False)
    begin = time.monotonic()
    name = start_connect(lab, q.ip)
    while not lab.agent.call(name, "poll", 0, 4) and time.monotonic() < begin + 10:
        time.sleep(0.05)
    took = time.monotonic() - begin
    error = lab.agent.call(name, "getsockopt", 1, 4)
    need(error == 113 and 2 < took < 5, f"SO_ERROR {error} after {took:.1f} s")
    return "EHOSTUNREACH, 3 s"


__all__ = []
