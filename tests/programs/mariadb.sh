#!/bin/bash
# SPDX-License-Identifier: MIT
# MariaDB: a thread for each connection; its client.
. "$(dirname "$0")/lib.sh"

start()
{
	mkdir -p "$D/data"
	words=(--no-defaults --datadir="$D/data" --socket="$D/sock" --pid-file="$D/pid" --user=root --port=3307
		--skip-name-resolve --skip-grant-tables --skip-networking=0 --innodb-buffer-pool-size=16M
		--max-allowed-packet=64M --bind-address="$1")
	shift
	background "$@" mariadbd "${words[@]}" >"$D/serve.log" 2>&1
	wait_for 30 grep -q 'ready for connections' "$D/serve.log"
}

# host; the words in front of the client follow
talk()
{
	"${@:2}" mariadb --no-defaults -h "$1" -P 3307 --max-allowed-packet=64M -N -e "
		create database lab; create table lab.t (v longblob);
		insert into lab.t values (repeat('x', $BYTES)); select v from lab.t" >"$D/o"
	[ "$(wc -c <"$D/o")" = $((BYTES + 1)) ]
}

server()
{
	start $STACK "${on[@]}"
	talk $STACK
}

client()
{
	start $HOST
	talk $HOST "${on[@]}"
}

program mariadb mariadb --version
needs mariadbd
role "server" server
role "client" client
done_testing
