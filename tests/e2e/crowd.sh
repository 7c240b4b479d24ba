#!/bin/bash
# SPDX-License-Identifier: MIT
# Many connections, one after the other and at once, as client and as server: none hangs, and when they are over, memory
# and descriptors are back where they were. CROWD: how many one after the other (3000); AT_ONCE: (1000).
. "$(dirname "$0")/lib.sh"

crowd=$GLASS_BUILD/tests/e2e/crowd
many=${CROWD:-3000}
at_once=${AT_ONCE:-1000}

status()
{
	"$GLASS" status | awk -v name="$1" '$1 == name { print $2 }'
}

descriptors()
{
	find "/proc/$(lab_pid)/fd" -type l | wc -l
}

nothing_left()
{
	[ "$(status connections)" = "$conns" ] && [ "$(descriptors)" = "$fds" ]
}

# The kernel's own clients slow down when most ports rest in TIME-WAIT: it keeps few of them.
sysctl -qw net.ipv4.tcp_max_tw_buckets=100
# TIME-WAIT ends soon, so that what it holds is seen to come back.
lab_start --set tcp_time_wait_ms=500
background "$crowd" serve $HOST 7000
background env LD_PRELOAD="$PRELOAD" "$crowd" serve $STACK 7001
wait_for 5 listens 7000
wait_for 5 "$crowd" one-by-one $STACK 7001 1
LD_PRELOAD=$PRELOAD "$crowd" one-by-one $HOST 7000 10 >/dev/null
sleep 1
conns=$(status connections) fds=$(descriptors) memory=$(status memory_bytes)

ok "$many connections from a client, one after the other" \
	env LD_PRELOAD="$PRELOAD" timeout 100 "$crowd" one-by-one $HOST 7000 "$many"
ok "$at_once at once" env LD_PRELOAD="$PRELOAD" timeout 100 "$crowd" at-once $HOST 7000 "$at_once"
ok "$many to a server, one after the other" timeout 100 "$crowd" one-by-one $STACK 7001 "$many"
ok "$at_once at once" timeout 100 "$crowd" at-once $STACK 7001 "$at_once"
ok "no connection and no descriptor is left" wait_for 5 nothing_left
after=$(status memory_bytes)
ok "memory is back: $memory bytes before, $after after" [ "$after" -le $((memory + 65536)) ]
done_testing
