#!/bin/bash
# SPDX-License-Identifier: MIT
# redis: bgsave (fork), publish and subscribe, a benchmark; redis-cli as client.
. "$(dirname "$0")/lib.sh"

command_line=(--protected-mode no --save '' --enable-debug-command yes)

start()
{
	serve redis-server --bind $STACK "${command_line[@]}" --dir "$D"
	wait_for 10 on_glass 6379
}

server()
{
	start
	redis-cli -h $STACK -x set big <"$WWW/big" | grep -q OK
	redis-cli -h $STACK get big | head -c $BYTES >"$D/o"
	same "$D/o"
	redis-cli -h $STACK bgsave
	wait_for 10 saved
	test -s "$D/dump.rdb"
}

saved()
{
	redis-cli -h $STACK info persistence | grep -q 'rdb_bgsave_in_progress:0' && test -s "$D/dump.rdb"
}

subscribe()
{
	start
	"${on[@]}" timeout 20 redis-cli -h $STACK subscribe news >"$D/news" &
	lab_jobs+=($!)
	wait_for 10 grep -q subscribe "$D/news"
	timeout 20 redis-cli -h $STACK subscribe news >"$D/kernel" &
	lab_jobs+=($!)
	wait_for 10 grep -q subscribe "$D/kernel"
	redis-cli -h $STACK publish news hello | grep -q 2
	wait_for 5 grep -q hello "$D/news"
	wait_for 5 grep -q hello "$D/kernel"
}

benchmark()
{
	start
	redis-benchmark -h $STACK -n 10000 -c 40 -q -t set,get,lrange_100 >"$D/benchmark"
	! grep -i error "$D/benchmark"
}

client()
{
	background redis-server --bind $HOST "${command_line[@]}" --dir "$D" >/dev/null
	wait_for 10 listens 6379
	"${on[@]}" redis-cli -h $HOST -x set big <"$WWW/big" | grep -q OK
	"${on[@]}" redis-cli -h $HOST get big | head -c $BYTES >"$D/o"
	same "$D/o"
}

benchmark_client()
{
	background redis-server --bind $HOST "${command_line[@]}" --dir "$D" >/dev/null
	wait_for 10 listens 6379
	"${on[@]}" redis-benchmark -h $HOST -n 10000 -c 20 -q -t set,get >"$D/benchmark"
	! grep -i error "$D/benchmark"
}

program redis redis-server --version
role "values of 4 MB, bgsave" server
ROLE_BYTES=100000
role "under redis-benchmark" benchmark
ROLE_BYTES=200
role "publish and subscribe" subscribe
ROLE_BYTES=100000
PROGRAM=redis-cli
role "redis-benchmark" benchmark_client
ROLE_BYTES=$BYTES
role "values of 4 MB" client
done_testing
