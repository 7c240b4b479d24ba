#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What passes on the kernel's stack and not on Glass.

	compare.py --names KERNEL GLASS			the tests' names, as the loader takes them
	compare.py WAY KERNEL GLASS AGAIN DIFFERENCES	the judgement; exit status 1: something is not in DIFFERENCES

Files are those of suite.py; AGAIN, which may be missing, is the second run of those that differed. A line of
DIFFERENCES is the end of a name, blanks, and the reason.
"""
import os
import sys


def read(path):
    with open(path) as file:
        return {name: verdict for verdict, name in (line.split() for line in file)}


def differing(kernel, glass):
    return [name for name, verdict in kernel.items() if verdict == "ok" and glass.get(name, "MISSING") != "ok"]


def reasons(path):
    with open(path) as file:
        lines = [line.split(None, 1) for line in file if line.strip() and not line.startswith("#")]
    return {name: reason.strip() for name, reason in lines}


def judge(way, kernel, glass, known):
    bad = 0
    print(f"{way}: the kernel passes {sum(v == 'ok' for v in kernel.values())} of {len(kernel)} tests, "
          f"Glass {sum(glass.get(name) == 'ok' for name, v in kernel.items() if v == 'ok')} of these")
    for name in differing(kernel, glass):
        reason = next((r for end, r in known.items() if name.endswith(end)), None)
        bad += reason is None
        print(f"{way}: {glass.get(name, 'MISSING')} {name}: {reason or 'NOT DOCUMENTED'}")
    return bad


def main():
    if sys.argv[1] == "--names":
        kernel, glass = map(read, sys.argv[2:4])
        print("\n".join(differing(kernel, glass)))
        return 0
    way, kernel, glass, again, known = sys.argv[1:]
    results = read(glass)
    if os.path.exists(again):
        results.update(read(again))
    return min(judge(way, read(kernel), results, reasons(known)), 1)


if __name__ == "__main__":
    sys.exit(main())
