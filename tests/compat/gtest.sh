#!/bin/bash
# SPDX-License-Identifier: MIT
# GoogleTest programs in a namespace of their own, in one way: gtest.sh kernel|preload|run OUT PROGRAM...
# The namespace has no IPv6 (Glass has none yet), so tests that need it fail everywhere.
. "$(dirname "$0")/../e2e/lib.sh"

way=$1 out=$2
shift 2
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.lo.disable_ipv6=1 2>/dev/null
on=()
[ "$way" = kernel ] || lab_start || exit 1
[ "$way" = preload ] && on=(env LD_PRELOAD="$PRELOAD")
[ "$way" = run ] && on=("$GLASS" run)
"${on[@]}" python3 "$(dirname "$0")/gtest.py" "$out" "$out.log" "${SECONDS_MAX:-40}" "$@"
