# SPDX-License-Identifier: MIT
"""Receiving: what is taken, what is acknowledged and when, the window."""
import time

import wire
from conn import ACK, FULL, ISS, OPTIONS, PSH, RST, SYN, Conn, fill, passive
from lab import need
from registry import probe

SO_RCVBUF = (1, 8)


@probe("T01", "M", "a segment with a wrong checksum changes nothing")
def bad_checksum(lab, p):
    c = passive(p)
    c.put(data=b"evil", seq=1, bad_checksum=True)
    need(c.read(wait_ms=100) is None, "delivered")
    c.silent("answered")
    c.put(RST, seq=1, bad_checksum=True)
    c.put(data=b"good", seq=1)
    need(c.read() == "good", "the connection is hurt")
    c.nxt = 5
    c.reset()
    return "dropped"


@probe("T18", "M", "a segment outside the window: an ACK, no data")
def outside_the_window(lab, p):
    c = passive(p)
    for seq in (1 + (1 << 30), -(1 << 30)):
        c.put(data=b"x" * 10, seq=seq)
        f = c.wait("ACK", lambda f: f.flags == ACK, 0.3)
        need((f.s, f.a) == (1, 1), f"ACK {f.s} {f.a}")
        time.sleep(0.6)
    need(c.read(wait_ms=50) is None, "delivered")
    c.reset()
    return "ACK"


@probe("T18", "M", "a segment that begins before the window and ends in it is taken from where it is new")
def begins_before_the_window(lab, p):
    c = passive(p)
    c.put(data=b"old!")
    need(c.read() == "old!", "not delivered")
    c.put(data=b"old!new.", seq=1)
    need(c.read() == "new.", "the new part is lost")
    c.nxt = 9
    c.reset()
    return "trimmed"


@probe("T19", "M", "overlaps are trimmed: each byte once")
def overlap(lab, p):
    c = passive(p)
    c.put(data=b"A" * 8, seq=1)
    c.put(data=b"B" * 8, seq=5)
    time.sleep(0.05)
    got = c.read()
    need(got == "AAAAAAAABBBB", got)
    c.put(data=b"D" * 8, seq=17)
    c.put(data=b"C" * 8, seq=13)
    time.sleep(0.05)
    got = c.read()
    need(got and len(got) == 12 and got.startswith("CCCC") and got.endswith("DDDD"), got)
    c.nxt = 25
    c.reset()
    return "first wins; " + got


@probe("T20", "M", "an ACK of what was never sent: ACK back, the data not delivered")
def ack_of_unsent(lab, p):
    c = passive(p)
    c.put(data=b"evil", seq=1, ack=1 + 100000)
    f = c.wait("ACK", lambda f: f.flags & ACK, 0.3)
    need(f.a == 1, f"acknowledged {f.a}")
    need(c.read(wait_ms=100) is None, "delivered")
    c.reset()
    return "refused"


@probe("T22", "M", "data out of order are kept")
def out_of_order_is_kept(lab, p):
    c = passive(p)
    for i in range(9, 0, -1):
        c.put(data=b"%d" % i * 100, seq=1 + i * 100)
    c.put(data=b"0" * 100, seq=1)
    f = c.wait("ACK of all", lambda f: f.a == 1001, 0.3)
    need(c.read() == "".join(str(i) * 100 for i in range(10)), "wrong bytes")
    c.nxt = 1001
    c.reset()
    return "kept"


@probe("T23", "M", "our window's right edge never moves back")
def our_window_never_shrinks(lab, p):
    c = passive(p, FULL, options=[(*SO_RCVBUF, 20000)])
    edges = fill(c)
    back = [b - a for a, b in zip(edges, edges[1:]) if b < a]
    need(not back, f"by {back}")
    c.reset()
    return "yes"


