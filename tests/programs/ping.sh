#!/bin/bash
# SPDX-License-Identifier: MIT
# ping without rights of its own, traceroute with datagrams.
. "$(dirname "$0")/lib.sh"

echoes()
{
	"${on[@]}" ping -qc3 -i0.2 -W5 $HOST | grep -q ' 0% packet loss'
	"${on[@]}" ping -qc3 -i0.2 -W5 -s 4000 $HOST | grep -q ' 0% packet loss'
}

nobody_there()
{
	if "${on[@]}" ping -qc1 -W1 10.0.0.77; then return 1; fi
}

# Datagrams that nobody takes, and what the error queue tells of them.
way()
{
	"${on[@]}" traceroute -n -q 1 -m 3 $HOST | tee "$D/o"
	grep -q "^ *1 .*$HOST" "$D/o"
}

program ping ping -V
ROLE_BYTES=20000
role "echo, fragments too" echoes
ROLE_BYTES=40
ROLE_BYTES=0 # a neighbour that has just failed is not asked again
role "nobody answers" nobody_there
PROGRAM=traceroute
sysctl -qw net.ipv4.icmp_ratelimit=0 # else the host answers six probes, and then one a second
if command -v traceroute >/dev/null; then
	ROLE_BYTES=40
	role "by UDP" way
else
	role_skip "all" "no traceroute here: tools/setup programs"
fi
done_testing
