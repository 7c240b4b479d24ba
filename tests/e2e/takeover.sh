#!/bin/bash
# SPDX-License-Identifier: MIT
# One glassd goes on where another one stops, and programs notice nothing; if it cannot, the old one goes on.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/takeover_lib.sh"

# talk PORT WORDS: as a client on the kernel's side.
talk()
{
	python3 -c "
import socket, sys
s = socket.create_connection(('10.0.0.4', $1), timeout=10)
s.sendall(b'$2')
sys.exit(s.recv(100) != b'$2')"
}

tell()
{
	python3 -c "
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b'$2', ('10.0.0.4', $1))
s.settimeout(5)
sys.exit(len(sys.argv) == 1 and s.recv(100) != b'$2')" "${@:3}"
}

everything_holds()
{
	"$GLASS" check >"$LAB/check" && ! grep -q '^broken' "$LAB/check"
}

lab_start || exit 1

# ---- what must not notice

start echo "${off[@]}" echo 10.0.0.5 7000
start udp-echo python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('10.0.0.5', 5001))
print('ready', flush=True)
while True:
    s.sendto(*s.recvfrom(2000))"
start peer "${off[@]}" peer 10.0.0.5 7001 110
start transfer "${on[@]}" transfer 10.0.0.5 7001 110
start idle "${on[@]}" idle 10.0.0.5 7000 "$LAB/go"
start listener "${on[@]}" listener 7002 "$LAB/go"
start datagrams "${on[@]}" datagrams 5000 "$LAB/go"
start connects "${on[@]}" connects 10.0.0.5 7000 3
ok "a server answers" talk 7002 first
tell 5000 before nobody-reads-it-yet

for i in 1 2 3; do
	ok "takeover $i" take
	sleep 0.5
done
ok "its lock is held" fails flock -n "$GLASS_DIR/default.lock" true
is "there is one keeper" "$(pgrep -c glass-keeper)" 1
ok "a server is asked for the first time since" talk 7002 second
tell 5000 after nobody-reads-it-yet
touch "$LAB/go"
is "connections that rest, a blocked reader, an epoll set" "$(last idle)" unnoticed
is "a listener" "$(last listener)" unnoticed
is "datagram sockets, connected and not" "$(last datagrams)" unnoticed
is "connects meanwhile wait, and do not fail" "$(last connects)" unnoticed
is "110 MB each way have the same hashes" "$(last transfer)" "$(last peer)"
ok "the account holds" everything_holds
is "nothing was reset" "$("$GLASS" stat TCPAbortOnData EstabResets 2>/dev/null | awk '{n += $NF} END {print n + 0}')" 0

# ---- what is set stays, and what is given beside counts

ok "a tunable is given" take --set arp_probes_max=7
ok "and stays" take
like "so it is" "$("$GLASS" tunables | grep arp_probes_max)" ' 7'
ok "a bad network" "$GLASS" net set out delay 20ms
ok "is taken along" take
like "as it is" "$("$GLASS" net show)" 'delay 20'
"$GLASS" net del >/dev/null
not_ok "a device cannot be chosen" take --dev other0
like "it says why" "$(cat "$LAB/take.log")" 'leave out --dev'

# ---- what fails changes nothing

start idle2 "${on[@]}" idle 10.0.0.5 7000 "$LAB/go2"
pid=$(lab_pid)
op=$(awk -F'[(,]' '/^OP\(/ { if ($2 == "TAKEOVER") print n; n++ }' "$here/../../src/abi/op.def")
version=$(awk '/define ABI_VERSION/ { print $3 }' "$here/../../src/abi/abi.h")
as() { "${off[@]}" taker "$GLASS_DIR/default.sock" "$1" "$op" "$version"; }
like "another version is refused" "$(as version)" 'the new one reads 98 to 99'
ok "the new one hangs up at once" as hangup
as silent &
ok "the new one says nothing: nobody waits for it" timeout 0.7 "$GLASS" status
wait $!
is "the new one dies with everything in hand" "$(as late)" "gone True"
not_ok "the new one is killed by a signal while it makes its recorder" prlimit --fsize=100000 "$GLASS" up --takeover
ok "the control socket answers" "$GLASS" status
is "the old one goes on" "$(lab_pid)" "$pid"
ok "and can be taken over after all" take
touch "$LAB/go2"
is "all that was unnoticed too" "$(last idle2)" unnoticed
ok "it ends in order" "$GLASS" down
is "and leaves nothing" "$(ls "$GLASS_DIR" 2>/dev/null)" ""
wait_for 5 fails pgrep glass-keeper
is "no keeper either" "$(pgrep -c glass-keeper)" 0
not_ok "nothing is there to take over" "$GLASS" up --takeover
done_testing
