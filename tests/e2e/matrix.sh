#!/bin/bash
# SPDX-License-Identifier: MIT
# The quick probes of the black-box matrix: what docs/rfc/results.md says of Glass, and is a must, is still so.
. "$(dirname "$0")/lib.sh"

here=$(dirname "$0")
lab_start --no-offload --no-host-setup
ip link set glass0 up
export PYTHONDONTWRITEBYTECODE=1
python3 "$here/../matrix/matrix.py" run glass glass0 --preload "$PRELOAD" --quick --out "$LAB/glass.json" 2>&1 |
	sed 's/^/# /'
python3 "$here/../matrix/matrix.py" check "$LAB/glass.json" "$here/../../docs/rfc/results.md"
exit
