#!/bin/bash
# SPDX-License-Identifier: MIT
# How connections end when something is killed: the other side hears of it at once, on both sides of the stack, and
# nothing stays behind.
. "$(dirname "$0")/lib.sh"

cat >"$LAB/side.py" <<'PY'
import os, socket, sys, time

# side.py ROLE ADDRESS PORT: one side of a connection; says "ready", then how its read ended and after how long.
role, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])

def connect():
    s = socket.socket()
    for _ in range(100):
        try:
            s.connect((address, port))
            return s
        except ConnectionRefusedError:
            time.sleep(0.05)
    sys.exit("nobody listens")

def accept():
    l = socket.socket()
    l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    l.bind((address, port))
    l.listen()
    return l.accept()[0]

s = accept() if role.startswith("accept") else connect()
if role.endswith("unread"):
    s.sendall(b"x" * 1000)
print("ready", flush=True)
if role.endswith("hold"):
    time.sleep(60)
if role.endswith("unread"):
    time.sleep(60)
start = time.time()
try:
    got = s.recv(100)
    print("got", got.decode(), flush=True)
except OSError as e:
    print(e.strerror, flush=True)
sys.stderr.write("%.3f\n" % (time.time() - start))
PY

onglass()
{
	LD_PRELOAD=$PRELOAD exec "$@"
}

# The two sides: $1 where the holder runs (glass or kernel), $2 and $3 the roles of holder and reader.
port=5000
sides()
{
	port=$((port + 1))
	local holder=$2 reader=$3 at

	if [ "$1" = glass ]; then
		[[ $holder = accept* ]] && at=$STACK || at=$HOST
		onglass python3 "$LAB/side.py" "$holder" "$at" $port >"$LAB/holder" 2>/dev/null &
		hold_pid=$!
		python3 "$LAB/side.py" "$reader" "$at" $port >"$LAB/reader" 2>/dev/null &
	else
		[[ $holder = accept* ]] && at=$HOST || at=$STACK
		python3 "$LAB/side.py" "$holder" "$at" $port >"$LAB/holder" 2>/dev/null &
		hold_pid=$!
		onglass python3 "$LAB/side.py" "$reader" "$at" $port >"$LAB/reader" 2>/dev/null &
	fi
	read_pid=$!
	lab_jobs+=("$hold_pid" "$read_pid")
	wait_for 5 grep -q ready "$LAB/holder" && wait_for 5 grep -q ready "$LAB/reader"
}

# The reader's end of story, which must be there within a second.
told()
{
	wait_for 1 gone $read_pid
	tail -n1 "$LAB/reader"
}

lab_start || exit 1
pid=$(lab_pid)
sleep 0.2
fds=$(find "/proc/$pid/fd" -mindepth 1 | wc -l)

# ---- a program on the stack is killed

sides glass connect-hold accept-read
kill -9 $hold_pid
is "kill -9 of a client: its peer reads end of file" "$(told)" "got "
sides glass accept-hold connect-read
kill -9 $hold_pid
is "kill -9 of a server: likewise" "$(told)" "got "
sides glass accept-hold connect-unread
sleep 0.2
kill -9 $hold_pid
sleep 0.2
is "killed with bytes unread: the peer is reset" "$(ss -Htn state established dport = :$port | wc -l)" 0

# ---- a peer resets or is killed

cat >"$LAB/rst.py" <<'PY'
import socket, struct, sys, time
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
time.sleep(0.3)
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
s.close()
PY
onglass python3 "$LAB/side.py" accept-read $STACK 6001 >"$LAB/reader" 2>"$LAB/time" &
read_pid=$!
sleep 0.5
python3 "$LAB/rst.py" $STACK 6001
is "RST wakes a blocked reader on an idle connection" "$(told)" "Connection reset by peer"
sides kernel accept-hold connect-read
kill -9 $hold_pid
is "kill -9 of the peer: end of file" "$(told)" "got "

