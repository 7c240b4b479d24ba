# SPDX-License-Identifier: MIT
"""Closing connections: FIN, RST, TIME-WAIT, and what the program sees of it."""
import time

import wire
from conn import ACK, FIN, FULL, OPTIONS, RST, SYN, passive
from lab import need
from registry import probe

POLLERR, POLLHUP, POLLIN, POLLRDHUP = 8, 16, 1, 0x2000


def to_time_wait(p, offer=OPTIONS):
    """The program closes first: the stack's end of it is in TIME-WAIT."""
    c = passive(p, offer)
    c.app("close")
    c.sock = None
    c.expect("FIN", lambda f: f.flags & FIN and f.s == 1)
    c.put(FIN | ACK)
    c.expect("ACK", lambda f: f.flags == ACK and f.a == 2)
    return c


@probe("T12", "M", "RST: poll tells HUP and ERR, read gives the data, then ECONNRESET, then end of file")
def rst_is_told(lab, p):
    c = passive(p)
    c.put(data=b"last")
    need(c.app("poll", 500), "no data")
    c.put(RST)
    time.sleep(0.1)
    mask = c.app("poll", 500, POLLIN | POLLRDHUP)
    need(mask & POLLERR and mask & POLLHUP, f"poll {mask:#x}")
    seen = [c.read() for _ in range(3)]
    need(seen[-2:] == ["ECONNRESET", ""], f"read {seen}")
    return "data, ECONNRESET, 0" if seen[0] == "last" else "ECONNRESET, 0"


@probe("T13", "M", "TIME-WAIT: the FIN that comes again is acknowledged again")
def time_wait_fin(lab, p):
    c = to_time_wait(p)
    time.sleep(0.6)
    c.put(FIN | ACK, seq=1)
    c.expect("ACK", lambda f: f.flags & ACK and f.a == 2)
    return "ACK"


@probe("T13", "M", "TIME-WAIT: a SYN with a higher number opens anew")
def time_wait_syn(lab, p):
    name, port = lab.listener()
    c = passive(p, FULL, listener=(name, port))
    c.app("close")
    c.sock = None
    c.expect("FIN", lambda f: f.flags & FIN)
    c.put(FIN | ACK)
    c.expect("ACK", lambda f: f.a == 2)
    time.sleep(0.2)
    c.nxt, c.irs = 100000, None
    c.put(SYN, seq=100000, options=wire.mss(1460) + wire.SACK_OK + wire.timestamps(9000) + wire.wscale(7))
    f = c.take()
    need(f and f.flags & (SYN | ACK) == SYN | ACK and f.a == 100001, f"answer {f}")
    lab.agent.call(name, "close")
    return "SYN-ACK"


@probe("T13", "M", "TIME-WAIT lasts 60 s, not much less nor more", slow=True)
def time_wait_lasts(lab, p):
    c, d = to_time_wait(p), to_time_wait(p)  # one for each question: what comes may begin the wait anew
    time.sleep(55)
    c.put(ACK, data=b"x", seq=0)
    f = c.take()
    need(f and not f.flags & RST, f"after 55 s: {f}")
    time.sleep(12)
    d.put(ACK, data=b"x", seq=0)
    f = d.take()
    need(f and f.flags & RST, f"after 67 s: {f}")
    return "60 s"


@probe("T14", "M", "close with unread data sends RST")
def close_unread(lab, p):
    c = passive(p)
    c.put(data=b"unread")
    need(c.app("poll", 500), "no data")
    c.app("close")
    f = c.wait("RST", lambda f: f.flags & RST)
    need(not f.flags & FIN, "FIN and RST")
    return "RST"


@probe("T14", "M", "data for a socket that is closed is answered with RST")
def data_after_close(lab, p):
    c = passive(p)
    c.app("close")
    c.expect("FIN", lambda f: f.flags & FIN)
    c.put(data=b"late")
    c.expect("RST", lambda f: f.flags & RST)
    return "RST"


