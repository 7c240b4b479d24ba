#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The kernel's TCP and Glass over the same emulated link, in turns: how long until the last byte is there.

    bench/link.py [--rounds 3] [--jobs 3] [--only REGEX] [--write docs/measured/link.md]

With --only, --write keeps the rows that were not measured now.

A world is two network namespaces with bench/link between them (the engine of `glass net`, in user space):

    kernel 10.9.0.2 -- tapA ---+
                               +== link ==+-- tapB -- kernel 10.9.0.5 (the peer of both)
    glassd 10.9.0.4 -- glass0 -+

The program (bench/xfer) is the same on both; on Glass it runs under LD_PRELOAD. A round is kernel up, Glass up, kernel
down, Glass down, with the same seed: the n-th frame of a direction has the same fate in each. "down" means that the
kernel sends in both cases, and Glass only receives. Congestion control is set per socket on every end. Everything
runs with real-time priority when it may, so that what else the machine does is not measured.
"""
import argparse
import concurrent.futures
import ctypes
import json
import math
import os
import re
import statistics
import subprocess
import sys
import time

import world
from world import run

PEER, KERNEL, STACK, PORT = "10.9.0.5", "10.9.0.2", "10.9.0.4", "7000"
TIMEOUT_S = 400
CLONE_NEWNET = 0x40000000
MB = 1000 * 1000


class Case:
    """What the link does, each way; a queue of one bandwidth-delay product, or 64 KB, is in front of the rate."""

    def __init__(self, group, name, rate_mbit, rtt_ms, extra, megabytes=20, jitter=""):
        self.group, self.name, self.bytes = group, name, int(megabytes * MB)
        queue = max(int(rate_mbit * 1e6 * rtt_ms / 8e3), 64 * 1024)
        self.words = f"rate {rate_mbit}mbit limit {queue}b delay {rtt_ms / 2}ms {jitter} {extra}"


CASES = [
    Case("Random loss, both ways", "0.1 %, 100 Mbit/s, RTT 20 ms", 100, 20, "loss 0.1%"),
    Case("Random loss, both ways", "1 %, 100 Mbit/s, RTT 20 ms", 100, 20, "loss 1%"),
    Case("Random loss, both ways", "3 %, 100 Mbit/s, RTT 20 ms", 100, 20, "loss 3%", 8),
    Case("Random loss, both ways", "10 %, 100 Mbit/s, RTT 20 ms", 100, 20, "loss 10%", 1),
    Case("Random loss, both ways", "1 %, 1 Gbit/s, RTT 1 ms", 1000, 1, "loss 1%"),
    Case("Random loss, both ways", "10 %, 1 Gbit/s, RTT 1 ms", 1000, 1, "loss 10%", 8),
    Case("Random loss, both ways", "0.1 %, 100 Mbit/s, RTT 300 ms", 100, 300, "loss 0.1%", 4),
    Case("Goodput with 20 ms delay each way", "1 %", 100, 40, "loss 1%", 8),
    Case("Goodput with 20 ms delay each way", "3 %", 100, 40, "loss 3%", 4),
    Case("Goodput with 20 ms delay each way", "5 %", 100, 40, "loss 5%", 2),
    Case("Bursts", "of 3, 0.3 % of all, 100 Mbit/s, RTT 20 ms", 100, 20, "loss gemodel 0.1% 33%"),
    Case("Bursts", "of 5, 0.5 % of all, 100 Mbit/s, RTT 20 ms", 100, 20, "loss gemodel 0.1% 20%"),
    Case("Bursts", "of 10, 1 % of all, 100 Mbit/s, RTT 20 ms", 100, 20, "loss gemodel 0.1% 10%"),
    Case("Reordering", "1 % by 1 ms, 100 Mbit/s, RTT 20 ms", 100, 20, "reorder 1% by 1ms"),
    Case("Reordering", "5 % by 10 ms, 100 Mbit/s, RTT 20 ms", 100, 20, "reorder 5% by 10ms"),
    Case("Reordering", "5 % by 30 ms, 100 Mbit/s, RTT 20 ms", 100, 20, "reorder 5% by 30ms"),
    Case("Reordering", "25 % by 2 ms, 100 Mbit/s, RTT 1 ms", 100, 1, "reorder 25% by 2ms"),
    Case("Nothing but the link", "10 Mbit/s, RTT 20 ms", 10, 20, "", 8),
    Case("Nothing but the link", "100 Mbit/s, RTT 1 ms", 100, 1, ""),
    Case("Nothing but the link", "100 Mbit/s, RTT 100 ms", 100, 100, ""),
    Case("Nothing but the link", "100 Mbit/s, RTT 300 ms", 100, 300, ""),
    Case("Nothing but the link", "1 Gbit/s, RTT 1 ms", 1000, 1, ""),
    Case("Nothing but the link", "1 Gbit/s, RTT 20 ms", 1000, 20, ""),
    Case("All together", "1 %, 5 % by 5 ms, 1 % twice, 20 Mbit/s, RTT 60 ms", 20, 60,
         "loss 1% reorder 5% by 5ms duplicate 1%", 12),
]
FAIR_LINKS = [Case("Shares", "1 ms of jitter", 50, 20, "", jitter="1ms"), Case("Shares", "no jitter", 50, 20, "")]
FAIR_S, FAIR_SKIP_S = 30, 5
PAIRS = [("kernel", "kernel"), ("glass", "glass"), ("glass", "kernel")]
SHARES = [(link, pair) for link in FAIR_LINKS for pair in PAIRS]
UP_DOWN = ("put", "get")
MIDDLES = (statistics.median, statistics.fmean)


def first(priority):
    return world.realtime("-f", priority)


class World(world.World):
    """Two namespaces of this process' own."""

    def __init__(self, cc):
        if world.LIBC.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        super().__init__()
        self.cc = cc
        self.peer, self.inside = self.another_network()
        self.device([], "tapA", KERNEL)
        self.device(self.inside, "tapB", PEER)
        self.start(first(10), [world.GLASSD, "--foreground", "--address", STACK + "/24", "--no-host-setup"],
                   stderr=open(os.path.join(self.dir, "glassd.log"), "w"))
        self.wait(lambda: subprocess.run(["ip", "link", "set", "glass0", "up", "txqueuelen", "20000"],
                                         stderr=subprocess.DEVNULL, check=False).returncode == 0)
        world.quiet()
        self.start(self.inside + first(10), [world.XFER, "serve", PEER, PORT, cc])
        time.sleep(0.3)

    def device(self, prefix, name, addr):
        world.quiet(prefix)
        run(*prefix, "ip", "tuntap", "add", "dev", name, "mode", "tap", "vnet_hdr")
        run(*prefix, "ip", "link", "set", name, "up", "txqueuelen", "20000")
        run(*prefix, "ip", "addr", "add", addr + "/24", "dev", name)

    def link(self, words, seed):
        p = self.start(first(20), [world.LINK, "--left", "tap:tapA", "--left", "packet:glass0", "--right",
                                   f"tap:tapB@/proc/{self.peer.pid}/ns/net", "--out", words, "--in", words,
                                   "--seed", str(seed)], stdout=subprocess.PIPE, text=True)
        if p.stdout.readline() != "ready\n":
            raise RuntimeError("the link does not come up")
        return p

    def unlink(self, p):
        p.terminate()
        self.children.remove(p)
        return json.loads(p.communicate()[0])

    def program(self, system, *words):
        env = dict(os.environ, LD_PRELOAD=world.PRELOAD) if system == "glass" else None
        return subprocess.Popen([*first(10), world.XFER, *words], env=env, stdout=subprocess.PIPE, text=True,
                                preexec_fn=world.die_with_parent)

    def transfer(self, system, what, case, seed):
        """(seconds, congestion control of our end, what the link says)"""
        link = self.link(case.words, seed)
        p = self.program(system, what, PEER, PORT, self.cc, str(case.bytes))
        try:
            words = p.communicate(timeout=TIMEOUT_S)[0].split()
        except subprocess.TimeoutExpired:
            p.kill()
            words = ["inf", "timeout"]
        return float(words[0]) if words else math.inf, words[1] if words else "failed", self.unlink(link)

    def share(self, case, pair, seed):
        """Bytes of two flows at the same time; each is the first to begin in every other round."""
        link = self.link(case.words, seed)
        order = (0, 1) if seed % 2 else (1, 0)
        programs = {i: self.program(pair[i], "flow", PEER, PORT, self.cc, str(FAIR_S), str(FAIR_SKIP_S))
                    for i in order}
        got = [int(programs[i].communicate(timeout=FAIR_S * 3)[0].split()[0]) for i in range(2)]
        self.unlink(link)
        return got


