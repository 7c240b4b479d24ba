#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Urgent data, both ways: run on the kernel's stack and on Glass, the lines are the same.

	urgent.py client HOST PORT	prints what it sees, and what the server saw
	urgent.py server HOST PORT
"""
import array
import fcntl
import os
import select
import signal
import socket
import sys
import time

SIOCATMARK = 0x8905
PAUSE_S = 0.2  # so that what is sent apart arrives apart


def at_mark(s):
	answer = array.array("i", [0])
	fcntl.ioctl(s, SIOCATMARK, answer)
	return answer[0]


def send_marked(s, before, urgent, after):
	s.sendall(before)
	time.sleep(PAUSE_S)
	s.send(urgent, socket.MSG_OOB)
	time.sleep(PAUSE_S)
	s.sendall(after)


def arrived(s, mask, wait_s=10):
	"""Polls until all of the mask is there; then a little, until what follows is there too."""
	poll = select.poll()
	poll.register(s, select.POLLIN | select.POLLPRI)
	end = time.monotonic() + wait_s
	while poll.poll(1000) != [(s.fileno(), mask)] and time.monotonic() < end:
		time.sleep(0.01)
	time.sleep(2 * PAUSE_S)
	return poll.poll(0)[0][1]


def server(host, port):
	s, _ = socket.create_server((host, port)).accept()
	seen = [arrived(s, select.POLLIN | select.POLLPRI)]
	seen += [s.recv(100), at_mark(s), s.recv(1, socket.MSG_OOB), s.recv(100), at_mark(s)]
	s.sendall(repr(seen).encode())
	while s.recv(1):
		send_marked(s, b"before", b"!", b"after")


def client(host, port):
	s = socket.create_connection((host, port))
	send_marked(s, b"abc", b"de!", b"fgh")
	print("the server saw", s.recv(1000))
	s.sendall(b"?")
	print("mask", arrived(s, select.POLLIN | select.POLLPRI), at_mark(s))
	print("before", s.recv(100), at_mark(s))
	print("apart", s.recv(1, socket.MSG_OOB))
	print("after", s.recv(100), at_mark(s))
	try:
		print("once", s.recv(1, socket.MSG_OOB))
	except OSError as e:
		print("once", e.strerror)
	s.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
	s.sendall(b"?")
	print("mask", arrived(s, select.POLLIN | select.POLLPRI), at_mark(s))
	print("in line", s.recv(100), at_mark(s), s.recv(100), at_mark(s))
	told = []
	signal.signal(signal.SIGURG, lambda *_: told.append(1))
	fcntl.fcntl(s, fcntl.F_SETOWN, os.getpid())
	s.sendall(b"?")
	arrived(s, select.POLLIN | select.POLLPRI)
	print("SIGURG", len(told))
	s.recv(100)
	s.recv(100)


{"server": server, "client": client}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
