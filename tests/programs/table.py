# SPDX-License-Identifier: MIT
"""What the matrix of programs has found, as a table: table.py LOG PAGE replaces the one between the page's marks."""
import re
import sys

BEGIN, END = "<!-- table: make test-programs -->", "<!-- end of the table -->"
WAYS = ("preload", "run", "seccomp")
LINE = re.compile(r"(not )?ok \d+ - (.*?) \| (.*?) \| (\w+)(?: # SKIP (.*))?$")


def read(lines):
    """{(program, role): {way: word}}, {program: version}"""
    rows, versions = {}, {}
    for line in lines:
        if found := LINE.match(line):
            failed, program, role, way, skipped = found.groups()
            word = f"skipped: {skipped}" if skipped else "**fails**" if failed else "ok"
            rows.setdefault((program, role), {})[way] = word
        elif found := re.match(r"# version (.*): (.+)$", line):
            versions[found[1]] = found[2]
    return rows, versions


def table(rows, versions):
    yield "| program | role | LD_PRELOAD | glass run | --mode seccomp |"
    yield "|---|---|---|---|---|"
    for (program, role), words in sorted(rows.items()):
        cells = [words.get("all") or words.get(way, "-") for way in WAYS]
        name = f"{program} {versions[program]}" if program in versions else program
        yield f"| {name} | {role} | {' | '.join(cells)} |"


def main():
    log, page = sys.argv[1:]
    with open(log, encoding="utf-8", errors="replace") as f:
        rows, versions = read(f.read().splitlines())
    with open(page, encoding="utf-8") as f:
        before, rest = f.read().split(BEGIN)
    after = rest.split(END)[1]
    with open(page, "w", encoding="utf-8") as f:
        f.write(before + BEGIN + "\n" + "\n".join(table(rows, versions)) + "\n" + END + after)


main()
