#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Functions stay short (docs: the spine of a state machine may be long, and then reads like its RFC). Above 70 lines a
function is named, above 100 it fails unless it is listed here with a reason. Files likewise: 450, 700.
"""
import common

FUNCTION_WARN, FUNCTION_MAX = 70, 100
FILE_WARN, FILE_MAX = 450, 700
# "path:function": "why it may be long"
LONG_FUNCTIONS = {}
# "path": "why it may be long"
LONG_FILES = {}


def functions(text):
    """(name, first line, lines) in kernel layout: the body's braces are at the left margin."""
    lines, head, start = text.splitlines(), "", None
    for number, line in enumerate(lines, 1):
        if line.startswith("{") and start is None:
            start = number
        elif line.startswith("}") and start is not None:
            if "(" in head:
                yield head.split("(")[0].split()[-1].lstrip("*"), start, number - start - 1
            start = None
        elif line and not line[0].isspace() and start is None:
            head = line


def main():
    findings, notes = [], []
    for path in common.files("src", "include", "tests", "examples", "kmod", ends=(".c",)):
        text = common.read(path)
        n = text.count("\n")
        if n > FILE_MAX and path not in LONG_FILES:
            findings.append(f"{path}:1: {n} lines; above {FILE_MAX} a file is two")
        elif n > FILE_WARN:
            notes.append(f"note: {path} has {n} lines")
        for name, line, length in functions(text):
            if length > FUNCTION_MAX and f"{path}:{name}" not in LONG_FUNCTIONS:
                findings.append(f"{path}:{line}: {name} has {length} lines; above {FUNCTION_MAX} it must be cut")
            elif length > FUNCTION_WARN:
                notes.append(f"note: {path}:{line}: {name} has {length} lines")
    print("\n".join(notes))
    common.finish(findings, "length of functions and files")


main()
