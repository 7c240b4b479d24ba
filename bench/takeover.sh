#!/bin/bash
# SPDX-License-Identifier: MIT
# How long programs' data stands still in a takeover, and what memory it takes, by the number of connections:
#
#	bench/takeover.sh [N...]	(100 1000 5000 10000 17000)
#
# A program on Glass asks a server on the kernel's side, one byte there and back, without a pause; beside it so many
# connections rest, each of which has spoken. Its longest gap is what the takeover cost. Five takeovers each; the median
# counts. What ulimit -Hn allows bounds the number: a user may have seven eighths of glassd's descriptors.
. "$(dirname "$0")/../tests/e2e/lib.sh"

# What else the machine does is not to be measured, where that is allowed.
chrt -r -p 1 $$ 2>/dev/null

pulse()
{
	LD_PRELOAD=$PRELOAD python3 - <<-'PY'
	import socket, time, os
	s = socket.create_connection(("10.0.0.5", 7000))
	s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
	worst, n, lab = 0, 0, os.environ["LAB"]
	open(lab + "/pulse", "w").close()
	last = time.monotonic()
	while n % 64 or not os.path.exists(lab + "/end"):
	    s.sendall(b"x")
	    assert s.recv(1)
	    now = time.monotonic()
	    worst, last, n = max(worst, now - last), now, n + 1
	print("%.1f" % (worst * 1000))
	PY
}

crowd()
{
	LD_PRELOAD=$PRELOAD python3 - "$1" <<-'PY'
	import resource, socket, sys, time
	hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
	resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
	kept = []
	for i in range(int(sys.argv[1])):
	    s = socket.create_connection(("10.0.0.5", 7001))
	    s.sendall(b"x")
	    assert s.recv(1)
	    kept.append(s)
	print("ready", flush=True)
	time.sleep(1000)
	PY
}

memory_kb()
{
	awk -v name="$1:" '$1 == name { print $2 }' "/proc/$(lab_pid)/status"
}

# once: a takeover under the pulse; the gap in ms, and the command's time.
once()
{
	local began before

	rm -f "$LAB/end" "$LAB/pulse"
	before=$(lab_pid)
	pulse >"$LAB/gap" &
	wait_for 10 test -e "$LAB/pulse"
	began=$(date +%s%N)
	"$GLASS" up --takeover >/dev/null || exit 1
	echo "$((($(date +%s%N) - began) / 1000000))" >"$LAB/command"
	wait_for 10 gone "$before"
	sleep 0.3
	touch "$LAB/end"
	wait $!
	echo "$(cat "$LAB/gap") $(cat "$LAB/command") $(memory_kb VmHWM) $(memory_kb VmRSS)"
}

measure()
{
	local n=$1

	# shellcheck disable=SC2119 # no options
	lab_start || exit 1
	"$GLASS_BUILD/tests/e2e/crowd" serve 10.0.0.5 7000 &
	lab_jobs+=($!)
	bash -c 'ulimit -Sn hard; exec "$0" serve 10.0.0.5 7001' "$GLASS_BUILD/tests/e2e/crowd" &
	lab_jobs+=($!)
	wait_for 5 listens 7000
	wait_for 5 listens 7001
	crowd "$n" >"$LAB/crowd" &
	lab_jobs+=($!)
	wait_for 300 grep -q ready "$LAB/crowd" || exit 1
	for _ in 1 2 3 4 5; do
		once
	done | sort -n | sed -n 3p | awk -v n="$n" \
		'{ printf "%8d %12.1f %12d %12.1f %12.1f\n", n, $1, $2, $3 / 1024, $4 / 1024 }'
	kill "${lab_jobs[@]}" 2>/dev/null
	wait 2>/dev/null
	lab_jobs=()
	lab_stop
}

printf '%8s %12s %12s %12s %12s\n' connections "gap ms" "command ms" "peak MB" "then MB"
[ $# -gt 0 ] || set -- 100 1000 5000 10000 17000
for n; do
	measure "$n"
done
exit 0
