#!/bin/bash
# SPDX-License-Identifier: MIT
# nc of OpenBSD: one stream each way, and half a connection closed.
. "$(dirname "$0")/lib.sh"

sends()
{
	background timeout 20 nc -l "$HOST" 7001 </dev/null >"$D/o"
	wait_for 10 listens 7001
	"${on[@]}" nc -N "$HOST" 7001 <"$WWW/big"
	wait_for 10 gone $!
	same "$D/o"
}

receives()
{
	"${on[@]}" timeout 20 nc -l 7000 </dev/null >"$D/o" &
	lab_jobs+=($!)
	wait_for 10 on_glass 7000
	nc -N "$STACK" 7000 <"$WWW/big"
	wait_for 10 gone $!
	same "$D/o"
}

scans()
{
	"${on[@]}" nc -z "$HOST" 8080
	if "${on[@]}" nc -z "$HOST" 81; then return 1; fi
}

datagrams()
{
	background timeout 20 nc -u -l "$HOST" 7002 </dev/null >"$D/o"
	wait_for 10 listens_udp 7002
	"${on[@]}" nc -u -w1 "$HOST" 7002 <"$WWW/small"
	wait_for 5 grep -q hello "$D/o"
}

program nc.openbsd true
command -v nc >/dev/null && nc -h 2>&1 | grep -q OpenBSD || missing "no nc of OpenBSD here: tools/setup programs"
role "sends" sends
role "receives" receives
ROLE_BYTES=40
role "scans a port" scans
role "sends a datagram" datagrams
done_testing
