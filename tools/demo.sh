#!/bin/bash
# SPDX-License-Identifier: MIT
# The lab, played as a terminal session: an ordinary server on the kernel's stack, an ordinary client on ours, a
# host that is not there, and one that swallows everything. Each line after a $ is what you would type.
#
# All of it happens in network, process and mount namespaces of its own, with a /run of its own: nothing can be
# left behind, however it ends, but BUILD/demo.html, a report of one connection. The host's network is not touched.
#
#	make demo			environment: BUILD (build), DEMO_PAUSE (seconds between the scenes, 0)
set -u
cd "$(dirname "$0")/.." || exit 1
build=$(realpath "${BUILD:-build}")

# ---- outside: make the namespaces, and end them whatever happens

cannot()
{
	cat >&2 <<-END
	make demo: no namespace of its own can be made here, so the demo would touch your network. It does not.
	  Type as root:  make demo
	  or allow user namespaces:  sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000
	  (in a container: --cap-add SYS_ADMIN --cap-add NET_ADMIN --device /dev/net/tun)
	END
	exit 1
}

if [ -z "${GLASS_DEMO:-}" ]; then
	flags=(--net --pid --mount --fork --kill-child --mount-proc)
	[ "$(id -u)" = 0 ] || flags+=(--user --map-root-user)
	unshare "${flags[@]}" true || cannot
	if [ ! -c /dev/net/tun ] || ! (: <>/dev/net/tun) 2>/dev/null; then
		echo "make demo: /dev/net/tun cannot be opened by you. Type as root: make demo (or: modprobe tun)" >&2
		exit 1
	fi
	# The process namespace ends with its first process, and that one with us, even if we are killed.
	GLASS_DEMO=1 setpriv --pdeathsig KILL unshare "${flags[@]}" bash "$0" &
	inside=$!
	trap 'kill -9 $inside 2>/dev/null; wait $inside 2>/dev/null; echo; exit 130' INT TERM HUP
	wait $inside
	exit $?
fi

# ---- inside

mount -t tmpfs glass-demo /run && mkdir /run/www && ip link set lo up || exit 1
export PATH=$build/src/ctl:$build/src/daemon:$PATH:/usr/sbin:/sbin
export LD_LIBRARY_PATH=$build/src/preload
unset GLASS_DIR GLASS_STACK http_proxy HTTP_PROXY all_proxy ALL_PROXY
# Off a terminal curl draws a progress bar: not here.
export CURL_HOME=/run
printf 'silent\nshow-error\n' >/run/.curlrc
# As the directory that the demo is run in would be served: a page of our own instead.
echo '<h1>Hello from the other side of the glass</h1>' >/run/www/index.html

bold='' dim='' plain=''
if [ -t 1 ]; then
	bold=$(tput bold 2>/dev/null) dim=$(tput dim 2>/dev/null) plain=$(tput sgr0 2>/dev/null)
fi

scene()
{
	sleep "${DEMO_PAUSE:-0}"
	printf '\n%s' "$dim"
	printf '# %s\n' "$@"
	printf '%s' "$plain"
}

# Shows a line and runs it as typed.
type_in()
{
	printf '%s$ %s%s\n' "$bold" "$1" "$plain"
	eval "$1"
}

must()
{
	type_in "$1" && return 0
	echo "make demo: this should have worked; please report it" >&2
	exit 1
}

wait_for_server()
{
	for _ in $(seq 100); do
		[ -n "$(ss -Hltn 'sport = :8080')" ] && return 0
		sleep 0.05
	done
	echo "make demo: the web server did not start" >&2
	exit 1
}

scene "1. Start the stack: a tap device, our address on one side, the host's on the other."
must "glass up"
type_in "glass addr"

scene "2. An ordinary server on the kernel's stack, an ordinary client on ours."
must "python3 -m http.server 8080 --bind 10.0.0.5 --directory /run/www >/dev/null 2>&1 &"
wait_for_server
must "LD_PRELOAD=libglass-preload.so curl http://10.0.0.5:8080/"

scene "3. What happened, from the flight recorder: every packet, the rooms it walked through, and why."
must "glass trace"

scene "4. Nobody is at 10.0.0.6. ARP asks three times; after three seconds there is an honest error."
type_in "time LD_PRELOAD=libglass-preload.so curl http://10.0.0.6:8080/"
type_in "glass why"
type_in "glass trace 2"

scene "5. A black hole answers ARP and swallows the rest. SYN goes out at 0, 1, 3, 7 s (RFC 6298's backoff)."
must "glass net blackhole 10.0.0.7"
type_in "LD_PRELOAD=libglass-preload.so curl --connect-timeout 8 http://10.0.0.7:8080/"
type_in "glass why"
type_in "glass trace 3"
type_in "glass report 3 -o $build/demo.html"

scene "6. The end. Peers are told, the device goes, no file stays."
must "glass down"
scene "Your turn, as root: glass up; glass run curl http://10.0.0.5:8080/ ; glass help" \
	"(the command is $build/src/ctl/glass; make install puts it into your PATH)"
