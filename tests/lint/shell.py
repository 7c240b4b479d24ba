#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
shellcheck of every shell script, by name or by its first line.

It reads what a script sources anew for each script, and a library costs more than most scripts. So a library is checked
once, as it is; scripts see only which variables it reads and writes.
"""
import multiprocessing.pool
import os
import re
import shutil
import subprocess
import sys
import tempfile

import common

JOBS = 2
SOURCES = re.compile(r"^\s*(?:\.|source) .*/([\w-]+\.sh)", re.M)


def is_shell(path):
    if path.endswith(".sh"):
        return True
    if "." in path.split("/")[-1]:
        return False
    first = common.read(path).split("\n", 1)[0]
    return first.startswith("#!") and ("sh" in first.split("/")[-1] or first.endswith(("/bash", "env bash")))


def brief(text):
    """Of a library: what it sources, and the variables that it reads and writes."""
    sources = [line for line in text.splitlines() if SOURCES.match(line)]
    code = re.sub(r"^\s*#.*", "", text, flags=re.M)
    local = {word.split("=")[0] for line in re.findall(r"^\s*local (.*)", code, re.M) for word in line.split()}
    read = set(re.findall(r"\$\{?[#!]?([A-Za-z_]\w*)", code)) - local
    written = dict(re.findall(r"^\s*(?:export )?([A-Za-z_]\w*)\+?=(\()?", code, re.M))
    lines = [f"{name}={'()' if array else 'x'}" for name, array in sorted(written.items()) if name not in local]
    return "\n".join(["# shellcheck shell=bash", *sources, *lines, ": " + " ".join(f"${v}" for v in sorted(read)), ""])


def write_briefs(scripts, top):
    names = {name for path in scripts for name in SOURCES.findall(common.read(path))}
    for path in scripts:
        os.makedirs(os.path.join(top, os.path.dirname(path)), exist_ok=True)
        if os.path.basename(path) in names:
            with open(os.path.join(top, path), "w", encoding="utf-8") as f:
                f.write(brief(common.read(path)))


def check(path, top):
    command = ["shellcheck", "-x", "-P", os.path.join(top, os.path.dirname(path)), "-P", "SCRIPTDIR", "-f", "gcc",
               "-S", "warning", path]
    return subprocess.run(command, cwd=common.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False).stdout.splitlines()


def main():
    if not shutil.which("shellcheck"):
        print("skipped: shellcheck is not installed (apt install shellcheck)")
        sys.exit(common.SKIP)
    scripts = [p for p in common.files() if is_shell(p)]
    with tempfile.TemporaryDirectory() as top, multiprocessing.pool.ThreadPool(JOBS) as pool:
        write_briefs(scripts, top)
        found = pool.starmap(check, [(path, top) for path in scripts], chunksize=1)
    common.finish([line for lines in found for line in lines], f"shellcheck of {len(scripts)} scripts")


if __name__ == "__main__":
    main()
