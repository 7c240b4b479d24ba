# SPDX-License-Identifier: MIT
"""The page of results, and what holds it true.

In: matrix.py.  Out: docs/rfc/results.md.
"""
import json
import re

from registry import PROBES

ALWAYS = {"checksums_sent": ("T02", "M", "every segment sent has a valid checksum, IP's too"),
          "padding_sent": ("T08", "S", "option padding is zero")}
HEAD = """# What the rows look like from outside

Probes from phantom hosts ([`tests/matrix`](../../tests/matrix)): raw frames in, frames out, one ordinary program on the
stack under test. The same program ran against Glass and, as the control, against Linux {kernel} (defaults, but
`tcp_congestion_control=reno`). `make matrix` measures both and writes this page; `tests/e2e/matrix.sh` fails
when a row that is a must (M) and passes here does not pass any more.

{passed}

| row | probe | | demand | Glass | Linux | difference |
|---|---|---|---|---|---|---|
"""


def read(path):
    with open(path, encoding="utf-8") as f:
        return {r["name"]: r for r in json.load(f)}


def demands():
    """(name, row, level, demand, why) in the order of the rows."""
    rows = [(p.name, p.row, p.level, p.demand, p.why) for p in PROBES]
    rows += [(name, *what, "") for name, what in ALWAYS.items()]
    return sorted(rows, key=lambda r: ("TICAU".index(r[1][0]), r[1]))


def cell(result):
    if not result:
        return "not measured"
    return ("" if result["pass"] else "**no**: ") + result["words"].replace("|", "\\|")


def figures(what, rows, found):
    musts = [r for r in rows if r[2] == "M" and r[0] in found]
    shoulds = [r for r in rows if r[2] == "S" and r[0] in found]
    return (f"{what}: {sum(found[r[0]]['pass'] for r in musts)} of {len(musts)} musts, "
            f"{sum(found[r[0]]['pass'] for r in shoulds)} of {len(shoulds)} shoulds.")


def write_table(glass_path, linux_path, page):
    glass, linux = read(glass_path), read(linux_path)
    rows, unexplained, lines = demands(), [], []
    for name, row, level, demand, why in rows:
        g, k = glass.get(name), linux.get(name)
        same = g and k and (g["pass"], g["words"]) == (k["pass"], k["words"])
        if g and k and g["pass"] != k["pass"] and not why:
            unexplained.append(f"{row} {name}")
        difference = "" if same else why or ("both do" if g and k and g["pass"] and k["pass"] else "")
        lines.append(f"| {row} | {name} | {level} | {demand} | {cell(g)} | {cell(k)} | {difference} |")
    with open("/proc/sys/kernel/osrelease", encoding="ascii") as f:
        kernel = ".".join(re.findall(r"\d+", f.read())[:2])
    with open(page, "w", encoding="utf-8") as f:
        f.write(HEAD.format(kernel=kernel,
                            passed=figures("Glass", rows, glass) + " " + figures("Linux", rows, linux)))
        f.write("\n".join(lines) + "\n")
    print(figures("Glass", rows, glass), figures("Linux", rows, linux))
    for name in unexplained:
        print("a difference without a line that explains it:", name)
    return 1 if unexplained else 0


def passing_musts(page):
    """Names of the probes that are a must and pass on the page."""
    with open(page, encoding="utf-8") as f:
        for line in f:
            cells = [c.strip() for c in line.split(" | ")]
            passes = len(cells) > 5 and not cells[4].startswith(("**no**", "not measured"))
            if line.startswith("| ") and passes and cells[2] == "M":
                yield cells[1]


def check(glass_path, page):
    """TAP, a line for each must that passes on the page and was measured now."""
    found = read(glass_path)
    names = [n for n in passing_musts(page) if n in found]
    failed = 0
    for i, name in enumerate(names, 1):
        r = found[name]
        failed += not r["pass"]
        print(f"{'ok' if r['pass'] else 'not ok'} {i} - {r['row']} {name}: {r['words']}")
    print(f"1..{len(names)}")
    return 1 if failed or not names else 0
