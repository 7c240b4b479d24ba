#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A bad wire: joins a device of this network with a host in a network of its own, and flips bits.

    flip_wire.py DEVICE PERCENT SEED HOST/BITS DIRECTORY

The host is the kernel's stack behind a TAP device without offloads, so every frame carries its checksums; it
serves DIRECTORY over HTTP at HOST:8080. PERCENT of the frames, each way, have one random bit turned over.
On SIGTERM prints how many frames passed and how many were damaged.
"""
import ctypes
import fcntl
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
CLONE_NEWNET = 0x40000000
ETH_P_ALL, PACKET_OUTGOING = 3, 4


def open_tap(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return fd


def run(*words):
    subprocess.run(words, check=True)


def damaged(frame):
    frame = bytearray(frame)
    bit = random.randrange(len(frame) * 8)
    frame[bit // 8] ^= 1 << bit % 8
    return bytes(frame)


def main():
    device, percent, seed, host, directory = sys.argv[1:6]
    chance = float(percent) / 100
    random.seed(int(seed))
    near = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    near.bind((device, ETH_P_ALL))
    near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        sys.exit("flip_wire.py: no network namespace: " + os.strerror(ctypes.get_errno()))
    far = open_tap("host0")
    run("ip", "addr", "add", host, "dev", "host0")
    run("ip", "link", "set", "host0", "up")
    server = subprocess.Popen(
        [sys.executable, "-m", "http.server", "8080", "--bind", host.split("/")[0], "-d", directory],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    passed = flipped = 0

    def end(*_):
        server.kill()
        print(f"{passed} frames, {flipped} damaged", flush=True)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    while True:
        for fd in select.select([near, far], [], [])[0]:
            if fd is near:
                frame, origin = near.recvfrom(65600)
                if origin[2] == PACKET_OUTGOING:  # our own, on its way to the stack
                    continue
            else:
                frame = os.read(far, 65600)
            passed += 1
            if random.random() < chance:
                flipped += 1
                frame = damaged(frame)
            try:
                near.send(frame) if fd is far else os.write(far, frame)
            except OSError:  # the device refuses what the flipped bit made of it
                pass


main()
