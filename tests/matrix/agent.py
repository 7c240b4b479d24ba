#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The program on the stack under test: does with its sockets what the prober tells it, one call a line.

A line is a JSON list [socket, method, arguments...]; the answer {"ok": value} or {"errno": name}. Sockets never
block. Bytes are text in latin-1. It is an ordinary program: on Glass it runs with LD_PRELOAD.

In: lab.Agent, by a pipe.  Out: Python's socket module.
"""
import errno
import json
import select
import socket
import struct
import sys

sockets = {}


def new(name, kind=socket.SOCK_STREAM):
    sockets[name] = socket.socket(socket.AF_INET, kind)
    sockets[name].setblocking(False)


def call(name, method, *args):
    if method == "socket":
        return new(name)
    if method == "udp":
        return new(name, socket.SOCK_DGRAM)
    s = sockets[name]
    if method in ("bind", "connect"):
        return getattr(s, method)(tuple(args))
    if method == "accept":
        sockets[args[0]], peer = s.accept()
        sockets[args[0]].setblocking(False)
        return list(peer)
    if method == "recv":
        return s.recv(args[0], *(args[1:])).decode("latin-1")
    if method == "recvfrom":  # [data, flags of the message, address, port]
        data, _, flags, peer = s.recvmsg(args[0])
        return [data.decode("latin-1"), flags, *peer]
    if method == "sendto":
        return s.sendto(args[0].encode("latin-1"), tuple(args[1:]))
    if method == "send":
        return s.send(args[0].encode("latin-1"), *(args[1:]))
    if method == "pattern":  # that many bytes, each told by its place
        return s.send(bytes(i & 0xFF for i in range(args[0])))
    if method == "linger":
        return s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, args[0]))
    if method == "ioctl":
        import fcntl
        return struct.unpack("i", fcntl.ioctl(s.fileno(), args[0], struct.pack("i", 0)))[0]
    if method == "poll":  # the mask within so many ms; 0: nothing
        p = select.poll()
        p.register(s.fileno(), args[1] if len(args) > 1 else select.POLLIN)
        return dict(p.poll(args[0])).get(s.fileno(), 0)
    if method == "close":
        sockets.pop(name).close()
        return None
    return getattr(s, method)(*args)


for line in sys.stdin:
    try:
        answer = {"ok": call(*json.loads(line))}
    except OSError as e:
        answer = {"errno": errno.errorcode.get(e.errno, str(e.errno))}
    print(json.dumps(answer), flush=True)
