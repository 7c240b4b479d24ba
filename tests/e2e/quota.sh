#!/bin/bash
# SPDX-License-Identifier: MIT
# Limits: descriptors of a program and of glassd, and how many sockets a user may have. Whoever asks for more is told by
# errno; a connection that comes meanwhile waits, and is served later.
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" = 0 ] && setpriv --reuid=12345 --regid=12345 --clear-groups test -r "$PRELOAD" 2>/dev/null ||
	skip "only for root, and where another user can read the library"
chmod 755 "$LAB"

# Of 300 descriptors 128 are glassd's own, and an eighth of the others is not for one user: 172 sockets, 151 for each.
setpriv --bounding-set=-sys_resource --inh-caps=-sys_resource prlimit --nofile=300:300 \
	"$GLASSD" --allow-user 12345 >"$LAB/glassd.log" 2>&1 || exit 1
pid=$(lab_pid)
sleep 0.2
fds=$(find "/proc/$pid/fd" -mindepth 1 | wc -l)
other=(setpriv --reuid=12345 --regid=12345 --clear-groups env "LD_PRELOAD=$PRELOAD")

cat >"$LAB/lib.py" <<'PY'
import errno, resource, socket, sys, time

def until(limit, make, *wanted):
    """Makes sockets until it is told no; how many, and the errno."""
    made = []
    for _ in range(limit):
        try:
            made.append(make())
        except OSError as e:
            return made, errno.errorcode[e.errno]
    return made, None

def both(kind):
    made, why = until(1000, lambda: socket.socket(socket.AF_INET, kind))
    print(len(made), why)
    made.pop().close()
    for _ in range(100): # a datagram socket's end is seen a moment later
        try:
            socket.socket(socket.AF_INET, kind).close()
            return print("again")
        except OSError:
            time.sleep(0.05)
PY

# script ARGUMENT...: python with lib.py, its text on stdin
script()
{
	PYTHONPATH=$LAB "$@" python3 -c "from lib import *
$(cat)"
}

# ---- how many one may have

is "sockets of one user, and again when one is closed" "$(script "${other[@]}" <<<'both(socket.SOCK_STREAM)')" \
	"151 ENFILE
again"
is "datagram sockets likewise" "$(script "${other[@]}" <<<'both(socket.SOCK_DGRAM)' | sed 's/^[0-9]* //')" "ENFILE
again"
is "those that are closed make room at once" "$(script "${other[@]}" <<'PY'
print(*[len(until(2000, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close())[0])])
PY
)" 2000
cat >"$LAB/holds.py" <<'PY'
from lib import *
made, why = until(1000, socket.socket)
print(why, flush=True)
time.sleep(60)
PY
export PYTHONPATH=$LAB PYTHONDONTWRITEBYTECODE=1
background "${other[@]}" python3 "$LAB/holds.py" >"$LAB/holds"
holder=$!
wait_for 5 grep -q ENFILE "$LAB/holds"
is "another user has room beside the one who took all" \
	"$(script env "LD_PRELOAD=$PRELOAD" <<<'print(*[len(until(10, socket.socket)[0])])')" 10
kill $holder
wait_for 5 gone $holder

# ---- more connections than one may have: 250 come to a server that keeps each until it must not

cat >"$LAB/server.py" <<'PY'
from lib import *
listener = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=1000)
if len(sys.argv) > 3:
    resource.setrlimit(resource.RLIMIT_NOFILE, (80, 300))
listener.settimeout(0.2)
kept, served, most, refused = [], 0, 0, set()
while served < 250:
    try:
        kept.append(listener.accept()[0])
        most = max(most, len(kept))
        continue
    except TimeoutError:
        pass
    except OSError as e:
        refused.add(errno.errorcode[e.errno])
    for s in kept:
        s.settimeout(10)
        s.sendall(s.recv(6))
        s.close()
    served += len(kept)
    kept = []
print(served, "served, more than one may have:", most < 250, *refused)
PY
cat >"$LAB/clients.py" <<'PY'
from lib import *
sockets = [socket.create_connection((sys.argv[1], int(sys.argv[2])), 20) for _ in range(250)]
good = 0
for i, s in enumerate(sockets):
    s.sendall(b"%06d" % i)
for i, s in enumerate(sockets):
    s.settimeout(30)
    good += s.recv(6) == b"%06d" % i
print(good, "answered")
PY

# crowd NAME PORT WORDS [few]: who is on Glass, the server
crowd()
{
	local name=$1 port=$2 more=$3 want=$4

	# shellcheck disable=SC2086 # nothing, or a word
	background timeout 60 "${other[@]}" python3 "$LAB/server.py" $STACK "$port" $more >"$LAB/served" 2>&1
	server=$!
	wait_for 5 bash -c "'$GLASS' ss -ltn | grep -q ':$port '"
	is "$name: no connection is lost" "$(timeout 60 python3 "$LAB/clients.py" $STACK "$port" 2>&1)" \
		"250 answered"
	wait_for 5 gone $server
	is "$name: and the server was told" "$(cat "$LAB/served")" "250 served, more than one may have: True$want"
}
crowd "the user has no more sockets" 7001 "" ""
crowd "the program has no more descriptors" 7002 few " EMFILE"

# ---- datagrams from more origins than glassd has descriptors for: a socket for each (program_sender.c)

cat >"$LAB/echoes.py" <<'PY'
from lib import *
import select
sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(120)]
for i, s in enumerate(sockets):
    s.bind((sys.argv[1], 20000 + i))
print("ready", flush=True)
while True:
    for s in select.select(sockets, [], [])[0]:
        data, whence = s.recvfrom(100)
        s.sendto(data, whence)
PY
background "${other[@]}" python3 "$LAB/echoes.py" $STACK >"$LAB/echoes"
echoes=$!
wait_for 10 grep -q ready "$LAB/echoes"
is "datagrams from 480 origins, each answered" "$(script timeout 60 <<-PY
	asks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(4)]
	good = 0
	for round in range(2):
	    for i in range(120):
	        for j, s in enumerate(asks):
	            s.settimeout(3)
	            s.sendto(b"%d %d" % (i, j), ("$STACK", 20000 + i))
	            good += s.recv(100) == b"%d %d" % (i, j)
	print(good)
	PY
)" 960
is "and another program has its sockets" \
	"$(script env "LD_PRELOAD=$PRELOAD" <<<'print(*[len(until(20, socket.socket)[0])])')" 20
kill $echoes
wait_for 5 gone $echoes

# ---- nothing stays

as_before()
{
	[ "$(find "/proc/$pid/fd" -mindepth 1 | wc -l)" = "$fds" ]
}
ok "no descriptor of glassd is left" wait_for 5 as_before
is "and it is the same glassd" "$(lab_pid)" "$pid"
done_testing