@probe("T25", "M", "at our window of zero ACK and RST are still heard")
def zero_window_hears(lab, p):
    c = passive(p, OPTIONS, options=[(*SO_RCVBUF, 4096)])
    fill(c)
    c.app("send", "out")
    c.wait("data", lambda f: f.data == b"out")
    c.put()
    need(not [f for f in c.during(0.5) if f.data], "the ACK was not heard")
    c.put(RST)
    c.put(ACK, seq=c.nxt)
    c.wait("RST", lambda f: f.flags & RST, 0.5)
    return "heard"


@probe("T26", "M", "a window of zero opens by min(MSS, half of the buffer) at once, not by single bytes")
def no_silly_window(lab, p):
    c = passive(p, OPTIONS, options=[(*SO_RCVBUF, 8192)])
    fill(c)
    for _ in range(20):
        need(c.app("recv", 1) == "w", "no byte to read")
    f = c.take(0.1)
    need(not f or f.win >= 1000, f"a window of {f and f.win}")
    while c.read(wait_ms=50):
        pass
    f = c.wait("window update", lambda f: f.win >= 1000, 0.5)
    c.reset()
    return "in large steps"


@probe("T28", "M", "an ACK at least for every second full segment")
def every_second_segment(lab, p):
    c = passive(p)
    late = 0
    for i in range(40):
        c.put(data=b"d" * 1460)
        c.put(data=b"d" * 1460)
        begin = time.monotonic()
        f = c.wait("ACK", lambda f: f.a == c.nxt, 0.3)
        late += f.time - begin > 0.035
        c.app("recv", 100000)
    need(late < 5, f"{late} of 40 waited")
    c.reset()
    return "at once"


@probe("T28", "M", "an ACK waits for less than 500 ms (200 as Linux)")
def delayed_ack(lab, p):
    c = passive(p)
    waits = []
    for i in range(30):
        begin = time.monotonic()
        c.put(data=b"d" * 10)
        f = c.wait("ACK", lambda f: f.a == c.nxt, 0.6)
        waits.append(f.time - begin)
        c.app("recv", 100)
    need(max(waits) < 0.25, f"{max(waits):.3f} s")
    c.reset()
    return "<= 40 ms" if max(waits) < 0.08 else "<= 200 ms"


@probe("T29", "S", "many segments at once get fewer ACKs", alone=True)
def acks_aggregate(lab, p):
    c = passive(p)
    for _ in range(30):
        c.put(data=b"d" * 1000)
    acks = len([f for f in c.during(0.3) if f.a and f.a > 1])
    need(acks < 30, f"{acks} ACKs for 30 segments")
    c.reset()
    return "fewer"


@probe("T30", "M", "out of order: an ACK at once; hole filled: an ACK at once")
def acks_at_once(lab, p):
    c = passive(p)
    begin = time.monotonic()
    c.put(data=b"2" * 500, seq=501)
    f = c.wait("duplicate ACK", lambda f: f.a == 1, 0.3)
    need(f.time - begin < 0.03, f"duplicate ACK after {f.time - begin:.3f} s")
    begin = time.monotonic()
    c.put(data=b"1" * 500, seq=1)
    f = c.wait("ACK", lambda f: f.a == 1001, 0.3)
    need(f.time - begin < 0.03, f"after {f.time - begin:.3f} s")
    c.nxt = 1001
    c.reset()
    return "at once"


@probe("T61", "M", "SACK blocks: the newest first, at most three beside timestamps")
def sack_blocks(lab, p):
    c = passive(p, FULL)
    f = None
    for i in range(1, 6):
        c.put(data=b"s" * 10, seq=1 + i * 20)
        f = c.wait("ACK", lambda f: f.a == 1, 0.3)
        blocks = [((a - ISS) & 0xFFFFFFFF, (b - ISS) & 0xFFFFFFFF) for a, b in f.sacks()]
        need(blocks and blocks[0] == (1 + i * 20, 11 + i * 20), f"first block {blocks}")
    need(len(blocks) == 3, f"{len(blocks)} blocks")
    c.reset()
    return "newest first, 3"


