#!/bin/bash
# SPDX-License-Identifier: MIT
# The control socket survives whoever speaks to it, and tells foreigners no.
. "$(dirname "$0")/lib.sh"

HERE=$(cd "$(dirname "$0")" && pwd)
SOCK=$GLASS_DIR/default.sock

lab_start_logged || exit 1
pid=$(lab_pid)
fds=$(find "/proc/$pid/fd" -mindepth 1 | wc -l)

for seed in 1 2 3 4; do
	out=$(timeout 60 python3 "$HERE/control_fuzz.py" "$SOCK" $seed 2000 "$HERE/../../src/abi/op.def" 2>&1)
	like "2,000 messages of seed $seed are answered" "$out" 'error=[0-9]+ ok=[0-9]+'
done
out=$(timeout 60 python3 "$HERE/control_fuzz.py" "$SOCK" 5 1000 "$HERE/../../src/abi/op.def" STEP SHOW 2>&1)
like "1,000 that hold the stack and let it go" "$out" 'error=[0-9]+ ok=[0-9]+'
ok "the daemon is alive" kill -0 "$pid"
ok "and works" ping -qc1 -W1 "$STACK"
wait_for 2 test "$(find "/proc/$pid/fd" -mindepth 1 | wc -l)" = "$fds"
is "no descriptor is left" "$(find "/proc/$pid/fd" -mindepth 1 | wc -l)" "$fds"
like "dropped clients are told of" "$(cat "$LAB/glassd.log")" 'client pid [0-9]+ uid 0 dropped: '

cat >"$LAB/version.py" <<'PY'
import socket, struct, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1])
s.send(struct.pack("<IHH64x", 0x53534C47, 77, 1))
data = s.recv(1000)
print(struct.unpack_from("<i", data, 8)[0], data[96:].decode(), len(s.recv(10)))
PY
like "another version is told so" "$(python3 "$LAB/version.py" "$SOCK")" '^71 .*version 77.*version 2.*glass up.* 0$'

cat >"$LAB/deaf.py" <<'PY'
import socket, struct, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1])
s.setblocking(False)
sent = 0
try:
    for sent in range(100000):
        try:
            s.send(struct.pack("<IHH64x", 0x53534C47, 1, 1))
        except BlockingIOError:
            time.sleep(0.001)
except (BrokenPipeError, ConnectionResetError):
    print("dropped")
PY
is "who does not read answers is dropped" "$(timeout 20 python3 "$LAB/deaf.py" "$SOCK")" dropped
ok "others are served on" "$GLASS" ss

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$LAB" "$GLASS_DIR"
	chmod 666 "$SOCK"
	out=$(setpriv --reuid 65534 --clear-groups env LD_PRELOAD="$PRELOAD" python3 -c '
import socket
try: socket.socket()
except OSError as e: print(e.strerror)' 2>&1)
	like "another user is refused" "$out" 'Network is down'
	like "and the log tells" "$(cat "$LAB/glassd.log")" 'uid 65534 is neither root nor'

	# A server that gives up root after bind serves on: its children are let in through their parent's connection.
	cat >"$LAB/drop.py" <<'PY'
import os, socket, sys
l = socket.create_server((sys.argv[1], 7003))
print("ready", flush=True)
if not os.fork():
    os.chroot("/proc/self/fdinfo")
    os.setgid(65534)
    os.setuid(65534)
    c = l.accept()[0]
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    assert c.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    c.sendall(b"served")
    os._exit(0)
os.wait()
PY
	background env LD_PRELOAD="$PRELOAD" python3 "$LAB/drop.py" $STACK >"$LAB/drop.log" 2>&1
	wait_for 5 grep -q ready "$LAB/drop.log"
	is "a child without root and in a chroot serves on" "$(timeout 3 cat <"/dev/tcp/$STACK/7003")" served
fi
done_testing
