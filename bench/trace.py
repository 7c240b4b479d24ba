#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
What looking costs: the same daemon without a flight recorder, with it, and with every call of a function written down.

    bench/trace.py [--rounds 15] [--seconds 1] [--bare GLASSD] [--write FILE]

BUILD (build): what is measured. GLASSD: one that was built with -Dtracing=false, to see what is left when all is off.

Daemons stand side by side, each with a device and addresses of its own, and sleep while another is measured. A round
measures each once, in an order that turns from round to round, so all see the same machine; what counts is the ratio
within a round, and of these the median. Everything runs with realtime priority, equally, because machines have other
things to do. CPU is the daemon's own time, from the scheduler.
"""
import argparse
import contextlib
import os
import platform
import signal
import statistics
import subprocess
import sys
import time

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
PRELOAD = BUILD + "/src/preload/libglass-preload.so"
REALTIME = ["chrt", "-r", "1"]
BULK_BYTES = 1500 * 1000 * 1000  # times --seconds
FUNCTIONS = ["functions", "functions, no spin"]  # somebody asks: glass trace --functions
LIMITS = {("recorder", "put"): .97, ("recorder", "get"): .97, ("recorder", "trips"): .95}

TEXT = """# What looking costs

Made by `make bench-trace` ([bench/trace.py](../../bench/trace.py) tells how) on {when}: Linux {kernel}, {cpus}
processors of {cpu}, {rounds} rounds. Ratios within one round, their median, and in parentheses where the middle
half of the rounds lies. Above 1 is more: more bytes, more round trips, more of the daemon's CPU for the same
work.

| | bytes sent | bytes received | 1-byte round trips | CPU per byte sent | CPU per byte received | CPU per trip |
|---|---|---|---|---|---|---|
{table}

"without": `glassd --trace-records 0`. "recorder": as it always is. "functions": while `glass trace --functions -o
FILE` follows, which takes CPU of its own on top. "bare": built with `-Dtracing=false`, so without recorder,
static probes and idle bytes at functions' begins. CPU per trip is measured with `--spin 0`: otherwise the daemon
waits by asking again, and the time of that says nothing. Absolute figures of this run, without a recorder:
{absolute}.

The limits: with the recorder at least 0.97 of the bytes and 0.95 of the round trips; functions at most twice the
CPU; what is off costs nothing that could be told from the spread. They are asked of the medians: where the middle half
of the rounds is wider than a limit is narrow, the run does not prove it.

## What a uprobe costs

By what stands where it is placed, ns per call of an empty function, with an empty bpftrace program on it, median
of ten loops in this machine ([bench/uprobe.c](../../bench/uprobe.c)):

