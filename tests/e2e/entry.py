# SPDX-License-Identifier: MIT
"""
A breakpoint on a function of a running program, as a uprobe leaves one while it is there.

    entry.py PROGRAM PID FUNCTION [HEX]     writes these bytes where the function begins; prints what was there
"""
import re
import subprocess
import sys


def address(program, pid, function):
    listed = subprocess.run(["nm", program], capture_output=True, text=True, check=True).stdout
    offset = int(re.search(rf"^([0-9a-f]+) [tT] {function}$", listed, re.M)[1], 16)
    with open(f"/proc/{pid}/maps", encoding="utf-8") as f:
        return int(f.readline().split("-")[0], 16) + offset


def main(program, pid, function, new=""):
    with open(f"/proc/{pid}/mem", "r+b", buffering=0) as f:
        f.seek(address(program, pid, function))
        print(f.read(5).hex())
        f.seek(address(program, pid, function))
        f.write(bytes.fromhex(new))


main(*sys.argv[1:])
