#!/bin/bash
# SPDX-License-Identifier: MIT
# PostgreSQL as a user of its own: a process for each connection, latches on epoll; psql and pgbench as clients.
STACK_USER=nobody
. "$(dirname "$0")/lib.sh"

as_nobody=(setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME=/ PGUSER=lab PGDATABASE=postgres)

cluster()
{
	mkdir -m 700 "$D/data"
	cp -r "$LAB/fresh/." "$D/data/"
	chown -R nobody:nogroup "$D/data"
	words=(-D "$D/data" -c unix_socket_directories= -c fsync=off -c shared_buffers=16MB -c port=5433)
}

on_glass_server()
{
	cluster
	background "${as_nobody[@]}" "${on[@]}" postgres "${words[@]}" -c listen_addresses=$STACK >"$D/serve.log" 2>&1
	wait_for 20 "${as_nobody[@]}" psql -h $STACK -p 5433 -c 'select 1'
	"${as_nobody[@]}" psql -h $STACK -p 5433 -Atc "select repeat('x', $BYTES)" >"$D/o"
	[ "$(wc -c <"$D/o")" = $((BYTES + 1)) ]
	"${as_nobody[@]}" pgbench -q -i -h $STACK -p 5433
	"${as_nobody[@]}" pgbench -n -c 8 -t 50 -h $STACK -p 5433 >"$D/bench"
	grep -q 'number of failed transactions: 0' "$D/bench"
	grep -q '400/400' "$D/bench"
}

clients()
{
	cluster
	background "${as_nobody[@]}" postgres "${words[@]}" -c listen_addresses=$HOST >"$D/serve.log" 2>&1
	wait_for 20 "${as_nobody[@]}" psql -h $HOST -p 5433 -c 'select 1'
	"${as_nobody[@]}" "${on[@]}" psql -h $HOST -p 5433 -Atc "select repeat('x', $BYTES)" >"$D/o"
	[ "$(wc -c <"$D/o")" = $((BYTES + 1)) ]
	"${as_nobody[@]}" "${on[@]}" pgbench -q -i -h $HOST -p 5433
	"${as_nobody[@]}" "${on[@]}" pgbench -n -c 8 -t 50 -h $HOST -p 5433 >"$D/bench"
	grep -q 'number of failed transactions: 0' "$D/bench"
}

PATH=$PATH:$(echo /usr/lib/postgresql/*/bin)
program postgres postgres --version
mkdir -m 777 "$LAB/fresh"
chown nobody "$LAB/fresh"
(cd / && "${as_nobody[@]}" initdb -U lab -A trust -N -D "$LAB/fresh" >/dev/null) || missing "initdb fails"
sed -i '/^host/d' "$LAB/fresh/pg_hba.conf"
echo "host all all 10.0.0.0/24 trust" >>"$LAB/fresh/pg_hba.conf"
cd / || exit 1
role "server, under pgbench" on_glass_server
PROGRAM="psql, pgbench"
role "clients" clients
done_testing
