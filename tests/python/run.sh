#!/bin/bash
# SPDX-License-Identifier: MIT
# CPython's own network tests (Debian: libpython3.11-testsuite) on the kernel's stack and on Glass; what passes there
# must pass here, but for what tests/python/differences names with its reason. docs/compat.md.
#
#	tests/python/run.sh [MODULE...]		WAYS="preload run": the ways to try; OUT=DIR: keep results and logs
#
# Every test has SECONDS_MAX (60). What differs is run once more by itself before it counts: a busy machine is late.
set -u
here=$(cd "$(dirname "$0")" && pwd)
: "${PYTHON:=/usr/bin/python3}" "${WAYS:=preload run}" "${SECONDS_MAX:=60}"
export PYTHON PYTHONDONTWRITEBYTECODE=1
modules=("$@")
[ $# -gt 0 ] ||
	modules=(test_socket test_selectors test_socketserver test_httplib test_ftplib test_ssl test_asyncio)

"$PYTHON" -c 'import test.test_socket' 2>/dev/null || {
	echo "tests/python: $PYTHON has no tests of its own: apt-get install libpython3.11-testsuite"
	exit 77
}
out=${OUT:-$(mktemp -d "${TMPDIR:-/tmp}/glass-python.XXXXXX")} || exit 1
mkdir -p "$out"
[ -n "${OUT:-}" ] || trap 'rm -rf "$out"' EXIT

# each way in a namespace of its own, side by side
for way in kernel $WAYS; do
	bash "$here/way.sh" "$way" "$out/$way" "$SECONDS_MAX" "${modules[@]}" 2>&1 | sed -u "s/^/$way: /" &
done
wait

status=0
for way in $WAYS; do
	mapfile -t again < <("$PYTHON" "$here/../compat/compare.py" --names "$out/kernel" "$out/$way")
	if [ ${#again[@]} -gt 0 ]; then
		bash "$here/way.sh" "$way" "$out/$way.again" "$SECONDS_MAX" "${again[@]}" >/dev/null 2>&1
	fi
	"$PYTHON" "$here/../compat/compare.py" "$way" "$out/kernel" "$out/$way" "$out/$way.again" "$here/differences" ||
		status=1
done
exit $status