sleep 0.3
is "all descriptors of the daemon are closed" "$(find "/proc/$pid/fd" -mindepth 1 | wc -l)" "$fds"

# ---- connections that nobody has accepted yet end with the listener

onglass python3 -c "
import socket, time
l = socket.create_server(('$STACK', 6002)); print('ready', flush=True); time.sleep(60)" >"$LAB/holder" &
hold_pid=$!
wait_for 5 grep -q ready "$LAB/holder"
python3 -c "
import socket, sys
s = [socket.create_connection(('$STACK', 6002)) for i in range(20)]
print('ready', flush=True)
for c in s:
    try: assert c.recv(1) == b''
    except ConnectionResetError: pass
print('all', flush=True)" >"$LAB/reader" 2>&1 &
read_pid=$!
wait_for 5 grep -q ready "$LAB/reader"
kill -9 $hold_pid
is "20 connections not accepted end with the listener" "$(told)" all
like "the port is free again" "$(timeout 1 bash -c "exec 3<>/dev/tcp/$STACK/6002" 2>&1)" "refused"
sleep 0.3
is "no descriptor stays" "$(find "/proc/$pid/fd" -mindepth 1 | wc -l)" "$fds"

# ---- many

cat >"$LAB/many.py" <<'PY'
import resource, select, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (20000, 20000))
n = int(sys.argv[3])
conns = [socket.create_connection((sys.argv[1], int(sys.argv[2]))) for _ in range(n)]
for i, s in enumerate(conns):
    s.sendall(b"%06d" % i)
good = 0
for i, s in enumerate(conns):
    s.settimeout(20)
    data = b""
    while len(data) < 6:
        data += s.recv(6)
    good += data == b"%06d" % i
print(good, flush=True)
PY
cat >"$LAB/echo.py" <<'PY'
import resource, selectors, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (20000, 20000))
l = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=1000)
sel = selectors.DefaultSelector()
sel.register(l, selectors.EVENT_READ)
while True:
    for key, _ in sel.select():
        if key.fileobj is l:
            sel.register(l.accept()[0], selectors.EVENT_READ)
            continue
        try:
            data = key.fileobj.recv(65536)
        except OSError:
            data = b""
        if data:
            key.fileobj.sendall(data)
        else:
            sel.unregister(key.fileobj)
            key.fileobj.close()
PY
if [ "$(ulimit -Hn)" -ge 20000 ]; then
	background env LD_PRELOAD="$PRELOAD" python3 "$LAB/echo.py" $STACK 6003
	wait_for 5 bash -c "exec 3<>/dev/tcp/$STACK/6003"
	is "5,000 connections at once to a server" "$(timeout 60 python3 "$LAB/many.py" $STACK 6003 5000)" 5000
	background python3 "$LAB/echo.py" $HOST 6004
	wait_for 5 listens 6004
	is "5,000 at once of a client" \
		"$(LD_PRELOAD=$PRELOAD timeout 60 python3 "$LAB/many.py" $HOST 6004 5000)" 5000
	sleep 1
	is "and no descriptor stays but the listener's" \
		"$(find "/proc/$pid/fd" -mindepth 1 | wc -l)" "$((fds + 2))"
fi

# ---- the daemon is killed

sides glass connect-read accept-hold
onglass python3 "$LAB/side.py" accept-hold $STACK 6005 >"$LAB/listener" 2>&1 &
listen_pid=$!
lab_jobs+=("$listen_pid")
sleep 0.3
read_pid=$hold_pid # the side on Glass reads
kill -9 "$pid"
wait_for 1 gone $read_pid
is "kill -9 of glassd: a blocked reader ends at once" "$(tail -n1 "$LAB/holder")" "Connection reset by peer"
ok "a blocked accept too" wait_for 1 gone $listen_pid
out=$(LD_PRELOAD=$PRELOAD python3 -c 'import socket; socket.socket()' 2>&1)
like "and a new socket is refused with the reason" "$out" "glass up.*ENETDOWN|glass up.*Network is down"
done_testing
