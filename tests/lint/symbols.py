#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The core's objects need nothing but this list, and hold no writable global: that is what makes the library simulatable,
embeddable and repeatable. Argument: the static library of the core.
"""
import re
import subprocess
import sys

import common

ALLOWED = {
    "memcpy", "memmove", "memset", "memcmp", "memchr", "strlen", "strnlen", "strcmp", "strncmp", "strchr", "strrchr",
    "malloc", "calloc", "free", "abort", "__assert_fail", "__stack_chk_fail",
}
# Only where values become text.
PRINTERS = {"snprintf", "vsnprintf"}
PRINTER_OBJECTS = re.compile(r"base_print\w*\.c\.o$")
# What a compiler's hardening makes of the above; the linker's ends of the tables of words and functions.
SPECIAL = re.compile(r"^(__\w+_chk|_GLOBAL_OFFSET_TABLE_|"
                     r"__(start|stop)_(glass_words|__patchable_function_entries))$")
# Constant, but with addresses in it: the loader writes them, nobody else. glass_words are the words of the trace.
CONSTANT = re.compile(r"^(\.data\.rel\.ro|glass_words$|\.rodata|\.text)")
WRITABLE = re.compile(r"^(\.data|\.bss|\.tdata|\.tbss|\*COM\*|\.sdata|\.sbss)")
SANITIZER = re.compile(r"^__(asan|ubsan|tsan|msan|sanitizer)_|^__gcov_|^__llvm_|^__sancov")


def nm(archive):
    """(object, symbol, type) of everything."""
    out = subprocess.run(["nm", "-A", archive], capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        found = re.match(r"^.*?:([^:]+):\s*[0-9a-f]*\s+(\w) (\S+)$", line)
        if found:
            yield found.group(1), found.group(3), found.group(2)


def globals_of(archive):
    """(object, symbol, section) of everything that has one."""
    out = subprocess.run(["objdump", "-t", archive], capture_output=True, text=True, check=True).stdout
    obj = ""
    for line in out.splitlines():
        head = re.match(r"^(\S+):\s+file format", line)
        row = re.match(r"^[0-9a-f]+ .{7} (\S+)\t[0-9a-f]+ +(?:\.hidden )?(\S+)$", line)
        if head:
            obj = head.group(1)
        elif row:
            yield obj, row.group(2), row.group(1)


def main():
    archive, findings, defined, needed = sys.argv[1], [], set(), set()
    for obj, symbol, kind in nm(archive):
        if SANITIZER.match(symbol):
            print("skipped: built with a sanitizer or coverage, which add symbols and data of their own")
            sys.exit(common.SKIP)
        if kind in "Uw":
            needed.add((obj, symbol))
        else:
            defined.add(symbol)
    for obj, symbol, section in globals_of(archive):
        if WRITABLE.match(section) and not CONSTANT.match(section) and symbol != section:
            findings.append(f"{obj}: writable global {symbol} in {section}")
    for obj, symbol in sorted(needed):
        ok = symbol in defined or symbol in ALLOWED or SPECIAL.match(symbol)
        if symbol in PRINTERS:
            ok = PRINTER_OBJECTS.search(obj)
        if not ok:
            findings.append(f"{obj}: needs {symbol}, which the core may not use")
    common.finish(findings, "undefined symbols and writable globals of the core")


main()
