#!/bin/bash
# SPDX-License-Identifier: MIT
# glassd starts, refuses a second start, gives up its rights, ends without a trace, and survives being killed.
. "$(dirname "$0")/lib.sh"

open_fds()
{
	find "/proc/$1/fd" -mindepth 1 | wc -l
}

caps()
{
	awk '/^Cap/ { n += ($2 != "0000000000000000") } END { print n }' "/proc/$1/status"
}

# ---- a start and an end

ok "starts, and returns when it is ready" lab_start
pid=$(lab_pid)
ok "runs as the pid in the lock file" kill -0 "$pid"
ok "control socket is there" test -S "$GLASS_DIR/default.sock"
is "the directory is ours alone" "$(stat -c %a "$GLASS_DIR")" 700
is "no capability is left in any set" "$(caps "$pid")" 0
like "no_new_privs is set" "$(grep NoNewPrivs "/proc/$pid/status")" '1$'
is "one thread" "$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)" 1
is "soft limit of descriptors is the hard one" "$(awk '/open files/ { print $4 == $5 }' "/proc/$pid/limits")" 1
like "the host's side has its address" "$(ip -br addr show glass0)" "UNKNOWN +10.0.0.5/24"
like "no IPv6 noise from the host's side" "$(ip -6 addr show glass0)" '^$'
ok "the host's ping is answered" ping -qc3 -i0.05 -W1 "$STACK"
ok "a large ping is answered" ping -qc1 -s 20000 -W1 "$STACK"

second=$("$GLASSD" 2>&1)
is "a second start on the same name fails" $? 1
like "and says whose the name is" "$second" "already \(pid $pid\).*glass down"
ok "the first is unharmed" ping -qc1 -W1 "$STACK"
taken=$("$GLASSD" --stack other --dev glass1 2>&1)
is "a network that the host uses is refused" $? 1
like "with advice" "$taken" "10.0.0.5/24 on glass0.*--address"
ok "another stack beside it" "$GLASSD" --stack other --dev glass1 --address 10.0.1.4/24 --host-address 10.0.1.5/24
ok "answers too" ping -qc1 -W1 10.0.1.4
ok "SIGTERM ends it" lab_stop other
ok "the first goes on" ping -qc1 -W1 "$STACK"

ok "SIGTERM ends the daemon" lab_stop
ok "the device is gone" fails ip link show glass0
ok "no file is left" fails test -e "$GLASS_DIR"

# ---- killed

lab_start
pid=$(lab_pid)
kill -9 "$pid"
wait_for 5 gone "$pid"
ok "kill -9 leaves the socket's file" test -e "$GLASS_DIR/default.sock"
ok "and the next start is not impressed" lab_start
ok "and works" ping -qc1 -W1 "$STACK"
lab_stop
ok "nothing but the folder is left" rmdir "$GLASS_DIR"

# ---- its end, as programs and peers see it

# A connection of a program on Glass to the kernel's nc, idle; both ends write their pid's end into a file.
connect_idle()
{
	rm -f "$LAB/peer" "$LAB/program"
	(nc -l "$HOST" 9000 </dev/null >/dev/null 2>&1; echo $? >"$LAB/peer") &
	wait_for 5 listens 9000
	(LD_PRELOAD=$PRELOAD nc -d "$HOST" 9000 </dev/null >/dev/null 2>&1; echo $? >"$LAB/program") &
	wait_for 5 established
}

established()
{
	[ -n "$(ss -Htn state established "sport = :9000")" ]
}

lab_start
connect_idle
ok "a program is connected" established
lab_stop
ok "SIGTERM: the peer learns at once" wait_for 1 test -e "$LAB/peer"
ok "SIGTERM: the program learns at once" wait_for 1 test -e "$LAB/program"
lab_start
connect_idle
kill -9 "$(lab_pid)"
ok "kill -9: the program learns at once" wait_for 1 test -e "$LAB/program"
wait_for 5 lab_start

# ---- capture

