#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/rfc: what each row names exists. `rfc.py --fix` finds functions that have moved to another file.

A row is | row | source | demand | where | test |. where: `function` (file), ... or a file, or - for what is not done;
then test says why. test: as named.py reads it. Every test named must be registered in a suite that runs; every row that
must be there is there.
"""
import os
import re
import sys

import common

sys.dont_write_bytecode = True
import named  # noqa: E402

FOLDER = "docs/rfc"
PAGES = {
    "rfc9293.md": [f"MUST-{i}" for i in range(1, 70)] + [f"SHLD-{i}" for i in range(1, 32)]
    + [f"MAY-{i}" for i in range(1, 19)] + ["REC-1"],
    "others.md": [f"T{i:02}" for i in range(1, 83)],
    "multicast.md": [f"M{i:02}" for i in range(1, 42)],
    "ip.md": [f"{letter}{i:02}" for letter, n in (("I", 15), ("C", 8), ("A", 8), ("U", 5)) for i in range(1, n + 1)],
}
REASON_CHARS = 20  # a reason is more than a word


def check_row(cells):
    where, test = cells[3], cells[4]
    if where == "-":
        if len(test) < REASON_CHARS:
            yield "not done, and no reason"
        return
    if not re.search(r"`[^`]+`", where):
        yield "names no function"
    yield from named.check_where(where)
    lasting = 0
    for suite, name in named.tests_of(test):
        wrong = named.test_missing(suite, name)
        lasting += wrong is None
        if wrong and wrong != "slow":
            yield f"{suite}: {name}: {wrong}"
    if not lasting:
        yield "no test that runs with the suites"


def rows(page):
    for number, line in enumerate(common.read(f"{FOLDER}/{page}").splitlines(), 1):
        cells = [c.strip() for c in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 5 and cells[0] not in ("row", "---"):
            yield number, cells


def placed(match):
    paths = named.functions().get(match[1])
    return f"`{match[1]}` ({os.path.basename(paths[0])})" if paths else match[0]


def fix(page):
    path = os.path.join(common.ROOT, FOLDER, page)
    lines = common.read(f"{FOLDER}/{page}").splitlines()
    for number, cells in rows(page):
        if cells[3] != "-":
            cells[3] = re.sub(r"`(\w+)`(?: \([\w.]+\))?", placed, cells[3])
            lines[number - 1] = "| " + " | ".join(cells) + " |"
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


def main():
    findings, count = [], 0
    for page, wanted in PAGES.items():
        if "--fix" in sys.argv:
            fix(page)
        seen = set()
        for number, cells in rows(page):
            count += 1
            seen.update(re.findall(r"[A-Z]+-?\d+", cells[0]))
            findings += [f"{FOLDER}/{page}:{number}: {cells[0]}: {w}" for w in check_row(cells)]
        findings += [f"{FOLDER}/{page}: no row {r}" for r in wanted if r not in seen]
    common.finish(findings, f"docs/rfc, {count} rows")


main()
