#!/bin/bash
# SPDX-License-Identifier: MIT
# Who waits for datagrams is told when glassd ends, also when it is killed.
. "$(dirname "$0")/lib.sh"

# wait_in MODE CODE: a program that waits, its last words in $LAB/MODE; ready when they begin.
wait_in()
{
	local on=(env LD_PRELOAD="$PRELOAD")

	[ "$1" = preload ] || on=("$GLASS" run --mode "$1")
	rm -f "$LAB/$1"
	background timeout 20 "${on[@]}" python3 -c "
import errno, os, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print('ready', flush=True)
try:
    print($2)
except OSError as e:
    print(errno.errorcode[e.errno])" >"$LAB/$1" 2>/dev/null
	wait_for 10 grep -q ready "$LAB/$1"
	sleep 2.5 # it waits in the kernel, and the keeper knows it
}

words_of()
{
	wait_for 5 grep -qv ready "$LAB/$1"
	tail -n1 "$LAB/$1"
}

keepers()
{
	pgrep -c glass-keeper
}

for end in -KILL -TERM; do
	for mode in preload seccomp; do
		for call in 's.bind(("", 9)) or s.recvfrom(10)' 's.connect(("10.0.0.5", 9999)) or s.recv(10)'; do
			lab_start || exit 1
			wait_in $mode "$call"
			kill $end "$(lab_pid)"
			is "$end: ${call#* or } by $mode" "$(words_of $mode)" ENETDOWN
			wait_for 5 fails pgrep glass-keeper
		done
	done
done
is "no keeper is left" "$(keepers)" 0

# ---- what it keeps goes with the socket

lab_start || exit 1
wait_for 5 pgrep glass-keeper # it takes its name when it runs
is "there is one" "$(keepers)" 1
keeper=$(pgrep glass-keeper)
is "it holds nothing of glassd's" "$(find "/proc/$keeper/fd" -type l | wc -l)" 4
ok "a peer's name is free at once" env LD_PRELOAD="$PRELOAD" python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.0.0.4", 5555))
s.connect(("10.0.0.5", 9999))
for _ in range(3):
    time.sleep(1.2)
    for _ in range(100):
        s.connect(("10.0.0.5", 9999))
for n in range(300):
    s.connect(("10.0.0.5", 9990 + n % 2))
for _ in range(300):
    t = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    t.connect(("10.0.0.5", 9999))'
ok "and it holds none of them" wait_for 10 eval "[ \$(find /proc/$keeper/fd -type l | wc -l) = 4 ]"
kill -9 "$keeper"
ok "without it glassd goes on" env LD_PRELOAD="$PRELOAD" python3 -c '
import socket
for _ in range(3):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(("10.0.0.5", 9999))
    s.send(b"x")'
done_testing
