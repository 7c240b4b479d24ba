#!/bin/bash
# SPDX-License-Identifier: MIT
# ncat, telnet, and busybox, which is static: the supervisor's.
. "$(dirname "$0")/lib.sh"

ncat_exec()
{
	serve ncat -l 7010 -k -c "cat $WWW/big"
	wait_for 10 on_glass 7010
	ncat --recv-only $STACK 7010 >"$D/o"
	same "$D/o"
}

ncat_client()
{
	background ncat -l $HOST 7011 --recv-only >"$D/o"
	wait_for 10 listens 7011
	"${on[@]}" ncat --send-only $HOST 7011 <"$WWW/big"
	wait_for 10 gone $!
	same "$D/o"
}

telnet_client()
{
	(printf 'GET /small HTTP/1.0\n\n'; sleep 2) | "${on[@]}" telnet $HOST 8080 >"$D/o" || true
	grep -q hello "$D/o"
}

busybox_wget()
{
	"${on[@]}" busybox wget -q -O "$D/o" http://$HOST:8080/big
	same "$D/o"
}

busybox_httpd()
{
	serve busybox httpd -f -p 8011 -h "$WWW"
	wait_for 10 on_glass 8011
	curl -sf -o "$D/o" http://$STACK:8011/big
	same "$D/o"
}

PROGRAM=busybox
if command -v busybox >/dev/null; then
	role "static: wget" busybox_wget run seccomp
	role "static: httpd" busybox_httpd run seccomp
else
	role_skip "all" "no busybox here: tools/setup programs"
fi
PROGRAM=ncat
if command -v ncat >/dev/null; then
	role "server: a command for each" ncat_exec
	role "client" ncat_client
else
	role_skip "all" "no ncat here: tools/setup programs"
fi
PROGRAM=telnet
ROLE_BYTES=400
if command -v telnet >/dev/null; then
	role "client" telnet_client
else
	role_skip "all" "no telnet here: tools/setup programs"
fi
done_testing
