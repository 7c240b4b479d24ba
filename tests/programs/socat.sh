#!/bin/bash
# SPDX-License-Identifier: MIT
# socat: a process for each connection, programs with a connection as stdin and stdout, half-close, UDP.
. "$(dirname "$0")/lib.sh"

# Two clients at the same time, each answered by a cat of its own.
fork_exec()
{
	serve socat TCP-LISTEN:7000,fork,reuseaddr EXEC:cat
	wait_for 10 on_glass 7000
	socat -t 20 - "TCP:$STACK:7000" <"$WWW/big" >"$D/1" &
	socat -t 20 - "TCP:$STACK:7000" <"$WWW/big" >"$D/2"
	wait $!
	same "$D/1"
	same "$D/2"
}

relay()
{
	serve socat TCP-LISTEN:7001,fork,reuseaddr "TCP:$HOST:8080"
	wait_for 10 on_glass 7001
	curl -sf -o "$D/o" http://$STACK:7001/big
	same "$D/o"
}

client()
{
	background socat "TCP-LISTEN:7002,bind=$HOST,fork,reuseaddr" EXEC:cat
	wait_for 10 listens 7002
	"${on[@]}" socat -t 20 - "TCP:$HOST:7002" <"$WWW/big" >"$D/o"
	same "$D/o"
}

shell()
{
	background socat "TCP-LISTEN:7003,bind=$HOST,fork,reuseaddr" EXEC:cat
	wait_for 10 listens 7003
	printf "#!/bin/sh\\ncat %s\\nhead -n1 >%s\\n" "$WWW/small" "$D/o" >"$D/talk"
	chmod +x "$D/talk"
	"${on[@]}" socat -t 20 "TCP:$HOST:7003" EXEC:"$D/talk"
	grep -q hello "$D/o"
}

udp()
{
	serve socat UDP-RECVFROM:7004,fork EXEC:cat
	wait_for 10 on_glass_udp 7004
	for _ in 1 2 3; do
		[ "$(echo again | socat -t 2 - "UDP:$STACK:7004")" = again ]
	done
}

program socat socat -V
role "server: fork and exec" fork_exec
role "relay" relay
role "client" client
ROLE_BYTES=100
role "client: exec" shell
role "UDP server: fork and exec" udp
done_testing
