# SPDX-License-Identifier: MIT
"""A connection as the phantom sees it: sequence numbers count from 0 at each side's SYN, and nothing is automatic but
the handshake and, once they are agreed on, timestamps.

In: the probes.  Out: lab.Phantom, wire.py.
"""
import time

import wire
from lab import STACK, need
from wire import ACK, FIN, PSH, RST, SYN

ISS = 1000000
OPTIONS = wire.mss(1460)
FULL = wire.mss(1460) + wire.SACK_OK + wire.timestamps(1000) + wire.wscale(7)


class Conn:
    def __init__(self, phantom, sport, dport):
        self.p, self.lab, self.sport, self.dport = phantom, phantom.lab, sport, dport
        self.irs = None
        self.nxt, self.got, self.win = 1, 1, 65535  # our next number; what we acknowledge; our window
        self.ts_on, self.ts_val, self.ts_recent, self.syn, self.sock = False, 1000, 0, None, None

    def put(self, flags=ACK, data=b"", seq=None, ack=None, options=None, win=None, **fields):
        """A segment. seq None: the next one in order, which then moves on."""
        s = self.nxt if seq is None else seq
        if options is None:
            options = wire.timestamps(self.ts_val, self.ts_recent) if self.ts_on else b""
        a = (self.got if ack is None else ack) + (self.irs or 0) if flags & ACK else 0
        self.p.tcp(self.sport, self.dport, flags, seq=ISS + s, ack=a, win=self.win if win is None else win,
                   options=options, data=data, **fields)
        if seq is None:
            self.nxt += len(data) + bool(flags & SYN) + bool(flags & FIN)

    def mine(self, f):
        return f.flags is not None and (f.sport, f.dport) == (self.dport, self.sport)

    def _relative(self, f):
        f.s = (f.seq - (self.irs or 0)) & 0xFFFFFFFF
        f.a = (f.ack - ISS) & 0xFFFFFFFF if f.flags & ACK else None
        f.n = len(f.data) + bool(f.flags & FIN) + bool(f.flags & SYN)
        if self.irs is not None and f.s == self.got and not f.flags & RST:
            self.got += f.n
        if f.ts():
            self.ts_recent = f.ts()[0]
        return f

    def take(self, timeout=0.5):
        """The next segment of the stack, or None. s, a: relative numbers."""
        f = self.p.next(self.mine, timeout)
        return self._relative(f) if f else None

    def expect(self, what, test, timeout=0.5):
        """The next segment; it must pass the test."""
        f = self.take(timeout)
        need(f, f"no {what}")
        need(test(f), f"{f} instead of {what}")
        return f

    def wait(self, what, test, timeout=1.0):
        """The first segment that passes the test, within that time."""
        end = time.monotonic() + timeout
        while True:
            f = self.take(end - time.monotonic())
            need(f, f"no {what}")
            if test(f):
                return f

    def silent(self, why, seconds=0.15):
        f = self.take(seconds)
        need(not f, f"{why}: {f}")

    def during(self, seconds):
        """All segments that come within that time."""
        found, end = [], time.monotonic() + seconds
        while (f := self.take(end - time.monotonic())) is not None:
            found.append(f)
        return found

    def drain(self, seconds=0.1):
        """Acknowledges what comes until nothing comes."""
        while True:
            f = self.take(seconds)
            if not f:
                return
            if f.n:
                self.put()

    # ---- the program's side
    def app(self, method, *args):
        return self.lab.agent.call(self.sock, method, *args)

    def app_ask(self, method, *args):
        answer = self.lab.agent.ask(self.sock, method, *args)
        return answer.get("errno") or answer["ok"]

    def read(self, n=65536, wait_ms=500):
        """What the program can read within that time; an error's name; "" at the end; None: nothing."""
        if not self.app("poll", wait_ms):
            return None
        return self.app_ask("recv", n)

    def reset(self):
        """Leaves nothing behind."""
        self.put(RST, seq=self.nxt)
        if self.sock:
            self.lab.agent.ask(self.sock, "close")


def begin_active(phantom, options=(), dport=None):
    """The program connects to the phantom: (Conn, the SYN)."""
    agent, lab = phantom.lab.agent, phantom.lab
    name, dport = agent.name(), dport or phantom.port()
    agent.call(name, "socket")
    for option in options:
        agent.call(name, "setsockopt", *option)
    answer = agent.ask(name, "connect", phantom.ip, dport)
    need(answer.get("errno") == "EINPROGRESS", f"connect: {answer}")
    syn = phantom.next(lambda f: f.flags is not None and f.flags & SYN and f.dport == dport, 2)
    need(syn, "no SYN")
    c = Conn(phantom, dport, syn.sport)
    c.irs, c.sock, c.syn, c.lab = syn.seq, name, syn, lab
    return c, syn


def active(phantom, offer=OPTIONS, options=(), win=65535):
    """The program's connection to the phantom, established."""
    c, syn = begin_active(phantom, options)
    c.win = win
    c.ts_recent = syn.ts()[0] if syn.ts() else 0
    c.put(SYN | ACK, seq=0, ack=1, options=offer)
    c.ts_on = 8 in wire.parse_options(offer)[0] and 8 in syn.options
    c.expect("ACK of the handshake", lambda f: f.flags & ACK and f.a == 1 and f.s == 1)
    need(c.app("poll", 500, 4), "the program is not told that it is connected")
    return c


def begin_passive(phantom, port, offer=OPTIONS, win=65535):
    """The phantom's SYN and the stack's answer: (Conn, SYN-ACK)."""
    c = Conn(phantom, phantom.port(), port)
    c.win = win
    c.put(SYN, seq=0, options=offer)
    f = c.take(1)
    need(f and f.flags & (SYN | ACK) == SYN | ACK and f.ack == ISS + 1, f"no SYN-ACK: {f}")
    c.irs, c.syn = f.seq, f
    c.ts_on = 8 in wire.parse_options(offer)[0] and 8 in f.options
    return c, f


def passive(phantom, offer=OPTIONS, win=65535, options=(), listener=None):
    """The phantom's connection to the program, established and accepted."""
    lab = phantom.lab
    name, port = listener or lab.listener(options=options)
    c, _ = begin_passive(phantom, port, offer, win)
    c.put()
    need(lab.agent.call(name, "poll", 500), "nothing to accept")
    c.sock = lab.agent.name()
    lab.agent.call(name, "accept", c.sock)
    if not listener:
        lab.agent.call(name, "close")
    return c


def fill(c, most=4000000):
    """Sends into the program's closed hands until the window is zero and stays so; answers the right edges told."""
    shift = c.syn.options[3][0] if c.ts_on and 3 in c.syn.options else 0
    edges, begin = [], c.nxt
    c.put(data=b"w")
    while c.nxt - begin < most:
        acks = [f for f in c.during(0.03) if f.flags & ACK]
        edges += [f.a + (f.win << shift) for f in acks]
        if not acks:
            acks = [f for f in c.during(0.15) if f.flags & ACK]
            edges += [f.a + (f.win << shift) for f in acks]
            if not acks and edges[-1] == c.nxt:
                return edges
        end = min(edges[-1], c.nxt + 30000) if edges else c.nxt
        while c.nxt < end:
            c.put(data=b"w" * min(1000, end - c.nxt))
    need(False, "the window does not close")


__all__ = ["ACK", "FIN", "FULL", "ISS", "OPTIONS", "PSH", "RST", "STACK", "SYN", "Conn", "active", "begin_active",
           "begin_passive", "fill", "passive"]
