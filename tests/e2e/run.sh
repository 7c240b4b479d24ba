#!/bin/bash
# SPDX-License-Identifier: MIT
# glass run: what is around the program. A stack of its own, files of what happened, what reached the kernel.
. "$(dirname "$0")/lib.sh"

lab_start || exit 1
mkdir "$LAB/www"
head -c 100000 /dev/urandom >"$LAB/www/file"
background python3 -m http.server 8080 --directory "$LAB/www" >/dev/null 2>&1
wait_for 5 listens 8080
URL=http://$HOST:8080/file

NOTHING="glass run: sockets that reached the kernel: 0 of IPv4, 0 of IPv6"
# A socket that the stack has not.
OTHER='import socket; socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58); socket.create_connection(("10.0.0.5", 8080))'

# ---- what reached the kernel

for mode in both seccomp; do
	run=("$GLASS" run --mode "$mode" --report)
	is "nothing reached the kernel ($mode)" "$("${run[@]}" curl -sf -o "$LAB/o" $URL 2>&1)" "$NOTHING"
	is "and the bytes are those ($mode)" "$(sha256sum <"$LAB/o")" "$(sha256sum <"$LAB/www/file")"
	is "what does is counted ($mode)" \
		"$("${run[@]}" python3 -c "$OTHER" 2>&1)" \
		"${NOTHING/0 of IPv6/1 of IPv6}"
done
is "nslookups, pings and servers neither" "$("$GLASS" run --report --dns $HOST sh -c "
	timeout 2 getent hosts nosuch.lab; ping -4 -qc1 -W2 $HOST; timeout 1 nc -l -p 99; true" 2>&1 | tail -n1)" \
	"$NOTHING"
out=$("$GLASS" run --report --mode preload true 2>&1)
is "without a supervisor nobody can tell" $? 2

# ---- status and signals

"$GLASS" run --report sh -c 'exit 42' 2>/dev/null
is "the exit status" $? 42
"$GLASS" run --report sh -c 'kill -9 $$' 2>/dev/null
is "the end by a signal" $? 137
"$GLASS" run --report sh -c 'trap "echo got it; exit 7" TERM; echo ready; while :; do sleep 0.05; done' \
	>"$LAB/signal" 2>/dev/null &
run_pid=$!
wait_for 5 grep -q ready "$LAB/signal"
kill $run_pid
wait $run_pid
is "a signal goes on to the program" "$? $(tail -n1 "$LAB/signal")" "7 got it"

# ---- files

ok "--pcap" "$GLASS" run --pcap "$LAB/run.pcap" curl -sf -o /dev/null $URL
size=$(stat -c %s "$LAB/run.pcap")
[ "$size" -gt 100000 ]
result $? "the file has the bytes"
is "it is a pcapng file" "$(od -An -tx4 -N4 "$LAB/run.pcap" | tr -d ' ')" 0a0d0d0a
"$GLASS" run curl -sf -o /dev/null $URL
is "and ended with the program" "$(stat -c %s "$LAB/run.pcap")" "$size"
ok "--trace" "$GLASS" run --trace "$LAB/run.trace" curl -sf -o /dev/null $URL
like "the story is in the file" "$("$GLASS" trace --ring "$LAB/run.trace")" "$HOST:8080"
not_ok "a file that cannot be" "$GLASS" run --pcap /nosuch/file true
not_ok "nor the standard output" "$GLASS" run --pcap - true

# ---- a stack of its own

out=$("$GLASS" run --verbose --net "delay 100ms" --report --pcap "$LAB/net.pcap" --trace "$LAB/net.trace" sh -c '
	echo $GLASS_HOST
	curl -s -o /dev/null -w "%{http_code} %{time_total}\n" http://$GLASS_HOST:8080/file' 2>"$LAB/err")
like "a private stack beside the other" "$out" "^10.0.1.5
200 "
[ "$(awk 'NR == 2 { print ($2 >= 0.4) }' <<<"$out")" = 1 ]
result $? "and a slow one" || sed 's/^/# /' <<<"$out"
like "it says where" "$(cat "$LAB/err")" "10.0.1.4 on glass1"
like "and reports" "$(cat "$LAB/err")" "$NOTHING"
like "its story" "$("$GLASS" trace --ring "$LAB/net.trace")" "10.0.1.5:8080"
is "it is gone" "$(ls "$GLASS_DIR")" "default.lock
default.sock"
not_ok "its device too" ip link show glass1
out=$("$GLASS" run --net "delay fast" true 2>&1)
is "words that mean nothing" $? 2
like "and why" "$out" "^glass run: --net 'delay fast': "
"$GLASS" run --net "" sh -c 'echo $$ >"$LAB/pid"; exec sleep 60' &
run_pid=$!
wait_for 10 test -s "$LAB/pid"
kill -9 $run_pid "$(cat "$LAB/pid")"
ok "killed, it leaves no stack" wait_for 5 fails test -e "$GLASS_DIR/run-$run_pid.lock"

# ---- loopback

background python3 -m http.server 8090 --bind 127.0.0.1 --directory "$LAB/www" >/dev/null 2>&1
wait_for 5 listens 8090
not_ok "the stack's loopback is not the kernel's" "$GLASS" run curl -sf -o /dev/null http://127.0.0.1:8090/file
for mode in both preload seccomp; do
	run=("$GLASS" run --mode "$mode" --loopback=kernel)
	ok "unless asked for ($mode)" "${run[@]}" curl -sf -o /dev/null http://127.0.0.1:8090/file
	background "${run[@]}" python3 -m http.server 8091 --bind 127.0.0.1 --directory "$LAB/www" >/dev/null 2>&1
	wait_for 5 listens 8091
	ok "a server too ($mode)" curl -sf -o /dev/null http://127.0.0.1:8091/file
	kill $!
	wait_for 5 gone $!
	is "the rest is the stack's ($mode)" "$("${run[@]}" python3 -c '
import socket
print(socket.create_connection(("10.0.0.5", 8080)).getsockname()[0])')" $STACK
	ok "datagrams too ($mode)" timeout 10 "${run[@]}" python3 -c '
import socket
a, b = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
a.bind(("127.0.0.1", 8092))
b.sendto(b"hello", ("127.0.0.1", 8092))
assert a.recvfrom(10)[0] == b"hello"
assert "127.0.0.1" == a.getsockname()[0]'
done
wait_for 5 fails pgrep glass-run
is "no supervisor is left" "$(pgrep -c glass-run)" 0
done_testing
