#!/bin/bash
# SPDX-License-Identifier: MIT
# glass top: line by line without a terminal, and on one: keys, sizes, and the terminal as it was.
. "$(dirname "$0")/lib.sh"

# ---- without a terminal

"$GLASS" top -b -n 1 >"$LAB/out" 2>&1
is "without a stack it says so" "$? $(head -c 35 "$LAB/out")" "3 glass: stack default is not running"
lab_start --trace-records 65536
background python3 2>/dev/null -c "
import socket, time
l = socket.create_server(('$HOST', 8080)); c = l.accept()[0]
while c.recv(65536): time.sleep(0.02)"
wait_for 10 listens 8080
background env LD_PRELOAD="$PRELOAD" python3 2>/dev/null -c "
import socket
s = socket.create_connection(('$HOST', 8080)); l = socket.create_server(('', 7000))
while True: s.send(bytes(20000))"
wait_for 10 sh -c "'$GLASS' ss -l | grep -q 7000"
"$GLASS" net set out drop every 20 data >/dev/null
once=$("$GLASS" top -b -n 1)
like "the stack, its rates, its knobs" "$once" "glass top - stack default up 0:00:[0-9]+, 1 established, 0 other, .*
in +[0-9.]+[kMG]? bit/s.*
again .*
drops .*
net    out drop every 20 data"
like "a connection" "$once" "RATE|CONN STATE .*
 +1 ESTAB +$STACK:[0-9]+ +$HOST:8080 "
is "listening sockets only with -a" "$(grep -c LISTEN <<<"$once") $("$GLASS" top -b -n 1 -a | grep -c LISTEN)" "0 1"
is "ss's filters let pass" "$("$GLASS" top -b -n 1 dport = 8080 | grep -c ESTAB)" 1
is "or not" "$("$GLASS" top -b -n 1 dport = 8081 | grep -c ESTAB)" 0
"$GLASS" top -b -n 3 -d 0.2 >"$LAB/out"
is "so many looks" "$(grep -c '^glass top' "$LAB/out")" 3
"$GLASS" top -j -n 2 -d 0.5 >"$LAB/json"
rates=$(jq -s '.[1] | .out_bit_s > 0 and .out_frames_s > 0 and .connections[0].tx_bit_s > 0' "$LAB/json")
is "the second look has rates" "$rates" true
reasons=$(jq -rs '.[1].top_drops | map(.reason) | join(" ")' "$LAB/json")
like "what is lost has its reason" "$reasons" NET_AIMED
is "a wrong column" "$("$GLASS" top -b -o rt 2>&1 | head -n 1)" "glass top: there is no column 'rt', did you mean rx"
like "no terminal: the way to do without" "$("$GLASS" top 2>&1 </dev/null)" "glass top -b"

# ---- on a terminal

command -v tmux >/dev/null || skip "tmux is not there"
pane() { tmux -L glass -f /dev/null "$@"; }
screen() { pane capture-pane -p; }
keys() { pane send-keys "$@"; }
shows() { screen | grep -q -- "$1"; }

pane new-session -d -x 130 -y 24 "env PS1='ready> ' bash --norc"
wait_for 10 shows ready
keys "stty -a >$LAB/before; '$GLASS' top -d 0.2" Enter
ok "the screen" wait_for 10 shows "glass top - stack default"
like "with the connection" "$(screen)" "ESTAB +$STACK:"
keys a
ok "a: listening sockets" wait_for 10 shows LISTEN
keys a
keys Down Enter
ok "Enter: all about a connection" wait_for 10 shows "as glass ss -i tells it"
like "its budget" "$(screen)" "what held it back.*%  "
keys Escape
ok "Esc: back" wait_for 10 shows "CONN STATE"
keys p
ok "p: it stands still" wait_for 10 shows PAUSED
keys p
keys h
ok "h: help" wait_for 10 shows "this help"
keys h
keys / nosuch Enter
ok "/: a filter" wait_for 10 shows "filter 'nosuch': 0 rows"
keys Escape
ok "which Esc ends" wait_for 10 shows ESTAB
keys u
ok "the order" wait_for 10 shows "RTT\*"
pane resize-window -x 60 -y 10
ok "a smaller window" wait_for 10 shows "LOCAL  "
pane resize-window -x 130 -y 24
ok "a larger one" wait_for 10 shows LIMITER
keys q
ok "q: the end" wait_for 10 shows "ready>"
keys "stty -a >$LAB/after" Enter
wait_for 10 test -s "$LAB/after"
is "the terminal is as it was" "$(diff "$LAB/before" "$LAB/after")" ""
keys "'$GLASS' top; echo status \$?" Enter
wait_for 10 shows "glass top - "
keys C-c
ok "Ctrl-C ends it" wait_for 10 shows "status 0"
keys clear Enter
keys "'$GLASS' top; echo code \$?" Enter
wait_for 10 shows "glass top - "
lab_stop
ok "the daemon's end ends it, with a word" wait_for 10 shows "of stack default ended\|default is not running"
ok "and its exit code" wait_for 10 shows "code 3"
keys "rm $LAB/after; stty -a >$LAB/after" Enter
wait_for 10 test -s "$LAB/after"
is "and the terminal is as it was" "$(diff "$LAB/before" "$LAB/after")" ""
pane kill-server
done_testing
