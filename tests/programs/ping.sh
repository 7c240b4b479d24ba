#!/bin/bash
# SPDX-License-Identifier: MIT
# ping without rights of its own; traceroute with datagrams and, through a raw socket, with echoes; mtr.
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

way_by_echoes()
{
	"${on[@]}" traceroute -I -n -q 1 -m 3 $HOST | tee "$D/o"
	grep -q "^ *1 .*$HOST" "$D/o"
}

report()
{
	"${on[@]}" mtr -n -r -c 3 -i 0.3 "$@" $HOST | tee "$D/o"
	grep -q "^ *1[.]|-- $HOST  *0[.]0%  *3 " "$D/o"
}

report_by_echoes() { report; }
report_by_udp() { report -u; }

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
	role "by ICMP, raw" way_by_echoes
else
	role_skip "all" "no traceroute here: tools/setup programs"
fi
PROGRAM=mtr
if command -v mtr >/dev/null; then
	ROLE_BYTES=200
	role "by ICMP, raw" report_by_echoes
	role "by UDP" report_by_udp
else
	role_skip "all" "no mtr here: tools/setup programs"
fi
done_testing
