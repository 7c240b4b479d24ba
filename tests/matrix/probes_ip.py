# SPDX-License-Identifier: MIT
"""IP, ICMP and UDP."""
import random
import struct
import time

import wire
from conn import ISS, OPTIONS, SYN, begin_active, passive
from lab import STACK, need
from registry import probe


def ping(p, data=b"ping", wait=0.15, ident=None, **fields):
    """The echo reply, or None."""
    ident = random.randrange(65536) if ident is None else ident
    p.send(wire.ICMP, wire.echo(ident, 1, data), **fields)
    return p.next(lambda f: f.type == 0 and f.payload[4:6] == struct.pack("!H", ident), wait)


def pieces(p, payload, cuts, protocol=wire.ICMP, ident=None):
    """The payload as fragments: [(offset, packet)]; cuts: where each begins, in bytes."""
    ident = random.randrange(1, 65536) if ident is None else ident
    ends = cuts[1:] + [len(payload)]
    return [(a, wire.ip(p.ip, STACK, protocol, payload[a:b], ident=ident,
                        frag=(wire.MF if b < len(payload) else 0) | a // 8)) for a, b in zip(cuts, ends)]


def echo_reply(p, ident, seconds=0.4):
    """An echo reply put together from its fragments: its data, or None."""
    parts, total, end = {}, None, time.monotonic() + seconds
    while time.monotonic() < end:
        f = p.next(lambda f: f.protocol == wire.ICMP, end - time.monotonic())
        if not f:
            break
        parts[(f.frag & 0x1FFF) * 8] = f.payload
        if not f.frag & wire.MF:
            total = (f.frag & 0x1FFF) * 8 + len(f.payload)
        if total is not None and sum(map(len, parts.values())) == total:
            whole = b"".join(parts[k] for k in sorted(parts))
            need(whole[0] == 0 and whole[4:6] == struct.pack("!H", ident), "another answer")
            need(wire.checksum(whole) == 0, "ICMP checksum")
            return whole[8:]
    return None


@probe("I01", "M", "wrong header checksum: silence")
def ip_checksum(lab, p):
    need(ping(p, bad_checksum=True) is None, "answered")
    need(ping(p), "no answer to a good one")
    return "silent"


@probe("I02", "M", "version, header length and total length are checked; padding is cut")
def ip_lengths(lab, p):
    for wrong in ({"version": 6}, {"version": 3}, {"ihl": 4}, {"ihl": 15}, {"length": 19}, {"length": 2000}):
        need(ping(p, **wrong) is None, f"{wrong} is answered")
    packet = wire.ip(p.ip, STACK, wire.ICMP, wire.echo(77, 1, b"abc"))
    p.ip_packet(packet + b"padding padding")
    f = p.next(lambda f: f.type == 0, 0.3)
    need(f and f.data == b"abc", f"{f and f.data}")
    return "dropped, cut"


@probe("I03", "M", "TTL 0 and 1 are accepted by the destination",
       why="Linux takes them too; on a router they would end here")
def ttl_low(lab, p):
    for ttl in (0, 1):
        f = ping(p, ttl=ttl)
        need(f and f.ttl > 0, f"TTL {ttl}: {f}")
    return "accepted"


@probe("I04", "M", "sources that can be no host: silence; 127/8 is not on the wire",
       why="Linux takes the broadcast address of the network for a host, unless rp_filter is on")
def martians(lab, p):
    seen = lab.watch()
    for src in ("127.0.0.1", "0.0.0.0", "224.0.0.9", "255.255.255.255", "10.0.0.255", "240.0.0.1", STACK):
        p.send(wire.ICMP, wire.echo(99, 1), src=src)
    p.send(wire.ICMP, wire.echo(99, 1), dst="127.0.0.1")
    time.sleep(0.2)
    lab.watchers.remove(seen)
    while not seen.empty():
        f = seen.get()
        need(f.protocol != wire.ICMP, f"answered to {f.dst}")
    return "silent"


@probe("I05", "M", "source routes are refused; record route is tolerated; broken options do no harm")
def ip_options(lab, p):
    lsrr = bytes((131, 7, 4)) + wire.ip_bytes(STACK)
    ssrr = bytes((137, 7, 4)) + wire.ip_bytes(STACK)
    elsewhere = bytes((131, 7, 4)) + wire.ip_bytes("10.0.0.250")
    for option in (lsrr, ssrr, elsewhere):
        need(ping(p, options=option) is None, f"{option.hex()} is answered")
    need(ping(p, options=bytes((7, 7, 4, 0, 0, 0, 0))), "record route is refused")
    for broken in (b"\x07\x00\x00\x00", b"\x07\x27\x04\x00", b"\x44\x01\x00\x00", b"\x83\x03\xff\x00"):
        ping(p, options=broken, wait=0.05)
    need(ping(p), "no answer afterwards")
    return "refused, tolerated"


@probe("I06", "M", "fragments in any order, with copies, up to 65,535 bytes")
def reassembly(lab, p):
    data = bytes(i * 7 & 0xFF for i in range(4000))
    for round_ in range(3):
        ident = 500 + round_
        parts = pieces(p, wire.echo(ident, 1, data), [0, 1000, 2000, 3000])
        random.Random(round_).shuffle(parts)
        for _, packet in parts + parts[:1]:
            p.ip_packet(packet)
            p.ip_packet(packet)
        need(echo_reply(p, ident) == data, f"order {[a for a, _ in parts]}")
    data = bytes(65507)
    for _, packet in pieces(p, wire.echo(600, 1, data), list(range(0, 65515, 1480))):
        p.ip_packet(packet)
    need(echo_reply(p, 600, 1) == data, "65,507 bytes")
    return "yes"


@probe("I06", "M", "a SYN in fragments that cut its header: no harm, the port is not fooled",
       why="Glass drops a TCP header that is cut into pieces (RFC 1858, 3128), as a firewall must; Linux does not")
def syn_in_fragments(lab, p):
    name, port = lab.listener()
    segment = wire.tcp(p.ip, STACK, 7777, port, SYN, seq=ISS, options=OPTIONS)
    for _, packet in pieces(p, segment, [0, 16], wire.TCP):
        p.ip_packet(packet)
    f = p.next(lambda f: f.flags is not None and f.dport == 7777, 0.2)
    lab.agent.call(name, "close")
    need(f is None or f.flags & SYN, f"{f}")
    return "SYN-ACK" if f else "dropped"


@probe("I07", "M", "an overlap gives up the datagram")
def overlap(lab, p):
    payload = wire.echo(701, 1, bytes(2000))
    a, b = pieces(p, payload, [0, 1000], ident=31)
    for packet in (a[1], wire.ip(p.ip, STACK, wire.ICMP, payload[992:1504], ident=31, frag=wire.MF | 992 // 8), b[1]):
        p.ip_packet(packet)
    need(echo_reply(p, 701, 0.2) is None, "put together")
    return "given up"


@probe("I08", "M", "fragments that stay alone are given up after 30 s, with time exceeded", slow=True)
def reassembly_time(lab, p):
    (_, first), _ = pieces(p, wire.echo(800, 1, bytes(2000)), [0, 1000])
    p.ip_packet(first)
    begin = time.monotonic()
    f = p.next(lambda f: f.type is not None, 62)
    need(f and (f.type, f.code) == (11, 1), f"{f}")
    took = f.time - begin
    need(25 < took < 61, f"after {took:.0f} s")
    return "30 s, code 1" if took < 35 else f"{took:.0f} s, code 1"


@probe("I09", "M", "a flood of fragments takes no more than its share: others still get through", alone=True,
       why="Linux keeps what it has and refuses everybody's new fragments until the old ones time out")
def fragment_flood(lab, p):
    piece = bytes(1400)
    for i in range(6000):
        p.ip_packet(wire.ip(p.ip, STACK, wire.UDP, piece, ident=i & 0xFFFF, frag=wire.MF))
        if i % 200 == 199:
            time.sleep(0.002)
    friend = lab.phantom()
    for _, packet in pieces(friend, wire.echo(900, 1, bytes(3000)), [0, 1400, 2800]):
        friend.ip_packet(packet)
    need(echo_reply(friend, 900) == bytes(3000), "a friend's datagram is lost")
    return "through"


@probe("I10", "S", "identifications: none to guess on packets that may be cut")
def identifications(lab, p):
    def ident_of(q):
        f = ping(q)
        need(f, "no answer")
        return None if f.frag & wire.DF or not f.frag and f.ident == 0 else f.ident
    q = lab.phantom()
    mine = [ident_of(p) for _ in range(12)]
    other = [ident_of(q) for _ in range(12)]
    if all(i is None for i in mine + other):
        return "DF"
    steps = {(b - a) & 0xFFFF for a, b in zip(mine, mine[1:])}
    need(abs((mine[-1] or 0) - (other[0] or 0)) > 16 or len(steps) > 8, f"{mine} {other}")
    return "unpredictable"


@probe("I12", "M", "a host does not forward")
def no_forwarding(lab, p):
    other = lab.phantom()
    p.send(wire.ICMP, wire.echo(1200, 1), dst=other.ip)
    f = other.next(lambda f: f.type == 8, 0.2)
    need(not f, "forwarded")
    return "no"


@probe("I13", "M", "unknown protocol: ICMP protocol unreachable")
def unknown_protocol(lab, p):
    p.send(253, b"whatever")
    f = p.next(lambda f: f.type is not None, 0.3)
    need(f and (f.type, f.code) == (3, 2), f"{f}")
    return "3/2"


@probe("C01", "M", "echo: the same identifier, number and data")
def echo(lab, p):
    for size in (0, 1, 56, 1472):
        data = bytes(i & 0xFF for i in range(size))
        f = ping(p, data)
        need(f and f.data == data, f"{size} bytes: {f}")
    data = bytes(i * 3 & 0xFF for i in range(9000))
    for _, packet in pieces(p, wire.echo(1300, 1, data), list(range(0, 9008, 1480))):
        p.ip_packet(packet)
    need(echo_reply(p, 1300) == data, "9,000 bytes")
    return "yes"


@probe("C02", "M", "no error about an error, a broadcast, a later fragment, a source that is no host")
def no_error_about(lab, p):
    closed = wire.udp(p.ip, STACK, 1, 9, b"x")
    inner = wire.ip(STACK, p.ip, 253, b"12345678")
    time.sleep(0.3)
    p.send(wire.ICMP, wire.icmp(3, 9, data=inner[:4]))  # a broken error
    p.send(wire.UDP, wire.udp(p.ip, "10.0.0.255", 1, 9, b"x"), dst="10.0.0.255", mac=wire.BROADCAST_MAC)
    p.send(wire.UDP, closed, mac=wire.BROADCAST_MAC)
    p.send(wire.UDP, closed, frag=100)
    p.send(253, b"x", dst="255.255.255.255", mac=wire.BROADCAST_MAC)
    f = p.next(lambda f: f.type is not None, 0.25)
    need(not f, f"{f}")
    return "silent"


@probe("C03", "S", "an error quotes as much as fits into 576 bytes")
def quote(lab, p):
    p.send(wire.UDP, wire.udp(p.ip, STACK, 1, 9, bytes(1200)))
    f = p.next(lambda f: f.type == 3, 0.5)
    need(f, "no error")
    need(len(f.ip) <= 576 and len(f.data) >= 500, f"{len(f.ip)} bytes")
    return f"{len(f.ip)} bytes"


@probe("C04", "M", "errors are limited", alone=True)
def error_limit(lab, p):
    for i in range(2000):
        p.send(wire.UDP, wire.udp(p.ip, STACK, 1000 + i, 9, b"x"))
    n = len(p.all(lambda f: f.type == 3, 0.3))
    need(1 <= n < 1000, f"{n} errors for 2,000 packets")
    return "limited"


@probe("C05", "M", "wrong ICMP checksum, or too short: silence")
def icmp_checksum(lab, p):
    p.send(wire.ICMP, wire.echo(1500, 1, b"x", bad_checksum=True))
    p.send(wire.ICMP, b"\x08\x00\xf7\xff")
    f = p.next(lambda f: f.type is not None, 0.2)
    need(not f, f"{f}")
    return "silent"


@probe("C06", "M", "a redirect from one who is not our gateway changes nothing")
def redirect(lab, p):
    other = lab.phantom()
    c, syn = begin_active(p)
    rest = wire.ip_bytes(other.ip)
    other.send(wire.ICMP, wire.icmp(5, 1, rest, syn.ip[:28]))
    time.sleep(0.1)
    d, syn = begin_active(p)
    need(syn.mac_dst == p.mac, "the next connection goes elsewhere")
    for x in (c, d):
        x.put(wire.RST | wire.ACK, seq=0, ack=1)
    return "ignored"


@probe("C07", "S", "obsolete requests are not answered",
       why="Linux still answers timestamp requests; RFC 6918 keeps them, RFC 1122 makes them optional")
def obsolete(lab, p):
    for kind in (15, 17, 13, 37):
        p.send(wire.ICMP, wire.icmp(kind, 0, b"\x01\x02\0\1", bytes(12)))
    f = p.next(lambda f: f.type is not None, 0.2)
    need(not f, f"{f}")
    return "silent"


@probe("C08", "M", "UDP to a port where nobody is: port unreachable")
def udp_closed(lab, p):
    p.send(wire.UDP, wire.udp(p.ip, STACK, 1, 9, b"hello"))
    f = p.next(lambda f: f.type is not None, 0.5)
    need(f and (f.type, f.code) == (3, 3), f"{f}")
    return "3/3"


@probe("U01", "M", "wrong UDP checksum: silence, also for a port where nobody is")
def udp_checksum(lab, p):
    p.send(wire.UDP, wire.udp(p.ip, STACK, 1, 9, b"hello", check=0x1234))
    f = p.next(lambda f: f.type is not None, 0.2)
    need(not f, f"{f}")
    return "silent"


@probe("U02", "M", "UDP length below 8 or beyond the packet: silence")
def udp_length(lab, p):
    for length in (0, 7, 100):
        p.send(wire.UDP, wire.udp(p.ip, STACK, 1, 9, b"hello", length=length, check=0))
    f = p.next(lambda f: f.type is not None, 0.2)
    need(not f, f"{f}")
    return "silent"


__all__ = []
