#!/bin/bash
# SPDX-License-Identifier: MIT
# Go without the C library: net/http on both sides, by the supervisor alone.
. "$(dirname "$0")/lib.sh"

here=$(dirname "$0")

server()
{
	serve "$LAB/web" serve :8020 "$WWW"
	wait_for 20 on_glass 8020
	curl -sf -o "$D/o" http://$STACK:8020/big
	same "$D/o"
	"$LAB/web" get http://$STACK:8020/big 20 >"$D/o"
	same "$D/o"
}

client()
{
	"${on[@]}" "$LAB/web" get http://$HOST:8080/big 20 >"$D/o"
	same "$D/o"
}

program go go version
GOCACHE=$LAB/cache CGO_ENABLED=0 GO111MODULE=off GOFLAGS=-p=1 go build -o "$LAB/web" "$here/web.go" ||
	missing "go does not build"
role "static server" server run seccomp
role "static client, 20 at once" client run seccomp
done_testing