def work(job):
    """In a process of its own: a case, all its rounds."""
    kind, what, rounds, cc = job
    here, rows = World(cc), []
    try:
        for n in range(rounds):
            if kind == "fair":
                rows.append(here.share(*what, n + 1))
                continue
            for direction in UP_DOWN:
                for system in ("kernel", "glass"):
                    seconds, has, link = here.transfer(system, direction, what, n * 7919 + 1)
                    rows.append({"system": system, "what": direction, "s": seconds, "cc": has, "link": link})
    finally:
        here.end()
    return rows


def middle(rows, system, what, of=statistics.median):
    return of([r["s"] for r in rows if r["system"] == system and r["what"] == what] or [math.nan])


def ratio(rows, what):
    """Of the medians, and in parentheses of the means."""
    each = [middle(rows, "glass", what, of) / middle(rows, "kernel", what, of) for of in MIDDLES]
    return "{:.2f} ({:.2f})".format(*each) if math.isfinite(each[0]) else "-"


def seconds(x):
    return "failed" if math.isinf(x) else f"{x:.2f}"


def case_line(case, rows):
    cells = [case.name, f"{case.bytes / MB:g} MB"]
    for what in UP_DOWN:
        cells += [seconds(middle(rows, system, what)) for system in ("kernel", "glass")] + [ratio(rows, what)]
    cells.append(str(sum(r["system"] == "glass" and r["what"] == "put" for r in rows)))
    return "| " + " | ".join(cells) + " |"


