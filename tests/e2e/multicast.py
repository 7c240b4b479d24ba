#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Multicast and the finer points of UDP, call by call: run on the kernel's stack and on Glass, the lines are the same.

	multicast.py client OWN PEER	prints a line per call; PEER runs the server
	multicast.py server OWN		port 9100: answers what comes to the group; says to groups what it is told
	multicast.py hear OWN GROUP N	joins and prints N datagrams
"""
import errno
import socket
import struct
import sys
import time

UDP = (socket.AF_INET, socket.SOCK_DGRAM)
IP = socket.IPPROTO_IP
GROUP, OTHER, SSM = "239.1.2.3", "239.1.2.4", "232.1.1.1"
IP_TTL, IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, IP_RECVORIGDSTADDR = 2, 8, 12, 13, 20
IP_ADD, IP_DROP = socket.IP_ADD_MEMBERSHIP, socket.IP_DROP_MEMBERSHIP
IP_UNBLOCK, IP_BLOCK, IP_ADD_SOURCE, IP_DROP_SOURCE, IP_MSFILTER = 37, 38, 39, 40, 41
MCAST_JOIN, MCAST_BLOCK, MCAST_UNBLOCK, MCAST_LEAVE, MCAST_JOIN_SOURCE, MCAST_LEAVE_SOURCE = 42, 43, 44, 45, 46, 47
MCAST_MSFILTER, IP_MULTICAST_ALL, IP_UNICAST_IF = 48, 49, 50
SO_BINDTODEVICE, SO_TIMESTAMP, SO_TIMESTAMPNS, SO_RXQ_OVFL, SO_BINDTOIFINDEX = 25, 29, 35, 40, 62
UDP_CORK, UDP_SEGMENT, UDP_GRO = 1, 103, 104
MSG_MORE = 0x8000
DEVICE = 2  # lo is 1, on both stacks


def try_call(name, call):
	"""One line: what the call gives, or its errno."""
	try:
		result = call()
	except OSError as e:
		result = errno.errorcode.get(e.errno, str(e))
	print(name, result, flush=True)


def a(text):
	return socket.inet_aton(text)


def mreq(group, own):
	return a(group) + a(own)


def mreqn(group, index, address="0.0.0.0"):
	return a(group) + a(address) + struct.pack("i", index)


def storage(address):
	return struct.pack("H", socket.AF_INET) + bytes(2) + a(address) + bytes(120)


def group_req(group, index=DEVICE):
	return struct.pack("I4x", index) + storage(group)


def group_source_req(group, source, index=DEVICE):
	return group_req(group, index) + storage(source)


def receiver(port, *bound):
	s = socket.socket(*UDP)
	s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
	s.bind((bound[0] if bound else "", port))
	s.settimeout(5)
	return s


def nothing(s):
	"""What has come without being awaited."""
	s.settimeout(0.3)
	try:
		return s.recvfrom(100)[0]
	except OSError as e:
		return type(e).__name__
	finally:
		s.settimeout(5)


def memberships(own):
	s = socket.socket(*UDP)
	for name, option, value in [
		("join", IP_ADD, mreq(GROUP, own)),
		("join again", IP_ADD, mreq(GROUP, own)),
		("join again by number", IP_ADD, mreqn(GROUP, DEVICE)),
		("join again by route", IP_ADD, mreq(GROUP, "0.0.0.0")),
		("join by MCAST", MCAST_JOIN, group_req(GROUP)),
		("join no group", IP_ADD, mreq("10.1.2.3", own)),
		("join on no address", IP_ADD, mreq(OTHER, "10.9.9.9")),
		("join on no device", IP_ADD, mreqn(OTHER, 77)),
		("join, cut short", IP_ADD, a(GROUP)),
		("MCAST, cut short", MCAST_JOIN, group_req(GROUP)[:-1]),
		("MCAST, other family", MCAST_JOIN, struct.pack("I4xH", DEVICE, socket.AF_INET6) + bytes(126)),
		("leave other", IP_DROP, mreq(OTHER, own)),
		("leave on no address", IP_DROP, mreq(GROUP, "10.9.9.9")),
		("leave on no device", IP_DROP, mreqn(GROUP, 77)),
		("leave by number", IP_DROP, mreqn(GROUP, DEVICE)),
		("leave again", IP_DROP, mreq(GROUP, own)),
		("all hosts", IP_ADD, mreq("224.0.0.1", own)),
		("MCAST", MCAST_JOIN, group_req(OTHER)),
		("MCAST leave", MCAST_LEAVE, group_req(OTHER)),
		("MCAST leave again", MCAST_LEAVE, group_req(OTHER)),
		("on lo", IP_ADD, mreq(GROUP, "127.0.0.1")),
	]:
		try_call(name, lambda: s.setsockopt(IP, option, value))
	many = socket.socket(*UDP)
	done = 0
	try:
		for i in range(30):
			many.setsockopt(IP, IP_ADD, mreq(f"239.7.7.{i}", own))
			done += 1
	except OSError as e:
		print("groups", done, errno.errorcode[e.errno])
	stream = socket.socket()
	try_call("of a stream", lambda: stream.setsockopt(IP, IP_ADD, mreq(GROUP, own)))


def sources(own):
	s = socket.socket(*UDP)
	source = lambda group, address: a(group) + a(own) + a(address)
	for name, option, value in [
		("block without joining", IP_BLOCK, source(GROUP, "10.0.0.9")),
		("join source", IP_ADD_SOURCE, source(SSM, "10.0.0.9")),
		("join source again", IP_ADD_SOURCE, source(SSM, "10.0.0.9")),
		("second source", IP_ADD_SOURCE, source(SSM, "10.0.0.8")),
		("block of an INCLUDE", IP_BLOCK, source(SSM, "10.0.0.7")),
		("leave other source", IP_DROP_SOURCE, source(SSM, "10.0.0.1")),
		("leave source", IP_DROP_SOURCE, source(SSM, "10.0.0.9")),
		("leave last source", IP_DROP_SOURCE, source(SSM, "10.0.0.8")),
		("left", IP_DROP, mreq(SSM, own)),
		("join", IP_ADD, mreq(GROUP, own)),
		("block", IP_BLOCK, source(GROUP, "10.0.0.9")),
		("block again", IP_BLOCK, source(GROUP, "10.0.0.9")),
		("source of an EXCLUDE", IP_ADD_SOURCE, source(GROUP, "10.0.0.8")),
		("unblock other", IP_UNBLOCK, source(GROUP, "10.0.0.8")),
		("unblock", IP_UNBLOCK, source(GROUP, "10.0.0.9")),
		("no group", IP_ADD_SOURCE, source("10.1.1.1", "10.0.0.9")),
		("cut short", IP_ADD_SOURCE, source(SSM, "10.0.0.9")[:-1]),
		("MCAST block", MCAST_BLOCK, group_source_req(GROUP, "10.0.0.9")),
		("MCAST unblock", MCAST_UNBLOCK, group_source_req(GROUP, "10.0.0.9")),
		("MCAST source", MCAST_JOIN_SOURCE, group_source_req(OTHER, "10.0.0.9")),
		("MCAST leave", MCAST_LEAVE_SOURCE, group_source_req(OTHER, "10.0.0.9")),
		("MCAST leave again", MCAST_LEAVE_SOURCE, group_source_req(OTHER, "10.0.0.9")),
	]:
		try_call(name, lambda: s.setsockopt(IP, option, value))
	done = 0
	try:
		for i in range(30):
			s.setsockopt(IP, IP_BLOCK, source(GROUP, f"10.0.1.{i}"))
			done += 1
	except OSError as e:
		print("sources", done, errno.errorcode[e.errno])


def filters(own):
	s = socket.socket(*UDP)
	pack = lambda mode, *addresses: mreq(GROUP, own) + struct.pack("II", mode, len(addresses)) + b"".join(
		map(a, addresses))
	ask = mreq(GROUP, own) + struct.pack("II", 0, 0)
	try_call("filter without joining", lambda: s.setsockopt(IP, IP_MSFILTER, pack(1, "10.0.0.9")))
	s.setsockopt(IP, IP_ADD, mreq(GROUP, own))
	try_call("filter", lambda: s.setsockopt(IP, IP_MSFILTER, pack(1, "10.0.0.9", "10.0.0.7")))
	try_call("mode", lambda: s.setsockopt(IP, IP_MSFILTER, pack(2, "10.0.0.9")))
	try_call("cut short", lambda: s.setsockopt(IP, IP_MSFILTER, pack(1, "10.0.0.9")[:-1]))
	try_call("too many", lambda: s.setsockopt(IP, IP_MSFILTER, pack(0, *[f"10.0.2.{i}" for i in range(11)])))
	any_family = group_req(GROUP) + struct.pack("II", 0, 2) + storage("10.0.0.5") + storage("10.0.0.6")
	try_call("of any family", lambda: s.setsockopt(IP, MCAST_MSFILTER, any_family))
	try_call("to nothing", lambda: s.setsockopt(IP, IP_MSFILTER, pack(1)))
	try_call("which leaves", lambda: s.setsockopt(IP, IP_DROP, mreq(GROUP, own)))
	try_call("get takes a buffer only", lambda: len(ask))


def options(own):
	s = socket.socket(*UDP)
	kinds = ("ttl", socket.IP_MULTICAST_TTL), ("loop", socket.IP_MULTICAST_LOOP), ("all", IP_MULTICAST_ALL)
	for name, option in kinds:
		print(name, s.getsockopt(IP, option))
	for value in 0, 255, 256, -1, -2:
		try_call(f"ttl {value}", lambda: s.setsockopt(IP, socket.IP_MULTICAST_TTL, value))
		print("ttl", s.getsockopt(IP, socket.IP_MULTICAST_TTL))
	try_call("ttl, one byte", lambda: s.setsockopt(IP, socket.IP_MULTICAST_TTL, b"\7"))
	print("ttl, one byte", s.getsockopt(IP, socket.IP_MULTICAST_TTL, 1))
	try_call("loop, one byte", lambda: s.setsockopt(IP, socket.IP_MULTICAST_LOOP, b"\0"))
	print("loop", s.getsockopt(IP, socket.IP_MULTICAST_LOOP))
	print("if", socket.inet_ntoa(s.getsockopt(IP, socket.IP_MULTICAST_IF, 4)))
	for name, value in [
		("by address", a(own)), ("by mreq", mreq(GROUP, own)), ("by number", mreqn(GROUP, DEVICE)),
		("no address", a("10.9.9.9")), ("no device", mreqn(GROUP, 77)), ("short", b"123"),
		("none", a("0.0.0.0")),
	]:
		try_call(f"if {name}", lambda: s.setsockopt(IP, socket.IP_MULTICAST_IF, value))
		print("if", socket.inet_ntoa(s.getsockopt(IP, socket.IP_MULTICAST_IF, 4)) in (own, "0.0.0.0"))
	for index in DEVICE, 0, 77:
		try_call("unicast if", lambda: s.setsockopt(IP, IP_UNICAST_IF, struct.pack("!I", index)))
		print("unicast if", s.getsockopt(IP, IP_UNICAST_IF, 4).hex())
	stream = socket.socket()
	for name, option in ("ttl", socket.IP_MULTICAST_TTL), ("loop", socket.IP_MULTICAST_LOOP):
		try_call(f"stream {name}", lambda: stream.setsockopt(IP, option, 1))
	try_call("stream if", lambda: stream.setsockopt(IP, socket.IP_MULTICAST_IF, a(own)))


def say(peer, group, port, text):
	"""The peer's stack sends it to the group."""
	s = socket.socket(*UDP)
	s.settimeout(5)
	s.sendto(f"say {group} {port} {text}".encode(), (peer, 9100))
	s.recvfrom(10)