@probe("T63", "S", "a duplicate is told by DSACK")
def dsack(lab, p):
    c = passive(p, FULL)
    c.put(data=b"d" * 100)
    c.wait("ACK", lambda f: f.a == 101, 0.5)
    c.put(data=b"d" * 100, seq=1)
    f = c.wait("ACK", lambda f: f.a == 101, 0.5)
    blocks = [((a - ISS) & 0xFFFFFFFF, (b - ISS) & 0xFFFFFFFF) for a, b in f.sacks()]
    need(blocks and blocks[0] == (1, 101), f"blocks {blocks}")
    c.reset()
    return "DSACK"


@probe("T73", "M", "timestamps on every segment; the echo is of the segment that moved the edge")
def timestamp_echo(lab, p):
    c = passive(p, FULL)
    c.ts_val = 5000
    c.put(data=b"t" * 10)
    c.ts_val = 6000
    c.put(data=b"t" * 10, seq=31)  # out of order: its timestamp is not echoed
    f = c.wait("duplicate ACK", lambda f: f.a == 11 and f.sacks(), 0.5)
    need(f.ts(), "no timestamps")
    need(f.ts()[1] == 5000, f"echo {f.ts()[1]}")
    c.reset()
    return "as RFC 7323"


@probe("T74", "M", "PAWS: an older timestamp is refused and answered; RST is exempt")
def paws(lab, p):
    c = passive(p, FULL)
    c.ts_val = 500000
    c.put(data=b"new")
    need(c.read() == "new", "not delivered")
    c.during(0.1)
    time.sleep(0.6)
    c.put(data=b"old", seq=4, options=wire.timestamps(400000, c.ts_recent))
    f = c.wait("ACK", lambda f: f.a == 4, 0.3)
    need(c.read(wait_ms=100) is None, "delivered")
    c.put(RST, seq=4, options=wire.timestamps(400000, c.ts_recent))
    need(c.app("poll", 500, 0) & 8, "RST with an old timestamp is not heard")
    return "refused"


@probe("T37", "S", "urgent data: SIOCATMARK tells the place; the byte is out of band",
       why="Glass has no urgent data yet")
def urgent_in(lab, p):
    c = passive(p)
    c.put(PSH | ACK | wire.URG, data=b"abcU", urgent=4)
    need(c.app("poll", 500, 1 | 2), "not told")
    need(c.read() == "abc", "in-band data")
    mark = c.app("ioctl", 0x8905)
    need(mark == 1, f"SIOCATMARK {mark}")
    byte = c.app_ask("recv", 1, 1)
    need(byte == "U", f"MSG_OOB gave {byte}")
    c.reset()
    return "as Linux"


@probe("T76", "S", "CE on data is echoed by ECE until CWR comes",
       why="Glass has no ECN yet")
def ecn_echo(lab, p):
    name, port = lab.listener()
    c = Conn(p, p.port(), port)
    c.put(SYN | wire.ECE | wire.CWR, seq=0, options=OPTIONS)
    f = c.take(1)
    need(f and f.flags & wire.ECE, "ECN not agreed on")
    c.irs = f.seq
    c.put()
    segment = wire.tcp(p.ip, "10.0.0.4", c.sport, c.dport, ACK, seq=ISS + 1, ack=c.irs + 1, data=b"ce")
    p.send(wire.TCP, segment, tos=3)
    f = c.wait("ACK", lambda f: f.a == 3)
    need(f.flags & wire.ECE, "no ECE")
    c.nxt = 3
    c.put(ACK | wire.CWR, data=b"x" * 1460)
    c.put(ACK, data=b"x" * 1460)
    f = c.wait("ACK", lambda f: f.a == c.nxt)
    need(not f.flags & wire.ECE, "ECE after CWR")
    c.reset()
    lab.agent.call(name, "close")
    return "ECE until CWR"


__all__ = []
