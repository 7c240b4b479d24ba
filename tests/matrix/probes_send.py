# SPDX-License-Identifier: MIT
"""Sending: segments and their sizes, windows, congestion control, loss."""
import time

import wire
from conn import ACK, FULL, ISS, OPTIONS, PSH, RST, passive
from lab import need
from registry import probe

TCP_NODELAY, TCP_CORK, IP_TOS, IP_TTL = (6, 1), (6, 3), (0, 1), (0, 2)


def burst(c, size=100000, seconds=0.1):
    """What goes out at once when the program writes that much."""
    c.app("pattern", size)
    return [f for f in c.during(seconds) if f.data]


def right_bytes(segments, first=1):
    """Each byte is what the program wrote at its place."""
    return all(f.data == bytes((f.s - first + i) & 0xFF for i in range(len(f.data))) for f in segments)


def duplicates(c, n):
    """n ACKs for the first byte; answers the segment that goes again."""
    for _ in range(n):
        c.put(ack=1)
    return c.wait("retransmission", lambda f: f.s == 1 and f.data, 0.1)


@probe("T23", "M", "the peer shrinks its window: nothing beyond it, nothing lost", slow=True)
def peer_shrinks(lab, p):
    c = passive(p)
    first = burst(c, 14600)
    need(sum(f.n for f in first) == 14600, "not all sent")
    c.put(ack=1 + 1460, win=1460)  # the right edge goes back from 65536 to 2921
    c.app("pattern", 1000)
    beyond = [f for f in c.during(1.5) if f.s + f.n > 1 + 2 * 1460]
    need(not [f for f in beyond if f.s >= 14601], "new data beyond the window")
    c.put(ack=1 + 1460, win=60000)
    end, seen = time.monotonic() + 8, 1 + 1460
    while seen < 15601 and time.monotonic() < end:
        f = c.take(0.5)
        if f and f.s <= seen:
            seen = max(seen, f.s + f.n)
        if f:  # a duplicate ACK, too, when it is out of order: F-RTO waits for it
            c.put(ack=seen, win=60000)
    need(seen == 15601, f"only {seen} arrived")
    c.reset()
    return "robust"


@probe("T26", "M", "no small segment into a small window that was large")
def no_tinygrams(lab, p):
    c = passive(p)
    burst(c, 1460)
    c.put(win=200)
    c.app("pattern", 5000)
    small = [f for f in c.during(0.15) if f.data]
    need(not small, f"{len(small[0].data) if small else 0} bytes at once")
    c.put(win=20000)
    c.wait("data", lambda f: len(f.data) == 1460)
    c.reset()
    return "waits"


@probe("T27", "M", "Nagle: a small segment waits for the ACK of the one before")
def nagle(lab, p):
    c = passive(p)
    c.app("send", "one")
    c.wait("data", lambda f: f.data == b"one")
    c.app("send", "two")
    c.silent("sent", 0.1)
    c.put()
    c.wait("data", lambda f: f.data == b"two")
    c.reset()
    return "waits"


@probe("T27", "M", "TCP_NODELAY: it does not wait")
def nodelay(lab, p):
    c = passive(p)
    c.app("setsockopt", *TCP_NODELAY, 1)
    c.app("send", "one")
    c.wait("data", lambda f: f.data == b"one")
    c.app("send", "two")
    c.wait("data", lambda f: f.data == b"two", 0.1)
    c.reset()
    return "goes"


@probe("T27", "M", "TCP_CORK: nothing but full segments until it is taken out")
def cork(lab, p):
    c = passive(p)
    c.app("setsockopt", *TCP_CORK, 1)
    c.app("pattern", 2000)
    f = c.wait("data", lambda f: f.data)
    need(len(f.data) == 1460, f"{len(f.data)} bytes")
    c.silent("the rest went", 0.1)
    c.app("setsockopt", *TCP_CORK, 0)
    c.wait("the rest", lambda f: len(f.data) == 540, 0.3)
    c.reset()
    return "waits"


@probe("T36", "S", "IP_TOS and IP_TTL show on the wire")
def tos_and_ttl(lab, p):
    c = passive(p)
    c.app("setsockopt", *IP_TOS, 0x48)
    c.app("setsockopt", *IP_TTL, 33)
    c.app("send", "x")
    f = c.wait("data", lambda f: f.data)
    need(f.tos & 0xFC == 0x48 and f.ttl == 33, f"tos {f.tos:#x} ttl {f.ttl}")
    c.reset()
    return "yes"


@probe("T37", "S", "MSG_OOB: URG, and the pointer where Linux puts it",
       why="Glass has no urgent data yet")
def urgent_out(lab, p):
    c = passive(p)
    c.app("send", "abcU", 1)
    f = c.wait("data", lambda f: f.data)
    need(f.flags & wire.URG, "no URG")
    need(f.urgent == 4, f"pointer {f.urgent}")
    c.reset()
    return "pointer behind the byte"


@probe("T38", "M", "the last segment of a write has PSH")
def push(lab, p):
    c = passive(p)
    f = burst(c, 4000)
    need(f and f[-1].flags & PSH and sum(len(x.data) for x in f) == 4000, "no PSH at the end")
    need(right_bytes(f), "wrong bytes")
    c.reset()
    return "PSH"


@probe("T39", "M", "a peer's MSS of 1 makes no segments of one byte")
def mss_1(lab, p):
    c = passive(p, wire.mss(1))
    f = burst(c, 1000)
    need(f, "nothing is sent")
    need(len(f[0].data) >= 36, f"{len(f[0].data)} bytes")
    c.reset()
    return f"{len(f[0].data)} bytes"


