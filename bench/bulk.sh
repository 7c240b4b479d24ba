#!/bin/bash
# SPDX-License-Identifier: MIT
# Unmodified programs on Glass next to the same programs on the kernel over veth: bulk each way (iperf3), round trips
# of one byte, connections one after the other. Rounds alternate, so that both see the same machine; the medians'
# ratio is what counts, absolute figures drift.
#
#	bench/bulk.sh			environment: BUILD, ROUNDS (5), SECONDS_EACH (2)
set -u
cd "$(dirname "$0")/.." || exit 1
build=$(realpath "${BUILD:-build}")
rounds=${ROUNDS:-5}
seconds=${SECONDS_EACH:-2}

if [ -z "${GLASS_BENCH:-}" ]; then
	flags=(--net --pid --fork --kill-child --mount-proc)
	[ "$(id -u)" = 0 ] || flags+=(--user --map-root-user)
	GLASS_BENCH=1 exec unshare "${flags[@]}" bash "$0" "$@"
fi

mount -t tmpfs glass-bench /run || exit 1 # ours, and away with the namespace
PATH=$build/src/ctl:$build/src/daemon:$PATH:/usr/sbin:/sbin
rr=$build/bench/rr
unset GLASS_DIR GLASS_STACK
trap 'exit 130' INT TERM

# The kernel's peer is a namespace behind a veth pair; the stack's peer is this one, behind the tap.
setup()
{
	ip link set lo up
	unshare --net sleep infinity &
	peer=$!
	sleep 0.2
	ip link add veth0 type veth peer name veth1 netns $peer
	ip addr add 10.1.0.5/24 dev veth0
	ip link set veth0 up
	inside ip addr add 10.1.0.4/24 dev veth1
	inside ip link set veth1 up
	glass up || exit 1
	for port in 5201 5202; do
		iperf3 -s -p $port >/dev/null &
	done
	"$rr" serve 10.0.0.5 7000 &
	"$rr" serve 10.1.0.5 7000 &
	sleep 0.5
}

inside()
{
	nsenter --net=/proc/$peer/ns/net "$@"
}

on_glass()
{
	LD_PRELOAD=$build/src/preload/libglass-preload.so "$@"
}

# iperf3's Gbit/s as seen by the receiver; 0: it failed.
gbits()
{
	python3 -c 'import json, sys
try: print("%.2f" % (json.load(sys.stdin)["end"]["sum_received"]["bits_per_second"] / 1e9))
except Exception: print(0)'
}

measure()
{
	local what=$1 on=$2 addr=$3 port=$4

	case $what in
	send) $on iperf3 -J -t "$seconds" -p "$port" -c "$addr" | gbits ;;
	receive) $on iperf3 -J -t "$seconds" -p "$port" -c "$addr" -R | gbits ;;
	trip) $on "$rr" trips "$addr" 7000 "$seconds" | cut -d' ' -f1 ;;
	connects) $on "$rr" connects "$addr" 7000 "$seconds" ;;
	esac
}

median()
{
	sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

compare()
{
	local what=$1 unit=$2 kernel glass

	: >/run/kernel
	: >/run/glass.figures
	for ((i = 0; i < rounds; i++)); do
		measure "$what" inside 10.1.0.5 5202 >>/run/kernel
		measure "$what" on_glass 10.0.0.5 5201 >>/run/glass.figures
	done
	kernel=$(median </run/kernel)
	glass=$(median </run/glass.figures)
	printf '%-34s %10s %10s %9s\n' "$unit" "$kernel" "$glass" \
		"$(awk -v g="$glass" -v k="$kernel" 'BEGIN { printf "%.2f", k ? g / k : 0 }')"
}

setup
printf '%-34s %10s %10s %9s\n' "median of $rounds rounds of $seconds s" kernel Glass ratio
compare send "bulk send, Gbit/s"
compare receive "bulk receive, Gbit/s"
compare trip "1-byte round trip, us (p50)"
compare connects "connect + 1 byte + close, /s"
glass down
