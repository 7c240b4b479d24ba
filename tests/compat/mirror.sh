#!/bin/bash
# SPDX-License-Identifier: MIT
# Side by side: one script of socket calls over 127.0.0.1, on the kernel's stack and on Glass, call by call (mirror.h).
. "$(dirname "$0")/../e2e/lib.sh"

MIRROR=${MIRROR:-$GLASS_BUILD/tests/compat/mirror}

sysctl -qw net.ipv4.icmp_msgs_per_sec=1000000 net.ipv4.icmp_ratelimit=0 2>/dev/null
lab_start || exit 1
timeout 60 "$MIRROR" >"$LAB/kernel" 2>&1
is "the script runs on the kernel" $? 0
for way in "env LD_PRELOAD=$PRELOAD" "$GLASS run"; do
	# shellcheck disable=SC2086 # words
	timeout 60 $way "$MIRROR" >"$LAB/glass" 2>&1
	is "${way##*/}: and on Glass" $? 0
	for case in $(grep -o '^[a-z0-9_]*' "$LAB/kernel" | uniq); do
		is "${way##*/}: $case" "$(diff <(grep "^$case:" "$LAB/kernel") <(grep "^$case:" "$LAB/glass"))" ""
	done
done
ok "and glassd lives" "$GLASS" ss
done_testing
