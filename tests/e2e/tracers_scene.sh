#!/bin/bash
# SPDX-License-Identifier: MIT
# The lab's two scenes, curl for a page from 10.0.0.5 and for one from 10.0.0.6 where nobody is, in a lab of their own
# with one tracer. Runs are the same function by function: conduct.py lets one thing happen at a time.
#
#	tracers_scene.sh glass|uftrace|bpftrace FOLDER		what it told is there afterwards: tracers.py
#	tracers_scene.sh blind FOLDER				uftrace, but for one function
. "$(dirname "$0")/lib.sh"

here=$(dirname "$0")
tracer=$1
out=$2
cp "$GLASSD" "$out/glassd" # uprobes are the file's, not the process's: one file each
GLASSD=$out/glassd

# The kernel's side sends nothing by its clock: no ACK late, nothing twice, no neighbour is asked after once more. How
# long a turn takes is nobody's business.
patient_host()
{
	local -a route

	read -ra route < <(ip -4 route show 10.0.0.0/24)
	ip route replace "${route[@]}" quickack 1 rto_min 10s
	echo 600 >"/proc/sys/net/ipv4/neigh/${route[2]}/delay_first_probe_time"
	echo 0 >/proc/sys/net/ipv4/tcp_early_retrans
}

scenes()
{
	patient_host
	mkdir "$out/www"
	echo "a page" >"$out/www/index.html"
	background python3 -m http.server 8080 --bind "$HOST" --directory "$out/www" >/dev/null 2>&1
	wait_for 5 listens 8080
	python3 "$here/conduct.py" "$GLASS_DIR/default.sock" "$here/../../src/abi/op.def" "$PRELOAD" $! \
		"http://$HOST:8080/" http://10.0.0.6:8080/ >"$out/status"
	"$GLASS" trace --raw --json >"$out/records"
}

functions_are_recorded()
{
	"$GLASS" ss -a
	"$GLASS" trace --event func --json | grep -q func
}

by_glass()
{
	lab_start --seed 1
	background "$GLASS" trace --functions >/dev/null 2>&1 </dev/null
	wait_for 5 functions_are_recorded
	scenes
}

# by_uftrace [OPTION...]
by_uftrace()
{
	{ cat "$here/../../tools/functrace.uftrace" && printf '%s\n' "$@"; } >"$out/options"
	uftrace record --opt-file="$out/options" -d "$out/walk" \
		"$GLASSD" --foreground --seed 1 >"$out/log" 2>&1 &
	local job=$!

	wait_for 10 lab_ready
	scenes
	lab_stop
	wait $job
	uftrace replay -d "$out/walk" --no-pager -f none >"$out/told" 2>>"$out/log"
}

by_blind()
{
	by_uftrace "-U ^tcp_owe$"
}

# What it saw comes through a buffer of its own.
has_told_all()
{
	local bytes

	bytes=$(stat -c %s "$out/told")
	sleep 0.5
	[ "$bytes" = "$(stat -c %s "$out/told")" ]
}

# Killed, because taking its probes away one by one takes it half a minute; the kernel does so by itself.
by_bpftrace()
{
	lab_start --seed 1
	head -n 1 "/proc/$(lab_pid)/maps" >"$out/maps"
	BPFTRACE_MAX_PROBES=2000 bpftrace -B line "$here/../../tools/functrace.bt" "$GLASSD" \
		>"$out/told" 2>"$out/log" </dev/null &
	local job=$!

	wait_for 60 grep -q "^# ns" "$out/told"
	scenes
	wait_for 20 has_told_all
	kill -9 $job
}

"by_$tracer"
