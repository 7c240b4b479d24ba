#!/bin/bash
# SPDX-License-Identifier: MIT
# glass step on the running stack: it stands still, goes on event by event, and runs on whatever becomes of the command.
. "$(dirname "$0")/lib.sh"

get=$EXAMPLES/get

# A stepper that reads its commands from descriptor 7; what it tells is in $LAB/told.
stepper_start()
{
	rm -f "$LAB/commands"
	mkfifo "$LAB/commands"
	"$GLASS" step --within 20 "$@" <"$LAB/commands" >"$LAB/told" 2>&1 &
	stepper=$!
	exec 7>"$LAB/commands"
	say "save $LAB/ring"
	wait_for 10 test -s "$LAB/ring"
	rm -f "$LAB/ring"
}

say()
{
	printf '%s\n' "$@" >&7
}

# Says it and waits until it is done.
obey()
{
	say "$@" "save $LAB/ring"
	wait_for 20 test -s "$LAB/ring"
	local rc=$?

	rm -f "$LAB/ring"
	return $rc
}

stepper_end()
{
	(trap '' PIPE; say quit) 2>/dev/null # perhaps it has ended already
	exec 7>&-
	wait "$stepper"
}

fetch()
{
	LD_PRELOAD=$PRELOAD "$get" "$HOST" 8080 "${1:-/}" >"$LAB/page" 2>&1
}

fetch_later()
{
	rm -f "$LAB/page"
	fetch "$@" 7>&- & # or the stepper's commands have no end
	fetcher=$!
	lab_jobs+=("$fetcher")
}

# The times of the ARP requests for an address, in tenths of a second after the first of them.
asked_at()
{
	"$GLASS" trace -j -e arp_out | jq -r --arg who "$1" 'select(.target == $who) | .time_ns' |
		awk 'NR == 1 { first = $1 } { printf("%s%.1f", NR > 1 ? " " : "", ($1 - first) / 1e9) }'
}

command -v jq >/dev/null || skip "jq is not there"
lab_start --trace-records 262144
mkdir "$LAB/www"
echo "a page" >"$LAB/www/index.html"
head -c 3000000 /dev/urandom >"$LAB/www/big"
background python3 -m http.server 8080 --bind "$HOST" --directory "$LAB/www" >/dev/null 2>&1
wait_for 10 listens 8080

# ---- a connection, step by step

stepper_start
fetch_later
sleep 0.3
is "while the stack stands still a program waits" "$(kill -0 $fetcher && cat "$LAB/page")" ""
ok "other commands are answered" "$GLASS" ss -a
like "another stepper is told to wait" "$("$GLASS" step -e next 2>&1)" "somebody else steps this stack"
ok "until the SYN" obey "until syn"
like "it is told" "$(tail -n 3 "$LAB/told")" "c1 .*#[0-9]+ .*\[S\] seq 0"
like "and is where the connection stands" "$("$GLASS" ss -t)" "SYN-SENT"
ok "the next packets" obey "until syn and in" "print"
like "the SYN-ACK" "$(cat "$LAB/told")" "rx \[S\.\] seq 0 ack 1"
like "print tells what ss tells" "$(tail -n 2 "$LAB/told")" "c1 +ESTAB $STACK:[0-9]+ > $HOST:8080.* rto:[0-9]+"
is "the page is not there yet" "$(cat "$LAB/page")" ""
ok "a breakpoint" obey "break conn 1 and fin and in" "continue"
like "stops the run" "$(cat "$LAB/told")" "breakpoint 1: conn 1 and fin and in
.*rx \[F"
ok "the stepper ends" stepper_end
wait $fetcher
is "and the program goes on" "$?" 0
like "with its page" "$(cat "$LAB/page")" "a page"
ok "nothing was lost on the way" "$GLASS" check

# ---- whatever becomes of the stepper

stepper_start
fetch_later
obey "until syn and out"
kill -9 "$stepper"
wait "$stepper" 2>/dev/null
exec 7>&-
wait $fetcher
is "it is killed: the stack runs on" "$?" 0

stepper_start
fetch_later
say "until rtx" # which does not come
sleep 0.2
kill -9 "$stepper"
wait "$stepper" 2>/dev/null
exec 7>&-
wait $fetcher
is "killed while it waits for an event, too" "$?" 0

# ---- the stack's time

LD_PRELOAD=$PRELOAD "$get" 10.0.0.6 8080 / >/dev/null 2>&1 &
asker=$!
lab_jobs+=("$asker")
wait_for 10 sh -c "'$GLASS' trace -j -e arp_out | grep -q 10.0.0.6"
stepper_start
sleep 1.5
stepper_end
wait $asker
is "no timer fires for a time in which the stack stood still" "$(asked_at 10.0.0.6)" "0.0 1.0 2.0"

stepper_start
LD_PRELOAD=$PRELOAD "$get" 10.0.0.8 8080 / >/dev/null 2>&1 7>&- &
asker=$!
lab_jobs+=("$asker")
request="until arp and out and host 10.0.0.8" # built, and sent
ok "timers fire one by one" obey "$request" "$request" "$request" "$request"
is "at their time" "$(asked_at 10.0.0.8)" "0.0 1.0"
stepper_end

# ---- many events

stepper_start -j
fetch_later /big
obey "break rst" "next 3" "continue 100ms" "print"
is "-j: one value per line" "$(jq -c 'keys | length > 1' "$LAB/told" | sort -u)" true
stepper_end
wait $fetcher
is "a transfer goes through the steps" "$?" 0
ok "byte by byte" sh -c "tail -c 3000000 '$LAB/page' | cmp - '$LAB/www/big'"
ok "nothing was lost on the way either" "$GLASS" check

# ---- the prompt, scripts, and the end

ok "the prompt on a terminal" python3 "$(dirname "$0")/step_prompt.py" "$GLASS"

like "a script from stdin" "$(printf 'print 4711\nquit\nnonsense\n' | "$GLASS" step)" "there is no such connection"
printf 'nonsense\nprint\n' | "$GLASS" step >"$LAB/out" 2>&1
is "a script ends at what fails" "$? $(cat "$LAB/out")" "1 glass: there is no command 'nonsense'; type: help"
not_ok "what does not come in time is a failure" "$GLASS" step --within 0.05 -e "until rst and drop"
stepper_start
ok "a stack that stands still can be ended" "$GLASS" down
say next
stepper_end
like "the stepper hears of it" "$(cat "$LAB/told")" "ended in the middle"

lab_start --trace-records 262144
stepper_start
pid=$(lab_pid)
kill "$pid"
ok "also by a signal" wait_for 10 gone "$pid"
stepper_end
done_testing
