#!/bin/bash
# SPDX-License-Identifier: MIT
# iperf3: TCP and UDP, both ways, as client and as server.
. "$(dirname "$0")/lib.sh"

sees()
{
	"$@" >"$D/out"
	! grep -i error "$D/out"
}

tcp_server()
{
	serve iperf3 -s
	wait_for 10 on_glass 5201
	sees iperf3 -c $STACK -n 20M
	sees iperf3 -c $STACK -n 20M -R -P 4
}

tcp_client()
{
	background iperf3 -s -B $HOST
	wait_for 10 listens 5201
	sees "${on[@]}" iperf3 -c $HOST -n 20M
	sees "${on[@]}" iperf3 -c $HOST -t 1 --bidir
}

udp_server()
{
	serve iperf3 -s
	wait_for 10 on_glass 5201
	sees iperf3 -u -c $STACK -t 1 -b 10M
	sees iperf3 -u -c $STACK -t 1 -b 10M -R
}

udp_client()
{
	background iperf3 -s -B $HOST
	wait_for 10 listens 5201
	sees "${on[@]}" iperf3 -u -c $HOST -t 1 -b 10M
	sees "${on[@]}" iperf3 -u -c $HOST -t 1 -b 10M -R
}

program iperf3 iperf3 --version
role "TCP server" tcp_server
role "TCP client" tcp_client
ROLE_BYTES=1000000
role "UDP server" udp_server
role "UDP client" udp_client
done_testing
