#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/rfc: what each row names exists. `rfc.py --fix` finds functions that have moved to another file.

A row is | row | source | demand | where | test |. where: `function` (file), ... or a file, or - for what is not done;
then test says why. test: suite/program: test, test; ... where suite/program is dialogue/rst, unit/stack_ip/arp, sim,
e2e/flip or matrix. Every test named must be registered in a suite that runs; every row that must be there is there.
"""
import functools
import os
import re
import sys

import common

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(common.ROOT, "tests/matrix"))
import results  # noqa: E402
from probes import PROBES  # noqa: E402

FOLDER = "docs/rfc"
PAGES = {
    "rfc9293.md": [f"MUST-{i}" for i in range(1, 70)] + [f"SHLD-{i}" for i in range(1, 32)]
    + [f"MAY-{i}" for i in range(1, 19)] + ["REC-1"],
    "others.md": [f"T{i:02}" for i in range(1, 83)],
    "multicast.md": [f"M{i:02}" for i in range(1, 42)],
    "ip.md": [f"{letter}{i:02}" for letter, n in (("I", 15), ("C", 8), ("A", 8), ("U", 5)) for i in range(1, n + 1)],
}
REASON_CHARS = 20  # a reason is more than a word


@functools.lru_cache(None)
def functions():
    """{name: [paths of the files that define it]}"""
    found = {}
    for path in common.files("src", ends=(".c", ".h")):
        for name in re.findall(r"^(?!#|return|else)[a-z][^;={}\n]*?\b\*?(\w+)\([^;]*?\n?\{?$", common.read(path), re.M):
            found.setdefault(name, []).append(path)
        for name in re.findall(r"^#define (\w+)\(", common.read(path), re.M):
            found.setdefault(name, []).append(path)
    return {name: sorted(set(paths), key=lambda p: p.endswith(".h")) for name, paths in found.items()}


@functools.lru_cache(None)
def text(path):
    return common.read(path) if os.path.isfile(os.path.join(common.ROOT, path)) else ""


def listed(folder, name):
    return f"'{name}'" in text(f"{folder}/meson.build")


def test_missing(suite, name):
    """Why this test is not one that runs; None: it is."""
    kind, _, rest = suite.partition("/")
    if kind == "dialogue":
        if not listed("tests/dialogue", rest):
            return f"tests/dialogue/meson.build has no '{rest}'"
        return None if f"DIALOGUE({name})" in text(f"tests/dialogue/test_{rest}.c") else "no such dialogue"
    if kind == "unit":
        folder, program = rest.split("/")
        if not (listed("tests/unit", folder) and listed(f"tests/unit/{folder}", program)):
            return f"tests/unit/{folder}/meson.build has no '{program}'"
        pattern = rf"unit_test\w*\(\s*(?:test_)?{name}\b|\bT\((?:test_)?{name}\)"
        return None if re.search(pattern, text(f"tests/unit/{folder}/test_{program}.c")) else "no such unit test"
    if kind == "sim":
        sources = [text(p) for p in common.files("tests/sim", ends=(".c",))]
        return None if any(f'"{name}"' in s or f"({name})" in s for s in sources) else "no such scenario"
    if kind == "e2e":
        return None if listed("tests/e2e", rest) and text(f"tests/e2e/{rest}.sh") else "no such script"
    if kind == "matrix":
        quick = {p.name for p in PROBES if not p.slow} | set(results.ALWAYS)
        return None if name in quick else "no such quick probe" if name not in SLOW else "slow"
    return "no such suite"


SLOW = {p.name for p in PROBES if p.slow}


def tests_of(cell):
    """[(suite, test)]: e2e scripts are their own test."""
    found = []
    for part in filter(None, (p.strip() for p in cell.split(";"))):
        suite, _, names = part.partition(":")
        found += [(suite.strip(), n.strip()) for n in names.split(",")] if names else [(suite.strip(), "")]
    return found


def check_where(cell):
    for item in re.findall(r"`([^`]+)`", cell):
        if "." in item:
            if not common.files("src", "include", ends=("/" + item,)):
                yield f"no file {item}"
        elif item not in functions():
            yield f"no function {item}"
    for name, told in re.findall(r"`(\w+)` \(([\w.]+)\)", cell):
        if name in functions() and told not in [os.path.basename(p) for p in functions()[name]]:
            yield f"{name} is not in {told}: tests/lint/rfc.py --fix"


def check_row(cells):
    where, test = cells[3], cells[4]
    if where == "-":
        if len(test) < REASON_CHARS:
            yield "not done, and no reason"
        return
    if not re.search(r"`[^`]+`", where):
        yield "names no function"
    yield from check_where(where)
    lasting = 0
    for suite, name in tests_of(test):
        wrong = test_missing(suite, name)
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
    paths = functions().get(match[1])
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
