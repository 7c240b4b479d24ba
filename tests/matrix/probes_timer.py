# SPDX-License-Identifier: MIT
"""What time does: retransmission, zero-window probes, keepalive, user time-out."""
import time

import wire
from conn import ACK, OPTIONS, RST, active, begin_active, passive
from lab import need
from registry import probe

SO_KEEPALIVE, KEEPIDLE, KEEPINTVL, KEEPCNT, USER_TIMEOUT, SYNCNT = (1, 9), (6, 4), (6, 5), (6, 6), (6, 18), (6, 7)
ETIMEDOUT, EHOSTUNREACH = 110, 113


def gaps_of(times):
    return [b - a for a, b in zip(times, times[1:])]


def doubles(gaps, tolerance=0.3):
    return all(abs(b - 2 * a) < tolerance * 2 * a for a, b in zip(gaps, gaps[1:]))


@probe("T24", "M", "a window of zero is probed after the time-out, then twice as late, by at most a byte", slow=True)
def zero_window_probes(lab, p):
    c = passive(p)
    c.put(win=0)
    c.app("send", "z" * 10)
    begin, times = time.monotonic(), []
    while time.monotonic() < begin + 6:
        f = c.take(0.2)
        if f:
            need(len(f.data) <= 1, f"{len(f.data)} bytes into a closed window")
            times.append(f.time)
            c.put(ack=1, win=0)
    gaps = gaps_of([begin] + times)
    need(len(gaps) >= 4, f"{len(gaps)} probes")
    need(doubles(gaps[1:]), " ".join(f"{g:.1f}" for g in gaps))
    c.put(ack=1, win=60000)
    c.wait("data", lambda f: f.data == b"z" * 10, 0.5)
    c.reset()
    return "doubling"


@probe("T24", "M", "a window that opens is used at once")
def window_opens(lab, p):
    c = passive(p)
    c.put(win=0)
    time.sleep(0.02)
    c.app("send", "held")
    c.silent("sent into a closed window", 0.1)
    c.put(win=5000)
    c.wait("data", lambda f: f.data == b"held", 0.1)
    c.reset()
    return "at once"


@probe("T32", "M", "keepalive is off, and would wait for two hours")
def keepalive_defaults(lab, p):
    c = passive(p)
    need(c.app("getsockopt", *SO_KEEPALIVE) == 0, "on")
    need(c.app("getsockopt", *KEEPIDLE) >= 7200, "less than two hours")
    c.reset()
    return "off, 7200 s"


@probe("T32", "M", "keepalive: idle and interval are exact, then ETIMEDOUT", slow=True,
       why="on Glass a reader of a connection that had been established sees ECONNRESET; SO_ERROR tells ETIMEDOUT")
def keepalive(lab, p):
    c = passive(p)
    for option, value in ((KEEPIDLE, 2), (KEEPINTVL, 1), (KEEPCNT, 2), (SO_KEEPALIVE, 1)):
        c.app("setsockopt", *option, value)
    begin = time.monotonic()
    f = c.expect("probe", lambda f: f.s == 0 and len(f.data) <= 1, 3)
    need(1.8 < f.time - begin < 2.3, f"after {f.time - begin:.1f} s")
    c.put()
    begin = time.monotonic()
    f = c.expect("probe", lambda f: f.s == 0, 3)
    g = c.expect("probe", lambda f: f.s == 0, 2)
    need(0.8 < g.time - f.time < 1.3, f"then {g.time - f.time:.1f} s")
    end = time.monotonic() + 3
    while not c.app("poll", 0, 0) and time.monotonic() < end:
        time.sleep(0.05)
    error = c.app("getsockopt", 1, 4)
    need(error == ETIMEDOUT, f"SO_ERROR {error}")
    return "exact, ETIMEDOUT"


@probe("T33", "S", "TCP_USER_TIMEOUT ends a connection whose data stay unacknowledged", slow=True)
def user_timeout(lab, p):
    c = passive(p)
    c.app("setsockopt", *USER_TIMEOUT, 2000)
    c.app("send", "lost")
    begin = time.monotonic()
    while not c.app("poll", 0, 0) and time.monotonic() < begin + 10:
        time.sleep(0.05)
    took = time.monotonic() - begin
    error = c.app("getsockopt", 1, 4)
    need(error == ETIMEDOUT and 1.9 < took < 4, f"SO_ERROR {error} after {took:.1f} s")
    return "ETIMEDOUT in time"


@probe("T34", "M", "host unreachable hurts no established connection")
def soft_error(lab, p):
    c = passive(p)
    c.app("send", "data")
    f = c.wait("data", lambda f: f.data)
    for kind, code in ((3, 0), (3, 1), (3, 5), (11, 0), (12, 0)):
        p.send(wire.ICMP, wire.icmp(kind, code, data=f.ip[:28]))
    need(not c.app("poll", 200, 0), "aborted")
    c.put()
    c.app("send", "more")
    c.wait("data", lambda f: f.data == b"more")
    c.reset()
    return "goes on"


@probe("T34", "M", "a connect that times out tells why: EHOSTUNREACH", slow=True,
       why="Linux fails a connect at the first such error, within the same second")
def soft_error_in_syn_sent(lab, p):
    c, syn = begin_active(p, options=[(*SYNCNT, 1)])
    p.send(wire.ICMP, wire.icmp(3, 1, data=syn.ip[:28]))
    end = time.monotonic() + 8
    while not c.app("poll", 0, 4) and time.monotonic() < end:
        time.sleep(0.05)
    error = c.app("getsockopt", 1, 4)
    need(error == EHOSTUNREACH, f"SO_ERROR {error}")
    return "EHOSTUNREACH"


@probe("T35", "M", "source quench is ignored")
def source_quench(lab, p):
    c = passive(p)
    c.app("pattern", 100000)
    f = [x for x in c.during(0.1) if x.data]
    p.send(wire.ICMP, wire.icmp(4, 0, data=f[0].ip[:28]))
    need(not c.app("poll", 0, 0), "aborted")
    for x in f:
        c.put(ack=x.s + x.n)
    n = len([x for x in c.during(0.1) if x.data])
    need(n >= 10, f"{n} segments after it")
    c.reset()
    return "ignored"


@probe("T51", "M", "data go again after about the least time-out, then twice as late", slow=True)
def rto_series(lab, p):
    c = passive(p)
    c.app("send", "lost")
    f = c.wait("data", lambda f: f.data)
    times = [f.time] + [x.time for x in c.during(7) if x.data]
    gaps = gaps_of(times)
    need(len(gaps) >= 4 and doubles(gaps[1:]), " ".join(f"{g:.2f}" for g in gaps))
    need(0.15 < gaps[0] < 0.35, f"first after {gaps[0]:.2f} s")
    c.reset()
    return ".2, doubling"


@probe("T52", "M", "Karn: an ACK of what was sent twice makes no sample; the time-out stays backed off", slow=True)
def karn(lab, p):
    c = passive(p)
    c.app("send", "lost")
    f = c.wait("data", lambda f: f.data)
    for _ in range(3):
        f = c.wait("again", lambda f: f.data, 3)
    c.put()
    c.app("send", "next")
    f = c.wait("data", lambda f: f.data == b"next")
    g = c.wait("again", lambda f: f.data == b"next", 6)
    need(g.time - f.time > 0.5, f"after {g.time - f.time:.2f} s")
    c.reset()
    return "backed off"


__all__ = []
