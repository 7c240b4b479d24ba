#!/bin/bash
# SPDX-License-Identifier: MIT
# dnsmasq, dig, nslookup: questions over UDP and over TCP.
. "$(dirname "$0")/lib.sh"

config=(--no-resolv --no-hosts --no-daemon --port 5300 --address=/www.lab/10.9.8.7 --conf-file=/dev/null --pid-file=)

asks()
{
	[ "$("$@" +short +tries=1 -p 5300 www.lab)" = 10.9.8.7 ]
	[ "$("$@" +short +tries=1 +tcp -p 5300 www.lab)" = 10.9.8.7 ]
}

server()
{
	serve dnsmasq "${config[@]}"
	wait_for 10 on_glass_udp 5300
	asks dig @$STACK
}

client()
{
	background dnsmasq "${config[@]}" --listen-address=$HOST --bind-interfaces
	wait_for 10 listens_udp 5300
	asks "${on[@]}" dig @$HOST
}

lookup()
{
	background dnsmasq "${config[@]}" --listen-address=$HOST --bind-interfaces
	wait_for 10 listens_udp 5300
	"${on[@]}" nslookup -type=A -port=5300 -timeout=2 www.lab $HOST >"$D/o"
	grep -q 'Address: 10.9.8.7' "$D/o"
	"${on[@]}" nslookup -type=A -port=5300 -timeout=2 -vc www.lab $HOST | grep -q 'Address: 10.9.8.7'
}

program dig dig -v
ROLE_BYTES=200
if command -v dnsmasq >/dev/null; then
	role "UDP and TCP" client
	PROGRAM=nslookup
	role "UDP and TCP" lookup
	PROGRAM=dnsmasq
	role "UDP and TCP" server run seccomp # it looks for an interface that has the address
else
	role_skip "all" "no dnsmasq here: tools/setup programs"
fi
done_testing
