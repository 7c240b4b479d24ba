#!/bin/bash
# SPDX-License-Identifier: MIT
# The two stories of an address that does not answer, seen by the program, on the wire and in the trace; and the
# lab's first line, a page fetched without any of the delays that our forerunners had.
. "$(dirname "$0")/lib.sh"

get=$EXAMPLES/get

now_ms()
{
	echo $(($(date +%s%N) / 1000000))
}

# Milliseconds that a command takes; its output is in $LAB/out, its status in $LAB/status.
took_ms()
{
	local start

	start=$(now_ms)
	"$@" >"$LAB/out" 2>&1
	echo $? >"$LAB/status"
	echo $(($(now_ms) - start))
}

on_glass()
{
	LD_PRELOAD=$PRELOAD "$@"
}

between()
{
	[ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

# What tcpdump saw of the expression so far.
seen()
{
	grep -cE "$1" "$LAB/wire"
}

ok "glass up" "$GLASS" up
mkdir "$LAB/www"
echo "a page" >"$LAB/www/index.html"
background python3 -m http.server 8080 --bind "$HOST" --directory "$LAB/www" >/dev/null 2>&1
background tcpdump -i glass0 -ntt -l --immediate-mode "arp or tcp" >"$LAB/wire" 2>"$LAB/tcpdump.log"
wait_for 10 listens 8080
wait_for 10 grep -q listening "$LAB/tcpdump.log"

# ---- a page

ms=$(took_ms on_glass "$get" "$HOST" 8080)
like "the page is fetched" "$(cat "$LAB/out")" "a page"
ok "with a cold neighbour cache, without a wait: $ms ms" between "$ms" 0 190
ms=$(took_ms on_glass "$get" "$HOST" 8080)
ok "and with a warm one: $ms ms" between "$ms" 0 150
ms=$(took_ms on_glass "$get" "$HOST" 81)
like "nobody listens: refused" "$(cat "$LAB/out")" "Connection refused"
ok "at once: $ms ms" between "$ms" 0 150

# ---- nobody answers ARP

ms=$(took_ms on_glass "$get" 10.0.0.6 8080)
like "nobody there: the program gets EHOSTUNREACH" "$(cat "$LAB/out")" "No route to host"
ok "after about 3 s: $ms ms" between "$ms" 2900 3600
is "three requests went out" "$(seen 'who-has 10.0.0.6')" 3
is "and no SYN" "$(seen '> 10.0.0.6.8080')" 0
like "glass why tells the cause" "$("$GLASS" why)" "did not answer 3 ARP requests"
like "glass trace tells the drop" "$("$GLASS" trace)" "NEIGH_FAILED"
like "glass neigh shows it" "$("$GLASS" neigh)" "10.0.0.6.*FAILED"

# ---- a black hole

like "a black hole is made" "$("$GLASS" net blackhole 10.0.0.7)" "10.0.0.7"
ms=$(took_ms on_glass timeout -s KILL 4 "$get" 10.0.0.7 8080)
is "nothing of it reaches the wire" "$(seen '10.0.0.7')" 0
trace=$("$GLASS" trace)
like "the SYN is dropped by name" "$trace" "DROP BLACKHOLE: 10.0.0.7"
like "the first backoff" "$trace" "timeout 1: rto 1 s -> 2 s"
like "the second" "$trace" "timeout 2: rto 2 s -> 4 s"
like "the retransmission names its first copy" "$trace" "copy of #"
like "counted" "$("$GLASS" stat)" "BLACKHOLE +3"
like "listed" "$("$GLASS" net show)" "10.0.0.7 swallowed 3"
"$GLASS" set tcp_syn_retries=1 >"$LAB/out" 2>&1
ms=$(took_ms on_glass "$get" 10.0.0.7 8080)
like "all retries used up: ETIMEDOUT" "$(cat "$LAB/out")" "timed out"
ok "after 1 + 2 s with one retry: $ms ms" between "$ms" 2900 3600
ok "cleared" "$GLASS" net clear

# ---- a device without ARP: the kernel behind it stays silent

"$GLASS" down >/dev/null
lab_start --tun
ms=$(took_ms on_glass timeout -s KILL 3.5 "$get" 10.0.0.9 8080)
like "TUN: the SYN backs off too" "$("$GLASS" trace)" "timeout 2: rto 2 s -> 4 s"

# ---- the end

"$GLASS" down >/dev/null
ok "no device is left" fails ip link show glass0
ok "no file is left" fails test -e "$GLASS_DIR/default.sock"
"$GLASS" trace >"$LAB/out" 2>&1
is "without a daemon the command fails" "$(($? != 0))" 1
like "and says what to type" "$(cat "$LAB/out")" "glass up"
done_testing
