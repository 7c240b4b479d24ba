# SPDX-License-Identifier: MIT
"""
Plays programs on a stack that stands still: one at a time does something, a program, its peer, or the stack.

    conduct.py SOCKET OP.DEF LIBRARY SERVER_PID URL...  curl fetches each in turn; prints its page, or the error's name

A turn: each program runs until it has come to rest, the others being stopped; then all are stopped, and the stack goes
on until it has nothing to do (glass step). What a program does and what comes on the wire are never at once, then,
however busy the machine is: two plays are the same, function by function. At rest is who sleeps in all threads and has
not run since the last look. When nobody has had anything to do for a while the clock runs, until the next timer.
"""
import errno
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import time

REQUEST = struct.Struct("<IHHQ4q20sI")
REPLY = struct.Struct("<IHHiIQ4q20s20s")
MAGIC, VERSION = 0x53534C47, 2
FREEZE, ONE, RUN = range(3)
NOTHING = 0
AT_ONCE_NS, A_WHILE_NS = 1, 100_000_000
LOOK_S = 0.001
PATIENCE_S = 0.4  # longer than curl looks away between two things


class Stack:
    def __init__(self, path, ops):
        names = re.findall(r"^OP\((\w+),", pathlib.Path(ops).read_text(encoding="utf-8"), re.M)
        self.op = names.index("STEP")
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.s.connect(path)

    def step(self, what, within_ns=0):
        """Answers what happened."""
        self.s.send(REQUEST.pack(MAGIC, VERSION, self.op, 0, what, within_ns, 0, 0, bytes(20), 0))
        reply = REPLY.unpack_from(self.s.recv(65536))
        assert not reply[3], os.strerror(reply[3])
        return reply[7]

    def goes_on(self, within_ns):
        """Until it has nothing to do for so long. Answers whether it had."""
        had = False
        while self.step(ONE, within_ns) != NOTHING:
            had, within_ns = True, AT_ONCE_NS
        return had


def look(pid):
    """Its threads: (state, how often each had the processor). One that has ended has none."""
    threads = []
    try:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            text = (task / "status").read_text(encoding="utf-8")
            threads.append((re.search(r"^State:\s+(\w)", text, re.M)[1], *re.findall(r"switches:\s+(\d+)", text)))
    except (FileNotFoundError, ProcessLookupError):
        pass  # one of the threads has ended
    return threads


def wait_until(pid, state):
    before = None
    while True:
        now = look(pid)
        if now == before and all(thread[0] in state + "ZX" for thread in now):
            return
        before = now
        time.sleep(LOOK_S)


def stop(pid):
    os.kill(pid, signal.SIGSTOP)
    wait_until(pid, "T")


def has_its_turn(pid):
    os.kill(pid, signal.SIGCONT)
    wait_until(pid, "S")
    stop(pid)


def play(stack, library, server, url):
    curl = subprocess.Popen(["curl", "-sv", url], env={**os.environ, "LD_PRELOAD": library}, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(curl.pid, "S")
    stop(curl.pid)
    last = time.monotonic()
    while True:
        for pid in (curl.pid, server):
            has_its_turn(pid)
        if stack.goes_on(AT_ONCE_NS):
            last = time.monotonic()
        elif curl.poll() is not None:
            return curl.communicate()
        elif time.monotonic() - last > PATIENCE_S:
            while not stack.goes_on(A_WHILE_NS):
                pass
            last = time.monotonic()


def main(path, ops, library, server, *urls):
    stack = Stack(path, ops)
    stack.step(FREEZE)
    stop(int(server))
    for url in urls:
        page, words = play(stack, library, int(server), url)
        errors = (name for number, name in errno.errorcode.items() if os.strerror(number) in words)
        print(page.strip() or next(errors, words))
    os.kill(int(server), signal.SIGCONT)
    stack.step(RUN)


if __name__ == "__main__":
    main(*sys.argv[1:])
