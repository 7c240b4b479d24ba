#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
What looking costs: the same daemon without a flight recorder, with it, and with every call of a function written down.

    bench/trace.py [--worlds 10] [--rounds 25] [--bare GLASSD] [--write FILE]

BUILD (build): what is measured. GLASSD: one that was built with -Dtracing=false, to see what is left when all is off.

A world has a daemon of each kind side by side, each with a device and addresses of its own; they sleep while another is
measured. A round measures each for a tenth of a second, in an order that turns from round to round, so all see the
same machine; what counts is the ratio within a round, and of these the median. It is told with the interval in which
the true median lies with a probability of 95 %. Worlds are made anew because how a daemon lies in memory is chance,
too: "without, again" is the same as what all are compared to, and shows what chance is left.

All processes of the traffic, daemon and kernel share one processor with realtime priority. So a rate is the sum of
what all of them cost, and no scheduler spreads them differently from round to round; and the daemon does not spin
(--spin 0), because its waiting would cost what the others need. CPU is the daemon's own time, from the scheduler.
"""
import argparse
import math
import os
import platform
import statistics
import subprocess
import sys
import time

import world

REALTIME = world.realtime()
SECONDS = 0.1
BULK_BYTES = 150 * 1000 * 1000  # takes about as long
WHAT = ("put", "get", "trips")
LIMITS = {("recorder", "put"): .97, ("recorder", "get"): .97, ("recorder", "trips"): .95}
FUNCTIONS_CPU = 2

TEXT = """# What looking costs

Made by `make bench-trace` ([bench/trace.py](../../bench/trace.py) tells how) on {when}: Linux {kernel},
{cpu}, {worlds} worlds with {rounds} rounds each. Ratios within one round, their median, and in parentheses where the
true median lies with a probability of 95 %. Above 1 is more: more bytes, more round trips, more of the daemon's CPU
for the same work.

| | bytes sent | bytes received | 1-byte round trips | CPU per byte sent | CPU per byte received | CPU per trip |
|---|---|---|---|---|---|---|
{table}

All are compared to `glassd --trace-records 0`, "without, again" is another one of these: so much is chance.
"recorder": as it always is. "functions": while `glass trace --functions -o FILE` follows, on another processor.
"bare": built with `-Dtracing=false`, so without recorder, static probes and idle bytes at functions' begins.
Programs, daemon and kernel share one processor, so a rate tells what all of them cost together, and CPU what the
daemon does.
Absolute figures of this run, without a recorder: {absolute}.

The limits: with the recorder at least 0.97 of the bytes and 0.95 of the round trips; functions at most twice the
CPU. {verdict} What is off ("bare" tells what would be without it) {off}.

## What a uprobe costs

By what stands where it is placed, ns per call of an empty function, with an empty bpftrace program on it, median
of ten loops in this machine ([bench/uprobe.c](../../bench/uprobe.c)):

