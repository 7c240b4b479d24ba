#!/bin/bash
# SPDX-License-Identifier: MIT
# examples/embed.c: the library in a program of its own, as echo server and as client, against the kernel's stack.
. "$(dirname "$0")/lib.sh"

embed=$EXAMPLES/embed

tap()
{
	ip tuntap add dev "$1" mode tap
	ip link set "$1" up
	ip addr add "$2" dev "$1"
}

echo_server()
{
	python3 -c '
import socket
s = socket.create_server(("10.8.0.1", 7))
while True:
    c, _ = s.accept()
    while data := c.recv(65536):
        c.sendall(data)
    c.close()'
}

# ---- server

tap tap7 10.7.0.1/24
background "$embed" tap7 10.7.0.2/24 serve 7
ok "answers ping" wait_for 5 ping -qc1 -W0.3 10.7.0.2
is "echoes a line" "$(echo hello | timeout 5 nc -N 10.7.0.2 7)" hello
head -c 20000000 /dev/urandom >"$LAB/bytes"
timeout 60 nc -N 10.7.0.2 7 <"$LAB/bytes" >"$LAB/echo"
ok "echoes 20 MB, every byte" cmp "$LAB/bytes" "$LAB/echo"
for i in 1 2 3 4 5 6 7 8; do
	timeout 60 nc -N 10.7.0.2 7 <"$LAB/bytes" >"$LAB/echo.$i" &
	clients[i]=$!
done
for i in 1 2 3 4 5 6 7 8; do
	wait "${clients[i]}"
	ok "client $i of 8 at once" cmp "$LAB/bytes" "$LAB/echo.$i"
done
is "goes on afterwards" "$(echo again | timeout 5 nc -N 10.7.0.2 7)" again

# ---- client

tap tap8 10.8.0.1/24
background echo_server
wait_for 5 listens 7
is "asks and prints the answer" "$(timeout 5 "$embed" tap8 10.8.0.2/24 ask 10.8.0.1 7 question)" question
refused=$(timeout 5 "$embed" tap8 10.8.0.2/24 ask 10.8.0.1 98 x 2>&1)
like "nobody listens: refused" "$refused" "Connection refused"
unreachable=$(timeout 8 "$embed" tap8 10.8.0.2/24 ask 10.8.0.9 7 x 2>&1)
like "nobody is there: no route to host" "$unreachable" "No route to host"
not_ok "no arguments: says how" "$embed"
done_testing