@probe("T14", "M", "SO_LINGER of zero: close sends RST")
def linger_zero(lab, p):
    c = passive(p)
    c.app("linger", 0)
    c.app("close")
    c.expect("RST", lambda f: f.flags & RST)
    return "RST"


@probe("T15", "M", "half-close: after our FIN the peer's data still come")
def half_close(lab, p):
    c = passive(p)
    c.app("shutdown", 1)
    c.expect("FIN", lambda f: f.flags & FIN)
    c.put(data=b"still here")
    need(c.read() == "still here", "not delivered")
    c.put(FIN | ACK)
    need(c.read() == "", "no end of file")
    c.app("close")
    return "delivered"


@probe("T15", "M", "half-close by the peer: end of file is told, our data still go")
def half_close_by_peer(lab, p):
    c = passive(p)
    c.put(FIN | ACK)
    need(c.read() == "", "no end of file")
    c.app("send", "answer")
    c.wait("data", lambda f: f.data == b"answer")
    c.put()
    c.app("close")
    c.expect("FIN", lambda f: f.flags & FIN)
    c.put()
    return "sent"


@probe("T21", "M", "FIN out of order counts when what lies before it has come")
def fin_out_of_order(lab, p):
    c = passive(p)
    c.put(FIN | ACK, seq=11)
    need(c.read(wait_ms=100) is None, "end of file too early")
    c.put(data=b"0123456789", seq=1)
    need(c.read() == "0123456789", "data lost")
    need(c.read() == "", "no end of file")
    f = c.during(0.2)[-1]
    need(f.a == 12, f"acknowledged {f.a}")
    c.nxt = 12
    c.reset()
    return "in order"


@probe("T21", "M", "data behind a FIN are ignored")
def data_after_fin(lab, p):
    c = passive(p)
    c.put(FIN | ACK)
    c.put(data=b"ghost")
    need(c.read() == "", "the program got data behind the end")
    c.nxt = 2
    c.reset()
    return "ignored"


@probe("T40", "M", "simultaneous close goes through CLOSING to TIME-WAIT")
def simultaneous_close(lab, p):
    c = passive(p)
    c.app("close")
    c.sock = None
    c.expect("FIN", lambda f: f.flags & FIN and f.s == 1)
    c.put(FIN | ACK, ack=1)
    c.expect("ACK of our FIN", lambda f: f.a == 2 and f.s in (1, 2))
    c.put(ACK, ack=2)
    time.sleep(0.6)
    c.put(FIN | ACK, seq=1, ack=2)
    c.wait("ACK in TIME-WAIT", lambda f: f.flags == ACK and f.a == 2)
    return "TIME-WAIT"


@probe("T41", "M", "FIN-WAIT-2 of a closed socket ends after 60 s", slow=True)
def fin_wait_2(lab, p):
    c = passive(p)
    c.app("close")
    c.sock = None
    c.expect("FIN", lambda f: f.flags & FIN)
    c.put()
    time.sleep(55)
    c.put(seq=c.nxt - 1)  # an old number: ACK as long as the connection lives
    f = c.take()
    need(f and not f.flags & RST, f"after 55 s: {f}")
    time.sleep(12)
    c.put()
    f = c.take()
    need(f and f.flags & RST, f"after 67 s: {f}")
    return "60 s"


@probe("T46", "M", "RST in TIME-WAIT is ignored (RFC 1337)",
       why="Linux ends TIME-WAIT at a RST unless net.ipv4.tcp_rfc1337 is set")
def time_wait_assassination(lab, p):
    c = to_time_wait(p)
    c.put(RST)
    time.sleep(0.6)
    c.put(FIN | ACK, seq=1)
    f = c.take()
    need(f and f.flags == ACK, f"TIME-WAIT is gone: {f}")
    return "ignored"


__all__ = []
