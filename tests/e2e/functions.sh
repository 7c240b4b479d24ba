#!/bin/bash
# SPDX-License-Identifier: MIT
# glass trace --functions: every function that a packet passed, by writing calls into the running daemon.
. "$(dirname "$0")/lib.sh"

get=$EXAMPLES/get
first_child=$LAB/asker

# Records of one kind in the recorder.
count()
{
	"$GLASS" trace --event "$1" --json | wc -l
}

# Asks for functions with these options until asker_stop; what it tells is in $LAB/told.
asker_start()
{
	"$GLASS" trace "$@" >"$LAB/told" 2>"$LAB/asker.err" </dev/null &
	lab_jobs+=($!)
	echo $! >"$first_child"
	wait_for 5 calls_are_recorded
}

# The daemon answers this very question by calling its functions.
calls_are_recorded()
{
	"$GLASS" ss -a >/dev/null
	[ "$(count func)" -gt 0 ]
}

asker_stop()
{
	kill "$(cat "$first_child")"
	wait "$(cat "$first_child")" 2>/dev/null
}

fetch()
{
	LD_PRELOAD=$PRELOAD "$get" "$HOST" 8080 / >"$LAB/page" 2>&1
}

# The functions of the act in whose story $1 stands, in their order.
functions_behind()
{
	awk -v what="$1" 'index($0, what) { on = 1; next } on && /^ +[0-9.]+  c[0-9]/ { exit } on { print $1 }' \
		"$LAB/told"
}

# Calls end in the opposite order of their begins, and none takes longer than the one around it.
times_nest()
{
	"$GLASS" trace --raw --json | python3 -c '
import json, sys
open_calls, ended = [], 0
for line in sys.stdin:
    r = json.loads(line)
    if r["event"] == "func":
        open_calls.append([r["room"], r["depth"], 0])
    elif r["event"] == "func_end":
        room, depth, longest = open_calls.pop()
        assert [room, depth] == [r["room"], r["depth"]] and r["took_ns"] >= longest, line
        if open_calls:
            open_calls[-1][2] = max(open_calls[-1][2], r["took_ns"])
        ended += 1
assert ended > 50 and not open_calls, (ended, open_calls)
'
}

# Slices of a track nest, and tcp_input lies in ip_input.
perfetto_nests()
{
	"$GLASS" trace --export perfetto 1 | python3 -c '
import json, sys
tracks = {}
for e in json.load(sys.stdin)["traceEvents"]:
    if e["ph"] == "X":
        begin = round(e["ts"] * 1000)
        tracks.setdefault(e["tid"], []).append((begin, -begin - round(e["dur"] * 1000), e["name"]))
inside = set()
for slices in tracks.values():
    around = []
    for begin, end, name in sorted(slices):
        while around and -around[-1][0] <= begin:
            around.pop()
        assert not around or -end <= -around[-1][0], (name, around)
        inside |= {(outer, name) for _, outer in around}
        around.append((end, name))
assert ("ip_input", "tcp_input") in inside, [outer for outer, name in inside if name == "tcp_input"]
'
}

# The unit of the page's tree, and the name of a function in it.
page_tree()
{
	python3 -c '
import base64, json, re, sys, zlib
packed = re.search("id=.data.>([^<]*)<", open(sys.argv[1], encoding="utf-8").read()).group(1)
tree = json.loads(zlib.decompress(base64.b64decode(packed)))["tree"]
at = tree["name"].index("tcp_input")
assert 0 < tree["value"][at] <= tree["value"][tree["parent"][at]] <= tree["value"][0], tree
print(tree["unit"], tree["name"][at])' "$LAB/page.html"
}

lab_start --trace-records 65536
mkdir "$LAB/www"
echo "a page" >"$LAB/www/index.html"
background python3 -m http.server 8080 --bind "$HOST" --directory "$LAB/www" >/dev/null 2>&1
wait_for 10 listens 8080
fetch
is "nothing is recorded unless somebody asks" "$(count func)" 0

