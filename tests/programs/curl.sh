#!/bin/bash
# SPDX-License-Identifier: MIT
# curl: down, up, with a connection kept and several at once.
. "$(dirname "$0")/lib.sh"

download()
{
	"${on[@]}" curl -sf -o "$D/o" http://$HOST:8080/big
	same "$D/o"
}

parallel()
{
	"${on[@]}" curl -sf --parallel --parallel-max 8 -o "$D/o#1" "http://$HOST:8080/big?[1-8]"
	for i in 1 2 3 4 5 6 7 8; do
		same "$D/o$i"
	done
}

# The kernel's side keeps what comes.
upload()
{
	background timeout 20 python3 -c "
import http.server
class Keep(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_PUT(self):
        if self.headers.get('Expect'):
            self.send_response_only(100); self.end_headers()
        open('$D/o', 'wb').write(self.rfile.read(int(self.headers['Content-Length'])))
        self.send_response(201); self.send_header('Content-Length', '0'); self.end_headers()
http.server.HTTPServer(('$HOST', 8090), Keep).serve_forever()"
	wait_for 10 listens 8090
	"${on[@]}" curl -sf -T "$WWW/big" http://$HOST:8090/
	same "$D/o"
}

refused()
{
	"${on[@]}" curl -s http://$HOST:81/ || [ $? = 7 ]
}

program curl curl --version
role "downloads" download
role "eight downloads at once" parallel
role "uploads" upload
ROLE_BYTES=100
role "sees a closed port" refused
done_testing
