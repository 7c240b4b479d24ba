#!/bin/bash
# SPDX-License-Identifier: MIT
# What LD_PRELOAD cannot reach: static programs, system calls without the C library, the C library's own resolver.
. "$(dirname "$0")/lib.sh"

STATIC=${STATIC:-$GLASS_BUILD/tests/e2e/static_client}
SCRIPT=$(dirname "$0")/datagrams.py
SECCOMP=("$GLASS" run --mode seccomp)

supervisors()
{
	pgrep -c glass-run
}

lab_start || exit 1
mkdir "$LAB/www"
head -c 100000 /dev/urandom >"$LAB/www/file"
background python3 -m http.server 8080 --bind $HOST --directory "$LAB/www" >/dev/null 2>&1
wait_for 5 listens 8080

# ---- the supervisor's reach, and the program's own life

like "a static program" "$("$GLASS" run "$STATIC" $HOST 8080)" "^$STACK: [0-9]+ bytes"
out=$("$GLASS" run --mode preload "$STATIC" $HOST 8080 2>&1)
is "which LD_PRELOAD alone refuses" $? 126
like "and says what to type" "$out" '--mode seccomp'
out=$("$GLASS" run "$STATIC" $HOST 81 2>&1)
is "its exit status is the program's" $? 1
is "its error too" "$out" "connect: Connection refused"
is "curl under seccomp alone: same bytes" \
	"$("${SECCOMP[@]}" curl -s http://$HOST:8080/file | sha256sum)" "$(sha256sum <"$LAB/www/file")"
"${SECCOMP[@]}" bash -c 'kill -9 $$'
is "killed by a signal" $? 137
is "io_uring is not there" "$("${SECCOMP[@]}" python3 -c '
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall(425, 1, 0)
print(errno.errorcode[ctypes.get_errno()])')" ENOSYS
is "the wrong mode" "$("$GLASS" run --mode fast true 2>&1)" \
	"glass run: no such mode: fast. Type: --mode preload, --mode seccomp or --mode both"

# ---- a server, and signals in calls that wait

background "${SECCOMP[@]}" python3 -m http.server 8081 --bind $STACK --directory "$LAB/www" >/dev/null 2>&1
server=$!
ok "a server under seccomp" curl -s --retry 20 --retry-delay 1 --retry-connrefused -o "$LAB/got" http://$STACK:8081/file
is "same bytes" "$(sha256sum <"$LAB/got")" "$(sha256sum <"$LAB/www/file")"
kill -9 $server
is "a signal ends a waiting accept" "$("${SECCOMP[@]}" python3 -c '
import signal, socket, time
class Alarm(Exception):
    pass
def alarm(*_):
    raise Alarm
signal.signal(signal.SIGALRM, alarm)
listener = socket.create_server(("10.0.0.4", 8082))
signal.setitimer(signal.ITIMER_REAL, 0.3)
begin = time.monotonic()
try:
    listener.accept()
except Alarm:
    print("in time" if time.monotonic() - begin < 2 else "late")')" "in time"
ok "EMFILE leaves the connection queued" "${SECCOMP[@]}" python3 -c '
import resource, socket
listener = socket.create_server(("10.0.0.4", 8083))
client = socket.create_connection(("10.0.0.4", 8083))
fds = len(__import__("os").listdir("/proc/self/fd")) - 1
resource.setrlimit(resource.RLIMIT_NOFILE, (fds, 4096))
try:
    listener.accept()
    raise SystemExit("accepted beyond the limit")
except OSError as e:
    assert e.errno == 24, e
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
listener.accept()[0].close()'

# ---- datagrams, call by call

sysctl -qw net.ipv4.icmp_ratelimit=0 # all errors of both runs
background python3 "$SCRIPT" server $HOST
wait_for 5 listens_udp 9000
LD_PRELOAD=$PRELOAD timeout 60 python3 "$SCRIPT" client $STACK $HOST >"$LAB/preload" 2>&1
timeout 60 "${SECCOMP[@]}" python3 "$SCRIPT" client $STACK $HOST >"$LAB/seccomp" 2>&1
is "datagrams: as with the library, errors too" "$(diff "$LAB/preload" "$LAB/seccomp")" ""
ok "whoever looks into a listening socket takes nothing" timeout 20 "${SECCOMP[@]}" python3 -c '
import errno, socket
listener = socket.create_server(("10.0.0.4", 8084))
client = socket.create_connection(("10.0.0.4", 8084))
for take in listener.recv, listener.recvfrom, listener.recvmsg:
    try:
        raise SystemExit(f"{take}: {take(100)}")
    except OSError as e:
        assert e.errno == errno.ENOTCONN, e
accepted = listener.accept()[0]
accepted.sendmsg([b"one", b"two"])
assert client.recv(6, socket.MSG_WAITALL) == b"onetwo"
client.send(b"three")
assert accepted.recvmsg(100)[0] == b"three"'

# ---- names: glibc's resolver makes its sockets where nothing is interposed

background python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.0.0.5", 53))
while True:
    query, client = s.recvfrom(512)
    question = query[12:query.index(0, 12) + 5]
    known = b"\x03www\x03lab\x00" in question and question[-4:-2] == b"\x00\x01"
    answer = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04" + socket.inet_aton("10.0.0.5")
    s.sendto(query[:2] + b"\x81\x80\x00\x01" + bytes([0, known, 0, 0, 0, 0]) + question + answer * known, client)'
wait_for 5 listens_udp 53
is "a name" "$(timeout 20 "$GLASS" run --dns $HOST getent ahostsv4 www.lab | cut -d' ' -f1 | sort -u)" $HOST
is "curl by name" \
	"$(timeout 20 "$GLASS" run --dns $HOST curl -s -o /dev/null -w '%{http_code}' http://www.lab:8080/)" 200
echo "nameserver $HOST" >"$GLASS_DIR/default.resolv.conf"
is "the stack's own resolv.conf" \
	"$(timeout 20 "$GLASS" run getent ahostsv4 www.lab | cut -d' ' -f1 | sort -u)" $HOST
is "the host's is as it was" "$(grep -c $HOST /etc/resolv.conf)" 0

# ---- the end

wait_for 5 fails pgrep glass-run
is "no supervisor is left" "$(supervisors)" 0
done_testing
