#!/bin/bash
# SPDX-License-Identifier: MIT
# CPython's tests in a namespace of their own, in one way: way.sh kernel|preload|run OUT SECONDS MODULE...
#
# The namespace has no IPv6 (Glass has none yet), so tests that need it are skipped everywhere.
. "$(dirname "$0")/../e2e/lib.sh"

way=$1 out=$2 seconds=$3
shift 3
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.lo.disable_ipv6=1 2>/dev/null
on=()
[ "$way" = kernel ] || lab_start || exit 1
[ "$way" = preload ] && on=(env LD_PRELOAD="$PRELOAD")
[ "$way" = run ] && on=("$GLASS" run)
"${on[@]}" "${PYTHON:-/usr/bin/python3}" "$(dirname "$0")/suite.py" "$out" "$out.log" "$seconds" "$@"
