#!/bin/bash
# SPDX-License-Identifier: MIT
# Who may use a stack: its owner, root, and whom --allow-user and --allow-group name.
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" = 0 ] && setpriv --reuid=12345 --regid=12345 --clear-groups test -r "$PRELOAD" 2>/dev/null ||
	skip "only for root, and where another user can read the library"
chmod 755 "$LAB"
mkdir "$LAB/www"
echo hello >"$LAB/www/small"
background python3 -m http.server 8080 --directory "$LAB/www" >/dev/null 2>&1
wait_for 5 listens 8080

# fetch GROUPS: as user 12345
fetch()
{
	setpriv --reuid=12345 --regid=12345 "$@" env LD_PRELOAD="$PRELOAD" \
		curl -s -m 10 http://$HOST:8080/small 2>"$LAB/err"
}

lab_start || exit 1
is "a stack is its owner's" "$(fetch --clear-groups)" ""
like "who else is told" "$(cat "$LAB/err")" "permission denied"
lab_stop

lab_start --allow-user 12345 || exit 1
is "--allow-user" "$(fetch --clear-groups)" hello
not_ok "but it is not theirs to look into" setpriv --reuid=12345 --regid=12345 --clear-groups "$GLASS" ss
not_ok "nor to end" setpriv --reuid=12345 --regid=12345 --clear-groups "$GLASS" down
is "others stay out" "$(setpriv --reuid=12346 --regid=12345 --clear-groups env LD_PRELOAD="$PRELOAD" \
	curl -s http://$HOST:8080/small 2>&1 | grep -c 'cannot be reached')" 1
cat >"$LAB/shares.py" <<'PY'
import socket, sys, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
try:
    s.bind(("10.0.0.4", 8090))
    s.listen()
except OSError as e:
    sys.exit(e.strerror)
print("listens", flush=True)
time.sleep(float(sys.argv[1]))
PY
them=(setpriv --reuid=12345 --regid=12345 --clear-groups env "LD_PRELOAD=$PRELOAD")
background "${them[@]}" python3 "$LAB/shares.py" 60 >"$LAB/shares"
wait_for 5 grep -q listens "$LAB/shares"
is "a port is shared (SO_REUSEPORT) with oneself" "$("${them[@]}" python3 "$LAB/shares.py" 0)" listens
is "and with nobody else" "$(LD_PRELOAD=$PRELOAD python3 "$LAB/shares.py" 0 2>&1)" "Address already in use"
"$GLASSD" --stack second --dev glass1 --address 10.0.1.4/24 --host-address 10.0.1.5/24
is "another stack beside is not opened with it" \
	"$(GLASS_STACK=second setpriv --reuid=12345 --regid=12345 --clear-groups env LD_PRELOAD="$PRELOAD" \
		curl -s http://10.0.1.5:8080/small 2>&1 | grep -c 'permission denied')" 1
is "nor closes the first" "$(fetch --clear-groups)" hello
lab_stop second
lab_stop

lab_start --allow-group 777 || exit 1
is "--allow-group" "$(fetch --groups=1,777)" hello
is "and without that group" "$(fetch --groups=1)" ""
if command -v memcached >/dev/null; then
	lab_stop
	lab_start --allow-user nobody || exit 1
	background "$GLASS" run memcached -u nobody -l $STACK
	memcached=$!
	ok "a server that becomes another user first" wait_for 5 bash -c "exec 3<>/dev/tcp/$STACK/11211"
	kill $memcached
fi
lab_stop
out=$("$GLASSD" --allow-user nosuchuser 2>&1)
is "no such user" $? 1
like "is told" "$out" "--allow-user 'nosuchuser': there is no such user"
done_testing
