#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Datagram sockets, call by call: run on the kernel's stack and on Glass, the lines are the same.

	datagrams.py client OWN PEER	prints a line per call; PEER runs the server
	datagrams.py server OWN		answers each datagram with itself, on port 9000
"""
import array
import errno
import fcntl
import select
import socket
import struct
import sys
import termios
import time

UDP = (socket.AF_INET, socket.SOCK_DGRAM)
IP_TTL, IP_PKTINFO, IP_RECVTTL, IP_RECVTOS = 2, 8, 12, 13
IP_MTU_DISCOVER, IP_RECVERR, IP_MTU = 10, 11, 14


def try_call(name, call):
	"""One line: what the call gives, or its errno."""
	try:
		result = call()
	except OSError as e:
		result = errno.errorcode.get(e.errno, str(e))
	print(name, result, flush=True)


def named(address, own, peer):
	return {own: "own", peer: "peer"}.get(address[0], address[0]), "port" if address[1] > 20000 else address[1]


def unconnected(own, peer):
	s = socket.socket(*UDP)
	s.settimeout(5)
	print("fresh", s.getsockname(), s.type, s.proto)
	for length in 5, 1472, 1473, 9000, 65507, 0:
		payload = bytes(i % 251 for i in range(length))
		try_call(f"sendto {length}", lambda: s.sendto(payload, (peer, 9000)))
		data, origin = s.recvfrom(65535)
		print("recvfrom", data == payload, len(data), named(origin, own, peer))
	try_call("bound by sendto", lambda: named(s.getsockname(), own, peer))
	try_call("second bind", lambda: s.bind(("", 0)))
	s.sendto(b"0123456789", (peer, 9000))
	data, _, flags, _ = s.recvmsg(4)
	print("truncated", data, flags == socket.MSG_TRUNC)
	s.sendto(b"peek", (peer, 9000))
	print("peek", s.recvfrom(10, socket.MSG_PEEK)[0], s.recvfrom(10)[0])
	s.setblocking(False)
	try_call("nothing there", lambda: s.recv(10))


def connected(own, peer):
	s = socket.socket(*UDP)
	s.settimeout(5)
	try_call("not connected", lambda: s.send(b"x"))
	try_call("no peer", s.getpeername)
	s.connect((peer, 9000))
	print("names", named(s.getpeername(), own, peer), named(s.getsockname(), own, peer))
	s.send(b"one")
	print("recv", s.recv(10))
	s.send(b"two")
	print("recvfrom", s.recvfrom(10)[0])
	s.sendto(b"three", (peer, 9000))
	print("sendto while connected", s.recv(10))
	print("many", all(s.send(b"%d" % i) and s.recv(10) == b"%d" % i for i in range(500)))
	s.connect((peer, 9001))
	s.send(b"nobody")
	poll = select.poll()
	poll.register(s, select.POLLIN | select.POLLOUT)
	for _ in range(500):
		mask = poll.poll(10)[0][1]
		if mask & select.POLLERR:
			break
		time.sleep(0.01)
	print("refused mask", mask)
	try_call("refused", lambda: s.recv(10))
	try_call("told once", lambda: s.send(b"again"))
	for _ in range(500):
		if poll.poll(10)[0][1] & select.POLLERR:
			break
		time.sleep(0.01)
	print("SO_ERROR", [s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) for _ in range(2)])
	s.connect((peer, 9000))
	s.send(b"back")
	print("connected anew", s.recv(10))


def refusals(peer):
	s = socket.socket(*UDP)
	try_call("broadcast", lambda: s.sendto(b"x", ("10.0.0.255", 9000)))
	try_call("no route", lambda: s.sendto(b"x", ("192.168.77.7", 9)))
	try_call("too long", lambda: s.sendto(bytes(65508), (peer, 9)))
	try_call("port 0", lambda: s.sendto(b"x", (peer, 0)))
	try_call("foreign address", lambda: s.bind(("1.2.3.4", 0)))
	try_call("listen", lambda: s.listen(1))
	try_call("accept", s.accept)
	try_call("tcp option", lambda: s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1))


def ports():
	first, second, third = (socket.socket(*UDP) for _ in range(3))
	first.bind(("", 5555))
	try_call("taken", lambda: second.bind(("", 5555)))
	first.close()
	try_call("free at once", lambda: second.bind(("", 5555)))
	for s in second, third:
		s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
	try_call("shared", lambda: third.bind(("", 5555)))


def ancillary(own, peer):
	s = socket.socket(*UDP)
	s.settimeout(5)
	for option in IP_PKTINFO, IP_RECVTTL, IP_RECVTOS:
		s.setsockopt(socket.IPPROTO_IP, option, 1)
	print("asked for", [s.getsockopt(socket.IPPROTO_IP, o) for o in (IP_PKTINFO, IP_RECVTTL, IP_RECVTOS)])
	s.sendmsg([b"in ", b"pieces"], [(socket.IPPROTO_IP, IP_TTL, struct.pack("i", 7))], 0, (peer, 9000))
	data, told, flags, origin = s.recvmsg(100, 200)
	print("told", data, flags, named(origin, own, peer))
	for _, kind, value in sorted(told):
		value = socket.inet_ntoa(value[4:8]) == own if kind == IP_PKTINFO else value.hex()
		print("told", kind, value)
	s.sendto(b"cut", (peer, 9000))
	print("no room", s.recvmsg(100, 8)[2] == socket.MSG_CTRUNC)


def told_errors(own, s):
	"""What the error queue holds, message by message."""
	while True:
		s.settimeout(None)  # else Python waits for data
		try:
			data, told, flags, to = s.recvmsg(100, 200, socket.MSG_ERRQUEUE)
		except OSError as e:
			print("queue", errno.errorcode[e.errno])
			return
		finally:
			s.settimeout(5)
		for level, kind, value in told:
			ee = struct.unpack("IBBBBII", value[:16])
			offender = struct.unpack("H", value[16:18])[0], socket.inet_ntoa(value[20:24])
			if offender[0]:
				offender = offender[0], "own" if offender[1] == own else "other"
			print("error", level, kind, errno.errorcode[ee[0]], ee[1:], offender, len(value))
		print("about", data, flags == socket.MSG_ERRQUEUE, to[1])


def wait_for_error(s, mask=select.POLLIN | select.POLLERR):
	poll = select.poll()
	poll.register(s, select.POLLIN)
	for _ in range(500):
		if any(m & mask for _, m in poll.poll(10)):
			return


def error_queue(own, peer):
	s = socket.socket(*UDP)
	s.settimeout(5)
	try_call("asked for", lambda: s.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1))
	print("is set", s.getsockopt(socket.IPPROTO_IP, IP_RECVERR))
	told_errors(own, s)
	s.sendto(b"to nobody", (peer, 9001))
	wait_for_error(s)
	try_call("unconnected hears it", lambda: s.recvfrom(10))
	told_errors(own, s)
	s.sendto(b"again", (peer, 9001))
	wait_for_error(s)
	told_errors(own, s)
	s.sendto(b"works", (peer, 9000))
	print("goes on", s.recvfrom(10)[0])
	s.sendto(b"plain recv", (peer, 9001))
	try_call("recv", lambda: s.recv(10))
	told_errors(own, s)
	try_call("mtu of nobody", lambda: s.getsockopt(socket.IPPROTO_IP, IP_MTU))
	s.connect((peer, 9001))
	print("mtu", s.getsockopt(socket.IPPROTO_IP, IP_MTU))
	s.send(b"connected")
	wait_for_error(s, select.POLLERR)
	told_errors(own, s)
	print("SO_ERROR", s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
	s.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, 2)
	try_call("too long to go whole", lambda: s.sendto(bytes(1473), (peer, 9000)))
	told_errors(own, s)


def unreachable(own):
	"""Nobody has the address: the host itself says so."""
	s = socket.socket(*UDP)
	s.settimeout(8)
	s.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
	s.sendto(b"lost", ("10.0.0.77", 9))
	try_call("no neighbour", lambda: s.recvfrom(10))
	told_errors(own, s)


def checksum(data):
	total = sum(struct.unpack(f"!{len(data) // 2}H", data))
	while total >> 16:
		total = (total & 0xffff) + (total >> 16)
	return ~total & 0xffff


def raw_icmp(own, peer):
	s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
	s.settimeout(5)
	kinds = [s.getsockopt(socket.SOL_SOCKET, o) for o in (socket.SO_TYPE, socket.SO_PROTOCOL)]
	print("raw", s.getsockname(), kinds)
	request = struct.pack("!BBHHH", 8, 0, 0, 0x4711, 1) + b"raw ping"
	request = request[:2] + struct.pack("!H", checksum(request)) + request[4:]
	try_call("filter", lambda: s.setsockopt(255, 1, struct.pack("i", ~(1 << 0))))
	try_call("raw ping", lambda: s.sendto(request, (peer, 0)))
	packet, origin = s.recvfrom(100)
	print("reply", packet[0], packet[9], len(packet), packet[20], packet[24:], named(origin, own, peer))
	s.connect((peer, 0))
	try_call("send", lambda: s.send(request))
	print("recv", s.recv(100)[20:22])
	try_call("foreign address", lambda: s.bind(("1.2.3.4", 0)))
	try_call("filter of others", lambda: s.getsockopt(255, 1))


def raw_header(own, peer):
	"""The program writes the IP header; a datagram socket hears the answer."""
	answers = socket.socket(*UDP)
	answers.bind((own, 6001))
	answers.settimeout(5)
	s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
	print("header", s.getsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL))
	payload = b"own header"
	udp = struct.pack("!HHHH", 6001, 9000, 8 + len(payload), 0) + payload
	ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 0, 0, 0, 64, 17, 0, bytes(4), socket.inet_aton(peer))
	try_call("sent", lambda: s.sendto(ip + udp, (peer, 0)))
	data, origin = answers.recvfrom(100)
	print("answer", data, named(origin, own, peer))
	try_call("cut header", lambda: s.sendto(b"\x47" + ip[1:] + udp[:4], (peer, 0)))
	try_call("too long", lambda: s.sendto(ip + bytes(1481), (peer, 0)))


def smaller_things(own, peer):
	s = socket.socket(*UDP)
	for how in socket.SHUT_RD, socket.SHUT_WR, socket.SHUT_RDWR, 7:
		try_call("shutdown of nobody", lambda: socket.socket(*UDP).shutdown(how))
	print("SO_RCVBUF", s.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF))
	s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100000)
	print("SO_RCVBUF", s.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF))
	s.settimeout(5)
	s.sendto(b"hello", (peer, 9000))
	select.select([s], [], [], 5)
	waiting = array.array("i", [-1])
	fcntl.ioctl(s, termios.FIONREAD, waiting)
	print("FIONREAD", waiting[0])
	print("no room at all", s.recvmsg(0)[2] == socket.MSG_TRUNC)
	for ttl in 5, -1, 256:
		try_call("group ttl", lambda: s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl))
		print("group ttl", s.getsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL))
	s.connect((peer, 9000))
	try_call("shutdown", lambda: s.shutdown(socket.SHUT_WR))
	try_call("send after it", lambda: s.send(b"x"))


def many_origins(own, peer):
	"""More than names are kept for, and more than the kernel queues."""
	server = socket.socket(*UDP)
	server.bind((own, 6000))
	server.settimeout(5)
	clients = [socket.socket(*UDP) for _ in range(40)]
	for i, c in enumerate(clients):
		c.sendto(b"%d" % i, (own, 6000))
	got = {}
	for _ in clients:
		data, origin = server.recvfrom(100)
		got[data] = origin
	right = [got[b"%d" % i][1] == c.getsockname()[1] for i, c in enumerate(clients)]
	print("origins", len(set(got.values())), all(right))


def server(own):
	s = socket.socket(*UDP)
	s.bind((own, 9000))
	while True:
		data, origin = s.recvfrom(65535)
		s.sendto(data, origin)


if sys.argv[1] == "server":
	server(sys.argv[2])
unconnected(*sys.argv[2:])
connected(*sys.argv[2:])
refusals(sys.argv[3])
ports()
ancillary(*sys.argv[2:])
error_queue(*sys.argv[2:])
unreachable(sys.argv[2])
raw_icmp(*sys.argv[2:])
raw_header(*sys.argv[2:])
smaller_things(*sys.argv[2:])
many_origins(*sys.argv[2:])
