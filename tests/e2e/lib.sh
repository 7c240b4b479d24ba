# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The lab of the end-to-end tests: source it first. The script starts anew in a network, process and mount
# namespace of its own: device names and addresses are free, and whatever it leaves running ends with it. Results
# are TAP.
#
#	. "$(dirname "$0")/lib.sh"
#	lab_start --no-offload			glassd as in DESIGN: stack 10.0.0.4/24, host 10.0.0.5/24
#	ok "the host's ping is answered" ping -qc1 -W2 10.0.0.4
#	is "name" "$got" "$want"		strings are equal
#	like "name" "$got" 'regex'
#	background COMMAND...			its pid is $!; it is ended at the end
#	wait_for 5 COMMAND...			until it succeeds; fails after 5 s
#	skip "reason"				the rest of this script
#	done_testing
#
# Variables: GLASS, GLASSD, PRELOAD (paths of what was built), EXAMPLES (their folder), LAB (a folder that goes
# away), and GLASS_DIR in it.

set -u

: "${GLASS_BUILD:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build}"
export GLASS_BUILD

if [ -z "${GLASS_LAB:-}" ]; then
	lab_flags=(--net --pid --fork --kill-child --mount-proc)
	[ "$(id -u)" = 0 ] || lab_flags+=(--user --map-root-user)
	if ! unshare "${lab_flags[@]}" true 2>/dev/null; then
		echo "1..0 # SKIP no right to make namespaces"
		exit 0
	fi
	GLASS_LAB=1 exec unshare "${lab_flags[@]}" bash "$0" "$@"
fi

# shellcheck disable=SC2034 # for the tests
GLASS=$GLASS_BUILD/src/ctl/glass
: "${GLASSD:=$GLASS_BUILD/src/daemon/glassd}"
# shellcheck disable=SC2034
PRELOAD=$GLASS_BUILD/src/preload/libglass-preload.so
# shellcheck disable=SC2034
EXAMPLES=$GLASS_BUILD/examples
PATH=$PATH:/usr/sbin:/sbin
STACK=10.0.0.4
HOST=10.0.0.5
LAB=$(mktemp -d "${TMPDIR:-/tmp}/glass-lab.XXXXXX")
export PATH STACK HOST LAB
export GLASS_DIR=$LAB/run
unset GLASS_STACK
# What a sanitized glassd finds, also at its end when nobody sees its stderr: lab_end looks.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}log_path=$LAB/sanitizer
export UBSAN_OPTIONS=${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}log_path=$LAB/sanitizer:print_stacktrace=1

lab_tests=0
lab_failed=0
lab_jobs=()

lab_end()
{
	local status=$?

	trap - EXIT
	for pid in "${lab_jobs[@]}"; do
		kill "$pid" 2>/dev/null
	done
	lab_stop default
	if compgen -G "$LAB/sanitizer.*" >/dev/null; then
		echo "# a sanitizer found:"
		sed 's/^/# /' "$LAB"/sanitizer.*
		status=1
	fi
	rm -rf "$LAB"
	[ $status = 0 ] && [ $lab_failed -gt 0 ] && status=1
	exit $status
}
trap lab_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

ip link set lo up

# The pid of stack NAME's daemon; nothing when there is none.
lab_pid()
{
	cat "$GLASS_DIR/${1:-default}.lock" 2>/dev/null
}

# Starts glassd with these options; its messages after the start are in $LAB/glassd.log.
lab_start()
{
	"$GLASSD" "$@" >"$LAB/glassd.log" 2>&1 && return 0
	sed 's/^/# /' "$LAB/glassd.log"
	return 1
}

# The same in the foreground, in the background of this shell: messages go to $LAB/glassd.log as long as it runs.
lab_start_logged()
{
	"$GLASSD" --foreground "$@" >"$LAB/glassd.log" 2>&1 &
	lab_jobs+=($!)
	wait_for 5 lab_ready && return 0
	sed 's/^/# /' "$LAB/glassd.log"
	return 1
}

lab_ready()
{
	[ -S "$GLASS_DIR/default.sock" ] && [ -n "$(lab_pid)" ]
}

# Ends the daemon (of stack NAME) in order, and waits for it.
lab_stop()
{
	local pid

	pid=$(lab_pid "$@")
	[ -n "$pid" ] || return 0
	kill "$pid" 2>/dev/null
	wait_for 5 gone "$pid"
}

gone()
{
	! kill -0 "$1" 2>/dev/null || grep -q '^State:	Z' "/proc/$1/status" 2>/dev/null
}

background()
{
	"$@" &
	lab_jobs+=($!)
}

# wait_for SECONDS COMMAND...
wait_for()
{
	local end=$(($(date +%s%N) + $1 * 1000000000))

	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s%N)" -lt $end ] || return 1
		sleep 0.02
	done
}

# Somebody listens on that TCP port of the kernel's stack.
listens()
{
	[ -n "$(ss -Hltn "sport = :$1" 2>/dev/null)" ]
}

# Likewise of UDP.
listens_udp()
{
	[ -n "$(ss -Hlun "sport = :$1" 2>/dev/null)" ]
}

result()
{
	lab_tests=$((lab_tests + 1))
	if [ "$1" = 0 ]; then
		echo "ok $lab_tests - $2"
		return 0
	fi
	lab_failed=$((lab_failed + 1))
	echo "not ok $lab_tests - $2"
	return 1
}

ok()
{
	local name=$1 status

	shift
	"$@" >"$LAB/ok.log" 2>&1
	status=$?
	result $status "$name" && return 0
	echo "# status $status of: $*"
	tail -n 20 "$LAB/ok.log" | sed 's/^/# /'
	return 1
}

not_ok()
{
	local name=$1

	shift
	ok "$name" fails "$@"
}

fails()
{
	! "$@"
}

is()
{
	[ "$2" = "$3" ]
	result $? "$1" && return 0
	printf '%s\n' "got:  $2" "want: $3" | sed 's/^/# /'
	return 1
}

like()
{
	[[ $2 =~ $3 ]]
	result $? "$1" && return 0
	printf '%s\n' "got:   $2" "regex: $3" | sed 's/^/# /'
	return 1
}

skip()
{
	lab_tests=$((lab_tests + 1))
	echo "ok $lab_tests - rest # SKIP $1"
	done_testing
}

done_testing()
{
	echo "1..$lab_tests"
	exit 0
}
