#!/bin/bash
# SPDX-License-Identifier: MIT
# Every command's -j against its schema in docs/json, and every command's text without an escape byte when it goes into
# a pipe, and on a terminal with NO_COLOR.
. "$(dirname "$0")/lib.sh"

SCHEMAS=$(cd "$(dirname "$0")/../../docs/json" && pwd)
command -v jq >/dev/null || skip "jq is not there"

# faults SCHEMA JSON-FILE
faults()
{
	jq -r --slurpfile schema "$SCHEMAS/$1.json" -f "$SCHEMAS/validate.jq" "$2" 2>&1
}

checked=()
said=()
# schema SCHEMA ARGUMENTS...: the command with -j is by the schema, and says something.
schema()
{
	local name=$1

	shift
	"$GLASS" -j "$@" >"$LAB/json" 2>"$LAB/err" </dev/null
	[ -s "$LAB/json" ] || cat "$LAB/err" >"$LAB/json"
	said+=("$1")
	is "glass $*: as $name.json says" "$(faults "$name" "$LAB/json" | head -5)" ""
	checked+=("$name")
}

# plain ARGUMENTS...: no escape byte, neither in a pipe nor on a terminal with NO_COLOR.
plain()
{
	local pipe tty

	pipe=$("$GLASS" "$@" 2>&1 </dev/null | grep -c $'\033')
	tty=$(NO_COLOR=1 script -qec "'$GLASS' $(printf "'%s' " "$@")" /dev/null </dev/null | grep -c $'\033')
	is "glass $*: no escape byte" "$pipe in a pipe, $tty with NO_COLOR" "0 in a pipe, 0 with NO_COLOR"
}

# ---- the validator itself can say no

echo '{"stack": 7, "pid": 1, "extra": true}' >"$LAB/wrong"
is "the validator finds faults" "$(faults up "$LAB/wrong")" $'.stack: integer, not string\n.extra: is not in the schema'
echo '[{"law": "x", "holds": 1, "have": 1}]' >"$LAB/wrong"
is "in arrays too, and what is missing" "$(faults check "$LAB/wrong")" \
	$'[0]: there is no parts\n[0].holds: integer, not boolean'

# ---- a stack with something to show

schema up up
background python3 -m http.server 8080 --bind "$HOST" --directory "$LAB" >/dev/null 2>&1
wait_for 10 listens 8080
LD_PRELOAD=$PRELOAD curl -s -o /dev/null "http://$HOST:8080/"
LD_PRELOAD=$PRELOAD curl -s -o /dev/null "http://$HOST:81/"
background env LD_PRELOAD="$PRELOAD" python3 -c "
import socket, time
s = socket.create_connection(('$HOST', 8080)); l = socket.create_server(('', 7000))
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('', 5353)); time.sleep(60)"
wait_for 10 sh -c "'$GLASS' ss -l | grep -q 5353"

export HOME=$LAB/home WIRESHARK_EXTCAP_DIR=$LAB/extcap # where glass wireshark writes
background ping -qi 0.2 "$STACK" >/dev/null
while read -r name arguments; do
	# shellcheck disable=SC2086 # words
	schema "$name" $arguments
	# shellcheck disable=SC2086
	plain $arguments
done <<'END'
addr addr
link link
maddr maddr
neigh neigh
route route
done net set loss 1% delay 1ms
done net blackhole 10.0.0.9
net net show
done net clear
status status
ss ss -atuwpiemo
ss-summary ss -s
stat stat
stat stat -a
stat stat -t 0.1 -c 2
check check
tunables tunables
trace trace
trace trace -e drop
trace-paths trace --paths
why why
why why 10.0.0.5:81
why-slow why --slow
why-slow why --slow 10.0.0.5:81
explain explain IP_SHORT tcp_rtx TCPTimeouts tcp_sack ESTAB SACK cwnd
explain-list explain
ping ping -c 2 -i 0.01 10.0.0.5
done set tcp_sack=1
doctor doctor
pcap pcap -c 2 -w /dev/null
wireshark wireshark
wireshark wireshark --uninstall
help help
END
if "$GLASS" report -o "$LAB/page.html" 2>&1 | grep -q "for any browser"; then
	schema report report 10.0.0.5:81 -o "$LAB/page.html"
else
	checked+=(report) said+=(report) # this build has no pictures
fi
plain trace 1 --verbose
plain help
plain help ss
plain completion bash
plain nonsense
plain trace "tcp and ("

# Each schema was held against something, and each command has one: but those that run something else, and a script.
schema top top -n 2 -d 0.1
plain top -b -n 1
schema step step --scene fetch -e "next 12; print; continue"
plain step --scene loss -e "until rtx; break drop; continue; print"
schema "done" down
for command in $("$GLASS" help | sed -n 's/^  \([a-z]*\)  *[a-z].*/\1/p'); do
	case $command in
	run | host | completion) ;;
	*) like "$command has a schema" " ${said[*]} " " $command " ;;
	esac
done
for file in "$SCHEMAS"/*.json; do
	like "$(basename "$file") was used" " ${checked[*]} " " $(basename "$file" .json) "
	is "and is a schema with a title" "$(jq -r '.title | startswith("glass ")' "$file")" true
done

done_testing
