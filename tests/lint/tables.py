#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Every row of every table is used by the source; every drop reason is named by a test (that one reaches it, and every
event, tests/reached shows); texts name their fields.
"""
import re

import common

# No frame of ours is ever refused by a device in a test on this side of the process; the e2e tests meet these.
SOURCE = ("src",)


def words(paths):
    """All identifiers of the files, joined: one search per row is then a set lookup."""
    found = set()
    for path in paths:
        text = re.sub(r"/\*.*?\*/", " ", common.read(path), flags=re.S)
        found.update(re.findall(r"[A-Za-z_]\w*", text))
    return found


def uses(paths, macro):
    """IDs that appear as an argument of macro(...), across lines."""
    found = set()
    for path in paths:
        for args in re.findall(r"\b" + macro + r"\(((?:[^()]|\([^()]*\))*)", common.read(path)):
            found.update(re.findall(r"[A-Z][A-Z0-9_]+", args))
    return found


def check_used(findings, table, macro, used):
    ids = common.rows(table, macro)
    if len(ids) != len(set(ids)):
        findings.append(f"{table}: a row appears twice")
    for row in ids:
        if row not in used:
            findings.append(f"{table}: nothing uses {row}")
    return ids


def check_texts(findings, table, macro):
    """Every {field} of a text is a field of its row, and every field is in the text (a DROP may hold back none)."""
    text = common.read(table)
    for row, body in re.findall(r"^" + macro + r"\((\w+),(.*?)(?=^" + macro + r"\(|\Z)", text, re.S | re.M):
        strings = re.findall(r'"((?:[^"\\]|\\.)*)"', body)
        fields = re.findall(r"\bF\((\w+),", body)
        shown = re.findall(r"\{(\w+)\}", " ".join(strings[:1]))
        for name in set(shown) - set(fields):
            findings.append(f"{table}: {row}: the text says {{{name}}}, which is no field")
        if macro == "DROP":
            for name in set(fields) - set(shown):
                findings.append(f"{table}: {row}: the text does not say {{{name}}}")


def check_rules(findings, source):
    """rule.def speaks of events that are, and of reasons that the source gives."""
    table = "src/base/rule.def"
    known = set(common.rows("src/base/event.def", "EVENT_DEF"))
    said = set()
    for path in [*source, "include/glass/limit.def"]:
        said.update(re.findall(r'"((?:[^"\\]|\\.)*)"', common.read(path)))
    closed, seen = set(), set()
    for event, why, rule in re.findall(r'^RULE\((\w+), "([^"]*)", "([^"]*)"\)', common.read(table), re.M):
        if event not in known:
            findings.append(f"{table}: there is no event {event}")
        if why and why not in said:
            findings.append(f'{table}: {event}: nothing in the source says "{why}"')
        if event in closed or (event, why) in seen:
            findings.append(f'{table}: {event}: the row "{why}" comes after one that holds for all')
        if not re.match(r"RFC \d{3,4}( |$)", rule):
            findings.append(f"{table}: {event}: {rule} is no section of a standard")
        seen.add((event, why))
        if not why:
            closed.add(event)


def main():
    findings = []
    source = common.files(*SOURCE, ends=(".c", ".h"))
    names = words(source)
    upper = uses(source, "drop") | uses(source, "DROP") | {n[5:] for n in names if n.startswith("DROP_")}
    events = uses(source, "EVENT") | uses(source, "TRACE") | {n[9:] for n in names if n.startswith("GLASS_EV_")}
    drops = check_used(findings, "src/base/drop.def", "DROP", upper)
    check_used(findings, "src/base/event.def", "EVENT_DEF", events)
    check_used(findings, "src/base/stats.def", "STAT", {n[5:] for n in names if n.startswith("STAT_")})
    check_used(findings, "src/base/tunable.def", "TUNABLE", names)
    check_used(findings, "include/glass/sock_opt.def", "SOCK_OPT", {n[6:] for n in names if n.startswith("GLASS_")})
    check_used(findings, "include/glass/limit.def", "LIMIT", {n[12:] for n in names if n.startswith("GLASS_LIMIT_")})
    check_texts(findings, "src/base/drop.def", "DROP")
    check_texts(findings, "src/base/event.def", "EVENT_DEF")
    check_rules(findings, source)
    reached = set()
    for path in common.files("tests", ends=(".c", ".h", ".py", ".sh")):
        if not path.startswith("tests/lint/"):
            reached.update(re.findall(r"[A-Z][A-Z0-9_]+", common.read(path)))
    for row in drops:
        if row not in reached and "DROP_" + row not in reached:
            findings.append(f"src/base/drop.def: no test reaches {row}")
    for row in common.rows("include/glass/limit.def", "LIMIT"):
        if row not in reached and "GLASS_LIMIT_" + row not in reached:
            findings.append(f"include/glass/limit.def: no test reaches {row}")
    common.finish(findings, "tables")


main()
