#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mutants.py [BUILD]: each planted bug (tests/mutants/table.txt) has a place in today's source, and a test for it."""
import os
import sys

import common

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(common.ROOT, "tests/mutants"))
from rows import TABLE, find_tests, places, read_table  # noqa: E402


def findings_of(row, tests):
    missing = [key for key in ("name", "file", "why") if not row.get(key)]
    if missing:
        yield "has no " + ", ".join(missing)
        return
    if not os.path.isfile(os.path.join(common.ROOT, row["file"])):
        yield f"no file {row['file']}"
        return
    found = len(places(common.read(row["file"]), row))
    if found != 1:
        yield f"its text is in {row['file']} {found} times, not once: plant the bug in today's code"
    if " ".join(row["-"]).split() == " ".join(row["+"]).split():
        yield "changes nothing"
    if row["by"] and row["by"] not in tests:
        yield f"{row['by']} is none of the tests that tools/mutants runs"


def main():
    tests = find_tests(sys.argv[1] if sys.argv[1:] else os.path.join(common.ROOT, "build"))
    rows = read_table(os.path.join(common.ROOT, TABLE))
    findings, seen = [], set()
    for row in rows:
        name = row.get("name", "?")
        findings += [f"{TABLE}: {name}: {f}" for f in findings_of(row, tests)]
        if name in seen:
            findings.append(f"{TABLE}: {name}: the name occurs twice")
        seen.add(name)
    common.finish(findings, f"{len(rows)} planted bugs")


main()
