#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Throws messages at glassd's control socket: control_fuzz.py SOCKET SEED COUNT OP.DEF [OPERATION...].

Most are almost right: a valid head, an operation that exists, a token of a real socket, lengths and values at the
edges, descriptors of all kinds. Prints what came back, in numbers.
"""
import array
import os
import random
import socket
import struct
import sys

MAGIC, VERSION = 0x53534C47, 2
REQUEST = struct.Struct("<IHHQ4q20sI")
REPLY = struct.Struct("<IHHiIQ4q20s20s")
EDGES = [0, 1, -1, 4, 6, 17, 255, 256, 1000, 65535, 65536, 2**31 - 1, -(2**31), 2**32, 2**63 - 1, -(2**63)]


def read_ops(path, only):
    """Numbers of the operations that are spared: STOP, PING, which waits, STEP, which makes programs wait, unless it is
    asked for; and of the others, or of those that are asked for."""
    with open(path) as f:
        names = [line[3:].split(",")[0] for line in f if line.startswith("OP(")]
    spared = {names.index(n) for n in {"STOP", "PING", "STEP"} - set(only)}
    return spared, [i for i, n in enumerate(names) if (n in only if only else i not in spared)]


class Fuzzer:
    def __init__(self, path, seed, spared, ops):
        self.path, self.rng, self.spared, self.ops = path, random.Random(seed), spared, ops
        self.tokens, self.fds, self.counts = [0], [], {}
        self.connect()

    def connect(self):
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.s.settimeout(0.02)
        self.s.connect(self.path)

    def end(self):
        r = self.rng
        addr = bytes([r.choice([10, 127, 224, 255, 0])]) + bytes(r.choice([0, 0, 5, 255]) for _ in range(3))
        port = r.choice([0, 1, 80, 8080, 65535])
        return struct.pack("<B16sBH", r.choice([4, 4, 4, 6, 0, 99]), addr, 0, port)

    def message(self):
        r = self.rng
        data = os.urandom(r.choice([0, 0, 0, 1, 8, 300, 61440])) if r.random() < 0.8 else b"tcp_sack=x\0ss"
        length = len(data) if r.random() < 0.95 else r.choice([0, 1, 61441, 2**32 - 1])
        head = (MAGIC, VERSION, r.choice(self.ops))
        if r.random() < 0.02:
            head = (r.choice([0, MAGIC]), r.choice([0, 1, 2, 65535]), r.randrange(65536))
            if head[2] in self.spared:
                head = (MAGIC, VERSION, 0)
        args = [r.choice(EDGES) if r.random() < 0.4 else r.randrange(25) for _ in range(4)]
        if r.random() < 0.3:
            args[:2] = [4, 6]
        m = REQUEST.pack(*head, r.choice(self.tokens), *args, self.end(), length) + data
        return m if r.random() < 0.97 else m[: r.randrange(len(m))]

    def ancillary(self):
        if self.rng.random() > 0.1:
            return []
        kinds = [
            lambda: os.open("/dev/null", os.O_RDWR),
            lambda: os.pipe()[1],
            lambda: os.dup(self.s.fileno()),
            lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)[0].detach(),
            lambda: socket.socket().detach(),
        ]
        fds = [self.rng.choice(kinds)() for _ in range(self.rng.choice([1, 1, 2, 20]))]
        self.fds += fds
        return [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]

    def step(self):
        try:
            self.s.sendmsg([self.message()], self.ancillary())
            while True:
                data, anc, _, _ = self.s.recvmsg(70000, socket.CMSG_SPACE(64))
                for _, _, raw in anc:
                    self.fds += array.array("i", raw[: len(raw) // 4 * 4])
                if not data:
                    raise ConnectionResetError
                self.answer(data)
        except TimeoutError:
            pass
        except (ConnectionResetError, BrokenPipeError):
            self.counts["dropped"] = self.counts.get("dropped", 0) + 1
            self.connect()
        if len(self.fds) > 60:
            for fd in self.fds:
                os.close(fd)
            self.fds = []

    def answer(self, data):
        magic, _, op, error, length, token = REPLY.unpack_from(data)[:6]
        assert magic == MAGIC and length == len(data) - REPLY.size, (op, length, len(data))
        name = "ok" if not error else "error"
        self.counts[name] = self.counts.get(name, 0) + 1
        if token:
            self.tokens = (self.tokens + [token])[-20:]
        self.s.settimeout(0.0005)


def main():
    path, seed, count, defs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    fuzzer = Fuzzer(path, seed, *read_ops(defs, sys.argv[5:]))
    for _ in range(count):
        fuzzer.step()
    print(*(f"{k}={v}" for k, v in sorted(fuzzer.counts.items())))


main()
