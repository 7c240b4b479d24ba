# SPDX-License-Identifier: MIT
"""Opening connections: options, sequence numbers, ports, who is answered and how."""
import time

import wire
from conn import ACK, FIN, FULL, ISS, OPTIONS, RST, STACK, SYN, Conn, active, begin_active, begin_passive, passive
from lab import need
from registry import probe


def syn_answer(lab, p, options, flags=SYN):
    """What a listener says to such a SYN."""
    name, port = lab.listener()
    sport = p.port()
    p.tcp(sport, port, flags, seq=ISS, options=options)
    f = p.next(lambda f: f.flags is not None and f.dport == sport, 0.3)
    lab.agent.call(name, "close")
    return f


@probe("T03", "M", "an unknown option is passed over")
def unknown_option(lab, p):
    f = syn_answer(lab, p, bytes((254, 6, 1, 2, 3, 4)) + OPTIONS)
    need(f and f.flags == SYN | ACK, f"answer {f}")
    return "SYN-ACK"


@probe("T03", "M", "option lengths 0, 1 and beyond the header do no harm")
def option_lengths(lab, p):
    for bad in (b"\x08\x00\x01\x01", b"\x08\x01\x01\x01", b"\x08\x28\x01\x01", b"\x02\x04\x05"):
        f = syn_answer(lab, p, bad)
        need(f and f.flags == SYN | ACK, f"answer to {bad.hex()}: {f}")
    return "SYN-ACK"


@probe("T03", "M", "options need no alignment")
def unaligned_option(lab, p):
    c = passive(p, wire.NOP + wire.mss(700))
    c.app("pattern", 2000)
    f = c.expect("data", lambda f: len(f.data))
    need(len(f.data) == 700, f"{len(f.data)} bytes")
    c.reset()
    return "MSS read"


@probe("T04", "M", "options are accepted in any segment")
def options_anywhere(lab, p):
    c = passive(p)
    c.put(data=b"abc", options=bytes((253, 4, 0, 0)) + wire.timestamps(5))
    need(c.read() == "abc", "the data are lost")
    c.reset()
    return "data taken"


@probe("T05", "M", "no MSS option: segments of at most 536 bytes")
def no_mss(lab, p):
    c = passive(p, b"")
    c.app("pattern", 3000)
    f = c.expect("data", lambda f: len(f.data))
    need(len(f.data) <= 536, f"{len(f.data)} bytes")
    c.reset()
    return f"{len(f.data)} bytes"


@probe("T06", "M", "SYN and SYN-ACK carry MSS = MTU - 40; nothing else does")
def mss_option(lab, p):
    c = active(p)
    need(c.syn.mss() == 1460, f"SYN: {c.syn.mss()}")
    d, f = begin_passive(p, lab.listener()[1])
    need(f.mss() == 1460, f"SYN-ACK: {f.mss()}")
    c.app("send", "x")
    f = c.expect("data", lambda f: f.data == b"x")
    need(f.mss() is None, "MSS on data")
    c.reset()
    d.reset()
    return "1460"


@probe("T07", "M", "a segment holds the peer's MSS less the options")
def mss_less_options(lab, p):
    c = passive(p, wire.mss(1000) + wire.SACK_OK + wire.timestamps(7))
    c.app("pattern", 5000)
    f = c.expect("data", lambda f: len(f.data))
    need(len(f.data) == 988, f"{len(f.data)} bytes beside 12 of options")
    c.reset()
    return "988 of 1000"


@probe("T09", "M", "initial sequence numbers: one pair of ends grows, others are unrelated")
def initial_numbers(lab, p):
    name, port = lab.listener(64)
    isn = []
    for _ in range(64):
        c, f = begin_passive(p, port)
        isn.append(f.seq)
        c.put(RST, seq=1)
    steps = [(b - a) & 0xFFFFFFFF for a, b in zip(isn, isn[1:])]
    need(len({s >> 16 for s in steps}) > 55, "they follow from each other")
    need(max(steps) > 1 << 31 > min(steps), "they only grow")
    again = []
    for _ in range(3):
        sport = 39999
        p.tcp(sport, port, SYN, seq=ISS, options=OPTIONS)
        f = p.next(lambda f: f.flags is not None and f.dport == sport and f.flags & SYN, 1)
        need(f, "no SYN-ACK for the same ends")
        again.append(f.seq)
        p.tcp(sport, port, RST, seq=ISS + 1)
        time.sleep(0.05)
    need(all(0 < (b - a) & 0xFFFFFFFF < 1 << 28 for a, b in zip(again, again[1:])), f"same ends: {again}")
    lab.agent.call(name, "close")
    return "keyed, grow"


