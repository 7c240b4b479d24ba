# SPDX-License-Identifier: MIT
"""Blind attackers: RFC 5961 and what was learned since."""
import time

import wire
from conn import ACK, RST, SYN, passive
from lab import need
from registry import probe


def alive(c):
    """The connection still takes data in order."""
    c.put(data=b"alive")
    need(c.read() == "alive", "the connection is gone")


def challenged(p, flags, beyond):
    """A segment that would reset, beyond the next number: an ACK asks, and the connection lives."""
    c = passive(p)
    c.put(flags, seq=c.nxt + beyond)
    f = c.take(0.3)
    need(f and f.flags == ACK and (f.s, f.a) == (1, 1), f"answer {f}")
    alive(c)
    c.reset()
    return "challenge ACK"


@probe("T42", "M", "RST at the next number resets")
def rst_exact(lab, p):
    c = passive(p)
    c.put(RST)
    need(c.app("poll", 500, 0) & 8, "not heard")
    return "reset"


@probe("T42", "M", "RST elsewhere in the window: an ACK asks, no reset")
def rst_in_window(lab, p):
    return challenged(p, RST, 100)


@probe("T42", "M", "RST outside the window: silence")
def rst_outside(lab, p):
    c = passive(p)
    c.put(RST, seq=c.nxt + (1 << 30))
    c.put(RST, seq=c.nxt - (1 << 30))
    c.silent("answered")
    alive(c)
    c.reset()
    return "silent"


@probe("T43", "M", "SYN within a connection: an ACK asks, no reset")
def syn_in_connection(lab, p):
    return challenged(p, SYN, 10)


@probe("T44", "M", "an ACK older than the largest window: the data are refused")
def old_ack(lab, p):
    c = passive(p)
    c.app("pattern", 14600)
    c.drain()
    c.put(data=b"evil", seq=1, ack=c.got - 70000)
    f = c.wait("ACK", lambda f: f.flags & ACK, 0.3)
    need(f.a == 1, f"acknowledged {f.a}")
    need(c.read(wait_ms=100) is None, "delivered")
    c.reset()
    return "refused"


@probe("T45", "M", "1,000 RSTs in the window: at most 2 ACKs in a second", alone=True)
def many_rsts(lab, p):
    c = passive(p)
    for i in range(1000):
        c.put(RST, seq=c.nxt + 10 + i)
    n = len(c.during(0.4))
    need(1 <= n <= 2, f"{n} ACKs")
    alive(c)
    c.reset()
    return f"{n} ACK"


@probe("T45", "M", "the limit of one connection's answers does not show on another", alone=True)
def no_shared_counter(lab, p):
    many, other = [passive(p) for _ in range(3)], passive(lab.phantom())
    for c in many:
        for i in range(400):
            c.put(RST, seq=c.nxt + 10 + i)
    other.put(RST, seq=other.nxt + 100)
    f = other.take(0.4)
    need(f and f.flags == ACK, "no challenge ACK: it counts for all together")
    for c in many + [other]:
        c.reset()
    return "separate"


@probe("T45", "M", "1,000 segments outside the window: limited answers", alone=True,
       why="Linux limits answers to bare ACKs only, not those to segments with data (tcp_oow_rate_limited)")
def many_outside(lab, p):
    c = passive(p)
    for i in range(1000):
        c.put(data=b"x" * 10, seq=c.nxt + (1 << 30) + i)
    n = len(c.during(0.4))
    need(1 <= n <= 2, f"{n} ACKs")
    alive(c)
    c.reset()
    return f"{n} ACK"


__all__ = []
