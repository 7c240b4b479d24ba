#!/bin/bash
# SPDX-License-Identifier: MIT
# Processes that are killed, exec, fork, duplicate and pass on their sockets, one after the other (storm.c): every
# connection is served, and nothing stays behind. STORM: how many (600).
. "$(dirname "$0")/lib.sh"

STORM=${STORM:-600}
PROGRAM=$GLASS_BUILD/tests/e2e/storm

daemon_fds()
{
	find "/proc/$(lab_pid)/fd" -type l | wc -l
}

as_before()
{
	[ "$(daemon_fds)" = "$before" ]
}

open_sockets()
{
	"$GLASS" ss -a | grep -cv 'TIME-WAIT\|^Netid'
}

none_open()
{
	[ "$(open_sockets)" = 0 ]
}

lab_start || exit 1
LD_PRELOAD=$PRELOAD timeout 20 "$PROGRAM" 12 >/dev/null
wait_for 5 none_open
sleep 1.2 # datagram sockets: the sweep
before=$(daemon_fds)
for way in "env LD_PRELOAD=$PRELOAD" "$GLASS run"; do
	# shellcheck disable=SC2086 # words
	got=$(timeout $((60 + STORM / 20)) $way "$PROGRAM" "$STORM" 2>&1)
	is "${way##*/}: $STORM storms, each connection served" "$got" "done, $STORM served"
	ok "${way##*/}: no socket is left" wait_for 5 none_open
	ok "${way##*/}: no descriptor is left in glassd" wait_for 5 as_before
	ok "${way##*/}: no process is left" wait_for 5 fails pgrep -x storm
done
ok "glassd lives" "$GLASS" status
done_testing
