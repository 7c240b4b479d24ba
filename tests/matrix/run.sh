#!/bin/bash
# SPDX-License-Identifier: MIT
# The black-box matrix: Glass and Linux's kernel, side by side, each in a namespace of its own; writes the page.
#
#	tests/matrix/run.sh [--page FILE] [glass|linux] [OPTIONS of matrix.py run]
set -u
here=$(cd "$(dirname "$0")" && pwd)
page=$here/../../docs/rfc/results.md
only=
while [ $# -gt 0 ]; do
	case $1 in
	--page) page=$2 && shift 2 ;;
	glass | linux) only=$1 && shift ;;
	*) break ;;
	esac
done
: "${GLASS_BUILD:=$here/../../build}"
out=$(mktemp -d "${TMPDIR:-/tmp}/glass-matrix.XXXXXX")
trap 'rm -rf "$out"' EXIT
export GLASS_BUILD PYTHONDONTWRITEBYTECODE=1
status=0

# In a network namespace: a stack on a TAP device whose other end is ours.
glass()
{
	"$here/in_lab.sh" glass --out "$out/glass.json" "$@"
}

linux()
{
	"$here/in_lab.sh" linux --out "$out/linux.json" "$@"
}

if [ -n "$only" ]; then
	"$only" "$@"
	exit
fi
linux "$@" &
other=$!
glass "$@" || status=1
wait $other || status=1
[ $status = 0 ] && python3 "$here/matrix.py" table "$out/glass.json" "$out/linux.json" "$page"
