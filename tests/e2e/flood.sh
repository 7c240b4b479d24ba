#!/bin/bash
# SPDX-License-Identifier: MIT
# RFC 4987: SYNs from forged addresses at nginx on the stack. Memory stays flat, curl is served, a download that was
# under way comes to its end, and afterwards all is as before. SYNS: how many (100000); RATE: per second (20000).
. "$(dirname "$0")/lib.sh"

command -v nginx >/dev/null || skip "no nginx"
flood=$GLASS_BUILD/tests/e2e/flood
syns=${SYNS:-100000}
rate=${RATE:-20000}

status()
{
	"$GLASS" status | awk -v name="$1" '$1 == name { print $2 }'
}

count()
{
	"$GLASS" stat -a | awk -v name="$1" '$1 == "TcpExt" name { print $2; exit }'
}

lab_start --gateway $HOST || exit 1
mkdir "$LAB/www"
chmod 755 "$LAB" "$LAB/www"
head -c 20000000 /dev/urandom >"$LAB/www/big"
echo small >"$LAB/www/small"
cat >"$LAB/nginx.conf" <<CONF
worker_processes 1;
daemon off;
error_log $LAB/nginx.err;
pid $LAB/nginx.pid;
events { worker_connections 1024; }
http {
	access_log off;
	client_body_temp_path $LAB/n1; proxy_temp_path $LAB/n2; fastcgi_temp_path $LAB/n3;
	uwsgi_temp_path $LAB/n4; scgi_temp_path $LAB/n5;
	server { listen $STACK:80; root $LAB/www; }
}
CONF
background "$GLASS" run nginx -c "$LAB/nginx.conf"
wait_for 5 curl -sf -o /dev/null http://$STACK/small
before=$(status memory_bytes)

curl -sf --limit-rate 5M -o "$LAB/o" http://$STACK/big &
slow=$!
sleep 0.3
device=$(ip -o route get $STACK | sed 's/.* dev \([^ ]*\) .*/\1/')
"$flood" "$device" $STACK 80 "$syns" "$rate" >"$LAB/flood" &
flooder=$!
served=0 asked=0
while ! gone $flooder; do
	asked=$((asked + 1))
	curl -sf -m 8 -o "$LAB/page" http://$STACK/small && [ "$(cat "$LAB/page")" = small ] && served=$((served + 1))
done
peak=$(status memory_bytes)
wait $flooder
echo "# $(cat "$LAB/flood"); $(count SyncookiesSent) cookies sent, $(count SyncookiesRecv) came back"
is "curl is served, each of $asked times" "$served" "$asked"
ok "more than once" [ "$asked" -ge 2 ]
ok "cookies were sent" [ "$(count SyncookiesSent)" -gt $((syns / 20)) ]
wait $slow
ok "the download that was under way is whole" cmp "$LAB/o" "$LAB/www/big"
ok "memory: $before bytes before, $peak at the end of the flood" [ "$peak" -lt $((before + 2097152)) ]
sleep 1
is "a new connection, afterwards" "$(curl -sf -m 3 http://$STACK/small)" small
after=$(status memory_bytes)
ok "memory after it: $after" [ "$after" -lt $((before + 524288)) ]
done_testing
