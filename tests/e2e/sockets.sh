#!/bin/bash
# SPDX-License-Identifier: MIT
# One script of socket calls (sockets.c) on the kernel's TCP and on Glass: results, errnos and poll masks, line by line.
. "$(dirname "$0")/lib.sh"

SOCKETS=${SOCKETS:-$GLASS_BUILD/tests/e2e/sockets}

lab_start || exit 1
background "$SOCKETS" peer 7777
background env LD_PRELOAD="$PRELOAD" "$SOCKETS" peer 7778
wait_for 5 listens 7777
sleep 0.3

# Each side is the other's peer, so both have the same wire between them.
timeout 60 "$SOCKETS" client $STACK 7778 >"$LAB/kernel" 2>&1
is "the script runs on the kernel" $? 0
LD_PRELOAD=$PRELOAD timeout 60 "$SOCKETS" client $HOST 7777 >"$LAB/glass" 2>&1
is "and on Glass" $? 0
is "as many lines" "$(wc -l <"$LAB/glass")" "$(wc -l <"$LAB/kernel")"

grep '^~' "$LAB/glass" | sed 's/^~/# may differ: /'
for case in $(grep -o '^[a-z_0-9]*' "$LAB/kernel" | sort -u); do
	diff <(grep "^$case" "$LAB/kernel") <(grep "^$case" "$LAB/glass") >"$LAB/diff"
	is "$case" "$(cat "$LAB/diff")" ""
done
diff <(grep -v '^~' "$LAB/kernel") <(grep -v '^~' "$LAB/glass") >"$LAB/diff"
is "all of it" "$(cat "$LAB/diff")" ""

# ---- a second connect while the first is under way: no byte of the plug reaches the peer

nft add table ip wait
nft add chain ip wait in '{ type filter hook input priority 0; }'
nft add rule ip wait in tcp dport 7100 drop
background python3 -c '
import socket
s = socket.create_server(("10.0.0.5", 7100))
c, _ = s.accept()
while data := c.recv(65536):
    c.sendall(data)'
wait_for 5 listens 7100
LD_PRELOAD=$PRELOAD timeout 20 python3 -c '
import errno, select, socket
s = socket.socket()
s.setblocking(False)
codes = [s.connect_ex(("10.0.0.5", 7100)) for _ in range(3)]
print([errno.errorcode[c] for c in codes], flush=True)
select.select([], [s], [])
s.setblocking(True)
s.sendall(b"hello")
s.shutdown(socket.SHUT_WR)
got = b""
while data := s.recv(65536):
    got += data
print(got)' >"$LAB/again" &
again=$!
wait_for 5 grep -q EALREADY "$LAB/again"
nft delete table ip wait
wait $again
is "connect while one is under way" "$(cat "$LAB/again")" \
	"['EINPROGRESS', 'EALREADY', 'EALREADY']
b'hello'"

# ---- urgent data, with the kernel on both sides, and with Glass on either

URGENT=$(dirname "$0")/urgent.py
background python3 "$URGENT" server $HOST 7200
background python3 "$URGENT" server $HOST 7201
background env LD_PRELOAD="$PRELOAD" python3 "$URGENT" server $STACK 7202
wait_for 5 listens 7200 && wait_for 5 listens 7201
wait_for 5 grep -q 7202 <("$GLASS" ss -ltn)
timeout 60 python3 "$URGENT" client $HOST 7200 >"$LAB/kernel"
LD_PRELOAD=$PRELOAD timeout 60 python3 "$URGENT" client $HOST 7201 >"$LAB/glass"
timeout 60 python3 "$URGENT" client $STACK 7202 >"$LAB/glass-serves"
is "urgent data: a client on Glass" "$(cat "$LAB/glass")" "$(cat "$LAB/kernel")"
is "urgent data: a server on Glass" "$(cat "$LAB/glass-serves")" "$(cat "$LAB/kernel")"
like "urgent data at all" "$(cat "$LAB/kernel")" "apart b'!'"
done_testing