@probe("T10", "M", "simultaneous open ends in ESTABLISHED")
def simultaneous_open(lab, p):
    c, _ = begin_active(p)
    c.put(SYN, seq=0, options=OPTIONS)
    c.expect("SYN-ACK", lambda f: f.flags & (SYN | ACK) == SYN | ACK and f.s == 0 and f.a == 1)
    c.put(SYN | ACK, seq=0, ack=1, options=OPTIONS)
    need(c.app("poll", 500, 4), "not connected")
    c.put(data=b"hi")
    need(c.read() == "hi", "no data")
    c.reset()
    return "established"


@probe("T11", "M", "RST answers our SYN: ECONNREFUSED")
def refused(lab, p):
    c, _ = begin_active(p)
    c.put(RST | ACK, seq=0, ack=1)
    need(c.app("poll", 500, 4), "the program is not told")
    error = c.app("getsockopt", 1, 4)
    need(error == 111, f"SO_ERROR {error}")
    return "ECONNREFUSED"


@probe("T11", "M", "RST in SYN-RECEIVED: the listener goes on, the attempt is forgotten")
def rst_in_syn_received(lab, p):
    name, port = lab.listener()
    c, _ = begin_passive(p, port)
    c.put(RST, seq=1)
    time.sleep(0.02)
    c.put(ACK, seq=1)
    c.expect("RST", lambda f: f.flags & RST, 0.3)
    d = passive(p, listener=(name, port))
    d.reset()
    return "back to LISTEN"


@probe("T16", "M", "SYN to a broadcast or group address, from one, or from ourselves: silence",
       why="Linux takes the broadcast address of the network for a host, unless rp_filter is on")
def syn_from_and_to_groups(lab, p):
    _, port = lab.listener()
    seen = lab.watch()
    for src, dst, mac in ((p.ip, "10.0.0.255", wire.BROADCAST_MAC), (p.ip, "255.255.255.255", wire.BROADCAST_MAC),
                          (p.ip, "224.0.0.1", b"\x01\x00\x5e\x00\x00\x01"), ("224.0.0.1", STACK, None),
                          ("255.255.255.255", STACK, None), ("10.0.0.255", STACK, None), (STACK, STACK, None)):
        segment = wire.tcp(src, dst, 1234, port, SYN, seq=ISS, options=OPTIONS)
        p.send(wire.TCP, segment, dst=dst, src=src, mac=mac)
    time.sleep(0.3)
    lab.watchers.remove(seen)
    while not seen.empty():
        f = seen.get()
        need(f.flags is None or f.sport != port, f"answered to {f.dst}")
    return "silent"


@probe("T16", "M", "connect to a broadcast or group address fails",
       why="Linux sends SYNs to the group and times out; RFC 9293 MUST-46 wants the call refused")
def connect_to_group(lab, p):
    told = []
    for address in ("10.0.0.255", "224.0.0.1"):
        name = lab.agent.name()
        lab.agent.call(name, "socket")
        told.append(lab.agent.ask(name, "connect", address, 80).get("errno", "connected"))
        lab.agent.ask(name, "close")
    need("EINPROGRESS" not in told and "connected" not in told, " ".join(told))
    return "refused"


@probe("T17", "M", "closed port: SYN gets RST,ACK with ack = seq + len; ACK gets RST with seq = ack; RST nothing")
def closed_port(lab, p):
    def answer(flags, **fields):
        sport = p.port()
        p.tcp(sport, 9, flags, **fields)
        return p.next(lambda f: f.flags is not None and f.dport == sport, 0.2)
    f = answer(SYN, seq=5)
    need(f and f.flags == RST | ACK and (f.seq, f.ack) == (0, 6), f"SYN: {f}")
    f = answer(SYN, seq=5, data=b"x" * 10)
    need(f and f.flags == RST | ACK and (f.seq, f.ack) == (0, 16), f"SYN with data: {f}")
    f = answer(ACK, seq=5, ack=77)
    need(f and f.flags == RST and f.seq == 77, f"ACK: {f}")
    f = answer(FIN | ACK, seq=5, ack=78)
    need(f and f.flags == RST and f.seq == 78, f"FIN: {f}")
    need(answer(RST, seq=5) is None and answer(RST | ACK, seq=5, ack=9) is None, "RST answered")
    return "as the RFC"


