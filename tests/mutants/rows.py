# SPDX-License-Identifier: MIT
"""The table of planted bugs (table.txt), for tools/mutants and tests/lint/mutants.py.

Blocks that are separated by empty lines, each
    name: short-and-unique
    file: src/...
    why: what the bug does
    by: the test that kills it, tried first (may be left out)
    - the text before (any number of such lines)
    + the text after
White space between words does not matter, so the formatter may move the code; the text must be there exactly once.
"""
import json
import os
import re

TABLE = "tests/mutants/table.txt"
SUITES = ["dialogue", "sim", "unit"]  # in this order they are asked
ELSEWHERE = ("preload/", "abi/", "dev/", "daemon/", "ctl/")  # unit tests of what is not the core
# The matrix takes long; the seeds play the same things.
LEFT_OUT = {"sim"}


def read_table(path):
    rows = []
    with open(path, encoding="utf-8") as file:
        for block in re.split(r"\n\s*\n", file.read()):
            lines = [line for line in block.split("\n") if line and not line.startswith("#")]
            row = {"-": [], "+": [], "by": ""}
            for line in lines:
                if line[0] in "-+":
                    row[line[0]].append(line[1:].strip())
                else:
                    key, value = line.split(":", 1)
                    row[key] = value.strip()
            if lines:
                rows.append(row)
    return rows


def places(text, row):
    """Where the text before is: one match, or the row is stale."""
    words = " ".join(row["-"]).split()
    return list(re.finditer(r"\s+".join(re.escape(word) for word in words), text)) if words else []


def find_tests(build):
    """{name: (number of its suite, command)} of the tests that are asked, as meson has set them up in this folder."""
    tests = {}
    with open(os.path.join(build, "meson-info/intro-tests.json"), encoding="utf-8") as file:
        listed = json.load(file)
    for test in listed:
        suite = test["suite"][0].split(":")[-1]
        if suite not in SUITES or test["name"] in LEFT_OUT:
            continue
        if suite == "unit" and (test["name"].startswith(ELSEWHERE) or "python" in test["cmd"][0]):
            continue
        tests[test["name"]] = (SUITES.index(suite), test["cmd"])
    return tests
