#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""nginx under wrk and redis under redis-benchmark, on Glass next to the kernel over veth: requests per second.

    bench/programs.py [--rounds 5] [--only REGEX] [--write docs/measured/programs.md]

    load 10.0.0.5 -- glass0 -- glassd 10.0.0.4 -- server (LD_PRELOAD)       server on Glass
    load 10.1.0.5 -- veth0 --- veth1 10.1.0.4 --- server, a namespace       the same on the kernel

and the same with load and server exchanged. Rounds alternate, so that both see the same machine: the ratio of the
medians is what counts. Every process, glassd too, has the same real-time priority where that is allowed, so that what
else the machine does is not measured.
"""
import argparse
import csv
import io
import os
import re
import socket
import statistics
import subprocess

import world

LOAD = {"kernel": "10.1.0.5", "glass": "10.0.0.5"}  # the side that is the kernel's in both cases
OTHER = {"kernel": "10.1.0.4", "glass": "10.0.0.4"}
SYSTEMS = ("kernel", "glass")

WRK = ["wrk", "-t1", "-c64", "-d{seconds}", "http://{addr}:8081/{file}"]
REDIS = ["redis-benchmark", "-h", "{addr}", "-p", "6380", "-c", "64", "-n", "{count}", "-t", "set,get", "--csv"]
# name, command, what differs; a command may have several figures
LOADS = [
    ("wrk, 612 bytes", WRK, {"file": "small"}),
    ("wrk, 64 KB", WRK, {"file": "medium"}),
    ("redis-benchmark", REDIS, {"count": "100000"}),
    ("redis-benchmark -P 16", REDIS + ["-P", "16"], {"count": "800000"}),
]
NGINX = """daemon off; user root; worker_processes 1; error_log {dir}/error.log; pid {dir}/nginx.pid;
events {{ worker_connections 512; }}
http {{
    access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
    client_body_temp_path {dir}/n1; proxy_temp_path {dir}/n2; fastcgi_temp_path {dir}/n3;
    uwsgi_temp_path {dir}/n4; scgi_temp_path {dir}/n5;
    server {{ listen 8081; root {dir}/www; }}
}}
"""
HEAD = """# Programs on Glass, and on the kernel

Made by `make bench-programs` ([bench/programs.py](../../bench/programs.py) tells how). Requests per second: medians of
{rounds} rounds, in each of which the kernel over veth and Glass take turns; the ratio is Glass to the kernel. In
brackets the lowest and the highest ratio of one round. 64 connections each; nginx has one worker, redis one thread,
wrk one thread. "server" is the server on Glass (LD_PRELOAD) and the load on the kernel's side of the TAP device;
"client" is the load on Glass and the server on the kernel's side.

Linux {kernel}, {cpus} processors; congestion control is cubic on Glass and, by the attribute `congctl` of its routes
(a namespace may not choose it by sysctl where the machine does not allow it), on the kernel. All processes, glassd
too, {priority}.

    {wrk}
    {redis}
    {pipelined}

