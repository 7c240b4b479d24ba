#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs CPython's own tests, each with a time limit, and writes what became of every one.

	suite.py OUT LOG SECONDS MODULE...

OUT gets a line per test: what became of it (ok, skip, FAIL, HANG, CRASH) and its name, sorted; LOG what the failed
ones printed. A module runs in a child process of its own. When a test takes longer than SECONDS, or the process
dies in it, that test is noted and another child goes on behind it.
"""
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import unittest


# ---- the child: tests of one module, from number FIRST on


def flat(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flat(test)
        else:
            yield test


class Teller(unittest.TestResult):
    """Says what happens in lines on a pipe."""

    def __init__(self, pipe, numbers):
        super().__init__()
        self.pipe = pipe
        self.numbers = numbers
        self.verdict = "ok"

    def say(self, *words):
        os.write(self.pipe, (" ".join(words) + "\n").encode())

    def startTest(self, test):
        super().startTest(test)
        self.verdict = "ok"
        self.say("start", str(self.numbers[id(test)]), test.id())

    def stopTest(self, test):
        super().stopTest(test)
        self.say("end", self.verdict, test.id())

    def failed(self, test, err):
        self.verdict = "FAIL"
        print(f"---- {test.id()}", "".join(traceback.format_exception(*err)), sep="\n", flush=True)
        if not isinstance(test, unittest.TestCase) and not hasattr(test, "test_case"):
            self.say("end", "FAIL", test.id().replace(" ", "_"))  # setUpClass or setUpModule

    def addError(self, test, err):
        self.failed(test, err)

    def addFailure(self, test, err):
        self.failed(test, err)

    def addSubTest(self, test, subtest, err):
        if err:
            self.failed(subtest, err)

    def addSkip(self, test, reason):
        if self.verdict == "ok":
            self.verdict = "skip"
        if not isinstance(test, unittest.TestCase):
            self.say("end", "skip", test.id().replace(" ", "_"))


def child(module, first, pipe):
    from test import support

    support.use_resources = ["network"]
    support.verbose = False
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    tests = list(flat(unittest.defaultTestLoader.loadTestsFromName("test." + module)))
    teller = Teller(pipe, {id(test): n for n, test in enumerate(tests)})
    unittest.TestSuite(tests[first:]).run(teller)
    teller.say("done")
    os._exit(0)  # threads of a test that failed are not waited for


# ---- the parent


class Run:
    """One child, and what it says."""

    def __init__(self, module, first, log, seconds):
        here, there = os.pipe()
        self.pipe = here
        self.folder = tempfile.mkdtemp()
        self.seconds = seconds
        self.rest = b""
        self.process = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), "--child", module, str(first), str(there)],
            pass_fds=[there], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
            start_new_session=True)
        os.close(there)

    def lines(self):
        """Until the end; None when it said nothing for so long."""
        while True:
            readable, _, _ = select.select([self.pipe], [], [], self.seconds)
            if not readable:
                yield None
                return
            data = os.read(self.pipe, 65536)
            if not data:
                return
            *lines, self.rest = (self.rest + data).split(b"\n")
            for line in lines:
                yield line.decode()

    def end(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        os.close(self.pipe)
        shutil.rmtree(self.folder, ignore_errors=True)


def run_from(module, first, log, seconds, out):
    """Where to go on; None: all were run."""
    running = None
    verdict = "CRASH"
    run = Run(module, first, log, seconds)
    try:
        for line in run.lines():
            if line is None:
                verdict = "HANG"
                break
            word, *words = line.split(" ", 2)
            if word == "start":
                running = int(words[0]), words[1]
            elif word == "end":
                running = None
                out.append((words[1], words[0]))
            elif word == "done":
                return None
    finally:
        run.end()
    if not running:
        out.append((f"{module}.after_the_tests", verdict))
        return None
    out.append((running[1], verdict))
    return running[0] + 1


def main(out_path, log_path, seconds, *modules):
    out = []
    with open(log_path, "w") as log:
        for module in modules:
            began, before = time.monotonic(), len(out)
            first = 0
            while first is not None:
                first = run_from(module, first, log, float(seconds), out)
            print(f"# {module}: {len(out) - before} tests, {time.monotonic() - began:.0f} s", flush=True)
    with open(out_path, "w") as file:
        for name, verdict in sorted(out):
            print(verdict, name.removeprefix("test."), file=file)


if __name__ == "__main__":
    if sys.argv[1] == "--child":
        child(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        main(*sys.argv[1:])
