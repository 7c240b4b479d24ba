# SPDX-License-Identifier: MIT
"""The lab of the probes: a link to the stack under test, phantom hosts on it, and the program on the stack.

Two stacks can be tested, by the same probes and on the same kind of link: Glass (glassd owns the TAP device, we write
frames into the host's side of it) and Linux's kernel (we own the TAP device, the kernel has the host's side). A
phantom host is an address and a MAC of nobody: it answers ARP, and beyond that says only what a probe says.

In: the probes.  Out: wire.py; agent.py by a pipe; AF_PACKET or /dev/net/tun.
"""
import ctypes
import fcntl
import json
import os
import queue
import socket
import struct
import subprocess
import sys
import threading
import time

import wire

STACK, HERE = "10.0.0.4", os.path.dirname(os.path.abspath(__file__))
TUNSETIFF, IFF_TAP, IFF_NO_PI, CLONE_NEWNET = 0x400454CA, 0x0002, 0x1000, 0x40000000
ETH_P_ALL, PACKET_OUTGOING = 3, 4
# The kernel's part of the comparison: what its defaults would make depend on the machine or on an earlier probe.
LINUX_SETTINGS = ("net.ipv4.tcp_congestion_control=reno", "net.ipv4.tcp_no_metrics_save=1",
                  "net.ipv6.conf.all.disable_ipv6=1")


class Differs(Exception):
    """The stack did something else than the row demands."""


def need(condition, text):
    if not condition:
        raise Differs(text)


class PacketLink:
    """Glass: the host's side of the device of glassd, by AF_PACKET."""

    def __init__(self, device):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.bind((device, ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.write = self.socket.send

    def read(self):
        while True:
            raw, origin = self.socket.recvfrom(65600)
            if origin[2] != PACKET_OUTGOING:
                return raw


class TapLink:
    """Linux: a device of our own, with the kernel's stack behind it, in a network namespace of its own."""

    def __init__(self, device):
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
            sys.exit("matrix.py: no network namespace: " + os.strerror(ctypes.get_errno()))
        self.fd = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(self.fd, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TAP | IFF_NO_PI))
        for setting in LINUX_SETTINGS:
            subprocess.run(("sysctl", "-q", "-w", setting), check=True)
        for words in (f"addr add {STACK}/24 dev {device}", f"link set {device} up", "link set lo up"):
            subprocess.run(("ip", *words.split()), check=True)

    def write(self, raw):
        os.write(self.fd, raw)

    def read(self):
        return os.read(self.fd, 65600)


class Agent:
    """The program on the stack: agent.call("c", "connect", "10.0.0.5", 80) answers a value or raises OSError."""

    def __init__(self, preload=None):
        env = dict(os.environ)
        if preload:
            env["LD_PRELOAD"] = preload
        self.process = subprocess.Popen([sys.executable, os.path.join(HERE, "agent.py")], env=env, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lock, self.names = threading.Lock(), 0

    def name(self):
        with self.lock:
            self.names += 1
            return f"s{self.names}"

    def ask(self, *words):
        """The answer as it is: {"ok": value} or {"errno": name}."""
        with self.lock:
            self.process.stdin.write(json.dumps(words) + "\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())

    def call(self, *words):
        answer = self.ask(*words)
        need("ok" in answer, f"{words[1]} gave {answer.get('errno')}")
        return answer["ok"]

    def end(self):
        self.process.stdin.close()
        self.process.wait(5)


class Phantom:
    """A host that is not there. Frames for its address wait in a queue of its own."""

    def __init__(self, lab, number):
        self.lab, self.ip = lab, f"10.0.0.{number}"
        self.mac = bytes((2, 0, 0, 0, 1, number))
        self.inbox, self.answers_arp, self.ports = queue.Queue(), True, 40000

    def frame(self, raw):
        self.lab.link.write(raw)

    def ip_packet(self, packet, mac=None):
        self.frame(wire.ethernet(mac or self.lab.stack_mac, self.mac, wire.IP_TYPE, packet))

    def send(self, protocol, payload, dst=STACK, src=None, mac=None, **fields):
        self.ip_packet(wire.ip(src or self.ip, dst, protocol, payload, **fields), mac)

    def tcp(self, sport, dport, flags, **fields):
        self.send(wire.TCP, wire.tcp(self.ip, STACK, sport, dport, flags, **fields))

    def arp(self, operation=1, sha=None, spa=None, tha=b"\0" * 6, tpa=STACK, mac_dst=wire.BROADCAST_MAC, **fields):
        body = wire.arp(operation, sha or self.mac, spa or self.ip, tha, tpa, **fields)
        self.frame(wire.ethernet(mac_dst, self.mac, wire.ARP_TYPE, body))

    def next(self, match, timeout=0.5):
        """The first frame that matches; others before it are thrown away. None: it did not come."""
        end = time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            try:
                frame = self.inbox.get(timeout=max(left, 0)) if left > 0 else self.inbox.get_nowait()
            except queue.Empty:
                return None
            if match(frame):
                return frame

    def all(self, match, seconds):
        """Every frame that matches within this time."""
        found, end = [], time.monotonic() + seconds
        while (frame := self.next(match, end - time.monotonic())) is not None:
            found.append(frame)
        return found

    def port(self):
        self.ports += 1
        return self.ports


class Lab:
    def __init__(self, target, device, preload):
        self.target = target
        self.link = PacketLink(device) if target == "glass" else TapLink(device)
        self.agent = Agent(preload if target == "glass" else None)
        self.phantoms, self.watchers, self.lock = {}, [], threading.Lock()
        self.stack_mac, self.frames, self.bad, self.numbers, self.listen_ports = None, 0, [], iter(range(6, 250)), 5000
        threading.Thread(target=self._receive, daemon=True).start()
        self.first = self.phantom()

    def _receive(self):
        while True:
            try:
                frame = wire.Frame(self.link.read(), time.monotonic())
            except OSError:
                return
            self.frames += 1
            if frame.bad:
                self.bad.append(f"{frame.bad}: {frame}")
            for watcher in list(self.watchers):
                watcher.put(frame)
            phantom = self.phantoms.get(frame.dst)
            if phantom:
                phantom.inbox.put(frame)
                if frame.operation == 1 and phantom.answers_arp:
                    phantom.arp(2, tha=frame.sha, tpa=frame.src, mac_dst=frame.sha)

    def phantom(self, answers_arp=True):
        with self.lock:
            p = Phantom(self, next(self.numbers))
            p.answers_arp = answers_arp
            self.phantoms[p.ip] = p
        if not answers_arp:
            return p
        for _ in range(20):  # the stack and the phantom learn each other
            p.arp()
            reply = p.next(lambda f: f.operation == 2, 0.3)
            if reply:
                self.stack_mac = reply.sha
                return p
        raise Differs("the stack answers no ARP request")

    def watch(self):
        """A queue of every frame that the stack sends from now on."""
        self.watchers.append(queue.Queue())
        return self.watchers[-1]

    def listen_port(self):
        with self.lock:
            self.listen_ports += 1
            return self.listen_ports

    def listener(self, backlog=16, options=()):
        """(name, port) of a listening socket of the program."""
        name, port = self.agent.name(), self.listen_port()
        self.agent.call(name, "socket")
        for option in options:
            self.agent.call(name, "setsockopt", *option)
        self.agent.call(name, "bind", STACK, port)
        self.agent.call(name, "listen", backlog)
        return name, port
