#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""clang-format has nothing to change. `format.py --fix` lets it."""
import os
import shutil
import subprocess
import sys

import common

VERSION = "14"  # versions format differently; this is Debian 12's


def tool():
    for name in ("clang-format-" + VERSION, "clang-format"):
        path = shutil.which(name)
        if path and f"version {VERSION}." in subprocess.run([path, "--version"], capture_output=True,
                                                            text=True).stdout:
            return path
    print(f"skipped: clang-format {VERSION} is not installed (apt install clang-format)")
    sys.exit(common.SKIP)


def main():
    clang_format = tool()
    paths = common.files("src", "include", "tests", "examples", ends=(".c", ".h"))
    args = ["-i"] if "--fix" in sys.argv else ["--dry-run", "-Werror", "--ferror-limit=1"]
    jobs, findings = [], []
    half = (len(paths) + 1) // 2
    for part in (paths[:half], paths[half:]):
        if part:
            jobs.append(subprocess.Popen([clang_format, *args, *part], cwd=common.ROOT, stderr=subprocess.PIPE,
                                         text=True))
    for job in jobs:
        findings += [line for line in job.communicate()[1].splitlines() if "error:" in line]
    common.finish(findings, f"format ({os.path.basename(clang_format)})")


main()
