# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the tests of a takeover share, after lib.sh: programs on Glass and beside it, and the takeover itself.

here=$(dirname "$0")
# shellcheck disable=SC2034
on=(env LD_PRELOAD="$PRELOAD" python3 "$here/takeover.py")
# shellcheck disable=SC2034
off=(python3 "$here/takeover.py")

# start NAME COMMAND...: in the background until it says that it is ready; its words are in $LAB/NAME.
start()
{
	local name=$1

	shift
	background "$@" >"$LAB/$name" 2>&1
	wait_for 60 grep -q ready "$LAB/$name"
}

last()
{
	wait_for 60 grep -qv ready "$LAB/$1"
	tail -n1 "$LAB/$1"
}

# take: another glassd, which is another process.
take()
{
	local before

	before=$(lab_pid)
	"$GLASS" up --takeover "$@" >"$LAB/take.log" 2>&1 && [ "$(lab_pid)" != "$before" ] && wait_for 5 gone "$before"
}
