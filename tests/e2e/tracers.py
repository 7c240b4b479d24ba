# SPDX-License-Identifier: MIT
"""
Do all tracers tell the same functions of the same scenes?

    tracers.py functions FOLDER SCRIPT      what a tracer told there (tracers_scene.sh), as acts, one per line
    tracers.py unnoticed FOLDER SCRIPT      which of these functions it could leave out, and the acts were the same
    tracers.py probes FOLDER                do the static probes that bpftrace saw tell what the recorder has?

The same: the same functions begin in the same order, within each act and the acts in the same order. An act is what a
door of the stack (glass_*) calls until the daemon comes to the next door. Of functions' ends nothing is said: where one
ends by jumping to another, tracers differ. Acts in which nothing is done are left out: how often the daemon asks
whether there is something to do depends on the clock. Left out too is what is not in every tracer's view: functions
that functrace.bt does not ask for, and what was before the first program's connect and after the stack's end.
"""
import fnmatch
import json
import pathlib
import re
import subprocess
import sys

FIRST = "glass_connect"
END = ("glass_conn_next", "glass_free")  # the daemon ends: it looks at what is left
POLLS = ("glass_event", "glass_ready", "glass_next_deadline")
IDLE = ("glass_output tcp_output_pending", "glass_advance tcp_reap")


def symbols(program):
    """{address: name}, of a piece of a function the function's."""
    rows = (line.split() for line in subprocess.run(["nm", program], capture_output=True, text=True,
                                                    check=True).stdout.splitlines())
    return {int(r[0], 16): r[2].split(".")[0] for r in rows if len(r) == 3 and r[1] in "tT"}


def told_by_bpftrace(folder):
    """In a PID namespace of its own it tells addresses; and what came on one processor stands behind another's."""
    base = int((folder / "maps").read_text(encoding="utf-8").split("-")[0], 16)
    names, rows = symbols(folder / "glassd"), []
    for line in (folder / "told").read_text(encoding="utf-8").splitlines():
        if found := re.match(r"(\d+) +(?:0x(\w+)|(\w+))\(", line):
            ns, address, name = found.groups()
            rows.append((int(ns), name or names[int(address, 16) - base]))
    return [name for _, name in sorted(rows, key=lambda r: r[0])]


def told_by_uftrace(folder):
    lines = (folder / "told").read_text(encoding="utf-8").splitlines()
    return [found[1] for line in lines if (found := re.match(r" *([a-z]\w*)(?:\.[\w.]+)?\(", line))]


def told_by_glass(folder):
    records = map(json.loads, (folder / "records").read_text(encoding="utf-8").splitlines())
    return [r["room"] for r in records if r["event"] == "func"]


def told(folder):
    if (folder / "maps").exists():
        return told_by_bpftrace(folder)
    return told_by_uftrace(folder) if (folder / "told").exists() else told_by_glass(folder)


def acts(names, patterns):
    names = [n for n in names if any(fnmatch.fnmatchcase(n, p) for p in patterns)]
    out = []
    for name in names[names.index(FIRST):]:
        if name.startswith("glass_"):
            out.append([])
        out[-1].append(name)
    lines = [" ".join(a) for a in out if len(a) > 1 and a[0] not in POLLS + END]
    return [line for line in lines if line not in IDLE]


def asked_for(script):
    return re.findall(r"uprobe:\$1:(\w+\*?)", pathlib.Path(script).read_text(encoding="utf-8"))


def functions(folder, script):
    print("\n".join(acts(told(pathlib.Path(folder)), asked_for(script))))


def unnoticed(folder, script):
    """Functions that could be left out, and nobody would see it."""
    names, patterns = told(pathlib.Path(folder)), asked_for(script)
    whole = acts(names, patterns)
    for name in sorted({n for act in whole for n in act.split()} - {FIRST}):
        if acts([n for n in names if n != name], patterns) == whole:
            print(name)


def said_by_records(folder):
    for line in (folder / "records").read_text(encoding="utf-8").splitlines():
        r = json.loads(line)
        if r["event"] == "arp_in":
            yield f"packet {r['pkt']}: op {r['op']} from {r['sender']}"
        elif r["event"] == "ip_in":
            yield f"packet {r['pkt']}: {r['src']} > {r['dst']} "
        elif r["event"] == "tcp_state":
            yield f"c{r['conn']}: state "
        elif r["event"] == "rx":
            yield f"packet {r['pkt']} from device 1: {r['bytes']} bytes"


def probes(folder):
    folder = pathlib.Path(folder)
    text = (folder / "told").read_text(encoding="utf-8")
    first = min(int(n) for n in re.findall(r"# packet (\d+) from device", text))
    want = [w for w in said_by_records(folder) if int(re.search(r"\d+", w)[0]) >= first or w.startswith("c")]
    missing = [w for w in want if f"# {w}" not in text]
    print(f"missing: {missing}" if missing or len(want) < 10 else "all there")


if __name__ == "__main__":
    {"functions": functions, "unnoticed": unnoticed, "probes": probes}[sys.argv[1]](*sys.argv[2:])
