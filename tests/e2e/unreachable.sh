#!/bin/bash
# SPDX-License-Identifier: MIT
# What ICMP says of a connection, as a program hears it: one script, on the kernel's stack (behind a veth) and on Glass,
# to the same ports of a host whose firewall answers for them.
. "$(dirname "$0")/lib.sh"

cat >"$LAB/script.py" <<'PY'
import errno, select, socket, sys, threading
HOST = sys.argv[1]

def name(error):
    return errno.errorcode.get(error, error)

def so_error(s):
    return name(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

# The first SYN of each is lost, the second is answered: so the answer comes after connect(2) has begun to wait.
waits, polls, threads = {}, {}, []
def wait(port):
    s = socket.socket()
    waits[port] = "connect", name(s.connect_ex((HOST, port))), so_error(s)

for port in range(7301, 7306):
    threads.append(threading.Thread(target=wait, args=(port,)))
    threads[-1].start()
    polls[port] = socket.socket()
    polls[port].setblocking(False)
    polls[port].connect_ex((HOST, port + 10))
for thread in threads:
    thread.join()
for port, s in polls.items():
    poll = select.poll()
    poll.register(s, select.POLLIN | select.POLLOUT)
    told = [mask for _, mask in poll.poll(5000)], so_error(s), so_error(s), name(s.connect_ex((HOST, 7300)))
    print(port, *waits[port], "poll", *told)

for port in range(7321, 7326):
    d = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    d.connect((HOST, port))
    d.send(b"x")
    d.settimeout(0.3)
    try:
        print("datagram", d.recv(1))
    except OSError as e:
        print("datagram", name(e.errno))

# Now and then a segment of an established connection is answered so: it is sent again.
s = socket.create_connection((HOST, 7300))
sent = bytes(range(256)) * 400
s.sendall(sent)
s.shutdown(socket.SHUT_WR)
got = b""
while data := s.recv(65536):
    got += data
print("all came", got == sent, s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
PY

sysctl -qw net.ipv4.icmp_msgs_per_sec=1000000 net.ipv4.icmp_ratelimit=0 2>/dev/null
lab_start || exit 1
background unshare -n sleep 60
kernel=$!
wait_for 5 eval '[ "$(readlink "/proc/$kernel/ns/net")" != "$(readlink /proc/self/ns/net)" ]'
ip link add wire type veth peer name eth0 netns "$kernel"
ip addr add 10.0.2.5/24 dev wire
ip link set wire up
there=(nsenter -t "$kernel" -n)
"${there[@]}" ip addr add 10.0.2.4/24 dev eth0
"${there[@]}" ip link set eth0 up
background python3 -c "
import socket
l = socket.create_server(('', 7300))
while True:
    s, got = l.accept()[0], b''
    try:
        while data := s.recv(65536):
            got += data
        s.sendall(got)
    except OSError:
        pass
    s.close()"
wait_for 5 listens 7300
nft "add table ip answers; add chain ip answers in { type filter hook input priority 0; }" || skip "no nftables here"
port=7300
for answer in net-unreachable host-unreachable port-unreachable prot-unreachable admin-prohibited; do
	port=$((port + 1))
	for tcp in $port $((port + 10)); do
		nft add rule ip answers in tcp dport $tcp numgen inc mod 2 == 0 drop
		nft add rule ip answers in tcp dport $tcp reject with icmp type $answer
	done
	nft add rule ip answers in udp dport $((port + 20)) reject with icmp type $answer
done
nft add rule ip answers in tcp dport 7300 meta length \> 1000 numgen inc mod 4 == 1 counter \
	reject with icmp type host-unreachable
timeout 30 "${there[@]}" python3 "$LAB/script.py" 10.0.2.5 >"$LAB/kernel" 2>&1
is "the script runs on the kernel" $? 0
for way in "env LD_PRELOAD=$PRELOAD" "$GLASS run --mode seccomp"; do
	# shellcheck disable=SC2086 # words
	timeout 30 $way python3 "$LAB/script.py" $HOST >"$LAB/glass" 2>&1
	is "${way##*/}: and on Glass" $? 0
	is "${way##*/}: line by line the same" "$(diff "$LAB/kernel" "$LAB/glass")" ""
done
like "connections were told of" "$(nft list table ip answers)" 'counter packets [1-9]'
like "each by its name" "$(cat "$LAB/kernel")" \
	"7301 connect ENETUNREACH .*7302 connect EHOSTUNREACH .*7303 connect ECONNREFUSED .*7304 connect ENOPROTOOPT "
done_testing
