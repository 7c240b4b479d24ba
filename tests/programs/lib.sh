# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The lab of the program matrix: that of tests/e2e/lib.sh, and roles. A file of this folder is one program (or a few
# that belong together); it says which, and calls `role` for each thing that the program does on Glass, with the
# kernel on the other side.
#
#	STACK_USER=nobody		who may use the stack beside root
#	. "$(dirname "$0")/lib.sh"
#	program curl curl --version	its name, and what shows its version; the file ends here when it is missing
#	needs wget			likewise for what else the roles use
#	role "downloads" function	runs function once for each way, and judges
#
# In a role's function every command must succeed (set -e). It finds
#
#	on	(array) the words that put a command on Glass: "${on[@]}" curl ...
#	WAY	preload (bare LD_PRELOAD), run (glass run) or seccomp (glass run --mode seccomp)
#	D	an empty folder
#	WWW	a folder with big (BYTES bytes of noise) and small ("hello"); a web server of the kernel's shows it at
#		http://$HOST:8080/
#	same F	F has the bytes of $WWW/big
#	serve	a command on Glass, in the background; its pid is $!, its output $D/serve.log
#	nginx_conf	writes $D/nginx.conf, with the servers that stdin describes
#	on_glass PORT, on_glass_udp PORT	to wait for: somebody listens there on the stack
#
# What it leaves in the background is ended. A role passes when its function does, when at least BYTES bytes
# crossed the device (ROLE_BYTES, where less is meant; ROLE_DEVICE=lo, where both sides are on Glass), and when glassd
# lives and holds no connection any more.

# shellcheck source=../e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

BYTES=4000000
: "${WAYS:=preload run seccomp}"
ROLE_SECONDS=60
WWW=$LAB/www
PROGRAM=
chmod 755 "$LAB"
mkdir -m 755 "$WWW"
head -c $BYTES /dev/urandom >"$WWW/big"
echo hello >"$WWW/small"
SUM=$(sha256sum <"$WWW/big")

program()
{
	PROGRAM=$1
	shift
	needs "$1"
	echo "# version $PROGRAM: $("$@" 2>&1 </dev/null | grep -o '[0-9]\+[.][0-9][^ ,;)"]*' | head -n1)"
}

needs()
{
	local command

	for command; do
		command -v "$command" >/dev/null || missing "no $command here: tools/setup programs"
	done
}

missing()
{
	echo "ok 1 - $PROGRAM | all | all # SKIP $1"
	echo "1..1"
	exit 0
}

same()
{
	[ "$(sha256sum <"$1")" = "$SUM" ] && return 0
	echo "$1: $(stat -c %s "$1") bytes, and not those of big ($BYTES)"
	return 1
}

serve()
{
	background "${on[@]}" "$@" >"$D/serve.log" 2>&1 </dev/null
}

# $D/nginx.conf; what is to be within http{} comes from stdin.
nginx_conf()
{
	{
		cat <<-CONF
		user root;
		worker_processes 2;
		error_log $D/error.log;
		pid $D/nginx.pid;
		events { worker_connections 512; }
		http {
			access_log off; sendfile on;
			client_body_temp_path $D/n1; proxy_temp_path $D/n2; fastcgi_temp_path $D/n3;
			uwsgi_temp_path $D/n4; scgi_temp_path $D/n5;
		CONF
		cat
		echo "}"
	} >"$D/nginx.conf"
}

on_glass()
{
	"$GLASS" ss -ltn | grep -q ":$1 "
}

on_glass_udp()
{
	"$GLASS" ss -uan | grep -q ":$1 "
}

# Bytes that passed the TAP device (or the stack's own loopback: ROLE_DEVICE=lo), both ways.
crossed()
{
	"$GLASS" link | awk -v device="${ROLE_DEVICE:-glass0}:" \
		'/^[0-9]+:/ { here = $2 == device } here && /[RT]X:/ { n += $2 } END { print n + 0 }'
}

way_words()
{
	case $1 in
	preload) on=(env LD_PRELOAD="$PRELOAD") ;;
	run) on=("$GLASS" run) ;;
	seccomp) on=("$GLASS" run --mode seccomp) ;;
	esac
}

# Everything that the role started and that still runs: a signal, and a harder one.
role_end()
{
	local pid status=$?

	trap - EXIT
	set +e
	for pid in "${lab_jobs[@]}"; do
		kill -- "-$pid" 2>/dev/null
	done
	for pid in "${lab_jobs[@]}"; do # a daemon that has put itself into the background is in another group
		kill "$pid" 2>/dev/null
		wait_for 5 fails kill -0 -- "-$pid" && wait_for 5 gone "$pid" || kill -9 -- "-$pid" 2>/dev/null
	done
	exit $status
}

connections()
{
	"$GLASS" ss -tan | grep -v 'TIME-WAIT\|^Netid'
}

no_connection()
{
	! connections | grep -q .
}

# What is wrong after a role: words, or nothing.
role_verdict()
{
	local bytes=$(($(crossed) - $1))

	if [ "$(lab_pid)" != "$lab_daemon" ] || gone "$lab_daemon"; then
		echo "glassd is gone"
	elif [ $bytes -lt "${ROLE_BYTES:-$BYTES}" ]; then
		echo "only $bytes bytes crossed the device"
	elif ! wait_for 3 no_connection; then
		echo "a connection is left"
		connections | head -n 5
	fi
}

descendants()
{
	local child

	for child in $(pgrep -P "$1"); do
		descendants "$child"
		echo "$child"
	done
}

role_once()
{
	(
		trap role_end EXIT
		lab_jobs=()
		set -m # each job is a group of its own, with its children
		set -eE
		trap 'echo "failed: $BASH_COMMAND"' ERR
		"$1"
	) >"$LAB/role.log" 2>&1 &
	lab_role=$!
	wait_for $ROLE_SECONDS gone $lab_role || {
		echo "took too long" >>"$LAB/role.log"
		descendants $lab_role | xargs -r kill -9 2>/dev/null
	}
	wait $lab_role
}

# role NAME FUNCTION [WAY...]
role()
{
	local name=$1 function=$2 before status verdict

	shift 2
	for WAY in $WAYS; do
		[ $# = 0 ] || [[ " $* " == *" $WAY "* ]] || continue
		way_words "$WAY"
		D=$LAB/$WAY.$lab_tests
		mkdir -m 777 "$D"
		before=$(crossed)
		role_once "$function"
		status=$?
		verdict=$(role_verdict "$before")
		[ $status = 0 ] && [ -z "$verdict" ]
		result $? "$PROGRAM | $name | $WAY" || {
			[ -z "$verdict" ] || sed 's/^/# /' <<<"$verdict"
			tail -n 20 "$LAB/role.log" "$D/serve.log" 2>/dev/null | sed 's/^/# /'
		}
		rm -rf "$D"
	done
}

# A role that cannot be here: role_skip NAME REASON
role_skip()
{
	lab_tests=$((lab_tests + 1))
	echo "ok $lab_tests - $PROGRAM | $1 | all # SKIP $2"
}

if [ -n "${STACK_USER:-}" ]; then
	lab_start --allow-user "$STACK_USER" || exit 1
else
	lab_start || exit 1
fi
lab_daemon=$(lab_pid)
sysctl -qw net.ipv4.ping_group_range="0 2147483647" 2>/dev/null
background python3 -m http.server 8080 --bind "$HOST" --directory "$WWW" >/dev/null 2>&1
wait_for 10 listens 8080
