#!/bin/bash
# SPDX-License-Identifier: MIT
# TCP Fast Open of programs: one script on the kernel's stack and on Glass, each the other's client and server.
. "$(dirname "$0")/lib.sh"

SCRIPT=$(dirname "$0")/fastopen.py

sysctl -qw net.ipv4.tcp_fastopen=3 2>/dev/null || skip "no right to switch the kernel's fast open on"
sysctl -qw net.ipv4.tcp_fastopen_blackhole_timeout_sec=0 2>/dev/null
lab_start || exit 1
"$GLASS" set tcp_fastopen=3 >/dev/null

# counter NAME: since the start of the stack
counter()
{
	"$GLASS" stat -a | awk -v name="TcpExt$1" '$1 == name { print $2 }'
}

background python3 "$SCRIPT" server $HOST
background env LD_PRELOAD="$PRELOAD" python3 "$SCRIPT" server $STACK
wait_for 5 listens 9100
wait_for 5 eval '"$GLASS" ss -tan | grep -q 9100'

timeout 60 python3 "$SCRIPT" client $HOST $STACK >"$LAB/kernel" 2>&1
is "the script runs on the kernel" $? 0
LD_PRELOAD=$PRELOAD timeout 60 python3 "$SCRIPT" client $STACK $HOST >"$LAB/glass" 2>&1
is "and on Glass" $? 0
is "line by line the same" "$(diff "$LAB/kernel" "$LAB/glass")" ""

# All of the nine connections but the one that asks for the cookie; the one with nothing to send opens without data, and
# counts for the server only.
is "TCPFastOpenPassive" "$(counter TCPFastOpenPassive)" 8
is "TCPFastOpenActive" "$(counter TCPFastOpenActive)" 7
is "TCPFastOpenCookieReqd" "$(counter TCPFastOpenCookieReqd)" 1
is "TCPFastOpenActiveFail" "$(counter TCPFastOpenActiveFail)" 0
like "a program in a hurry" "$(LD_PRELOAD=$PRELOAD timeout 20 python3 "$SCRIPT" hasty $STACK $HOST | tr '\n' ' ')" \
	"sendto 5 bytes.*True connect 5 bytes.*True"

# ---- keys of listeners

background python3 "$SCRIPT" key-server $HOST
background env LD_PRELOAD="$PRELOAD" python3 "$SCRIPT" key-server $STACK
wait_for 5 listens 9113
wait_for 5 eval '"$GLASS" ss -tan | grep -q 9113'
timeout 60 python3 "$SCRIPT" key-client $HOST $STACK >"$LAB/kernel" 2>&1
LD_PRELOAD=$PRELOAD timeout 60 python3 "$SCRIPT" key-client $STACK $HOST >"$LAB/glass" 2>&1
taken=$(grep -o 'in the SYN: .*' "$LAB/kernel" | cut -d' ' -f4 | tr '\n' ' ')
is "TCP_FASTOPEN_KEY: whose cookie is good, where Glass listens" "$taken" "False True True True True False True "
is "and where the kernel does, line by line the same" "$(diff "$LAB/kernel" "$LAB/glass")" ""
like "the trace tells" "$("$GLASS" trace --all 2>/dev/null || "$GLASS" trace)" "the SYN's data is accepted"
done_testing