"$GLASS" pcap -w "$LAB/file.pcap" >"$LAB/pcap.log" 2>&1 &
capture=$!
wait_for 5 test -s "$LAB/file.pcap"
ping -qc3 -i0.05 -W1 "$STACK" >/dev/null
kill -INT $capture
wait $capture
like "the file holds what passed" "$(tcpdump -nr "$LAB/file.pcap" icmp 2>/dev/null | grep -c ICMP)" '^6$'
timeout -s INT 2 "$GLASS" pcap 2>/dev/null | tcpdump -nr - icmp >"$LAB/pipe.txt" 2>/dev/null &
capture=$!
sleep 0.5
ping -qc3 -i0.05 -W1 "$STACK" >/dev/null
wait $capture
is "and so does a pipe" "$(grep -c ICMP "$LAB/pipe.txt")" 6
lab_stop
rmdir "$GLASS_DIR"

# ---- the ways to the host

for kind in --tap --tun; do
	for offload in "" --no-offload; do
		# shellcheck disable=SC2086 # an empty word is no option
		lab_start $kind $offload
		ok "ping over $kind $offload" ping -qc3 -i0.05 -W1 "$STACK"
		lab_stop
	done
done

# ---- options

lab_start --mtu 1400 --address 10.9.0.1/16 --host-address 10.9.0.2/16 --dev lab9 --set ip_default_ttl=33
like "the MTU is the host's too" "$(ip link show lab9)" "mtu 1400"
like "a tunable is set" "$(ping -c1 -W1 10.9.0.1)" "ttl=33"
lab_stop
for bad in "--mtu 5" "--address 10.0.0.4" "--set nonsense=1" "--set ip_default_ttl=999" "--stack a/b" "--foo" "word" \
	"--address 10.0.0.5/24" "--address 10.3.0.4/24"; do
	# shellcheck disable=SC2086
	text=$("$GLASSD" $bad 2>&1)
	is "refused: $bad" $? 1
	ok "with a word on it" test -n "$text"
done
ok "nothing is left of the refused" fails test -e "$GLASS_DIR"

# ---- without root, on a device that root has made

as_user()
{
	setpriv --reuid=1000 --regid=1000 --clear-groups "$@"
}

chmod 755 "$LAB"
install -d -o 1000 "$LAB/user"
if mknod -m 666 "$LAB/tun" c 10 200 2>/dev/null && mount --bind "$LAB/tun" /dev/net/tun &&
	as_user test -x "$GLASSD"; then
	export GLASS_DIR=$LAB/user
	refused=$(as_user "$GLASSD" 2>&1)
	is "a user may not make a device" $? 1
	like "and reads what root could type" "$refused" "CAP_NET_ADMIN.*ip tuntap add dev glass0 mode tap user"
	ip tuntap add dev glass0 mode tap user 1000
	ip addr add "$HOST/24" dev glass0
	ip link set glass0 up
	ok "but may use one" as_user "$GLASSD"
	ok "and it works" ping -qc1 -W1 "$STACK"
	ok "and ends" lab_stop
	ip link del glass0
	umount /dev/net/tun
	export GLASS_DIR=$LAB/run
fi

# ---- the host takes the device down, and away

# shellcheck disable=SC2119 # no options are meant
lab_start_logged
ip link set glass0 down
not_ok "down: no answer" ping -qc1 -W0.3 "$STACK"
ip link set glass0 up
ok "up: answers" wait_for 3 ping -qc1 -W0.3 "$STACK"
fds=$(open_fds "$(lab_pid)")
ip link del glass0
ok "deleted: says so" wait_for 3 grep -q "glass0 was deleted" "$LAB/glassd.log"
ip tuntap add dev glass0 mode tap
ip addr add "$HOST/24" dev glass0
ip link set glass0 up
ok "made again: is taken again" wait_for 3 grep -q "glass0 is back" "$LAB/glassd.log"
ok "and works" wait_for 3 ping -qc1 -W0.3 "$STACK"
is "with no descriptor more" "$(open_fds "$(lab_pid)")" "$fds"
lab_stop

done_testing
