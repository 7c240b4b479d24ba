#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One SPDX line on top of each source; no blanks at ends of lines; 120 columns at most."""
import common

ENDS = (".c", ".h", ".def", ".py", ".sh", ".build", ".bt", ".stp")
COLUMNS_MAX = 120  # clang-format keeps code to 100; tables and tests may need more
WIDE = (".def",)


def licence(path):
    return "GPL-2.0" if path.startswith("kmod/") else "MIT"


def check(path, text):
    top = "\n".join(text.splitlines()[:3])
    if f"SPDX-License-Identifier: {licence(path)}" not in top:
        yield 1, f"no line 'SPDX-License-Identifier: {licence(path)}' on top"
    if text and not text.endswith("\n"):
        yield len(text.splitlines()), "no newline at the end"
    for number, line in enumerate(text.splitlines(), 1):
        if line != line.rstrip():
            yield number, "blanks at the end of the line"
        columns = len(line.expandtabs(8))
        if columns > COLUMNS_MAX and not path.endswith(WIDE):
            yield number, f"{columns} columns"


def main():
    findings = []
    for path in common.files(ends=ENDS):
        findings += [f"{path}:{number}: {what}" for number, what in check(path, common.read(path))]
    common.finish(findings, "licence lines and white space")


main()
