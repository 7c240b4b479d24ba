#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Names: a server that knows a few, and a program that asks for them by every function.

	names.py server OWN LOG		on UDP and TCP port 53; who asks is written into LOG
	names.py client			prints a line per question
"""
import socket
import struct
import sys
import threading

A, PTR, TXT, AAAA = 1, 12, 16, 28
KNOWN = {
	("www.lab", A): [socket.inet_aton("10.0.0.5")],
	("alias.lab", 5): [b"\x03www\x03lab\x00"],
	("many.lab", A): [socket.inet_aton(f"10.1.2.{i}") for i in range(1, 41)],
	("six.lab", AAAA): [socket.inet_pton(socket.AF_INET6, "fd00::5")],
	("text.lab", TXT): [b"\x05hello"],
	("5.0.0.10.in-addr.arpa", PTR): [b"\x04host\x03lab\x00"],
}
NAMES = {name for name, _ in KNOWN}


def name_at(query, at):
	labels = []
	while query[at]:
		labels.append(query[at + 1:at + 1 + query[at]].decode())
		at += 1 + query[at]
	return ".".join(labels).lower(), at + 5


def records(name, kind):
	"""Name as compressed bytes, type and data of each answer."""
	if (name, 5) in KNOWN:
		yield b"\xc0\x0c", 5, KNOWN[name, 5][0]
		for data in KNOWN.get(("www.lab", kind), []):
			yield b"\x03www\x03lab\x00", kind, data
	for data in KNOWN.get((name, kind), []):
		yield b"\xc0\x0c", kind, data


def answer(query, limit):
	name, end = name_at(query, 12)
	kind = struct.unpack("!H", query[end - 4:end - 2])[0]
	code = 0 if name in NAMES else 2 if name == "fails.lab" else 3
	all_of_it = [owner + struct.pack("!HHIH", k, 1, 60, len(data)) + data for owner, k, data in records(name, kind)]
	body, flags = b"".join(all_of_it), 0x8180 | code
	if end + len(body) > limit:
		body, all_of_it, flags = b"", [], flags | 0x0200
	return query[:2] + struct.pack("!HHHHH", flags, 1, len(all_of_it), 0, 0) + query[12:end] + body


def serve_tcp(listener, log):
	while True:
		s, who = listener.accept()
		print("tcp", who[0], file=log, flush=True)
		with s:
			length = struct.unpack("!H", s.recv(2, socket.MSG_WAITALL))[0]
			reply = answer(s.recv(length, socket.MSG_WAITALL), 65535)
			s.sendall(struct.pack("!H", len(reply)) + reply)


def server(own, path):
	with open(path, "w", encoding="ascii") as log:
		udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		udp.bind((own, 53))
		threading.Thread(target=serve_tcp, args=(socket.create_server((own, 53)), log), daemon=True).start()
		while True:
			query, who = udp.recvfrom(512)
			print("udp", who[0], name_at(query, 12)[0], file=log, flush=True)
			udp.sendto(answer(query, 512), who)


def show(what, call):
	try:
		result = call()
	except OSError as e:
		result = type(e).__name__, e.args
	print(what, result, flush=True)


def client():
	get = socket.getaddrinfo
	show("stream", lambda: get("www.lab", 80, socket.AF_INET, socket.SOCK_STREAM))
	show("every type", lambda: get("www.lab", "domain", socket.AF_INET))
	show("any family", lambda: get("www.lab", 80, 0, socket.SOCK_STREAM))
	show("alias", lambda: get("alias.lab", 80, socket.AF_INET, socket.SOCK_STREAM, 0, socket.AI_CANONNAME))
	show("search list", lambda: get("www", 80, socket.AF_INET, socket.SOCK_STREAM, 0, socket.AI_CANONNAME))
	show("truncated", lambda: sorted(a[4] for a in get("many.lab", 80, socket.AF_INET, socket.SOCK_STREAM)))
	show("six", lambda: get("six.lab", 80, socket.AF_INET6, socket.SOCK_STREAM))
	show("mapped", lambda: get("www.lab", 80, socket.AF_INET6, socket.SOCK_STREAM, 0, socket.AI_V4MAPPED))
	show("not six", lambda: get("www.lab", 80, socket.AF_INET6, socket.SOCK_STREAM))
	show("no address", lambda: get("text.lab", 80, socket.AF_INET))
	show("no such", lambda: get("nosuch.lab", 80, socket.AF_INET))
	show("fails", lambda: get("fails.lab.", 80, socket.AF_INET))
	show("hosts file", lambda: get("in-the-file", 80, socket.AF_INET, socket.SOCK_STREAM))
	show("number", lambda: get("10.0.0.9", 80, 0, socket.SOCK_STREAM))
	show("nobody", lambda: get(None, 80, socket.AF_INET, socket.SOCK_STREAM, 0, socket.AI_PASSIVE))
	show("service", lambda: get("www.lab", "nosuchservice", socket.AF_INET, socket.SOCK_STREAM))
	show("by name", lambda: socket.gethostbyname("www.lab"))
	show("by name, all", lambda: (lambda r: (r[0], sorted(r[2])))(socket.gethostbyname_ex("many.lab")))
	show("by name, none", lambda: socket.gethostbyname_ex("nosuch.lab"))
	show("by address", lambda: socket.gethostbyaddr("10.0.0.5"))
	show("by address, none", lambda: socket.gethostbyaddr("10.0.0.6"))
	show("nameinfo", lambda: socket.getnameinfo(("10.0.0.5", 53), 0))
	show("nameinfo, none", lambda: socket.getnameinfo(("10.0.0.6", 53), 0))
	show("nameinfo, required", lambda: socket.getnameinfo(("10.0.0.6", 53), socket.NI_NAMEREQD))


if sys.argv[1] == "server":
	server(*sys.argv[2:])
else:
	client()