{uprobes}
"""


class Stack:
    """A daemon with the addresses 10.0.N.4 (its own) and 10.0.N.5."""

    def __init__(self, world, number, name, program, *options):
        self.name, self.peer = name, f"10.0.{number}.5"
        world.start(program, "--foreground", "--stack", f"s{number}", "--dev", f"glass{number}", "--address",
                    f"10.0.{number}.4/24", "--host-address", self.peer + "/24", *options)
        self.env = dict(os.environ, GLASS_STACK=f"s{number}")
        world.wait(lambda: subprocess.run([BUILD + "/src/ctl/glass", "ss"], env=self.env, check=False,
                                          capture_output=True).returncode == 0)
        self.daemon = world.children[-1].pid
        world.start(BUILD + "/bench/xfer", "serve", self.peer, "7001", "cubic")
        world.start(BUILD + "/bench/rr", "serve", self.peer, "7002")
        if name in FUNCTIONS:
            world.start(BUILD + "/src/ctl/glass", "trace", "--functions", "-o", f"/run/{number}", env=self.env,
                        stdin=subprocess.DEVNULL, realtime=False)
        time.sleep(0.3)

    def cpu_ns(self):
        with open(f"/proc/{self.daemon}/schedstat", encoding="utf-8") as f:
            return int(f.read().split()[0])

    def run(self, *words):
        """(what it prints, the daemon's CPU meanwhile)"""
        before = self.cpu_ns()
        out = subprocess.run([*REALTIME, *words], env=dict(self.env, LD_PRELOAD=PRELOAD), check=True,
                             capture_output=True, text=True).stdout.split()
        return out, self.cpu_ns() - before

    def measure(self, what, seconds):
        """(rate, CPU ns for one unit of it)"""
        if what == "trips":
            (_, _, n), cpu = self.run(BUILD + "/bench/rr", "trips", self.peer, "7002", str(seconds))
            return int(n) / seconds, cpu / int(n)
        size = int(BULK_BYTES * seconds)
        (took, *_), cpu = self.run(BUILD + "/bench/xfer", what, self.peer, "7001", "cubic", str(size))
        return size / float(took), cpu / size


class World:
    def __init__(self):
        self.children = []

    def start(self, *words, realtime=True, **more):
        self.children.append(subprocess.Popen([*(REALTIME if realtime else []), *words], stdout=subprocess.DEVNULL,
                                              **more))

    @staticmethod
    def wait(ready):
        for _ in range(500):
            if ready():
                return
            time.sleep(0.02)
        raise TimeoutError("the world does not come up")

    def end(self):
        for p in reversed(self.children):
            p.send_signal(signal.SIGTERM)
        for p in self.children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                p.wait(5)


def stacks(world, bare):
    glassd = BUILD + "/src/daemon/glassd"
    rows = [("without", glassd, "--trace-records", "0"), ("recorder", glassd), ("functions", glassd)]
    rows += [("bare", bare)] if bare else []
    rows += [(name + ", no spin", *rest, "--spin", "0") for name, *rest in rows]
    return [Stack(world, i + 1, *row) for i, row in enumerate(rows)]


def rounds(all_stacks, count, seconds):
    """{(name, what): [(rate, cpu), ...]}, one of each round."""
    got = {}
    for n in range(count):
        for what in ("put", "get", "trips"):
            use = [s for s in all_stacks if what == "trips" or "spin" not in s.name]
            for i in range(len(use)):
                s = use[(i + n) % len(use)]
                got.setdefault((s.name, what), []).append(s.measure(what, seconds))
        print(f"round {n + 1} of {count}", file=sys.stderr)
    return got


def ratios(got, name, what, which):
    """Against "without", round by round: median, and the middle half."""
    spin = ", no spin" if which and what == "trips" else ""
    r = sorted(a[which] / b[which] for a, b in zip(got[name + spin, what], got["without" + spin, what]))
    return statistics.median(r), r[len(r) // 4], r[-1 - len(r) // 4]


def table(got):
    lines = []
    for name in ("recorder", "functions", "bare"):
        if (name, "put") in got:
            cells = [ratios(got, name, what, which) for which in (0, 1) for what in ("put", "get", "trips")]
            lines.append("| " + " | ".join([name] + [f"{m:.3f} ({a:.3f}-{b:.3f})" for m, a, b in cells]) + " |")
    return "\n".join(lines)


def missed(got):
    out = [f"{name} {what}: {ratios(got, name, what, 0)[0]:.3f}, at least {least}"
           for (name, what), least in LIMITS.items() if ratios(got, name, what, 0)[0] < least]
    return out + [f"functions {what}: CPU {ratios(got, 'functions', what, 1)[0]:.3f}, at most 2"
                  for what in ("put", "get", "trips") if ratios(got, "functions", what, 1)[0] > 2]


def absolute(got):
    middle = {what: statistics.median(x[0] for x in got["without", what]) for what in ("put", "get", "trips")}
    return (f"{middle['put'] * 8 / 1e9:.1f} Gbit/s sent, {middle['get'] * 8 / 1e9:.1f} received, "
            f"{middle['trips']:.0f} round trips per second")


def uprobes():
    """A row for each program of bench/uprobe.c."""
    rows = []
    for program, what in (("uprobe-plain", "an ordinary instruction (no idle bytes)"),
                          ("uprobe-gcc", "five idle instructions of one byte, as gcc writes them"),
                          ("uprobe-long", "one of five bytes, as in glassd")):
        path = f"{BUILD}/bench/{program}"
        try:
            out = subprocess.run([*REALTIME, "bpftrace", "-e", f"uprobe:{path}:probed {{ 1 }}", "-c", path], check=True,
                                 capture_output=True, text=True).stdout
            bare = subprocess.run([*REALTIME, path], check=True, capture_output=True, text=True).stdout
        except (OSError, subprocess.CalledProcessError):
            return "(not measured: bpftrace is not here, or may not place uprobes)"
        found = [line.split()[1] for line in (out + bare).splitlines() if line.startswith("ns ")]
        rows.append(f"| {what} | {found[0]} | {found[-1]} |")
    return "| | with | without |\n|---|---|---|\n" + "\n".join(rows)


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        names = [line.split(":")[1].strip() for line in f if line.startswith("model name")]
    return names[0] if names else platform.machine()


def main():
    p = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    p.add_argument("--rounds", type=int, default=15)
    p.add_argument("--seconds", type=float, default=1)
    p.add_argument("--bare")
    p.add_argument("--write")
    args = p.parse_args()
    if not os.environ.get("GLASS_BENCH"):
        os.environ["GLASS_BENCH"] = "1"
        os.execvp("unshare", ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable,
                              *sys.argv])
    subprocess.run(["mount", "-t", "tmpfs", "glass-bench", "/run"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    os.environ.pop("GLASS_DIR", None)
    world = World()
    try:
        got = rounds(stacks(world, args.bare), args.rounds, args.seconds)
    finally:
        world.end()
    text = TEXT.format(when=time.strftime("%Y-%m-%d"), kernel=platform.release(), cpus=os.cpu_count(), cpu=processor(),
                       rounds=args.rounds, table=table(got), absolute=absolute(got), uprobes=uprobes())
    print(text)
    if args.write:
        with open(args.write, "w", encoding="utf-8") as f:
            f.write(text)
    failed = missed(got)
    print("\n".join(["missed: " + m for m in failed]) or
          "the medians keep all limits; how far to believe them, the middle half of the rounds tells")
    sys.exit(bool(failed))


main()