@probe("T17", "M", "LISTEN: ACK gets RST, RST and a bare segment nothing")
def listen_other_segments(lab, p):
    name, port = lab.listener()
    c = Conn(p, p.port(), port)
    c.put(ACK, seq=1, ack=500)
    c.expect("RST", lambda f: f.flags == RST and f.seq == 500, 0.3)
    c.put(RST, seq=1)
    c.put(0, data=b"x", seq=1)
    c.silent("answered")
    lab.agent.call(name, "close")
    return "as the RFC"


@probe("T17", "M", "SYN+FIN opens nothing")
def syn_fin(lab, p):
    f = syn_answer(lab, p, OPTIONS, SYN | FIN)
    need(f is None, f"answered: {f}")
    return "silent"


@probe("T17", "M", "SYN-SENT: an ACK of nothing of ours gets RST and changes nothing")
def syn_sent_wrong_ack(lab, p):
    c, _ = begin_active(p)
    c.put(SYN | ACK, seq=0, ack=500, options=OPTIONS)
    f = c.expect("RST", lambda f: f.flags & RST)
    need(f.s == 500, f"RST with {f.s}")
    c.put(RST | ACK, seq=0, ack=500)
    c.put(SYN | ACK, seq=0, ack=1, options=OPTIONS)
    c.expect("ACK", lambda f: f.flags == ACK and f.a == 1)
    c.reset()
    return "RST, goes on"


@probe("T34", "M", "port unreachable about our SYN: ECONNREFUSED")
def syn_port_unreachable(lab, p):
    c, syn = begin_active(p)
    p.send(wire.ICMP, wire.icmp(3, 3, data=syn.ip[:28]))
    need(c.app("poll", 500, 4), "the program is not told")
    error = c.app("getsockopt", 1, 4)
    need(error == 111, f"SO_ERROR {error}")
    return "ECONNREFUSED"


@probe("T47", "M", "ephemeral ports cannot be guessed from the last ones")
def ephemeral_ports(lab, p):
    ports = []
    for _ in range(24):
        c, _ = begin_active(p)
        ports.append(c.dport)
        c.put(RST | ACK, seq=0, ack=1)
        lab.agent.ask(c.sock, "close")
    steps = {b - a for a, b in zip(ports, ports[1:])}
    need(len(set(ports)) == 24, "one was used twice")
    need(len(steps) > 18, f"steps {sorted(steps)}")
    return "unpredictable"


@probe("T48", "M", "a flood of SYNs fills no table: whoever completes the handshake gets in, with all options",
       alone=True)
def syn_flood(lab, p):
    name, port = lab.listener(64)
    for i in range(3000):
        p.tcp(1000 + i, port, SYN, seq=i * 77777, options=FULL)
        if i % 100 == 99:
            time.sleep(0.002)
    time.sleep(0.2)
    friend = lab.phantom()
    c, f = begin_passive(friend, port, FULL)
    c.put(ACK)
    need(lab.agent.call(name, "poll", 1000), "a friend cannot connect")
    c.sock = lab.agent.name()
    lab.agent.call(name, "accept", c.sock)
    c.app("pattern", 5000)
    f = c.expect("data", lambda f: len(f.data))
    need(len(f.data) == 1448 and f.ts(), f"MSS or timestamps lost: {len(f.data)} bytes")
    need(4 in c.syn.options and 3 in c.syn.options, "SACK or window scale not agreed on")
    c.reset()
    lab.agent.call(name, "close")
    for i in range(3000):
        p.tcp(1000 + i, port, RST, seq=i * 77777 + 1)
    return "in, all options"


