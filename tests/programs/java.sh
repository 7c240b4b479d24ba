#!/bin/bash
# SPDX-License-Identifier: MIT
# Java: blocking sockets with threads, and channels with a selector (NIO).
. "$(dirname "$0")/lib.sh"

here=$(dirname "$0")
java=(java -Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$LAB/classes" Echo)

# kind: blocking or nio
server()
{
	serve "${java[@]}" "$1" 8030
	wait_for 30 on_glass 8030
	timeout 40 python3 "$here/echo.py" clients 8030 $STACK
}

blocking_server() { server blocking; }
nio_server() { server nio; }

client()
{
	background python3 "$here/echo.py" threads 8031
	wait_for 20 listens 8031
	"${on[@]}" timeout 40 "${java[@]}" client 8031 $HOST
}

program java java -version
needs javac
javac -d "$LAB/classes" "$here/Echo.java" || missing "javac fails"
role "blocking server" blocking_server
role "NIO server" nio_server
role "client" client
done_testing
