#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
What the command prints of recorded stories is what the golden files say, and the README shows one of them.

    golden.py GLASS STORY [--update]     paths of the command and of the program that makes the rings
"""
import difflib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
README = HERE.parent.parent / "README.md"
# story, arguments after "glass ... --ring RING", golden file
CASES = [
    ("fetch", ["trace", "1"], "fetch.txt"),
    ("fetch", ["trace", "--packet", "7"], "walk.txt"),
    ("fetch", ["trace", "--raw", "--since", "0.0001", "--last", "12"], "raw.txt"),
    ("fetch", ["trace", "1", "--verbose", "--last", "3"], "verbose.txt"),
    ("fetch", ["trace", "--event", "tcp_state", "--json"], "state.jsonl"),
    ("fetch", ["trace", "--packet", "9", "--json"], "packet.jsonl"),
    ("fetch", ["trace", "--paths"], "paths.txt"),
    ("fetch", ["trace", "--paths", "--json", "--conn", "1", "tcp"], "paths.json"),
    ("fetch", ["trace", "tcp and src host 10.0.0.5 and not data"], "filter.txt"),
    ("fetch", ["trace", "arp", "or", "(", "dst", "port", "8080", "and", "fin", ")"], "filter-or.txt"),
    ("blackhole", ["trace", "rtx", "and", "drop"], "filter-rtx.txt"),
    ("fetch", ["why"], "why-closed.txt"),
    ("fetch", ["why", "--slow"], "slow-fetch.txt"),
    ("slow", ["why", "--slow"], "slow.txt"),
    ("slow", ["why", "--slow", "--json"], "slow.json"),
    ("received", ["why", "--slow"], "slow-received.txt"),
    ("unread", ["why", "--slow"], "slow-unread.txt"),
    ("slow", ["trace", "rtx"], "slow-rtx.txt"),
    ("unreachable", ["why", "--slow"], "slow-unreachable.txt"),
    ("unreachable", ["trace", "1"], "unreachable.txt"),
    ("unreachable", ["why"], "why-unreachable.txt"),
    ("unreachable", ["why", "--json"], "why-unreachable.json"),
    ("blackhole", ["trace", "1"], "blackhole.txt"),
    ("blackhole", ["why", "10.0.0.7:8080"], "why-blackhole.txt"),
    ("refused", ["why", "last"], "why-refused.txt"),
]


def run(glass, ring, args):
    env = {k: v for k, v in os.environ.items() if not k.startswith("GLASS_")}
    env["GLASS_DIR"] = str(ring.parent)  # no daemon is there
    done = subprocess.run([glass, args[0], "--ring", ring, *args[1:]], env=env, capture_output=True, text=True,
                          check=False)
    return done.stdout + done.stderr


def check_json(name, text):
    for line in text.splitlines():
        one = json.loads(line)
        if not isinstance(one, dict):
            continue
        assert sum(one.get("limits_ns", {}).values()) == one.get("life_ns", 0), f"{name}: the budget is not the life"
    return f"{name}: valid JSON"


def compare(name, want, got):
    if want == got:
        print(f"ok {name}")
        return True
    sys.stdout.writelines(difflib.unified_diff(want.splitlines(True), got.splitlines(True), name, "now"))
    print(f"not ok {name}; when it should be so: tests/golden/golden.py GLASS STORY --update")
    return False


def main():
    glass, story = map(os.path.abspath, sys.argv[1:3])
    update = "--update" in sys.argv[3:]
    good = True
    with tempfile.TemporaryDirectory() as tmp:
        for name in dict.fromkeys(case[0] for case in CASES):
            subprocess.run([story, name, f"{tmp}/{name}.ring"], check=True)
        for name, args, golden in CASES:
            got = run(glass, pathlib.Path(tmp) / f"{name}.ring", args)
            path = HERE / golden
            if "json" in golden:
                check_json(golden, got)
            if update:
                path.write_text(got, encoding="utf-8")
            good = compare(golden, path.read_text(encoding="utf-8"), got) and good
    walk = "".join("    " + line for line in (HERE / "walk.txt").read_text(encoding="utf-8").splitlines(True))
    if walk not in README.read_text(encoding="utf-8"):
        print("not ok README.md shows tests/golden/walk.txt, indented by four")
        good = False
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
