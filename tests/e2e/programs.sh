#!/bin/bash
# SPDX-License-Identifier: MIT
# Unmodified programs on the stack, as clients and as servers, against the kernel's: what arrives is what was sent.
. "$(dirname "$0")/lib.sh"

WWW=$LAB/www
mkdir -m 755 "$WWW"
chmod 755 "$LAB"
head -c 30000000 /dev/urandom >"$WWW/big"
echo hello >"$WWW/small"
cp "$WWW/big" "$LAB/big"
SUM=$(sha256sum <"$WWW/big")

have()
{
	command -v "$1" >/dev/null
}

# The file's hash is the one of what was sent.
same()
{
	is "$1: same bytes" "$(sha256sum <"$2")" "$SUM"
}

lab_glass=("$GLASS" run)

# A server on Glass in the background; $! is its pid.
serve()
{
	background "${lab_glass[@]}" "$@" >"$LAB/serve.log" 2>&1
}

# Does TCP port $1 of the stack accept?
stack_listens()
{
	timeout 2 bash -c "exec 3<>/dev/tcp/$STACK/$1" 2>/dev/null
}

finish()
{
	kill "$1" 2>/dev/null
	wait_for 5 gone "$1"
}

# ---- without a stack

out=$(LD_PRELOAD=$PRELOAD curl -s http://$HOST:8080/ 2>&1)
is "without a stack: connect fails" $? 7
like "and one line tells what to type" "$out" 'glass: stack "default" cannot be reached.*glass up'
is "one line only" "$(LD_PRELOAD=$PRELOAD python3 -c '
import socket
for i in range(3):
	try: socket.socket()
	except OSError as e: assert e.errno == 100, e
' 2>&1 | wc -l)" 1
out=$("${lab_glass[@]}" true 2>&1)
is "glass run without a stack fails" $? 3
like "and tells what to type" "$out" "Type: glass up"

lab_start || exit 1
(cd "$WWW" && exec python3 -m http.server 8080 --bind $HOST >/dev/null 2>&1) &
lab_jobs+=($!)
wait_for 5 listens 8080

# ---- glass run itself

is "exit status is the program's" "$("${lab_glass[@]}" sh -c 'exit 42'; echo $?)" 42
out=$("${lab_glass[@]}" no-such-program 2>&1)
is "no such program: 127" $? 127
printf 'int main(void) { return 0; }\n' >"$LAB/s.c"
if gcc -static -o "$LAB/static" "$LAB/s.c" 2>/dev/null; then
	out=$("${lab_glass[@]}" --mode preload "$LAB/static" 2>&1)
	is "by LD_PRELOAD alone a static program is refused" $? 126
	like "with the reason" "$out" "statically linked"
	printf '#!%s\n' "$LAB/static" >"$LAB/script"
	chmod +x "$LAB/script"
	not_ok "as a script's interpreter too" "${lab_glass[@]}" --mode preload "$LAB/script"
fi
is "the namespace is empty but for lo, and a picture of the stack's device" \
	"$("${lab_glass[@]}" sh -c 'ls /proc/sys/net/ipv4/conf' | xargs)" "all default glass0 lo"
out=$("${lab_glass[@]}" --keep-net python3 -c '
import os
print(open("/proc/self/environ").read().count("LD_PRELOAD"), os.environ["GLASS_STACK"])')
is "environment" "$out" "1 default"

# ---- clients

ok "curl" env LD_PRELOAD="$PRELOAD" curl -sf -o "$LAB/o" http://$HOST:8080/big
same curl "$LAB/o"
ok "glass run curl" "${lab_glass[@]}" curl -sf -o "$LAB/o" http://$HOST:8080/big
same "glass run curl" "$LAB/o"
ok "curl uploads" "${lab_glass[@]}" curl -s -o /dev/null -T "$LAB/big" http://$HOST:8080/up
not_ok "curl to a closed port" "${lab_glass[@]}" curl -sf http://$HOST:81/
ok "wget" "${lab_glass[@]}" wget -qO "$LAB/o" http://$HOST:8080/big
same wget "$LAB/o"
ok "python urllib with a time-out" "${lab_glass[@]}" python3 -c "
import urllib.request
open('$LAB/o', 'wb').write(urllib.request.urlopen('http://$HOST:8080/big', timeout=10).read())"
same urllib "$LAB/o"

nc -l -p 7001 </dev/null >"$LAB/o" &
lab_jobs+=($!)
wait_for 5 listens 7001
ok "nc sends" "${lab_glass[@]}" nc -N $HOST 7001 <"$LAB/big"
wait_for 5 gone $!
same "nc as client" "$LAB/o"
ok "bash's /dev/tcp" "${lab_glass[@]}" bash -c "
	exec 3<>/dev/tcp/$HOST/8080
	printf 'GET /small HTTP/1.0\r\n\r\n' >&3
	grep -q hello <&3"

# ---- servers

serve nc -l -p 7000 </dev/null >/dev/null
nc_pid=$!
sleep 0.3
nc -N $STACK 7000 <"$LAB/big" || result 1 "nc to the stack"
wait_for 5 gone $nc_pid
same "nc as server" "$LAB/serve.log"

cd "$WWW" || exit 1
serve python3 -m http.server 9090
cd "$LAB" || exit 1
wait_for 5 stack_listens 9090
ok "python http.server" curl -sf -o "$LAB/o" http://$STACK:9090/big
same http.server "$LAB/o"
ok "again, from the stack itself" "${lab_glass[@]}" curl -sf -o "$LAB/o" http://$STACK:9090/big
same "over the stack's lo" "$LAB/o"

cat >"$LAB/echo.py" <<'PY'
import asyncio, sys

async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()

async def main():
    server = await asyncio.start_server(echo, None, int(sys.argv[1]))
    async with server:
        await server.serve_forever()

asyncio.run(main())
PY
cat >"$LAB/echo_client.py" <<'PY'
import asyncio, os, sys

async def one(host, port, n):
    reader, writer = await asyncio.open_connection(host, port)
    data = os.urandom(n)
    writer.write(data)
    writer.write_eof()
    got = await reader.read(-1)
    writer.close()
    return got == data

async def main():
    got = await asyncio.gather(*(one(sys.argv[1], int(sys.argv[2]), 20000 + i) for i in range(100)))
    sys.exit(0 if all(got) else 1)

asyncio.run(main())
PY
serve python3 "$LAB/echo.py" 9091
wait_for 5 stack_listens 9091
ok "asyncio echo server, 100 connections at once" python3 "$LAB/echo_client.py" $STACK 9091
background python3 "$LAB/echo.py" 9092 2>/dev/null
wait_for 5 listens 9092
ok "asyncio clients, 100 at once" "${lab_glass[@]}" python3 "$LAB/echo_client.py" $HOST 9092

if have nginx; then
	cat >"$LAB/nginx.conf" <<CONF
worker_processes 2;
daemon off;
error_log $LAB/nginx.err;
pid $LAB/nginx.pid;
events { worker_connections 1024; }
http {
	access_log off; sendfile on; tcp_nopush on; tcp_nodelay on;
	client_body_temp_path $LAB/n1; proxy_temp_path $LAB/n2; fastcgi_temp_path $LAB/n3;
	uwsgi_temp_path $LAB/n4; scgi_temp_path $LAB/n5;
	server { listen $STACK:80; root $WWW; }
	server { listen $STACK:81; location / { proxy_pass http://$HOST:8080; } }
}
CONF
	serve nginx -c "$LAB/nginx.conf"
	nginx_pid=$!
	wait_for 5 stack_listens 80
	is "nginx has two workers" "$(pgrep -c -f 'nginx: worker')" 2
	ok "nginx, sendfile" curl -sf -o "$LAB/o" http://$STACK/big
	same nginx "$LAB/o"
	ok "nginx, proxy_pass" curl -sf -o "$LAB/o" http://$STACK:81/big
	same "nginx as proxy" "$LAB/o"
	curl -sf --limit-rate 20M -o "$LAB/o" http://$STACK/big &
	slow=$!
	sleep 0.2
	ok "nginx reloads while it serves" kill -HUP "$(cat "$LAB/nginx.pid")"
	wait $slow
	same "what was under way" "$LAB/o"
	ok "and serves on" curl -sf -o /dev/null http://$STACK/small
	if have wrk; then
		out=$(wrk -t1 -c50 -d2 http://$STACK/small)
		like "wrk against nginx on the stack" "$out" 'Requests/sec: +[1-9]'
		is "without errors" "$(grep -c -i 'socket errors\|non-2xx' <<<"$out")" 0
		out=$(wrk -t1 -c50 -d2 -H 'Connection: close' http://$STACK/small)
		is "a connection per request, without errors" "$(grep -c 'Socket errors\|Non-2xx' <<<"$out")" 0
	fi
	finish $nginx_pid
	is "nginx logged no alert" "$(grep -c 'emerg\|alert\|crit' "$LAB/nginx.err")" 0
fi
if have wrk; then
	out=$("${lab_glass[@]}" wrk -t2 -c20 -d2 http://$HOST:8080/small)
	like "wrk on the stack" "$out" 'Requests/sec: +[1-9]'
fi

if have node; then
	cat >"$LAB/serve.js" <<JS
require('http').createServer((q, r) => require('fs').createReadStream('$WWW/big').pipe(r)).listen(8082);
JS
	cat >"$LAB/get.js" <<JS
require('http').get('http://$HOST:8080/big', r => r.pipe(require('fs').createWriteStream('$LAB/o')));
JS
	serve node "$LAB/serve.js"
	wait_for 10 stack_listens 8082
	ok "node http server" curl -sf -o "$LAB/o" http://$STACK:8082/
	same "node as server" "$LAB/o"
	ok "node http client" "${lab_glass[@]}" node "$LAB/get.js"
	same "node as client" "$LAB/o"
fi
if have git; then
	git init -q "$LAB/repo" && cp "$WWW/big" "$LAB/repo" && git -C "$LAB/repo" add big &&
		git -C "$LAB/repo" -c user.name=x -c user.email=x@y commit -qm big
	serve git daemon --export-all --base-path="$LAB" --reuseaddr
	wait_for 5 stack_listens 9418
	ok "git clone from a daemon on the stack, by a git on the stack" \
		"${lab_glass[@]}" git clone -q git://$STACK/repo "$LAB/clone"
	same "git" "$LAB/clone/big"
fi

if have redis-server; then
	serve redis-server --bind $STACK --protected-mode no --save '' --dir "$LAB"
	redis_pid=$!
	wait_for 5 stack_listens 6379
	is "redis-server: set" "$(redis-cli -h $STACK set key value)" OK
	is "get" "$(redis-cli -h $STACK get key)" value
	ok "bgsave (fork)" redis-cli -h $STACK bgsave
	ok "20,000 requests" redis-benchmark -h $STACK -n 20000 -c 50 -q -t set,get
	is "redis-cli on the stack, to it" "$("${lab_glass[@]}" redis-cli -h $STACK get key)" value
	finish $redis_pid
	background redis-server --bind $HOST --protected-mode no --save '' --dir "$LAB" >/dev/null
	wait_for 5 listens 6379
	is "redis-cli as client" "$("${lab_glass[@]}" redis-cli -h $HOST set key other)" OK
	head -c 1000000 "$LAB/big" | base64 -w0 >"$LAB/value"
	ok "a value of a megabyte" "${lab_glass[@]}" redis-cli -h $HOST -x set big <"$LAB/value"
	is "comes back" "$("${lab_glass[@]}" redis-cli -h $HOST get big | sha256sum)" \
		"$( (cat "$LAB/value"; echo) | sha256sum)"
fi

if have iperf3; then
	serve iperf3 -s
	sleep 0.5
	ok "iperf3 -s on the stack" wait_for 10 timeout 20 iperf3 -c $STACK -t 1
	ok "reverse" wait_for 10 timeout 20 iperf3 -c $STACK -t 1 -R
	ok "four streams" wait_for 10 timeout 20 iperf3 -c $STACK -t 1 -P 4
	background iperf3 -s >/dev/null
	wait_for 5 listens 5201
	ok "iperf3 -c on the stack" wait_for 10 timeout 20 "${lab_glass[@]}" iperf3 -c $HOST -t 1
	ok "reverse" wait_for 10 timeout 20 "${lab_glass[@]}" iperf3 -c $HOST -t 1 -R
	ok "both ways" wait_for 10 timeout 20 "${lab_glass[@]}" iperf3 -c $HOST -t 1 --bidir
fi
done_testing