def hearing(own, peer):
	members = [receiver(9101) for _ in range(3)]
	stranger, deaf, elsewhere, bound = receiver(9101), receiver(9101), receiver(9101, own), receiver(9101, GROUP)
	deaf.setsockopt(IP, IP_MULTICAST_ALL, 0)
	for s in members:
		s.setsockopt(IP, IP_ADD, mreq(GROUP, own))
	say(peer, GROUP, 9101, "to all")
	for s in members + [stranger, bound]:
		data, origin = s.recvfrom(100)
		print("heard", data, origin[0] == peer)
	print("not heard", nothing(deaf), nothing(elsewhere))
	for s in members:
		s.setsockopt(IP, IP_DROP, mreq(GROUP, own))
	say(peer, GROUP, 9101, "nobody")
	print("left", [nothing(s) for s in members + [stranger]])
	only, all_but = receiver(9102), receiver(9102)
	for s in only, all_but:
		s.setsockopt(IP, IP_MULTICAST_ALL, 0)
	only.setsockopt(IP, IP_ADD_SOURCE, a(SSM) + a(own) + a(peer))
	all_but.setsockopt(IP, IP_ADD, mreq(SSM, own))
	all_but.setsockopt(IP, IP_BLOCK, a(SSM) + a(own) + a(peer))
	say(peer, SSM, 9102, "by source")
	print("by source", nothing(only), nothing(all_but))
	all_but.setsockopt(IP, IP_UNBLOCK, a(SSM) + a(own) + a(peer))
	say(peer, SSM, 9102, "again")
	print("unblocked", nothing(only), nothing(all_but))


