#!/bin/bash
# SPDX-License-Identifier: MIT
# memcached: threads that take connections from one listener, and UDP.
STACK_USER=nobody
. "$(dirname "$0")/lib.sh"

start()
{
	serve memcached -u nobody -l $STACK -p 11211 -U 11211 -t 4 -I 8m
	wait_for 10 on_glass 11211
}

values()
{
	start
	timeout 40 python3 - $STACK "$WWW/big" <<-'PY'
	import socket, sys
	data = open(sys.argv[2], 'rb').read()
	peers = [socket.create_connection((sys.argv[1], 11211)).makefile('rwb') for _ in range(16)]
	for n, peer in enumerate(peers):
	    part = data[n * 200000:(n + 1) * 200000]
	    peer.write(b'set k%d 0 0 %d\r\n%s\r\n' % (n, len(part), part))
	    peer.flush()
	for peer in peers:
	    assert peer.readline() == b'STORED\r\n'
	for n, peer in enumerate(reversed(peers)):
	    part = data[n * 200000:(n + 1) * 200000]
	    peer.write(b'get k%d\r\n' % n)
	    peer.flush()
	    assert peer.readline() == b'VALUE k%d 0 %d\r\n' % (n, len(part))
	    assert peer.read(len(part) + 7) == part + b'\r\nEND\r\n'
	PY
}

udp()
{
	start
	wait_for 10 on_glass_udp 11211
	timeout 20 python3 - $STACK <<-'PY'
	import socket, sys
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	s.settimeout(5)
	s.connect((sys.argv[1], 11211))
	for n in range(20):
	    s.send(bytes([0, n, 0, 0, 0, 1, 0, 0]) + b'set k 0 0 5\r\n%05d\r\n' % n)
	    assert s.recv(1500) == bytes([0, n, 0, 0, 0, 1, 0, 0]) + b'STORED\r\n'
	PY
}

program memcached memcached --version
role "sixteen connections" values
ROLE_BYTES=1000
role "UDP" udp
done_testing
