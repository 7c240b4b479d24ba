#!/bin/bash
# SPDX-License-Identifier: MIT
# A takeover in any state: a bad network with its recorded link and its filter, what was written down, who looks on, who
# waits for a close, a listener without room, a device without rights.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/takeover_lib.sh"

# from_glass PORT N: so many datagrams.
from_glass()
{
	LD_PRELOAD=$PRELOAD python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range($2):
    s.sendto(b'to port $1.', ('10.0.0.5', $1))"
}

# net_count WORD: a count of the direction out.
net_count()
{
	"$GLASS" net show | grep -oP "(?<= $1 )\d+"
}

# shows WORDS LOG
shows()
{
	grep -q "$1" "$2"
}

lab_start --trace-records 4096 || exit 1
start echo "${off[@]}" echo 10.0.0.5 7000
start idle "${on[@]}" idle 10.0.0.5 7000 "$LAB/go"

# ---- what was written down

LD_PRELOAD=$PRELOAD python3 -c "import socket; socket.create_connection(('10.0.0.5', 1))" 2>/dev/null
records=$("$GLASS" status | awk '/^trace_records / { print $2 }')
background "$GLASS" trace -f >"$LAB/follow" 2>&1
background "$GLASS" pcap -U -w "$LAB/capture" >"$LAB/pcap" 2>&1
capture=$!
wait_for 10 shows capturing "$LAB/pcap"
from_glass 9 2
ok "a takeover, while others look on" take
like "the records of before are there" "$("$GLASS" trace 1)" 'SYN-SENT -> ESTABLISHED'
like "with the event between" "$("$GLASS" trace --raw -e taken_over)" 'records of before come first: whatever it kept'
like "why still explains" "$("$GLASS" why 10.0.0.5:1)" 'refused'
ok "their numbers go on" test "$("$GLASS" status | awk '/^trace_records / { print $2 }')" -gt "$records"
is "it keeps as many as it did" "$("$GLASS" status | awk '/^trace_records_kept / { print $2 }')" 4096
from_glass 10 1
ok "who follows sees what comes after" wait_for 10 shows ':10\b' "$LAB/follow"
is "and that once" "$(grep -c 'another process goes on' "$LAB/follow")" 1
ok "more are kept from now on" take --trace-records 16384
like "and those of before are there" "$("$GLASS" trace 1)" 'SYN-SENT -> ESTABLISHED'
ok "none are kept" take --trace-records 0
not_ok "so there are none" "$GLASS" trace
ok "again" take --trace-records 4096
like "it says what it had" "$("$GLASS" trace --raw -e taken_over)" '0 records of before.*no recorder'
from_glass 11 1
kill -INT "$capture"
wait_for 10 gone "$capture"
like "a capture went on over all of this" "$(cat "$LAB/pcap")" '[0-9]+ frames written'
for port in 9 10 11; do
	ok "it has what went to port $port" grep -qa "to port $port\." "$LAB/capture"
done
is "and knew of each what became of it" "$(grep -ac 'verdict=unknown' "$LAB/capture")" 0

# ---- a bad network

printf '%s\n' 5 600000 >"$LAB/link"
ok "a recorded link, and a loss aimed by a filter" \
	"$GLASS" net set out trace "$LAB/link" drop nth 3 'udp dst port 5009'
from_glass 5009 1
sleep 0.05
from_glass 5009 1
waits=$(net_count under_way)
frames=$(net_count frames)
ok "are taken along" take
like "as they are" "$("$GLASS" net show)" 'trace .*/link .*drop nth 3 udp dst port 5009'
is "what waits still waits" "$(net_count under_way)" "$waits"
from_glass 5009 2
is "the third one was aimed at" "$(net_count aimed)" 1
sleep 0.05
ok "the link is where it was" test "$(net_count under_way)" -gt "$waits"
ok "and counts on" test "$(net_count frames)" -ge $((frames + 2))
"$GLASS" net del >/dev/null

# ---- who waits for a close

start linger "${on[@]}" linger 10.0.0.5 7000 "$LAB/close"
"$GLASS" net set out loss 100% >/dev/null
touch "$LAB/close"
sleep 0.2
ok "somebody waits in close(2)" take
sleep 0.2
is "and still does" "$(cat "$LAB/linger")" ready
"$GLASS" net del >/dev/null
is "until the peer has all" "$(last linger)" "closed in order"

# ---- whoever holds the clock

mkfifo "$LAB/commands"
"$GLASS" step <"$LAB/commands" >"$LAB/step" 2>&1 &
lab_jobs+=($!)
exec 7>"$LAB/commands"
echo "save $LAB/ring" >&7
ok "the stack is held" wait_for 10 test -s "$LAB/ring"
not_ok "then nobody takes it over" take
like "and hears why" "$(cat "$LAB/take.log")" "stands still by 'glass step'"
exec 7>&-
touch "$LAB/go"
is "nobody noticed anything" "$(last idle)" unnoticed
"$GLASS" down >/dev/null
done_testing