ok "somebody asks" asker_start --functions
ok "a page" fetch
is "a second asker is told to wait" "$("$GLASS" trace --functions 2>&1)" \
	"glass: functions: somebody else does so: one at a time"
wait_for 5 grep -q "CLOSED: " "$LAB/told"
asker_stop
walk=$(functions_behind "rx [S.]" | tr '\n' ' ')
like "the SYN-ACK's way, in its order" "$walk" \
	"eth_input .*ip_input .*tcp_input .*tcp_find .*tcp_syn_sent_input .*tcp_rtt_sample .*tcp_change_state "
like "with what was decided on it" "$(grep -A400 'rx \[S\.\]' "$LAB/told")" "SYN-SENT -> ESTABLISHED: SYN-ACK"
like "calls stand to the right of their callers" "$(grep -A400 'rx \[S\.\]' "$LAB/told")" \
	"( +)ip_input.*
\1 +tcp_input"
number=$(grep -m1 -o '#[0-9]* *rx \[S\.\]' "$LAB/told" | grep -o '[0-9]\+' | head -n 1)
like "the packet's own story has them too" "$("$GLASS" trace --packet "$number")" "
 +tcp_syn_sent_input"

had=$(count func)
fetch
fetch
like "when the asker has gone, nothing more is recorded" "$(($(count func) <= had))" 1

lab_stop default
lab_start --trace-records 65536
ok "with times" asker_start --functions=timed
ok "a page" fetch
wait_for 5 grep -q "CLOSED: " "$LAB/told"
asker_stop
like "each call tells how long it took" "$(cat "$LAB/told")" "tcp_input  [0-9.]+ .s"
ok "as long as each that it made, at least" times_nest
ok "the daemon goes on" fetch
ok "Perfetto gets them one in another, as wide as they took" perfetto_nests
if "$GLASS" report -o "$LAB/page.html" 1 >"$LAB/out" 2>&1; then
	is "the page has them as a tree, in time" "$(page_tree)" "ns tcp_input"
else
	like "or this glass makes no pages, and says so" "$(cat "$LAB/out")" "built without pages"
fi

"$GLASS" trace --functions=often >"$LAB/out" 2>&1
is "another value is wrong usage" "$?" 2

# An asker that is killed, in the middle of traffic, many times: the text is whole afterwards.
for _ in 1 2 3 4 5 6 7 8; do
	"$GLASS" trace --functions=timed >/dev/null 2>&1 </dev/null &
	asker=$!
	fetch
	kill -9 $asker
	wait $asker 2>/dev/null
done
ok "askers may be killed" fetch
ok "and asked again" asker_start --functions
asker_stop

# The begin of a function that is called only at the daemon's end: its bytes, before these are written there.
entry()
{
	python3 "$(dirname "$0")/entry.py" "$GLASSD" "$(lab_pid)" glass_free "$@"
}

idle=0f1f440000
is "a function begins with one idle instruction" "$(entry)" $idle
is "a breakpoint, as a uprobe makes it" "$(entry cc)" $idle
is "whoever asks is told" "$("$GLASS" trace --functions 2>&1)" \
	"glass: functions: a tracer outside has probes on functions (uprobes): one at a time"
is "and nothing was written" "$(entry 0f)" cc1f440000
ok "it is gone: functions are seen" asker_start --functions
like "a call stands there" "$(entry cc)" "^e8"
asker_stop
wait_for 5 eval '[ "$(entry)" = cc1f440000 ]'
is "a breakpoint that came meanwhile stays, with idle bytes behind it" "$(entry 0f)" cc1f440000
ok "and goes" asker_start --functions
asker_stop
ok "the daemon goes on" fetch
lab_stop default

cp "$GLASSD" "$LAB/stripped"
strip "$LAB/stripped"
GLASSD=$LAB/stripped lab_start
like "a stripped daemon says so" "$("$GLASS" trace --functions 2>&1)" "stripped: its functions have no names"
done_testing
