#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The prompt of glass step on a terminal: editing, history, completion, Ctrl-C, Ctrl-D; and the terminal as it was.

    step_prompt.py GLASS
"""
import os
import pty
import re
import select
import signal
import sys
import termios

PROMPT = "glass 0."


class Terminal:
    def __init__(self, *command):
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.environ["TERM"] = "xterm"
            os.execv(command[0], command)
        self.text = ""
        self.expect("glass 0.000000> ")

    def expect(self, what):
        """Reads on until it is there; answers all up to it."""
        while what not in self.text:
            ready, _, _ = select.select([self.fd], [], [], 20)
            try:
                more = os.read(self.fd, 65536) if ready else b""
            except OSError:
                more = b""
            assert more, f"{what!r} did not come: {self.text!r}"
            self.text += more.decode()
        before, _, self.text = self.text.partition(what)
        return re.sub("\x1b\\[[0-9]*[A-Za-z]", "", before)

    def type(self, keys, what):
        os.write(self.fd, keys.encode())
        return self.expect(what)

    def flags(self):
        return termios.tcgetattr(self.fd)[:4]


def main():
    failed = 0

    def ok(name, good):
        nonlocal failed
        failed += not good
        print(f"{'ok' if good else 'not ok'} - {name}")

    t = Terminal(sys.argv[1], "step", "--scene", "fetch")
    t.type("next\r", "10.0.0.4 is here")
    ok("a command", t.expect(PROMPT) is not None)
    t.type("nxt\x1b[D\x1b[De\x1b[Fx\x7f\r", "10.0.0.5 is here")
    ok("the arrows, End, Backspace", True)
    t.type("\x1b[A\r", "call connect")
    ok("the line before", True)
    t.expect(PROMPT)
    t.type("\r", "[S] seq 0")
    ok("an empty line does the last command again", True)
    t.type("pri\t\r", "SYN-SENT")
    ok("Tab completes", True)
    t.type("rubbish\x03", PROMPT)
    t.type("junk and more\x17\x17\x17print\x01\x0b\x15break syn\r", "breakpoint 1: syn")
    ok("Ctrl-C gives up the line, Ctrl-W A K U cut", True)
    t.type("\x04", "\n")
    ok("Ctrl-D ends", os.waitstatus_to_exitcode(os.waitpid(t.pid, 0)[1]) == 0)

    t = Terminal(sys.argv[1], "step", "--scene", "fetch")
    raw = t.flags()
    os.kill(t.pid, signal.SIGTERM)
    os.waitpid(t.pid, 0)
    ok("a signal leaves the terminal as it was", raw != t.flags() and t.flags()[3] & termios.ICANON)
    return failed


if __name__ == "__main__":
    sys.exit(main())
