#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""shellcheck of every shell script, by name or by its first line."""
import shutil
import subprocess
import sys

import common

JOBS = 2


def is_shell(path):
    if path.endswith(".sh"):
        return True
    if "." in path.split("/")[-1]:
        return False
    first = common.read(path).split("\n", 1)[0]
    return first.startswith("#!") and ("sh" in first.split("/")[-1] or first.endswith(("/bash", "env bash")))


def main():
    if not shutil.which("shellcheck"):
        print("skipped: shellcheck is not installed (apt install shellcheck)")
        sys.exit(common.SKIP)
    scripts = [p for p in common.files() if is_shell(p)]
    command = ["shellcheck", "-x", "-P", "SCRIPTDIR", "-f", "gcc", "-S", "warning"]
    jobs = [subprocess.Popen(command + scripts[i::JOBS], cwd=common.ROOT, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True) for i in range(JOBS) if scripts[i::JOBS]]
    findings = [line for job in jobs for line in job.communicate()[0].splitlines()]
    common.finish(findings, f"shellcheck of {len(scripts)} scripts")


main()
