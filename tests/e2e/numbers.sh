#!/bin/bash
# SPDX-License-Identifier: MIT
# One number everywhere: an upload through a network that loses 1 % on purpose; then stat, ss, trace, why, JSON and the
# pcap tell the same retransmissions and drops, and each label of a retransmission is held against the impairer's own
# list of what it dropped.
. "$(dirname "$0")/lib.sh"

UPLOAD=6000000

lab_start
cat >"$LAB/sink.py" <<'END'
import socket, sys
listener = socket.create_server((sys.argv[1], 8080))
s, _ = listener.accept()
left = int(sys.argv[2])
while left:
	left -= len(s.recv(65536))
open(sys.argv[3], "w").close()
s.recv(1)
END
background python3 "$LAB/sink.py" "$HOST" "$UPLOAD" "$LAB/done"
wait_for 10 listens 8080
ping -qc1 -W1 "$STACK" >/dev/null
"$GLASS" pcap -w "$LAB/all.pcapng" >/dev/null 2>&1 &
capture=$!
wait_for 5 sh -c "'$GLASS' status | grep -q 'capture *on'"
ok "1 % is lost, from a seed" "$GLASS" net set out loss 1% delay 2ms seed 7
background env LD_PRELOAD="$PRELOAD" python3 -c "
import os, socket, time
s = socket.create_connection(('$HOST', 8080))
s.sendall(os.urandom($UPLOAD))
time.sleep(60)"
ok "an upload arrives all the same" wait_for 60 test -e "$LAB/done"
all_acknowledged()
{
	[ "$("$GLASS" ss -j dport = :8080 | jq '.[0].send_q')" = 0 ]
}
ok "and is acknowledged" wait_for 10 all_acknowledged
sleep 0.3 # an ACK of a duplicate may still come
kill -INT "$capture"
wait "$capture" 2>/dev/null

"$GLASS" stat -a -j >"$LAB/stat.json"
"$GLASS" stat -a >"$LAB/stat.txt"
"$GLASS" ss -ti dport = :8080 >"$LAB/ss.txt"
"$GLASS" ss -j dport = :8080 >"$LAB/ss.json"
"$GLASS" trace -j >"$LAB/trace.jsonl" 2>"$LAB/trace.err"
"$GLASS" trace --raw -e tcp_rtx >"$LAB/rtx.txt" 2>/dev/null
"$GLASS" trace --raw -e drop >"$LAB/drop.txt" 2>/dev/null
"$GLASS" why -j "$HOST:8080" >"$LAB/why.json"
"$GLASS" why --slow -j "$HOST:8080" >"$LAB/slow.json"
"$GLASS" net show -j >"$LAB/net.json"
is "the recorder has all of it" "$(cat "$LAB/trace.err")" ""
python3 "$(dirname "$0")/numbers.py" "$LAB" "$UPLOAD" >"$LAB/verdict" 2>&1 || echo "crashed: not" >>"$LAB/verdict"
while IFS= read -r line; do
	like "${line%%: *}" "${line#*: }" "^same"
done < <(grep -v '^#' "$LAB/verdict")
ok "there was something to compare" grep -q '^retransmitted segments: same [1-9][0-9]' "$LAB/verdict"
ok "the account holds" "$GLASS" check
sed 's/^/# /' "$LAB/verdict"
# What a tool that can only guess makes of the same packets, beside what the stack knows.
if command -v tshark >/dev/null; then
	"$GLASS" wireshark --print >"$LAB/glass.lua"
	fields=()
	for field in tcp.analysis.{retransmission,fast_retransmission,spurious_retransmission,out_of_order} \
		glass.retransmission glass.spurious; do
		fields+=(-e "$field")
	done
	tshark -2 -X lua_script:"$LAB/glass.lua" -r "$LAB/all.pcapng" -Y 'tcp.dstport == 8080' -T fields \
		-E separator=, "${fields[@]}" >"$LAB/tshark.txt" 2>/dev/null
	awk -F, '$1 { r++ } $2 { f++ } $3 { s++ } $4 { o++ } END {
		printf "# tshark guesses: %d retransmissions, %d fast, %d spurious; %d out of order\n", r, f, s, o
	}' "$LAB/tshark.txt"
	is "by the fields in tshark as many, and as many needless" \
		"$(awk -F, '$5 { r++ } $6 { s++ } END { print r + 0, s + 0 }' "$LAB/tshark.txt")" \
		"$(sed -n 's/^# in the capture: \([0-9]* [0-9]*\)$/\1/p' "$LAB/verdict")"
else
	echo "# no tshark: its guesses are not shown"
fi

done_testing
