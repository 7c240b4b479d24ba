#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs programs made with GoogleTest, each test in a process of its own with a time limit.

	gtest.py OUT LOG SECONDS PROGRAM...

OUT gets a line per test, sorted: ok, skip, FAIL, HANG or CRASH, and program:suite.name. LOG gets what the tests that
did not pass printed.
"""
import os
import signal
import subprocess
import sys


def tests_of(program):
    text = subprocess.run([program, "--gtest_list_tests"], capture_output=True, text=True, check=True).stdout
    suite = ""
    for line in text.splitlines():
        name = line.split("#")[0].rstrip()
        if name.endswith(".") and not name.startswith(" "):
            suite = name
        elif name.startswith("  "):
            yield suite + name.strip()


def run(program, name, seconds):
    """What became of it, and what it printed."""
    process = subprocess.Popen([program, f"--gtest_filter={name}"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    verdict = None
    try:
        text = process.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        verdict = "HANG"
        text = b""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    if verdict:
        text = process.communicate()[0]
    text = text.decode(errors="replace")
    if not verdict:
        verdict = {0: "ok", 1: "FAIL"}.get(process.returncode, "CRASH")
    if verdict == "ok" and "[  SKIPPED ] 1 test" in text:
        verdict = "skip"
    return verdict, text


def main(out_path, log_path, seconds, *programs):
    out = []
    with open(log_path, "w") as log:
        for program in map(os.path.abspath, programs):
            for name in tests_of(program):
                verdict, text = run(program, name, float(seconds))
                name = os.path.basename(program) + ":" + name
                out.append((name, verdict))
                if verdict not in ("ok", "skip"):
                    print(f"---- {verdict} {name}", text, sep="\n", file=log, flush=True)
    with open(out_path, "w") as file:
        for name, verdict in sorted(out):
            print(verdict, name, file=file)


if __name__ == "__main__":
    main(*sys.argv[1:])