def sending(own, peer):
	s = socket.socket(*UDP)
	s.settimeout(5)
	s.sendto(b"hello group", (GROUP, 9100))
	answers = sorted(s.recvfrom(100)[::-1] for _ in range(2))  # of both stacks' servers
	print("answers", [d for _, d in answers], {o[0] for o, _ in answers} == {own, peer})
	here, there = receiver(9103), receiver(9103)
	here.setsockopt(IP, IP_ADD, mreq(OTHER, own))
	s.sendto(b"own", (OTHER, 9103))
	print("own", here.recvfrom(100)[0], there.recvfrom(100)[0])
	s.setsockopt(IP, socket.IP_MULTICAST_LOOP, 0)
	s.sendto(b"not own", (OTHER, 9103))
	print("no loop", nothing(here))
	s.setsockopt(IP, socket.IP_MULTICAST_LOOP, 1)
	s.setsockopt(IP, socket.IP_MULTICAST_TTL, 0)
	s.sendto(b"stays", (OTHER, 9103))
	print("ttl 0", here.recvfrom(100)[0])
	large = bytes(5000)
	s.sendto(large, (OTHER, 9103))
	print("large", here.recvfrom(6000)[0] == large)
	connected = socket.socket(*UDP)
	connected.connect((OTHER, 9103))
	print("source", connected.getsockname()[0] == own)
	connected.send(b"by send")
	there.recvfrom(6000), there.recvfrom(6000)
	print("connected", here.recvfrom(100)[0], there.recvfrom(100)[0])
	try_call("broadcast", lambda: s.sendto(b"all", ("10.0.0.255", 9103)))
	s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
	try_call("broadcast", lambda: s.sendto(b"all", ("10.0.0.255", 9103)))
	print("own broadcast", here.recvfrom(100)[0], there.recvfrom(100)[0])
	lo = receiver(9104)
	lo.setsockopt(IP, IP_ADD, mreq(GROUP, "127.0.0.1"))
	s.setsockopt(IP, socket.IP_MULTICAST_IF, a("127.0.0.1"))
	s.sendto(b"on lo", (GROUP, 9104))
	data, origin = lo.recvfrom(100)
	print("on lo", data, origin[0])


