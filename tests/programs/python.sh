#!/bin/bash
# SPDX-License-Identifier: MIT
# Python: urllib, http.server, asyncio, ssl, threads, and servers that fork before they accept.
. "$(dirname "$0")/lib.sh"

here=$(dirname "$0")

urllib()
{
	"${on[@]}" python3 -c "
import urllib.request
open('$D/o', 'wb').write(urllib.request.urlopen('http://$HOST:8080/big', timeout=20).read())"
	same "$D/o"
}

http_server()
{
	serve python3 -m http.server 8081 --directory "$WWW"
	wait_for 20 on_glass 8081
	curl -sf -o "$D/o" http://$STACK:8081/big
	same "$D/o"
}

# kind: asyncio, threads or prefork. 40 clients at the same time, 100,000 bytes each.
echo_server()
{
	serve python3 "$here/echo.py" "$1" 8082
	wait_for 20 on_glass 8082
	timeout 40 python3 "$here/echo.py" clients 8082 "$STACK"
}

asyncio_server() { echo_server asyncio; }
threads_server() { echo_server threads; }
prefork_server() { echo_server prefork; }

asyncio_clients()
{
	background python3 "$here/echo.py" asyncio 8083
	wait_for 20 listens 8083
	"${on[@]}" timeout 40 python3 "$here/echo.py" clients 8083 "$HOST"
}

certificate()
{
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=lab -addext "subjectAltName=IP:$STACK,IP:$HOST" \
		-keyout "$LAB/key.pem" -out "$LAB/cert.pem" 2>/dev/null
}

ssl_server()
{
	serve python3 "$here/tls.py" 8443 "$LAB/cert.pem" "$LAB/key.pem" "$WWW"
	wait_for 20 on_glass 8443
	curl -sf --cacert "$LAB/cert.pem" -o "$D/o" https://$STACK:8443/big
	same "$D/o"
}

ssl_client()
{
	background python3 "$here/tls.py" 8444 "$LAB/cert.pem" "$LAB/key.pem" "$WWW" 2>/dev/null
	wait_for 20 listens 8444
	"${on[@]}" python3 -c "
import ssl, urllib.request
context = ssl.create_default_context(cafile='$LAB/cert.pem')
data = urllib.request.urlopen('https://$HOST:8444/big', timeout=20, context=context).read()
open('$D/o', 'wb').write(data)"
	same "$D/o"
}

program python python3 --version
role "urllib" urllib
role "http.server" http_server
role "asyncio server" asyncio_server
role "asyncio clients" asyncio_clients
role "a thread for each client" threads_server
role "four processes accept" prefork_server
if command -v openssl >/dev/null && certificate; then
	role "ssl server" ssl_server
	role "ssl client" ssl_client
else
	role_skip "ssl" "no openssl here: tools/setup programs"
fi
done_testing