{uprobes}
"""


class Stack:
    """A daemon with the addresses 10.0.N.4 (its own) and 10.0.N.5."""

    def __init__(self, here, number, name, program, *options):
        self.name, self.peer = name, f"10.0.{number}.5"
        self.env = dict(os.environ, GLASS_STACK=f"s{number}")
        self.daemon = here.start(REALTIME, [
            program, "--foreground", "--stack", f"s{number}", "--dev", f"glass{number}", "--address",
            f"10.0.{number}.4/24", "--host-address", self.peer + "/24", "--spin", "0", *options]).pid
        here.wait(lambda: subprocess.run([world.GLASS, "ss"], env=self.env, check=False,
                                         capture_output=True).returncode == 0)
        here.start(REALTIME, [world.XFER, "serve", self.peer, "7001", "cubic"])
        here.start(REALTIME, [world.RR, "serve", self.peer, "7002"])
        if name == "functions":
            follower = here.start([], [world.GLASS, "trace", "--functions", "-o", f"{here.dir}/{number}"], env=self.env,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            os.sched_setaffinity(follower.pid, range(os.cpu_count()))
        time.sleep(0.3)

    def cpu_ns(self):
        with open(f"/proc/{self.daemon}/schedstat", encoding="utf-8") as f:
            return int(f.read().split()[0])

    def run(self, *words):
        """(what it prints, the daemon's CPU meanwhile)"""
        before = self.cpu_ns()
        out = subprocess.run([*REALTIME, *words], env=dict(self.env, LD_PRELOAD=world.PRELOAD), check=True,
                             capture_output=True, text=True).stdout.split()
        return out, self.cpu_ns() - before

    def measure(self, what):
        """(rate, CPU ns for one unit of it)"""
        if what == "trips":
            (_, _, n), cpu = self.run(world.RR, "trips", self.peer, "7002", str(SECONDS))
            return int(n) / SECONDS, cpu / int(n)
        (took, *_), cpu = self.run(world.XFER, what, self.peer, "7001", "cubic", str(BULK_BYTES))
        return BULK_BYTES / float(took), cpu / BULK_BYTES


def stacks(here, bare):
    off = (world.GLASSD, "--trace-records", "0")
    rows = [("without", *off), ("without, again", *off), ("recorder", world.GLASSD), ("functions", world.GLASSD)]
    rows += [("bare", bare)] if bare else []
    return [Stack(here, i + 1, *row) for i, row in enumerate(rows)]


def play(number, args, got):
    """A world: adds to {(name, what): [(rate, cpu), ...]}, one of each round."""
    here = world.World()
    try:
        all_stacks = stacks(here, args.bare)
        for n in range(args.rounds):
            for what in WHAT:
                for i in range(len(all_stacks)):
                    s = all_stacks[(i + n + number) % len(all_stacks)]
                    got.setdefault((s.name, what), []).append(s.measure(what))
    finally:
        here.end()
    print(f"world {number + 1} of {args.worlds}", file=sys.stderr)


def ratios(got, name, what, which):
    """Against "without", round by round: median, and the ends of its 95 % interval (order statistics: no assumption
    about how the values are spread)."""
    r = sorted(a[which] / b[which] for a, b in zip(got[name, what], got["without", what]))
    off = int(len(r) / 2 - 1.96 * math.sqrt(len(r)) / 2)
    return statistics.median(r), r[max(off, 0)], r[-1 - max(off, 0)]


def table(got):
    lines = []
    for name in ("without, again", "recorder", "functions", "bare"):
        if (name, "put") in got:
            cells = [ratios(got, name, what, which) for which in (0, 1) for what in WHAT]
            lines.append("| " + " | ".join([name] + [f"{m:.3f} ({a:.3f}-{b:.3f})" for m, a, b in cells]) + " |")
    return "\n".join(lines)


def judged(got):
    """(limits that a median does not keep, limits that only the median keeps and not the whole interval)"""
    missed, unproven = [], []
    for (name, what), least in LIMITS.items():
        m, low, _ = ratios(got, name, what, 0)
        if low < least:
            (missed if m < least else unproven).append(f"{name} {what}: {m:.3f}, from {low:.3f}, at least {least}")
    for what in WHAT:
        m, _, high = ratios(got, "functions", what, 1)
        if high > FUNCTIONS_CPU:
            (missed if m > FUNCTIONS_CPU else unproven).append(
                f"functions {what}: CPU {m:.3f}, to {high:.3f}, at most {FUNCTIONS_CPU}")
    return missed, unproven


def verdict(missed, unproven):
    if missed:
        return "Missed in this run: " + "; ".join(missed) + "."
    if unproven:
        return "Kept by the medians, but not by the whole of their intervals: " + "; ".join(unproven) + "."
    return "All are kept, by the whole of the intervals."


def off(got):
    """What it costs that looking is possible: "without" against "bare"."""
    cells = {what: ratios(got, "bare", what, 0) for what in WHAT} if ("bare", "put") in got else {}
    seen = [f"{what} {m - 1:.1%} ({low - 1:.1%}-{high - 1:.1%})" for what, (m, low, high) in cells.items() if low > 1]
    if not cells:
        return "was not measured"
    return "costs " + ", ".join(seen) if seen else "costs nothing that could be told from chance"


def absolute(got):
    put, get, trips = (statistics.median(x[0] for x in got["without", what]) for what in WHAT)
    return f"{put * 8 / 1e9:.1f} Gbit/s sent, {get * 8 / 1e9:.1f} received, {trips:.0f} round trips per second"


def uprobes():
    """A row for each program of bench/uprobe.c."""
    rows = []
    for program, what in (("uprobe-plain", "an ordinary instruction (no idle bytes)"),
                          ("uprobe-gcc", "five idle instructions of one byte, as gcc writes them"),
                          ("uprobe-long", "one of five bytes, as in glassd")):
        path = os.path.join(world.BUILD, "bench", program)
        try:
            out = subprocess.run([*REALTIME, "bpftrace", "-e", f"uprobe:{path}:probed {{ 1 }}", "-c", path], check=True,
                                 capture_output=True, text=True).stdout
            bare = subprocess.run([*REALTIME, path], check=True, capture_output=True, text=True).stdout
        except (OSError, subprocess.CalledProcessError):
            return "(not measured: bpftrace is not here, or may not place uprobes)"
        found = [line.split()[1] for line in (out + bare).splitlines() if line.startswith("ns ")]
        rows.append(f"| {what} | {found[0]} | {found[-1]} |")
    return "| | with | without |\n|---|---|---|\n" + "\n".join(rows)


def main():
    p = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    p.add_argument("--worlds", type=int, default=10)
    p.add_argument("--rounds", type=int, default=25, help="in each world")
    p.add_argument("--bare")
    p.add_argument("--write")
    args = p.parse_args()
    world.in_namespaces()
    world.quiet()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    got = {}
    for number in range(args.worlds):
        play(number, args, got)
    missed, unproven = judged(got)
    text = TEXT.format(when=time.strftime("%Y-%m-%d"), kernel=platform.release(), cpu=world.processor(),
                       worlds=args.worlds, rounds=args.rounds, table=table(got), absolute=absolute(got),
                       verdict=verdict(missed, unproven), off=off(got), uprobes=uprobes())
    print(text)
    if args.write:
        with open(args.write, "w", encoding="utf-8") as f:
            f.write(text)
    sys.exit(bool(missed))


main()