def fair_key(case, pair):
    names = {"kernel": "Linux", "glass": "Glass"}
    return case.name, f"{names[pair[0]]} and {names[pair[1]]}"


def fair_line(case, pair, rows):
    """The smaller share to the larger one, of the sum over the rounds."""
    a, b = (sum(r[i] for r in rows) for i in range(2))
    per = [f"{x * 8 / 1e6 / (FAIR_S - FAIR_SKIP_S) / len(rows):.1f}" for x in (a, b)]
    worst = max(max(r) / max(min(r), 1) for r in rows)
    cells = [*fair_key(case, pair), *per, f"{a / max(b, 1):.2f}", f"{worst:.2f}", str(len(rows))]
    return "| " + " | ".join(cells) + " |"


def rows_of(path):
    """The rows of a table that is there already, by their first two cells."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as f:
        text = f.read()
    old = {"late": found.group(1)} if (found := re.search(r"Frames came (\d+) us later", text)) else {}
    for row in (line.strip() for line in text.splitlines() if line.startswith("| ")):
        old[tuple(c.strip() for c in row.split("|")[1:3])] = row
    return old


def lateness(results, old):
    """How late frames came, in whole us: as measured now, else as the table has it."""
    late = [r["link"]["late_us_mean"] for rows in results.values() for r in rows]
    return f"{statistics.median(late):.0f}" if late else old.get("late", "-")


def text_of(results, fair, old):
    has = sorted({r["cc"] for rows in results.values() for r in rows if r["system"] == "glass" and r["what"] == "put"})
    out = [HEAD.format(cc=", ".join(has) or "the same", kernel=os.uname().release, late=lateness(results, old))]
    group = None
    for case in CASES:
        row = case_line(case, results[case]) if case in results else old.get((case.name, f"{case.bytes / MB:g} MB"))
        if not row:
            continue
        if case.group != group:
            group = case.group
            out.append(f"\n## {group}\n\n| link | size | Linux up, s | Glass up, s | ratio | Linux down, s | "
                       "Glass down, s | ratio | rounds |\n|---|---|---|---|---|---|---|---|---|")
        out.append(row)
    rows = [fair_line(*s, fair[s]) if s in fair else old.get(fair_key(*s)) for s in SHARES]
    if any(rows):
        out += [FAIR_HEAD, *filter(None, rows)]
    return "\n".join(out) + "\n"


HEAD = """# Glass and the kernel over the same emulated link

Made by `make bench-link`, or row by row with `--only` ([bench/link.py](../../bench/link.py) tells how): so rows can be
of different days. Seconds from the connection's establishment until the last byte has arrived: medians of as many
rounds as the last column says, in each of which the kernel and Glass take turns with the same seeds. A ratio below one:
Glass is faster; it is that of the medians, and in parentheses that of the means. `up` is Glass (or the kernel) sending
to the kernel, `down` the kernel sending to either: for the kernel, both are the same.

