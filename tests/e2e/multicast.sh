#!/bin/bash
# SPDX-License-Identifier: MIT
# Multicast of programs, and the finer points of UDP: one script on the kernel's stack and on Glass, each the other's
# peer; then IGMP, which a bridge of the kernel hears as the querier and switch that it is; then programs.
. "$(dirname "$0")/lib.sh"

SCRIPT=$(dirname "$0")/multicast.py

shows_device()
{
	"$GLASS" ss -uan | grep -q '0.0.0.0%lo:9999'
}

# The bridge forwards that group ("GROUP" or "GROUP src SOURCE") to Glass.
learned()
{
	bridge mdb show dev br0 | grep -q "port $DEV grp $1 "
}

asked()
{
	[ "$("$GLASS" stat -a IgmpInGroupMembQueries | awk '/Queries/ { print $2 }')" -ge "$1" ]
}

speaks()
{
	"$GLASS" maddr | grep -q "igmp v$1"
}

# Until it has arrived: FILE ADDRESS [PRELOAD].
sends()
{
	echo hello | env LD_PRELOAD="${3:-}" socat - "$2" 2>/dev/null
	sleep 0.1
	grep -q hello "$1"
}

lab_start || exit 1
DEV=$(ip -o addr show to $HOST | awk '{ print $2 }')
ip route add 224.0.0.0/4 dev "$DEV"
background python3 "$SCRIPT" server $HOST
background env LD_PRELOAD="$PRELOAD" python3 "$SCRIPT" server $STACK
wait_for 5 listens_udp 9100
wait_for 5 grep -q 9100 <("$GLASS" ss -uan)
sleep 0.3

timeout 100 python3 "$SCRIPT" client $HOST $STACK >"$LAB/kernel" 2>&1
is "the script runs on the kernel" $? 0
LD_PRELOAD=$PRELOAD timeout 100 python3 "$SCRIPT" client $STACK $HOST >"$LAB/glass" 2>&1
is "and on Glass" $? 0
is "line by line the same" "$(diff "$LAB/kernel" "$LAB/glass")" ""

# ---- what the command shows

background env LD_PRELOAD="$PRELOAD" python3 "$SCRIPT" hear $STACK 239.5.5.5 1
hears=$!
wait_for 5 grep -q 239.5.5.5 <("$GLASS" maddr)
like "glass maddr" "$("$GLASS" maddr)" "^1:	lo
	inet  224.0.0.1
2:	$DEV	igmp v3
	link  01:00:5e:00:00:01
.*	link  01:00:5e:05:05:05
.*	inet  239.5.5.5"
is "the same as JSON" "$("$GLASS" -j maddr | python3 -c '
import json, sys
dev = json.load(sys.stdin)[1]
print([m["users"] for m in dev["maddr"] if m.get("address") == "239.5.5.5"], dev["igmp"])')" "[1] 3"
like "glass stat" "$("$GLASS" stat)" "IpExtInMcastPkts .*IgmpOutV3Reports|IgmpOutV3Reports .*IpExtInMcastPkts"
background env LD_PRELOAD="$PRELOAD" python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
s.bind(("", 9999))
time.sleep(10)'
ok "glass ss tells the device that a socket is bound to" wait_for 5 shows_device

# ---- a real switch and querier: the kernel's bridge

kill $hears
ip addr flush dev "$DEV"
ip link add br0 type bridge mcast_igmp_version 3 mcast_querier 1 mcast_query_use_ifaddr 1 mcast_query_interval 100 \
	mcast_query_response_interval 50 mcast_membership_interval 400 mcast_startup_query_interval 50 \
	mcast_last_member_interval 20
ip link set "$DEV" master br0
ip addr add $HOST/24 dev br0
ip link set br0 up
background env LD_PRELOAD="$PRELOAD" python3 "$SCRIPT" hear $STACK 239.6.6.6 1
hears=$!
ok "a join is reported" wait_for 5 learned 239.6.6.6
ok "queries come" wait_for 5 asked 2
sleep 5
ok "and are answered: the switch forgets in four seconds, but has not" learned 239.6.6.6
kill $hears
ok "leaving is reported" wait_for 3 fails learned 239.6.6.6
background env LD_PRELOAD="$PRELOAD" python3 -c "
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, 39, b''.join(map(socket.inet_aton, ('232.7.7.7', '$STACK', '$HOST'))))
time.sleep(20)"
ok "a join of one source, too" wait_for 5 learned "232.7.7.7 src $HOST"
sleep 5
ok "which is answered for" learned "232.7.7.7 src $HOST"

ip link set br0 type bridge mcast_igmp_version 2
ok "a querier of version 2 is heard" wait_for 8 speaks 2
background env LD_PRELOAD="$PRELOAD" python3 "$SCRIPT" hear $STACK 239.8.8.8 1
hears=$!
ok "a join is reported" wait_for 5 learned 239.8.8.8
sleep 5
ok "queries are answered" learned 239.8.8.8
kill $hears
ok "leaving is reported" wait_for 3 fails learned 239.8.8.8
like "in messages of version 2" "$("$GLASS" stat)" "IgmpOutGroupMembReductions"
is "nothing of it was malformed" "$("$GLASS" stat | grep -c DropIGMP)" 0

# ---- programs

if command -v socat >/dev/null; then
	background env LD_PRELOAD="$PRELOAD" timeout 20 socat -u \
		"UDP4-RECV:7001,ip-add-membership=239.9.9.9:$STACK,reuseaddr" "OPEN:$LAB/socat.glass,creat"
	background timeout 20 socat -u "UDP4-RECV:7002,ip-add-membership=239.9.9.9:$HOST,reuseaddr" \
		"OPEN:$LAB/socat.kernel,creat"
	wait_for 5 learned 239.9.9.9
	ok "socat to a group, from the kernel" wait_for 5 sends "$LAB/socat.glass" \
		UDP4-DATAGRAM:239.9.9.9:7001,ip-multicast-if=$HOST
	ok "socat to a group, from Glass" wait_for 5 sends "$LAB/socat.kernel" \
		UDP4-DATAGRAM:239.9.9.9:7002,ip-multicast-if=$STACK "$PRELOAD"
fi
done_testing
