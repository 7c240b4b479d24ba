# SPDX-License-Identifier: MIT
"""
What tracers outside find in glassd: a static probe (USDT) for every event, with the values of event.def; and functions
that begin with one long idle instruction, also where a program is loaded at a fixed place, where the compiler marks
its functions for jumps, and when it was stripped.

    probes.py GLASSD EVENT.DEF ENTRY-NOPS CC...
"""
import pathlib
import re
import subprocess
import sys
import tempfile

GLASSD, EVENTS, ENTRY_NOPS, *CC = sys.argv[1:]
LONG = bytes.fromhex("0f1f440000")
NO_PROBE = {"func", "func_end"}  # tracers outside have their own way to see functions
PROGRAM = """
__attribute__((noinline)) int twice(int x) { return x * 2; }
static __attribute__((noinline)) int more(int x) { return x + 1; }
int main(int n, char **v) { (void)v; return twice(more(n)) != 4; }
"""


def out(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def events():
    """{name: how many values}"""
    text = pathlib.Path(EVENTS).read_text(encoding="utf-8")
    rows = re.split(r"^EVENT_DEF\(", text, flags=re.M)[1:]
    return {re.match(r"\w+, (\w+),", r)[1]: len(re.findall(r"\bF\(\w+, \w+\)", r)) for r in rows}


def probes():
    """(name, where, operands) of each note."""
    return re.findall(r"Provider: glass\n\s+Name: (\w+)\n\s+Location: 0x(\w+),.*\n\s+Arguments: (.*)\n",
                      out("readelf", "--wide", "--notes", GLASSD))


def offset_of(address):
    for line in out("readelf", "--wide", "--program-headers", GLASSD).splitlines():
        w = line.split()
        if w and w[0] == "LOAD" and int(w[2], 16) <= address < int(w[2], 16) + int(w[4], 16):
            return int(w[1], 16) + address - int(w[2], 16)
    raise AssertionError(f"{address:#x} is not loaded")


def operands(count):
    """The room's name, the record, its packet and connection, its values: all behind two registers."""
    values = "".join(rf" 8@{24 + 8 * i}\(\1\)" for i in range(count))
    return r"8@\(%r\w+\) 8@(%r\w+) 4@16\(\1\) 4@12\(\1\)" + values


def check_probes():
    want, found = events(), probes()
    program = pathlib.Path(GLASSD).read_bytes()
    assert {name for name, _, _ in found} == set(want) - NO_PROBE, "each event has a probe"
    for name, where, args in found:
        pattern = operands(want[name])
        assert re.fullmatch(pattern, args), f"{name}: {args}"
        at = offset_of(int(where, 16))
        assert program[at:at + 5] == LONG, f"{name} at {where}"
    print(f"{len(found)} probes of {len(want) - len(NO_PROBE)} events")


def check_entries():
    found = out(ENTRY_NOPS, "--check", GLASSD)
    assert int(found.split()[0]) > 500, found
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "program.c")
        source.write_text(PROGRAM, encoding="utf-8")
        for flags in (["-pie", "-fPIE"], ["-no-pie", "-fno-pie"], ["-pie", "-fPIE", "-fcf-protection"]):
            check_variant(folder, str(source), flags)


def check_variant(folder, source, flags):
    linked, done = folder + "/linked", folder + "/done"
    out(*CC, "-O1", "-fpatchable-function-entry=5", *flags, source, "-o", linked)
    failed = subprocess.run([ENTRY_NOPS, "--check", linked], capture_output=True, text=True, check=False)
    assert failed.returncode and "3 of 3 entries" in failed.stderr, failed
    out(ENTRY_NOPS, linked, done)
    assert out(ENTRY_NOPS, "--check", done) == "3 entries\n", flags
    out(done)
    out("strip", done)
    assert out(ENTRY_NOPS, "--check", done) == "3 entries\n", flags
    data = bytearray(pathlib.Path(linked).read_bytes())
    at = re.search(rb"\x90{5}|\x0f\x1f\x44\x00\x08", data).start()  # gcc's, clang's
    data[at:at + 1] = b"\x91"  # something that is not idle: hands off
    pathlib.Path(linked).write_bytes(data)
    spoiled = subprocess.run([ENTRY_NOPS, linked, folder + "/none"], capture_output=True, text=True, check=False)
    assert spoiled.returncode and "not idle" in spoiled.stderr and not pathlib.Path(folder, "none").exists()


check_probes()
check_entries()
