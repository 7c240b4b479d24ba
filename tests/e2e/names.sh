#!/bin/bash
# SPDX-License-Identifier: MIT
# Names under bare LD_PRELOAD (libglass-resolve.so) are as the C library's own resolver tells them under a supervisor.
. "$(dirname "$0")/lib.sh"

SCRIPT=$(dirname "$0")/names.py
[ -e "$(dirname "$PRELOAD")/libglass-resolve.so" ] || skip "built without c-ares"
lab_start || exit 1
background python3 "$SCRIPT" server $HOST "$LAB/asked"
wait_for 5 listens_udp 53

on_glass()
{
	LD_PRELOAD=$PRELOAD timeout 60 "$@" 2>&1
}

# With these lines in /etc/hosts and /etc/resolv.conf, in a mount namespace of the command's own.
with_files()
{
	unshare -m bash -c '
		echo "10.0.0.7 in-the-file" >"$LAB/hosts"
		printf "nameserver %s\nsearch lab\noptions timeout:1 attempts:1\n" "$HOST" >"$LAB/resolv"
		mount --bind "$LAB/hosts" /etc/hosts && mount --bind "$LAB/resolv" /etc/resolv.conf && exec "$@"' - "$@"
}

export PRELOAD SCRIPT
with_files env LD_PRELOAD="$PRELOAD" timeout 60 python3 "$SCRIPT" client >"$LAB/bare" 2>&1
is "nobody but the stack has asked" "$(cut -d' ' -f2 "$LAB/asked" | sort -u)" $STACK
is "by TCP too, when the answer is long" "$(grep -c ^tcp "$LAB/asked")" 3
with_files "$GLASS" run --mode seccomp timeout 60 python3 "$SCRIPT" client >"$LAB/libc" 2>&1
like "names are found" "$(cat "$LAB/libc")" "by name 10.0.0.5"
is "the same answers as the C library's" "$(diff "$LAB/libc" "$LAB/bare")" ""

# ---- whose resolv.conf

printf 'nameserver %s\nsearch lab\n' $HOST >"$GLASS_DIR/default.resolv.conf"
is "the stack's own resolv.conf" "$(on_glass getent ahostsv4 www | cut -d' ' -f1 | sort -u)" $HOST
is "gethostbyname" "$(on_glass getent hosts www.lab | cut -d' ' -f1)" $HOST
rm "$GLASS_DIR/default.resolv.conf"
echo "nameserver $HOST" >"$LAB/other.conf"
is "one that GLASS_RESOLVER names" \
	"$(GLASS_RESOLVER=$LAB/other.conf on_glass getent ahostsv4 www.lab | cut -d' ' -f1 | sort -u)" $HOST
is "glass run --mode preload --dns" \
	"$("$GLASS" run --mode preload --dns $HOST getent ahostsv4 www.lab | cut -d' ' -f1 | sort -u)" $HOST

# ---- programs

mkdir "$LAB/www"
echo hello >"$LAB/www/small"
background python3 -m http.server 8080 --bind $HOST --directory "$LAB/www" >/dev/null 2>&1
wait_for 5 listens 8080
export GLASS_RESOLVER=$LAB/other.conf
is "curl by name" "$(on_glass curl -s http://www.lab:8080/small)" hello
if command -v node >/dev/null; then
	is "node by name, which has a c-ares of its own" "$(on_glass node -e "
		require('http').get('http://www.lab:8080/small', r => r.pipe(process.stdout))")" hello
fi
is "eight threads at once" "$(on_glass python3 -c '
import concurrent.futures, socket
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    print({socket.gethostbyname(n) for n in pool.map(lambda _: "www.lab", range(64))} |
          set(pool.map(socket.gethostbyname, ["www.lab"] * 64)))')" "{'$HOST'}"
done_testing