def told(s, own, peer):
	"""Ancillary data of the next datagram, in an order of its own."""
	data, control, flags, _ = s.recvmsg(100, 400)
	print("told", data, flags)
	for level, kind, value in sorted(control):
		if level == IP and kind == IP_PKTINFO:
			index, spec, address = struct.unpack("i4s4s", value)
			names = {own: "own", peer: "peer"}
			value = index, *(names.get(socket.inet_ntoa(x), socket.inet_ntoa(x)) for x in (spec, address))
		elif level == socket.SOL_SOCKET and kind in (SO_TIMESTAMP, SO_TIMESTAMPNS):
			seconds, part = struct.unpack("ll", value)
			value = abs(time.time() - seconds) < 5, part < (10**6 if kind == SO_TIMESTAMP else 10**9)
		elif kind == IP_RECVORIGDSTADDR:
			value = value[:4].hex(), socket.inet_ntoa(value[4:8]) in (own, GROUP), len(value)
		print("  ", level, kind, value if isinstance(value, tuple) else value.hex())


def ancillary(own, peer):
	s = receiver(9105)
	s.setsockopt(IP, IP_ADD, mreq(GROUP, own))
	for option in IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, IP_RECVORIGDSTADDR:
		s.setsockopt(IP, option, 1)
	print("asked", [s.getsockopt(IP, o) for o in (IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, IP_RECVORIGDSTADDR)])
	say(peer, GROUP, 9105, "group")
	told(s, own, peer)
	say(peer, own, 9105, "host")
	told(s, own, peer)
	s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMP, 1)
	say(peer, own, 9105, "when")
	told(s, own, peer)
	s.connect((peer, 9100))
	s.send(b"echo connected")
	told(s, own, peer)
	s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
	s.setsockopt(IP, IP_RECVTOS, 0)
	s.send(b"echo connected too")
	told(s, own, peer)
	s.send(b"echo plainly")
	print("plainly", s.recv(100))
	s.send(b"echo no room")
	print("no room", s.recvmsg(100, 8)[2] == socket.MSG_CTRUNC)
	info = lambda index, spec: [(IP, IP_PKTINFO, struct.pack("i4s4s", index, a(spec), bytes(4)))]
	out = socket.socket(*UDP)
	out.settimeout(5)
	for name, control in [
		("by device", info(DEVICE, "0.0.0.0")), ("from address", info(0, own)), ("both", info(DEVICE, own)),
		("no device", info(77, "0.0.0.0")), ("not ours", info(0, "10.9.9.9")),
	]:
		try_call(f"pktinfo {name}", lambda: out.sendmsg([b"echo pktinfo"], control, 0, (peer, 9100)))
	print("answers", [out.recvfrom(100)[1][0] == peer for _ in range(3)])
	out.sendmsg([b"hello"], info(DEVICE, "0.0.0.0"), 0, (GROUP, 9100))
	print("to a group", out.recvfrom(100)[0])


