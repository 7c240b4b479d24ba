#!/bin/bash
# SPDX-License-Identifier: MIT
# nginx: workers, sendfile with tcp_nopush, a proxy, reload, and a new binary that takes the listeners over (USR2).
. "$(dirname "$0")/lib.sh"

configure()
{
	nginx_conf <<-SERVERS
	tcp_nopush on; tcp_nodelay on;
	server { listen $STACK:80 reuseport; listen $STACK:82; root $WWW; }
	server { listen $STACK:81; location / { proxy_pass http://$HOST:8080; } }
	SERVERS
}

start()
{
	configure
	serve nginx -c "$D/nginx.conf" -g 'daemon off;'
	wait_for 10 on_glass 80
}

calm()
{
	! grep -E 'emerg|alert|crit|\[error\]' "$D/error.log"
}

serves()
{
	start
	curl -sf -o "$D/o" "http://$STACK:$1/big"
	same "$D/o"
	calm
}

sendfile() { serves 80; }
proxy() { serves 81; }

reload()
{
	start
	curl -sf --limit-rate 2M -o "$D/o" http://$STACK:82/big &
	sleep 0.5
	kill -HUP "$(cat "$D/nginx.pid")"
	wait $!
	same "$D/o"
	curl -sf http://$STACK:82/small | grep -q hello
	calm
}

# In the background, or it ignores the signal. The old master hands its listeners to the new one by number, through an
# environment of its own making: without the lines `env`, the library would not be in the new one.
upgrade()
{
	local old

	configure
	"${on[@]}" "$(command -v nginx)" -c "$D/nginx.conf"
	wait_for 10 on_glass 80
	old=$(cat "$D/nginx.pid")
	lab_jobs+=("$old")
	kill -USR2 "$old"
	wait_for 10 test -s "$D/nginx.pid.oldbin"
	wait_for 10 test -s "$D/nginx.pid"
	kill -QUIT "$old"
	wait_for 10 gone "$old"
	curl -sf -o "$D/o" http://$STACK:82/big
	kill -QUIT "$(cat "$D/nginx.pid")"
	wait_for 10 gone "$(cat "$D/nginx.pid")"
	same "$D/o"
	calm
}

load()
{
	start
	wrk -t1 -c40 -d2 http://$STACK:82/small >"$D/wrk"
	if grep -i 'socket errors\|non-2xx' "$D/wrk"; then return 1; fi
	calm
}

# From the kernel's python3, which closes each connection.
wrk_client()
{
	"${on[@]}" wrk -t2 -c16 -d2 http://$HOST:8080/small >"$D/wrk"
	if grep -i 'socket errors\|non-2xx' "$D/wrk"; then return 1; fi
	grep -q '^Requests/sec: *[1-9]' "$D/wrk"
}

program nginx nginx -v
role "two workers, sendfile" sendfile
role "proxy_pass" proxy
role "reloads while it serves" reload
role "a new binary takes over (USR2)" upgrade
if command -v wrk >/dev/null; then
	ROLE_BYTES=100000
	role "under wrk, 40 connections" load
	PROGRAM=wrk
	ROLE_BYTES=10000
	role "two threads, sixteen connections" wrk_client
fi
done_testing
