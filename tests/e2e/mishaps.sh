#!/bin/bash
# SPDX-License-Identifier: MIT
# What has befallen other stacks: a reader whose connection is given up, a restart that meets the peer's old connection,
# a download that nobody reads, and one socket after the other.
. "$(dirname "$0")/lib.sh"

onglass()
{
	LD_PRELOAD=$PRELOAD timeout 20 "$@"
}

# Kilobytes of glassd: VmRSS, or VmSize.
kilobytes()
{
	awk -v name="$1:" '$1 == name { print $2 }' "/proc/$(lab_pid)/status"
}

# holder PORT: takes connections and keeps them, on the kernel's side.
holder()
{
	background python3 -c "
import socket
l, kept = socket.create_server(('$HOST', $1)), []
while True:
    kept.append(l.accept())"
	wait_for 5 listens "$1"
}

lab_start || exit 1
holder 7000

# ---- the last retransmission

cat >"$LAB/given_up.py" <<'PY'
import errno, socket, sys
s = socket.create_connection(("10.0.0.5", 7000))
s.setsockopt(socket.IPPROTO_TCP, 18, 500)   # TCP_USER_TIMEOUT
print("ready", flush=True)
sys.stdin.readline()
s.send(b"x")
for _ in range(3):
    try:
        print(len(s.recv(1)), end=" ")
    except OSError as e:
        print(errno.errorcode[e.errno], end=" ")
print(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
PY
mkfifo "$LAB/go"
onglass python3 "$LAB/given_up.py" <"$LAB/go" >"$LAB/given_up" 2>&1 &
reader=$!
exec 5>"$LAB/go"
wait_for 5 grep -q ready "$LAB/given_up"
nft add table ip silent
nft add chain ip silent in '{ type filter hook input priority 0; }'
nft add rule ip silent in tcp dport 7000 drop
echo >&5
ok "the peer falls silent: a blocked reader is woken" wait_for 5 gone $reader
is "with the reason, once" "$(tail -n1 "$LAB/given_up")" "ETIMEDOUT 0 0 0"
nft delete table ip silent

# ---- a restart, and the same port

cat >"$LAB/same_port.py" <<'PY'
import socket, sys, time
s = socket.socket()
s.bind(("10.0.0.4", 4444))
s.connect(("10.0.0.5", 7000))
s.sendall(b"hello")
print("connected", flush=True)
time.sleep(float(sys.argv[1]))
PY
onglass python3 "$LAB/same_port.py" 20 >"$LAB/first" 2>/dev/null &
lab_jobs+=($!)
wait_for 5 grep -q connected "$LAB/first"
pid=$(lab_pid)
kill -9 "$pid"
wait_for 5 gone "$pid"
lab_start || exit 1
is "the peer has its old connection yet" "$(ss -Htn state established "dport = :4444" | wc -l)" 1
is "a connection from the same port, after a restart" "$(onglass python3 "$LAB/same_port.py" 0.2)" connected
like "its answer to the SYN was reset" "$("$GLASS" stat -a)" 'TcpOutRsts +[1-9]'

# ---- a download of 100 MB that nobody reads

cat >"$LAB/sender.py" <<'PY'
import socket
s, _ = socket.create_server(("10.0.0.5", 7100)).accept()
s.sendall(bytes(100_000_000))
s.close()
PY
cat >"$LAB/idle.py" <<'PY'
import os, socket, sys, time
s = socket.create_connection(("10.0.0.5", 7100))
print("ready", flush=True)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.05)
total = 0
while data := s.recv(1 << 20):
    total += len(data)
print(total)
PY
background python3 "$LAB/sender.py"
wait_for 5 listens 7100
before=$(kilobytes VmRSS)
onglass python3 "$LAB/idle.py" "$LAB/read" >"$LAB/idle" 2>&1 &
reader=$!
window_is_shut()
{
	local queued
	queued=$(ss -Htn state established "sport = :7100" | awk '{ print $2 }')
	sleep 0.3
	[ "${queued:-0}" -gt 0 ] && [ "$(ss -Htn state established "sport = :7100" | awk '{ print $2 }')" = "$queued" ]
}
wait_for 10 window_is_shut
after=$(kilobytes VmRSS)
ok "a reader that rests costs no more than its buffers: $before KB, then $after" [ $((after - before)) -lt 16000 ]
touch "$LAB/read"
wait $reader
is "and then reads all of it" "$(tail -n1 "$LAB/idle")" 100000000

# ---- one socket after the other

holds()
{
	echo "$(find "/proc/$(lab_pid)/fd" -mindepth 1 | wc -l) descriptors," \
		"$("$GLASS" status | awk '$1 == "memory_bytes" { print $2 }') bytes"
}

as_before()
{
	[ "$(holds)" = "$before" ]
}

sleep 1.2 # datagram sockets that are closed: the sweep
before=$(holds) kilobytes=$(kilobytes VmSize)
is "33,000 sockets, one after the other" "$(onglass "$GLASS_BUILD/tests/e2e/crowd" sockets $HOST 0 33000)" \
	"33000 sockets"
ok "glassd holds what it held: $before" wait_for 5 as_before
ok "its address space is no larger: $kilobytes KB, then $(kilobytes VmSize)" \
	[ $(($(kilobytes VmSize) - kilobytes)) -lt 8000 ]
done_testing