@probe("T53", "M", "the initial window is 10 segments")
def initial_window(lab, p):
    c = passive(p)
    n = len(burst(c))
    need(n == 10, f"{n} segments")
    c.reset()
    return "10"


@probe("T54", "M", "slow start: each acknowledged segment lets out two")
def slow_start(lab, p):
    c = passive(p)
    burst(c)
    counts = []
    for _ in range(2):
        acked = c.got
        n = 0
        first = c.got - (10 if not counts else counts[-1]) * 1460
        for a in range(first + 1460, acked + 1, 1460):
            c.put(ack=a)
        n = len([f for f in c.during(0.1) if f.data])
        counts.append(n)
    need(counts[0] in range(18, 21), f"{counts}")
    c.reset()
    return "doubles"


@probe("T55", "M", "after a time-out one segment goes, then two", slow=True)
def after_timeout(lab, p):
    c = passive(p)
    out = burst(c)
    need(len(out) == 10, f"{len(out)} segments")
    again = [f for f in c.during(1.0) if f.data]
    first = [f for f in again if f.s == 1]
    need(first, "nothing sent again")
    need(len([f for f in again if abs(f.time - first[0].time) < 0.05]) == 1, "several at the time-out")
    c.put(ack=1 + 1460)
    n = len([f for f in c.during(0.1) if f.data])
    need(n in (1, 2), f"{n} segments for one ACK")
    c.reset()
    return "1, then 2"


@probe("T56", "M", "three duplicate ACKs: the missing segment goes again at once")
def fast_retransmit(lab, p):
    c = passive(p)
    burst(c)
    need(right_bytes([duplicates(c, 3)]), "wrong bytes")
    c.reset()
    return "at once"


@probe("T57", "M", "a partial ACK without SACK: the next hole goes at once")
def partial_ack(lab, p):
    c = passive(p)
    burst(c)
    duplicates(c, 6)
    c.put(ack=1 + 3 * 1460)
    c.wait("next hole", lambda f: f.s == 1 + 3 * 1460, 0.1)
    c.reset()
    return "at once"


@probe("T58", "S", "limited transmit: the first two duplicate ACKs let out a new segment each",
       why="Linux holds a single segment back for a moment, to send larger ones")
def limited_transmit(lab, p):
    c = passive(p)
    burst(c)
    c.put(ack=1)
    c.put(ack=1)
    n = len([f for f in c.during(0.05) if f.s > 14600])
    need(n == 2, f"{n} new segments")
    c.reset()
    return "2"


@probe("T59", "S", "an ACK cut into pieces lets out no more than a whole one")
def ack_division(lab, p):
    c = passive(p)
    burst(c)
    for i in range(1, 21):
        c.put(ack=1 + 1460 * i // 20)
    n = len([f for f in c.during(0.15) if f.data])
    need(n <= 3, f"{n} segments for one")
    c.reset()
    return "gains nothing"


@probe("T60", "S", "after idleness the window begins small again", slow=True)
def restart_after_idle(lab, p):
    c = passive(p)
    c.app("pattern", 60000)
    c.drain()
    time.sleep(2)
    n = len(burst(c, 60000))
    need(n <= 10, f"{n} segments at once")
    c.reset()
    return "10"


@probe("T64", "M", "SACK: the holes go again, what is SACKed does not")
def sack_recovery(lab, p):
    c = passive(p, wire.mss(1460) + wire.SACK_OK)
    burst(c)
    irs = c.irs
    def block(a, b):
        return wire.sack((irs + 1 + a * 1460, irs + 1 + b * 1460))
    c.put(ack=1, options=block(1, 2))
    c.put(ack=1, options=block(1, 3))
    c.put(ack=1, options=block(1, 5))
    c.put(ack=1, options=block(6, 10) + block(1, 5)[2:])
    f = c.during(0.15)
    again = sorted({x.s // 1460 for x in f if x.data and x.s < 14601})
    need(0 in again, "the first hole does not go")
    need(set(again) <= {0, 5}, f"segments {again} again")
    c.reset()
    return "only the holes"


@probe("T66", "M", "a lost tail is found by a probe, not by the time-out")
def tail_loss_probe(lab, p):
    c = passive(p, FULL)
    for _ in range(6):  # a round trip of 40 ms
        c.app("send", "r" * 100)
        c.wait("data", lambda f: f.data)
        time.sleep(0.04)
        c.put()
    c.app("pattern", 2896)
    f = [x for x in c.during(0.01) if x.data]
    begin = time.monotonic()
    x = c.wait("probe", lambda x: x.data, 0.4)
    need(x.time - begin < 0.19, f"after {x.time - begin:.3f} s")
    c.reset()
    return "about 2 SRTT"


@probe("T79", "M", "DF is set; fragmentation needed lowers the segments, which go again at once")
def path_mtu(lab, p):
    c = passive(p)
    f = burst(c, 8000)
    need(all(x.frag & wire.DF for x in f), "no DF")
    rest = (1000).to_bytes(4, "big")
    p.send(wire.ICMP, wire.icmp(3, 4, rest, f[0].ip[:28]))
    again = [x for x in c.during(0.15) if x.data]
    need(again and again[0].s == 1, "does not go again")
    need(all(len(x.data) <= 960 for x in again), f"{max(len(x.data) for x in again) if again else 0} bytes")
    c.reset()
    return "960, at once"


@probe("T82", "M", "an ACK beyond what was sent lets nothing out")
def optimistic_ack(lab, p):
    c = passive(p)
    burst(c)
    for i in range(10):
        c.put(ack=14601 + 1460 * (i + 1))
    f = [x for x in c.during(0.15) if x.data and x.s > 14600]
    need(not f, f"{len(f)} new segments")
    c.reset()
    return "nothing"


__all__ = []
