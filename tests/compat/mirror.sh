#!/bin/bash
# SPDX-License-Identifier: MIT
# Side by side: one script of socket calls over 127.0.0.1, on the kernel's stack and on Glass, call by call (mirror.h).
. "$(dirname "$0")/../e2e/lib.sh"

MIRROR=${MIRROR:-$GLASS_BUILD/tests/compat/mirror}

sysctl -qw net.ipv4.icmp_msgs_per_sec=1000000 net.ipv4.icmp_ratelimit=0 2>/dev/null
lab_start || exit 1
timeout 60 "$MIRROR" >"$LAB/kernel" 2>&1
is "the script runs on the kernel" $? 0

# WORDS... [-s]: all of it, or (-s) without the calls under signals and those that wait in close(2).
mirror()
{
	local way="${*##*/}" cases

	timeout 60 "$@" >"$LAB/glass" 2>&1
	is "$way: and on Glass" $? 0
	cases=$(grep -o '^[a-z0-9_]*' "$LAB/kernel" | uniq)
	[ "${!#}" != -s ] || cases=$(grep -vx 'interrupted\|restarted\|whole\|connecting\|linger_.*' <<<"$cases")
	for case in $cases; do
		is "$way: $case" "$(diff <(grep "^$case:" "$LAB/kernel") <(grep "^$case:" "$LAB/glass"))" ""
	done
}

mirror env "LD_PRELOAD=$PRELOAD" "$MIRROR"
mirror "$GLASS" run "$MIRROR"
# Before the supervisor has received a call, a signal may end it; it sees no close (docs/compat.md).
mirror "$GLASS" run --mode seccomp "$MIRROR" -s
ok "and glassd lives" "$GLASS" ss
done_testing