@probe("T49", "M", "ICMP errors that quote a sequence number not in flight are ignored")
def forged_error(lab, p):
    c, syn = begin_active(p)
    quote = syn.ip[:24] + ((syn.seq + 100000) & 0xFFFFFFFF).to_bytes(4, "big")
    p.send(wire.ICMP, wire.icmp(3, 3, data=quote))
    need(not c.app("poll", 200, 4), "the connect failed")
    c.put(SYN | ACK, seq=0, ack=1, options=OPTIONS)
    c.expect("ACK", lambda f: f.flags == ACK and f.a == 1)
    c.reset()
    return "ignored"


@probe("T50", "M", "SYN-ACK is sent again after 1, 2, 4 s", slow=True)
def synack_series(lab, p):
    name, port = lab.listener()
    c, f = begin_passive(p, port)
    times = [f.time] + [g.time for g in c.during(7.6)]
    gaps = [b - a for a, b in zip(times, times[1:])]
    need(len(gaps) == 3 and all(abs(g - w) < 0.25 * w for g, w in zip(gaps, (1, 2, 4))),
         " ".join(f"{g:.1f}" for g in gaps))
    c.put(RST, seq=1)
    lab.agent.call(name, "close")
    return "1 2 4"


@probe("T51", "M", "SYN is sent again after 1 s, then twice as long", slow=True,
       why="Linux sends the first four one second apart (tcp_syn_linear_timeouts), then doubles")
def syn_series(lab, p):
    c, syn = begin_active(p)
    times = [syn.time] + [g.time for g in c.during(7.6)]
    gaps = [round(b - a) for a, b in zip(times, times[1:])]
    lab.agent.ask(c.sock, "close")
    need(gaps[:2] in ([1, 2], [1, 1]), str(gaps))
    return " ".join(map(str, gaps))


@probe("T31", "M", "connect gives up with ETIMEDOUT after the retries of TCP_SYNCNT", slow=True)
def syn_gives_up(lab, p):
    begin = time.monotonic()
    c, _ = begin_active(p, options=[(6, 7, 2)])
    need(c.app("poll", 0, 4) == 0, "too early")
    while not c.app("poll", 0, 4) and time.monotonic() < begin + 12:
        time.sleep(0.1)
    took = time.monotonic() - begin
    error = c.app("getsockopt", 1, 4)
    need(error == 110 and 2.5 < took < 8, f"SO_ERROR {error} after {took:.1f} s")
    return "ETIMEDOUT"


@probe("T72", "M", "window scale only if both offer it; the window of a SYN is not scaled")
def window_scale(lab, p):
    c, f = begin_passive(p, lab.listener()[1], OPTIONS)
    need(3 not in f.options, "SYN-ACK offers it to one who did not")
    c.reset()
    c, f = begin_passive(p, lab.listener()[1], FULL)
    need(3 in f.options, "SYN-ACK without it")
    need(f.win > 4 * 1460, f"window {f.win} in the SYN-ACK")
    c.reset()
    return "yes"


@probe("T72", "M", "a shift above 14 counts as 14")
def window_scale_15(lab, p):
    c = passive(p, wire.mss(1460) + wire.wscale(15), win=65535)
    c.win = 1
    c.put()
    c.app("pattern", 60000)
    c.drain()
    most = 0
    for _ in range(12):
        c.app_ask("pattern", 60000)
        most = max(most, sum(f.n for f in c.during(0.03)))
        c.put()
    need(most <= 16384, f"{most} bytes at once")
    c.reset()
    return "14"


@probe("T75", "M", "timestamps begin elsewhere for each pair of ends")
def timestamp_offsets(lab, p):
    _, port = lab.listener(64)
    values = []
    for _ in range(8):
        c, f = begin_passive(p, port, FULL)
        values.append(f.ts()[0])
        c.put(RST, seq=1)
    q = lab.phantom()
    c, f = begin_passive(q, port, FULL)
    c.put(RST, seq=1)
    near = [v for v in values if abs(v - f.ts()[0]) < 100000]
    need(not near, "the same for two hosts")
    return "yes"


@probe("T76", "S", "an ECN-setup SYN is answered by an ECN-setup SYN-ACK",
       why="Glass has no ECN yet")
def ecn_setup(lab, p):
    f = syn_answer(lab, p, OPTIONS, SYN | wire.ECE | wire.CWR)
    need(f and f.flags == SYN | ACK | wire.ECE, f"{f}")
    return "SYN-ACK with ECE"


__all__ = []
