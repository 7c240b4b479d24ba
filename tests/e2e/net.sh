#!/bin/bash
# SPDX-License-Identifier: MIT
# glass net set, show, del with real programs: delay as ping sees it, loss that is repaired and accounted for packet by
# packet, rate, words that are wrong.
. "$(dirname "$0")/lib.sh"

net()
{
	"$GLASS" net "$@"
}

on_glass()
{
	LD_PRELOAD=$PRELOAD "$@"
}

said_by()
{
	"$@" 2>&1
	true
}

# The sum of a member over the rows of "glass net show -j".
sum()
{
	net show -j | python3 -c 'import json, sys
print(sum(row.get(sys.argv[1], 0) for row in json.load(sys.stdin)))' "$1"
}

counter()
{
	"$GLASS" stat -j -a | python3 -c 'import json, sys
def walk(x):
    if isinstance(x, dict):
        if sys.argv[1] in x and isinstance(x[sys.argv[1]], int): yield x[sys.argv[1]]
        if x.get("name") == sys.argv[1]: yield x["value"]
        for y in x.values(): yield from walk(y)
    elif isinstance(x, list):
        for y in x: yield from walk(y)
print(next(walk(json.load(sys.stdin)), 0))' "$1"
}

# Milliseconds of a round trip, as the host's ping has them, without the fraction.
trip()
{
	ping -qc3 -i0.05 -W2 "$STACK" | awk -F/ '/^rtt/ { print int($5) }'
}

between()
{
	[ "${1:-x}" -ge "$2" ] && [ "$1" -le "$3" ]
}

lab_start
head -c 3000000 /dev/urandom >"$LAB/file"
(cd "$LAB" && exec python3 -m http.server 8080 --bind "$HOST") >/dev/null 2>&1 &
lab_jobs+=($!)
wait_for 10 listens 8080
ping -qc1 -W1 "$STACK" >/dev/null

# ---- delay

like "nothing is set" "$(net)" "nothing set"
like "both directions" "$(net set delay 40ms)" "in delay 40ms.*out delay 40ms"
ok "a round trip takes 80 ms more" between "$(trip)" 80 110
ok "del of one" net del in
ok "a round trip takes 40 ms more" between "$(trip)" 40 70
like "the other one is left" "$(net show)" "^out delay 40ms seed"
ok "del of all" net del
ok "a round trip takes no time" between "$(trip)" 0 20

# ---- loss: repaired, and every frame accounted for

net set loss 3% delay 2ms seed 5 >/dev/null
ok "a file over a network that loses" on_glass curl -sf --max-time 60 -o "$LAB/got" "http://$HOST:8080/file"
ok "is whole" cmp "$LAB/file" "$LAB/got"
ok "frames were lost" between "$(sum lost)" 10 1000
is "the counter of the reason says as many" "$(counter NET_LOSS)" "$(sum lost)"
like "the trace shows them in their connection" "$("$GLASS" trace 1 -v 2>&1)" "NET_LOSS|lost on purpose"
like "and how long frames were on the way" "$("$GLASS" trace 1 -v 2>&1)" "later: .* on the way"
like "explain" "$("$GLASS" explain NET_LOSS)" "glass net"
ok "JSON of the counts" between "$(sum frames)" 1000 100000

# ---- a rate: 16 Mbit/s, so 500,000 bytes take a quarter of a second

head -c 500000 /dev/urandom >"$LAB/file"
net set in rate 16mbit limit 64kb >/dev/null
took=$(on_glass curl -sf --max-time 60 -o "$LAB/got" -w '%{time_total}' "http://$HOST:8080/file")
ok "a rate is kept" between "$(awk -v t="$took" 'BEGIN { print int(t * 1000) }')" 250 700
ok "nothing is damaged" cmp "$LAB/file" "$LAB/got"

# ---- everything at once, both directions, and a profile

net set rate 20mbit limit 100 delay 5ms 2ms 25% loss 1% 25% duplicate 1% reorder 5% 50% corrupt 0.5% >/dev/null
ok "a file over the worst of networks" on_glass curl -sf --max-time 60 -o "$LAB/got" "http://$HOST:8080/file"
ok "is whole, too" cmp "$LAB/file" "$LAB/got"
like "a profile" "$(net set profile lte)" "in delay 25ms .* rate 30mbit .*out delay 25ms .* rate 10mbit"
ok "aimed: the first SYN" net set out drop nth 1 syn
ok "is sent again" on_glass curl -sf --max-time 20 -o /dev/null "http://$HOST:8080/file"
is "aimed at once" "$(counter NET_AIMED)" 1

# ---- a filter, and a recorded link

net clear >/dev/null
if "$GLASS" doctor -j | jq -e '.[] | select(.name == "filters") | .ok' >/dev/null; then
	like "aimed by a filter" "$(net set out drop every 2 'icmp and' "dst host $HOST" delay 1ms)" \
		"^out delay 1ms drop every 2 icmp and dst host $HOST seed"
	before=$(counter NET_AIMED)
	ping -qc4 -i0.05 -W1 "$STACK" >"$LAB/ping" || true
	like "every second answer is lost" "$(cat "$LAB/ping")" "4 packets transmitted, 2 received"
	is "and accounted for" "$(($(counter NET_AIMED) - before))" 2
	ok "kinds and a filter" net set out drop nth 1 syn port 8080
	ok "its SYN is sent again" on_glass curl -sf --max-time 20 -o /dev/null "http://$HOST:8080/file"
	is "aimed at by both" "$(counter NET_AIMED)" $((before + 3))
	like "what is no filter" "$(said_by net set drop nth 3 tcp prot 80)" "is no filter"
	ok "glass run takes one" "$GLASS" run --net "drop nth 1 tcp port 8080 and tcp[13] == 2" true
else
	echo "# this glass was built without libpcap: filters are not tested"
fi
for ((ms = 1; ms <= 500; ms++)); do echo $((ms * 2)); done >"$LAB/six.mbit" # 1,518 bytes every 2 ms
like "a recorded link" "$(net set in trace "$LAB/six.mbit" limit 200)" "^in trace $LAB/six.mbit limit 200 seed"
took=$(on_glass curl -sf --max-time 60 -o "$LAB/got" -w '%{time_total}' "http://$HOST:8080/file")
ok "its rate is kept" between "$(awk -v t="$took" 'BEGIN { print int(t * 1000) }')" 640 2000
ok "all arrives" cmp "$LAB/file" "$LAB/got"
echo 7 >>"$LAB/six.mbit"
like "a time that goes back" "$(said_by net set trace "$LAB/six.mbit")" "six.mbit:501: a line is a time in milliseconds"
like "no such file" "$(said_by net set trace "$LAB/none")" "No such file"
net set out drop nth 1 syn >/dev/null

# ---- words

like "an unknown word" "$(said_by net set los 1%)" "'los': the words are"
like "a value without unit" "$(said_by net set delay 40)" "delay 40ms"
not_ok "is an error" net set delay 40
like "the last good setting holds" "$(net show)" "drop nth 1 syn"
ok "a black hole beside it" net blackhole 10.0.0.9
like "both are shown" "$(net show)" "drop nth 1 syn.*blackhole 10.0.0.9"
ok "clear" net clear
like "clears both" "$(net show)" "nothing set"

done_testing
