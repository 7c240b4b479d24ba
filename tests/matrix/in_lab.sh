#!/bin/bash
# SPDX-License-Identifier: MIT
# One run of the probes in a namespace of its own; run.sh calls it: in_lab.sh glass|linux OPTIONS...
. "$(dirname "$0")/../e2e/lib.sh"
here=$(dirname "$0")
target=$1
shift
if [ "$target" = glass ]; then
	lab_start --no-offload --no-host-setup || exit 1
	ip link set glass0 up
	python3 "$here/matrix.py" run glass glass0 --preload "$PRELOAD" "$@"
else
	python3 "$here/matrix.py" run linux linux0 "$@"
fi
exit
