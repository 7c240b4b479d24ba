#!/bin/bash
# SPDX-License-Identifier: MIT
# UDP and ping sockets of programs: one script on the kernel's stack and on Glass, each the other's peer; then programs.
. "$(dirname "$0")/lib.sh"

SCRIPT=$(dirname "$0")/datagrams.py

lab_start || exit 1
background python3 "$SCRIPT" server $HOST
background env LD_PRELOAD="$PRELOAD" python3 "$SCRIPT" server $STACK
glass_server=$!
wait_for 5 listens_udp 9000
wait_for 5 grep -q 9000 <("$GLASS" ss -uan)
sleep 0.3

timeout 60 python3 "$SCRIPT" client $HOST $STACK >"$LAB/kernel" 2>&1
is "the script runs on the kernel" $? 0
LD_PRELOAD=$PRELOAD timeout 60 python3 "$SCRIPT" client $STACK $HOST >"$LAB/glass" 2>&1
is "and on Glass" $? 0
is "line by line the same" "$(diff "$LAB/kernel" "$LAB/glass")" ""

# ---- a killed program's port is free soon, and nothing of it stays

kill -9 $glass_server
wait_for 3 fails grep -q :9000 <("$GLASS" ss -uan)
ok "the port of a killed program is free" env LD_PRELOAD="$PRELOAD" python3 -c '
import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind(("10.0.0.4", 9000))'

# ---- programs

sysctl -qw net.ipv4.ping_group_range="0 2147483647" 2>/dev/null
ok "ping" env LD_PRELOAD="$PRELOAD" ping -qc2 -i0.2 -W2 $HOST
like "ping says who could not reach whom" "$(LD_PRELOAD=$PRELOAD timeout 20 ping -nc1 -W4 10.0.0.77)" \
	"From $STACK icmp_seq=1 Destination Host Unreachable"
if command -v traceroute >/dev/null; then
	for by in -U -I; do
		like "traceroute $by" "$(LD_PRELOAD=$PRELOAD timeout 30 traceroute $by -n -q1 -N1 $HOST | tail -1)" \
			" 1  $HOST "
	done
fi
if command -v mtr >/dev/null; then
	like "mtr" "$(LD_PRELOAD=$PRELOAD timeout 30 mtr -nrc1 -i1 $HOST | tail -1)" "1\.\|-- $HOST +0\.0%"
fi
# Raw sockets are root's.
ok "no raw socket for others" env LD_PRELOAD="$PRELOAD" python3 -c '
import os, socket
socket.socket()  # the connection to glassd, which a child inherits
child = os.fork()
if not child:
	os.setuid(65534)
	try:
		socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)
	except PermissionError:
		os._exit(0)
	os._exit(1)
raise SystemExit(os.waitpid(child, 0)[1])'
background iperf3 -s -B $HOST
wait_for 5 listens 5201
ok "iperf3 -u to the kernel" env LD_PRELOAD="$PRELOAD" iperf3 -u -c $HOST -t 1 -b 20M
ok "iperf3 -u -R from the kernel" env LD_PRELOAD="$PRELOAD" iperf3 -u -R -c $HOST -t 1 -b 20M
done_testing
