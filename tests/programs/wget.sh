#!/bin/bash
# SPDX-License-Identifier: MIT
# wget: select() and plain blocking sockets.
. "$(dirname "$0")/lib.sh"

download()
{
	"${on[@]}" wget -q -T 20 -O "$D/o" http://$HOST:8080/big
	same "$D/o"
}

mirror()
{
	"${on[@]}" wget -q -T 20 -r -nd -P "$D" http://$HOST:8080/
	same "$D/big"
	grep -q hello "$D/small"
}

program wget wget --version
role "downloads" download
role "mirrors a folder" mirror
done_testing