def overflow(own):
	s = receiver(9106, own)
	s.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)
	s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
	print("asked", s.getsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL))
	out = socket.socket(*UDP)
	for _ in range(3000):
		out.sendto(bytes(500), (own, 9106))
	time.sleep(0.2)
	got, lost = 0, 0
	s.settimeout(0.3)
	while True:
		try:
			control = s.recvmsg(1000, 100)[1]
		except OSError:
			break
		got += 1
		for _, kind, value in control:
			lost = struct.unpack("I", value)[0] if kind == SO_RXQ_OVFL else lost
	print("some lost", 0 < got < 3000)
	out.sendto(b"the last", (own, 9106))
	control = s.recvmsg(1000, 100)[1]
	lost = max([lost] + [struct.unpack("I", v)[0] for _, k, v in control if k == SO_RXQ_OVFL])
	print("told how many", got + lost == 3000 or (got, lost))


def pieces(own, peer):
	s = socket.socket(*UDP)
	s.settimeout(5)
	to = (peer, 9100)
	try_call("MSG_MORE", lambda: s.sendto(b"echo one ", MSG_MORE, to))
	try_call("the rest", lambda: s.sendto(b"two", to))
	print("whole", s.recvfrom(100)[0])
	s.setsockopt(socket.IPPROTO_UDP, UDP_CORK, 1)
	print("cork", s.getsockopt(socket.IPPROTO_UDP, UDP_CORK))
	s.sendto(b"echo in ", to)
	s.sendto(b"three ", to)
	s.sendto(b"pieces", to)
	s.setsockopt(socket.IPPROTO_UDP, UDP_CORK, 0)
	print("whole", s.recvfrom(100)[0])
	s.connect(to)
	s.send(b"echo four ", MSG_MORE)
	s.send(b"five")
	print("connected", s.recv(100))
	try_call("grows too long", lambda: s.send(bytes(60000), MSG_MORE))
	try_call("grows too long", lambda: s.send(bytes(6000), MSG_MORE))
	try_call("then nothing waits", lambda: s.send(b"echo fresh"))
	print("fresh", s.recv(100))
	try_call("segment", lambda: s.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 8))
	s.send(b"echo 1  echo 2  echo 3")
	print("segments", [s.recv(100) for _ in range(3)])
	print("segment", s.getsockopt(socket.IPPROTO_UDP, UDP_SEGMENT))
	s.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 0)
	cmsg = [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("H", 7))]
	try_call("segment by cmsg", lambda: s.sendmsg([b"echo a echo b echo c"], cmsg))
	print("segments", [s.recv(100) for _ in range(3)])
	cmsg = [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("H", 1473))]
	try_call("segment above the MTU", lambda: s.sendmsg([bytes(3000)], cmsg))
	cmsg = [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("H", 1))]
	try_call("too many segments", lambda: s.sendmsg([bytes(200)], cmsg))
	for value in -1, 65536:
		try_call("segment out of range", lambda: s.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, value))
	try_call("gro", lambda: s.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1))


