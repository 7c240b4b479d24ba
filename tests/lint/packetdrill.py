#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The table of scripts that need Linux, in docs/packetdrill.md, is tools/packetdrill-linux. --fix: write it."""
import os
import sys

import common

LIST = "tools/packetdrill-linux"
DOC = "docs/packetdrill.md"
BEGIN = "| only with Linux | what it is |\n|---|---|\n"


def name(pattern):
    return pattern.strip().removeprefix("tcp/").removesuffix(".pkt").replace("*", "\\*")


def table(findings):
    """The list as rows of a table."""
    out = ""
    for number, line in enumerate(common.read(LIST).splitlines(), 1):
        patterns, _, what = line.partition("\t")
        if line.startswith("#"):
            continue
        if not patterns or not what:
            findings.append(f"{LIST}:{number}: PATTERN[, PATTERN]... TAB WHAT")
        out += f"| {', '.join(map(name, patterns.split(',')))} | {what} |\n"
    return out


def place(doc):
    """Where its rows are in the document."""
    start = end = doc.index(BEGIN) + len(BEGIN)
    while doc.startswith("|", end):
        end = doc.index("\n", end) + 1
    return start, end


def main():
    findings = []
    wanted = table(findings)
    doc = common.read(DOC)
    start, end = place(doc)
    if doc[start:end] != wanted and "--fix" in sys.argv:
        with open(os.path.join(common.ROOT, DOC), "w", encoding="utf-8") as f:
            f.write(doc[:start] + wanted + doc[end:])
    elif doc[start:end] != wanted:
        line = doc[:start].count("\n") + 1
        findings.append(f"{DOC}:{line}: the table is not {LIST}; write it: tests/lint/packetdrill.py --fix")
    common.finish(findings, "scripts that need Linux")


main()
