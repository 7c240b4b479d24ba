#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/cases.md: the tests that each row names exist and run.

A row is | case | what Glass does | test |; the last cell is read as in docs/rfc (named.py). A row without a test has a
dash in its place and says why in the second cell.
"""
import sys

import common

sys.dont_write_bytecode = True
import named  # noqa: E402

PAGE = "docs/cases.md"
ROWS_MIN = 100  # a page that has lost a table is not clean
REASON_CHARS = 20


def rows():
    for number, line in enumerate(common.read(PAGE).splitlines(), 1):
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if line.startswith("| ") and cells[0] != "case":
            yield number, cells


def check(cells):
    if len(cells) != 3:
        yield f"{len(cells)} cells, not 3"
        return
    case, does, tests = cells
    if tests == "-":
        if len(does) < REASON_CHARS:
            yield f"{case}: no test, and no reason"
        return
    found = named.tests_of(tests)
    if not found:
        yield f"{case}: no test"
    for suite, name in found:
        wrong = named.test_missing(suite, name)
        if wrong:
            yield f"{case}: {suite}: {name}: {wrong}"


def main():
    found = list(rows())
    findings = [f"{PAGE}:{number}: {wrong}" for number, cells in found for wrong in check(cells)]
    if len(found) < ROWS_MIN:
        findings.append(f"{PAGE}: {len(found)} rows, there were {ROWS_MIN}")
    common.finish(findings, f"{PAGE}, {len(found)} rows")


main()
