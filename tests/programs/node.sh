#!/bin/bash
# SPDX-License-Identifier: MIT
# Node.js: server, client, fetch, and a cluster whose first process passes listeners to the others.
. "$(dirname "$0")/lib.sh"

http_server()
{
	serve node -e "
require('http').createServer((q, r) => require('fs').createReadStream('$WWW/big').pipe(r)).listen(8082)"
	wait_for 30 on_glass 8082
	curl -sf -o "$D/o" http://$STACK:8082/
	same "$D/o"
}

http_client()
{
	"${on[@]}" node -e "
require('http').get('http://$HOST:8080/big', r => r.pipe(require('fs').createWriteStream('$D/o')))"
	same "$D/o"
}

fetch()
{
	"${on[@]}" node -e "
(async () => {
	const got = await Promise.all([1, 2, 3].map(() => fetch('http://$HOST:8080/big')));
	const all = await Promise.all(got.map(r => r.arrayBuffer()));
	require('fs').writeFileSync('$D/o', Buffer.from(all[2]));
})()"
	same "$D/o"
}

cluster()
{
	cat >"$D/cluster.js" <<-JS
const cluster = require('cluster'), http = require('http');
if (cluster.isPrimary)
	for (let i = 0; i < 3; i++) cluster.fork();
else
	http.createServer((q, r) => q.url == '/who' ? r.end(process.pid + '\n') :
		require('fs').createReadStream('$WWW/big').pipe(r)).listen(8083)
	JS
	serve node "$D/cluster.js"
	wait_for 30 on_glass 8083
	curl -sf -o "$D/o" http://$STACK:8083/
	same "$D/o"
	sleep 1
	for _ in 1 2 3 4 5 6 7 8 9; do
		curl -sf http://$STACK:8083/who
	done >"$D/who"
	[ "$(sort -u "$D/who" | wc -l)" = 3 ]
}

program node node --version
role "http server" http_server
role "http client" http_client
role "fetch" fetch
role "cluster of three" cluster
done_testing
