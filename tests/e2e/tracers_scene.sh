#!/bin/bash
# SPDX-License-Identifier: MIT
# The lab's two scenes, a page from 10.0.0.5 and nobody at 10.0.0.6, in a lab of their own with one tracer. The client
# is no curl: it takes its time, as the server does, so that no two things happen at once and runs are the same.
#
#	tracers_scene.sh glass|uftrace|bpftrace FOLDER		what it told is there afterwards: tracers.py
. "$(dirname "$0")/lib.sh"

here=$(dirname "$0")
tracer=$1
out=$2
cp "$GLASSD" "$out/glassd" # uprobes are the file's, not the process's: one file each
GLASSD=$out/glassd

fetch()
{
	LD_PRELOAD=$PRELOAD python3 "$here/tracers.py" fetch "$1" 8080
}

scenes()
{
	background python3 "$here/tracers.py" serve "$HOST" 8080
	wait_for 5 listens 8080
	{
		fetch "$HOST"
		fetch 10.0.0.6
	} >"$out/status"
	sleep 0.2
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

by_uftrace()
{
	uftrace record --opt-file="$here/../../tools/functrace.uftrace" -d "$out/walk" \
		"$GLASSD" --foreground --seed 1 >"$out/log" 2>&1 &
	local job=$!

	wait_for 10 lab_ready
	scenes
	lab_stop
	wait $job
	uftrace replay -d "$out/walk" --no-pager -f none >"$out/told" 2>>"$out/log"
}

# Killed, because taking its probes away one by one takes it half a minute; the kernel does so by itself.
by_bpftrace()
{
	lab_start --seed 1
	head -n 1 "/proc/$(lab_pid)/maps" >"$out/maps"
	bpftrace -B line "$here/../../tools/functrace.bt" "$GLASSD" >"$out/told" 2>"$out/log" </dev/null &
	local job=$!

	wait_for 60 grep -q "^# ns" "$out/told"
	scenes
	kill -9 $job
}

"by_$tracer"