Linux {kernel} with cubic, set per socket on every end (the default of the machine does not matter); Glass with {cc}.
The link is [bench/link.c](../../bench/link.c), the engine of `glass net` in user space between two namespaces, each
way with the rate, half of the RTT and the misfortune of its row, and a queue of one bandwidth-delay product (at least
64 KB) in front of the rate. Frames came {late} us later than they should (the last time; median of the means). Sizes
are smaller where 20 MB would take minutes.

With chance at work the same row differs by a half from round to round, for either system: which frame is lost decides
how large the window is afterwards. And a burst of losses ends with frames, not with time. When all that is out, or all
its ACKs, fall into one, each timeout sends the one frame that brings its end nearer: with bursts of ten Glass and the
kernel alike now and then take minutes. The median does not show these.

The row "5 % by 10 ms" has two outcomes, 1.8 s and 3 to 4 s, and a median that jumps from one to the other: there the
means tell. As soon as one frame is lost and sent again, its newer timestamp makes Linux refuse (PAWS, RFC 7323 5.3)
what left before it and arrives later, which is lost, then, and so on, until the flow has become slow. Linux as the
sender escapes when its slow start ends by the length of a train of ACKs, before the queue overflows. HyStart++ (RFC
9406) has no such rule, and the first ACKs of a round, at which it looks, tell of the queue as it was a round before:
where the queue holds one bandwidth-delay product that is too late."""

FAIR_HEAD = f"""
## Sharing a bottleneck

Two flows at once over 50 Mbit/s with RTT 20 ms and a queue of one bandwidth-delay product, for {FAIR_S} s, of which the
first {FAIR_SKIP_S} do not count: Mbit/s of each, the ratio of all rounds together, and the worst round's (larger to
smaller). Each flow is the first to begin in every other round.

Without jitter everything that happens on such a link is a multiple of the time that a frame takes, and a queue that
throws away what does not fit always meets the same flow: the one whose answer to an ACK comes at the wrong moment of
that time (Floyd and Jacobson, "On Traffic Phase Effects in Packet-Switched Gateways", 1992). No real path is like this;
it is shown because it was measured.

| link | flows | first | second | ratio | worst round | rounds |
|---|---|---|---|---|---|---|"""


def parse():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--jobs", type=int, default=3, help="worlds at the same time")
    p.add_argument("--only", default="", help="regular expression on 'group: name'; fair: the shares")
    p.add_argument("--cc", default="cubic")
    p.add_argument("--write", help="the table's file; else to stdout only")
    p.add_argument("--json", help="everything, for a closer look")
    return p.parse_args()


def main():
    args = parse()
    world.in_namespaces()
    jobs = [("case", c, args.rounds, args.cc) for c in CASES if re.search(args.only, f"{c.group}: {c.name}")]
    slow_first = sorted(jobs, key=lambda j: "rate 1000" in j[1].words)  # the fast ones need the machine for themselves
    jobs = [j for j in slow_first if "rate 1000" not in j[1].words]
    alone = [j for j in slow_first if "rate 1000" in j[1].words]
    jobs += [("fair", s, args.rounds, args.cc) for s in SHARES if re.search(args.only, f"fair: {s[0].name}")]
    done = measured(jobs, args.jobs) + measured(alone, 1)
    results = {j[1]: rows for j, rows in done if j[0] == "case"}
    fair = {j[1]: rows for j, rows in done if j[0] == "fair"}
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump([(label(job), rows) for job, rows in done], f, indent=1)
    if args.write:
        text = text_of(results, fair, rows_of(args.write) if args.only else {})
        os.makedirs(os.path.dirname(args.write), exist_ok=True)
        with open(args.write, "w", encoding="utf-8") as f:
            f.write(text)


def measured(jobs, width):
    """[(job, rows)]. A world that fails costs its row, no other."""
    done = []
    with concurrent.futures.ProcessPoolExecutor(width) as pool:
        waiting = {pool.submit(work, job): job for job in jobs}
        for future in concurrent.futures.as_completed(waiting):
            job = waiting[future]
            try:
                done.append((job, future.result()))
                show(*done[-1])
            except (OSError, RuntimeError, ValueError, subprocess.SubprocessError) as e:
                print(f"{label(job)}: not measured: {e}", file=sys.stderr)
    return done


def label(job):
    return job[1].name if job[0] == "case" else ", ".join(fair_key(*job[1]))


def show(job, rows):
    print(case_line(job[1], rows) if job[0] == "case" else fair_line(*job[1], rows), flush=True)


if __name__ == "__main__":
    main()