def devices(own, peer):
	s = receiver(9107)
	try_call("no such device", lambda: s.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, b"nothing\0"))
	try_call("bind to lo", lambda: s.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, b"lo\0"))
	print("bound", s.getsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, 16))
	say(peer, own, 9107, "by the wire")
	print("not by lo", nothing(s))
	out = socket.socket(*UDP)
	out.sendto(b"by lo", ("127.0.0.1", 9107))
	print("by lo", s.recvfrom(100)[0])
	try_call("no way by lo", lambda: s.sendto(b"x", (peer, 9100)) and nothing(s))
	try_call("by number", lambda: s.setsockopt(socket.SOL_SOCKET, SO_BINDTOIFINDEX, DEVICE))
	print("by number", s.getsockopt(socket.SOL_SOCKET, SO_BINDTOIFINDEX))
	say(peer, own, 9107, "by the wire")
	print("by the wire", s.recvfrom(100)[0])
	other = socket.socket(*UDP)
	other.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, b"lo")
	try_call("the same port by another device", lambda: other.bind(("", 9107)))
	try_call("of the same device", lambda: other.setsockopt(socket.SOL_SOCKET, SO_BINDTOIFINDEX, DEVICE))
	try_call("not bound", lambda: s.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, b""))
	print("bound", s.getsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, 16))


def balance(own):
	group = []
	for _ in range(4):
		s = socket.socket(*UDP)
		s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
		s.bind((own, 9108))
		s.settimeout(0.2)
		group.append(s)
	clients = [socket.socket(*UDP) for _ in range(100)]
	for round_ in range(2):
		for i, c in enumerate(clients):
			c.sendto(b"%d" % i, (own, 9108))
	time.sleep(0.2)
	by = {}
	for n, s in enumerate(group):
		try:
			while True:
				by.setdefault(s.recvfrom(100)[1][1], []).append(n)
		except OSError:
			pass
	print("each flow has one", len(by), all(len(v) == 2 and v[0] == v[1] for v in by.values()))
	print("spread", all(10 < sum(v[0] == n for v in by.values()) < 45 for n in range(4)))


def server(own):
	s = receiver(9100)
	s.setsockopt(IP, IP_ADD, mreq(GROUP, own))
	out = socket.socket(*UDP)
	out.setsockopt(IP, socket.IP_MULTICAST_IF, a(own))
	s.settimeout(None)
	while True:
		data, origin = s.recvfrom(65535)
		words = data.split(b" ", 3)
		if words[0] == b"say":
			out.sendto(words[3], (words[1].decode(), int(words[2])))
			s.sendto(b"said", origin)
		elif data:
			s.sendto(data if words[0] == b"echo" else b"heard " + data, origin)


def hear(own, group, count):
	s = receiver(9109)
	s.setsockopt(IP, IP_ADD, mreq(group, own))
	s.settimeout(20)
	print("joined", flush=True)
	for _ in range(int(count)):
		print(s.recvfrom(100)[0].decode(), flush=True)


def client(own, peer):
	memberships(own)
	sources(own)
	filters(own)
	options(own)
	hearing(own, peer)
	sending(own, peer)
	ancillary(own, peer)
	overflow(own)
	pieces(own, peer)
	devices(own, peer)
	balance(own)


{"server": server, "client": client, "hear": hear}[sys.argv[1]](*sys.argv[2:])
