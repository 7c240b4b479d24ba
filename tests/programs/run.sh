#!/bin/bash
# SPDX-License-Identifier: MIT
# The matrix of programs: every script of this folder, or those named, one after the other; each is a lab of its own.
#
#	tests/programs/run.sh [NAME...]		WAYS="preload run seccomp": the ways to try
#
# What a whole run has found goes into docs/programs.md.
set -u
here=$(cd "$(dirname "$0")" && pwd)
page=$here/../../docs/programs.md
whole=
names=("$@")
[ $# -gt 0 ] || {
	whole=1
	for script in "$here"/*.sh; do
		name=$(basename "$script" .sh)
		[[ " lib run " == *" $name "* ]] || names+=("$name")
	done
}
for name in "${names[@]}"; do
	[ -f "$here/$name.sh" ] && continue
	echo "${0##*/}: no script '$name'; there are: $(cd "$here" && printf '%s ' *.sh | sed 's/\.sh / /g')" >&2
	exit 2
done
export PYTHONDONTWRITEBYTECODE=1
log=$(mktemp "${TMPDIR:-/tmp}/glass-programs.XXXXXX")
trap 'rm -f "$log"' EXIT
status=0

for name in "${names[@]}"; do
	timeout 600 bash "$here/$name.sh" 2>&1 | tee -a "$log"
	[ "${PIPESTATUS[0]}" = 0 ] || {
		status=1
		echo "# $name: failed" | tee -a "$log"
	}
done
printf '%s: %s passed, %s failed, %s skipped\n' "${0##*/}" "$(grep '^ok' "$log" | grep -vc SKIP)" \
	"$(grep -c '^not ok' "$log")" "$(grep -c '^ok.*SKIP' "$log")"
[ -z "$whole" ] || python3 "$here/table.py" "$log" "$page" || status=1
exit $status