| load | on Glass | kernel, /s | Glass, /s | ratio |
|---|---|---|---|---|"""


class World(world.World):
    """This namespace, and the kernel's peer behind the veth pair."""

    def __init__(self):
        super().__init__()
        self.prefix = world.realtime()
        peer, self.inside = self.another_network()
        self.veth(str(peer.pid))
        self.start(self.prefix, [world.GLASSD, "--foreground", "--address", OTHER["glass"] + "/24", "--host-address",
                                 LOAD["glass"] + "/24"], stderr=open(os.path.join(self.dir, "glassd.log"), "w"))
        self.wait(lambda: b"10.0.0.5" in subprocess.check_output(["ip", "addr"]))
        for prefix, device in (([], "glass0"), ([], "veth0"), (self.inside, "veth1")):
            self.cubic(prefix, device)
        self.files()

    def veth(self, peer):
        world.quiet()
        world.quiet(self.inside)
        commands = f"""ip link add veth0 type veth peer name veth1 netns {peer}
            ip addr add {LOAD["kernel"]}/24 dev veth0
            ip link set veth0 up"""
        for line in commands.splitlines():
            world.run(*line.split())
        for line in (f"ip addr add {OTHER['kernel']}/24 dev veth1", "ip link set veth1 up"):
            world.run(*self.inside, *line.split())

    @staticmethod
    def cubic(prefix, device):
        """The kernel's own default may be another one; accepted connections follow the route too."""
        route = subprocess.check_output([*prefix, "ip", "route", "show", "dev", device], text=True).split()
        subprocess.run([*prefix, "ip", "route", "replace", *route, "dev", device, "congctl", "cubic"], check=True)

    def files(self):
        os.mkdir(os.path.join(self.dir, "www"))
        for name, size in (("small", 612), ("medium", 65536)):
            with open(os.path.join(self.dir, "www", name), "wb") as f:
                f.write(b"x" * size)
        with open(os.path.join(self.dir, "nginx.conf"), "w", encoding="utf-8") as f:
            f.write(NGINX.format(dir=self.dir))

    def placed(self, system):
        """What puts a command onto the side that is compared."""
        if system == "glass":
            return [*self.prefix, "env", "LD_PRELOAD=" + world.PRELOAD]
        return [*self.inside, *self.prefix]

    def servers(self, prefix, addr):
        """nginx and redis, until the list is ended."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        up = [self.start(prefix, ["nginx", "-c", os.path.join(self.dir, "nginx.conf")], **quiet),
              self.start(prefix, ["redis-server", "--port", "6380", "--save", "", "--protected-mode", "no"], **quiet)]
        for port in (8081, 6380):
            self.wait(lambda at=(addr, port): answers(at))
        return up


def answers(at):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(at) == 0


def figures(name, text):
    """{row: requests per second} of what a load printed."""
    if name.startswith("wrk"):
        if re.search("Socket errors|Non-2xx", text):
            raise RuntimeError(text)
        return {name: float(re.search(r"Requests/sec:\s*([\d.]+)", text).group(1))}
    return {f"{name}, {row['test']}": float(row["rps"]) for row in csv.DictReader(io.StringIO(text))}


def words_of(command, more, seconds, addr):
    return [w.format(seconds=seconds, addr=addr, **more) for w in command]


def measure(here, args, role, load, system):
    """The server is on the compared side (role server), or the load is."""
    name, command, more = load
    side = here.placed(system)
    if role == "server":
        up = here.servers(side, OTHER[system])
        words = [*here.prefix, *words_of(command, more, args.seconds, OTHER[system])]
    else:
        up = here.servers(here.prefix, LOAD[system])
        words = [*side, *words_of(command, more, args.seconds, LOAD[system])]
    try:
        return figures(name, subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True, timeout=120).stdout)
    finally:
        here.stop(up)


def line(row, role, got):
    k, g = (statistics.median(got[s]) for s in SYSTEMS)
    each = [b / a for a, b in zip(got["kernel"], got["glass"])]
    return f"| {row} | {role} | {k:,.0f} | {g:,.0f} | {g / k:.2f} ({min(each):.2f}-{max(each):.2f}) |"


def compare(here, args, role, load):
    rows = {}
    for _ in range(args.rounds):
        for system in SYSTEMS:
            for row, rps in measure(here, args, role, load, system).items():
                rows.setdefault(row, {s: [] for s in SYSTEMS})[system].append(rps)
    lines = [line(row, role, got) for row, got in rows.items()]
    print("\n".join(lines), flush=True)
    return lines


def head(args, here):
    shown = {name: " ".join(words_of(command, {"file": "FILE", "count": more.get("count")}, args.seconds, "ADDRESS"))
             for name, command, more in LOADS}
    return HEAD.format(rounds=args.rounds, kernel=os.uname().release, cpus=os.cpu_count(), wrk=shown["wrk, 64 KB"],
                       redis=shown["redis-benchmark"], pipelined=shown["redis-benchmark -P 16"],
                       priority="at real-time priority 1 (`chrt -r 1`)" if here.prefix else "at normal priority")


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=int, default=2, help="of wrk; redis-benchmark has its number of requests")
    p.add_argument("--only", default="", help="regular expression on 'server: wrk, 612 bytes' and the like")
    p.add_argument("--write", help="the table's file; else to stdout only")
    args = p.parse_args()
    world.in_namespaces()
    here = World()
    try:
        lines = [row for role in ("server", "client") for load in LOADS if re.search(args.only, f"{role}: {load[0]}")
                 for row in compare(here, args, role, load)]
        text = "\n".join([head(args, here), *lines]) + "\n"
    finally:
        here.end()
    if args.write:
        with open(args.write, "w", encoding="utf-8") as f:
            f.write(text)


main()
