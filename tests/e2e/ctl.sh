#!/bin/bash
# SPDX-License-Identifier: MIT
# The command, from the outside: what it says without a daemon, its words, its JSON, its exit codes, its manners.
. "$(dirname "$0")/lib.sh"

# Runs glass; its output is in $LAB/out, its messages in $LAB/err; prints the exit code.
glass_code()
{
	"$GLASS" "$@" >"$LAB/out" 2>"$LAB/err" </dev/null
	echo $?
}

said()
{
	cat "$LAB/out" "$LAB/err"
}

json_ok()
{
	"$GLASS" "$@" --json </dev/null | python3 -m json.tool >/dev/null
}

json_lines_ok()
{
	"$GLASS" "$@" --json >"$LAB/lines" || return 1
	[ -s "$LAB/lines" ] && python3 -c 'import json,sys; [json.loads(l) for l in sys.stdin]' <"$LAB/lines"
}

on_glass()
{
	LD_PRELOAD=$PRELOAD "$@"
}

get=$EXAMPLES/get

# ---- without a daemon

for command in down status "ss -ti" stat trace why "ping 10.0.0.5" neigh route addr link "net show" \
	"pcap -w $LAB/none" tunables "set tcp_sack=1"; do
	# shellcheck disable=SC2086 # words
	is "without a daemon: glass $command: exit code" "$(glass_code $command)" 3
	like "and it says what to type" "$(said)" "glass up"
done
is "explain needs no daemon" "$(glass_code explain ip_bad_csum)" 0
like "and does not mind the case" "$(said)" "^IP_BAD_CSUM:.*checksum"
is "doctor: a device can be made here" "$(glass_code doctor)" 0
like "tun is there" "$(said)" "ok +tun "
like "what is not there is told, and what to type" "$(PATH=/nowhere "$GLASS" doctor)" \
	"no +tcpdump .*it is not in PATH.*type: apt install tcpdump"
is "explain lists" "$(glass_code explain)" 0
like "reasons and events" "$(said)" "TCP_PAWS.*tcp_rtx"
ok "as JSON too" json_ok explain
ok "and one event" json_ok explain tcp_out
like "a counter" "$("$GLASS" explain TcpExtTCPTimeouts)" "retransmission timeouts"
is "InErrors of two groups are two counters" "$("$GLASS" explain -j IcmpInErrors InErrors | grep -c counter)" 3
like "a TCP state, as ss says it" "$("$GLASS" explain estab)" "ESTABLISHED, a TCP state.*RFC 9293"
like "a TCP option" "$("$GLASS" explain SACK)" "RFC 2018"
like "a limiter, and what helps" "$("$GLASS" explain nagle)" "TCP_NODELAY"
is "a name of two tables is told twice" "$("$GLASS" explain closing | grep -c '^[cC]')" 2
is "an unknown reason fails" "$(glass_code explain IP_BAD_CSUN)" 1
like "and the nearest is named" "$(said)" "did you mean IP_BAD_CSUM"

# ---- words

is "an unknown command is wrong usage" "$(glass_code trcae)" 2
like "the nearest is named" "$(said)" "did you mean: glass trace"
is "an unknown option too" "$(glass_code ss --colour)" 2
like "with the way to the help" "$(said)" "glass ss --help"
is "a number that is none" "$(glass_code ping -c many 10.0.0.5)" 2
is "an option without its value" "$(glass_code trace --save)" 2
like "is called by its name" "$(said)" "--save needs FILE"
is "no command" "$(glass_code)" 2
is "help" "$(glass_code help)" 0
is "version" "$(glass_code --version)" 0
is "help of a command" "$(glass_code help trace)" 0
like "names its options" "$(said)" "--follow"

# ---- with a daemon

is "glass up" "$(glass_code up --trace-records 4096)" 0
like "says where" "$(said)" "stack default is up.*10.0.0.4/24 on glass0"
is "glass up again fails" "$(glass_code up)" 1
like "because it runs" "$(said)" "running already"
mkdir "$LAB/www"
echo "a page" >"$LAB/www/index.html"
head -c 20000000 /dev/zero >"$LAB/www/big"
background python3 -m http.server 8080 --bind "$HOST" --directory "$LAB/www" >/dev/null 2>&1
wait_for 10 listens 8080

for command in a ad addr address "addr show" l link "link ls" n neigh neighbor "neigh show" r ro route "route list"; do
	# shellcheck disable=SC2086
	is "glass $command" "$(glass_code $command)" 0
done
is "but what ip(8) has and we have not is refused" "$(glass_code route add)" 2
like "addr" "$("$GLASS" a)" "inet 10.0.0.4/24"
like "route" "$("$GLASS" r)" "10.0.0.0/24 dev glass0"
ok "ping" "$GLASS" ping -c 2 -i 0.1 "$HOST"
like "neigh" "$("$GLASS" n)" "10.0.0.5 dev glass0 lladdr .* REACHABLE"
is "ping of nobody fails" "$(glass_code ping -c 1 10.0.0.99)" 1
like "and says why" "$(said)" "Destination Host Unreachable"
is "ping with less patience" "$(glass_code ping -c 1 -W 0.1 10.0.0.98)" 1
like "says so" "$(said)" "no answer for icmp_seq=1"
ok "ping as JSON lines" json_lines_ok ping -c 2 -i 0.1 "$HOST"

for command in status ss "ss -atiu" stat "stat -a" addr link neigh route tunables "net show"; do
	# shellcheck disable=SC2086
	ok "JSON: glass $command" json_ok $command
	# shellcheck disable=SC2086
	ok "and indented" json_ok $command --pretty
done

# ---- a page, and what is seen of it

ok "a page is fetched" on_glass "$get" "$HOST" 8080
like "stat counts" "$("$GLASS" stat 'tcp*')" "TcpActiveOpens +1 "
like "a sum of reasons has its MIB name" "$("$GLASS" stat -a IpInHdrErrors)" "IpInHdrErrors +0 "
rates()
{
	"$GLASS" stat -j -t 0.3 -c 1 >"$LAB/rates" &
	"$GLASS" ping -c 3 -i 0.02 "$HOST" >/dev/null
	wait $!
	jq -r '.glass.IcmpOutMsgs / .interval_s > 5' "$LAB/rates"
}
is "stat -t tells what was added, and how fast" "$(rates)" true
"$GLASS" stat -a | awk '{ print $1 }' >"$LAB/counters"
# shellcheck disable=SC2046 # words
ok "explain knows every name that stat shows" "$GLASS" explain $(cat "$LAB/counters")
is "and the value of each, of two groups with one name too" \
	"$("$GLASS" explain TcpActiveOpens IpOutRequests ArpOutRequests | grep -oE 'now: +[0-9]+' | tr -d 'now: \n')" \
	"$("$GLASS" stat -a TcpActiveOpens IpOutRequests ArpOutRequests | awk '{ v[$1] = $2 }
		END { printf "%s%s%s", v["TcpActiveOpens"], v["IpOutRequests"], v["ArpOutRequests"] }')"
is "a counter that there is none of" "$(glass_code stat TcpActveOpens)" 1
is "stat -c without -t" "$(glass_code stat -c 1)" 2
is "and only what was asked for" "$("$GLASS" stat 'tcpactive*' | wc -l)" 1
like "trace tells the handshake" "$("$GLASS" trace)" "SYN-SENT -> ESTABLISHED: SYN-ACK"
like "with causes" "$("$GLASS" trace 1)" "because #[0-9]+ call connect"
ok "as JSON lines" json_lines_ok trace
ok "of one connection" json_lines_ok trace 1
is "one event" "$("$GLASS" trace -e tcp_open --raw | grep -c tcp_open)" 1
is "the last records" "$("$GLASS" trace --raw -n 5 | wc -l)" 5
syn=$("$GLASS" trace -e tcp_out -j | head -1 | sed 's/.*"pkt":\([0-9]*\).*/\1/')
like "one packet's walk has rooms with files" "$("$GLASS" trace -P "$syn")" "ip_output +ip_output.c"
is "a packet that is not there" "$(glass_code trace -P 4000000000)" 1
is "a connection that is not there" "$(glass_code trace 4000000)" 1
like "why: closed" "$("$GLASS" why)" "closed in order"
ok "why as JSON" json_ok why
on_glass "$get" "$HOST" 81 >/dev/null 2>&1
like "why: refused" "$("$GLASS" why "$HOST:81")" "no program listens on port 81"

is "a filter" "$("$GLASS" trace -e tcp_out --raw 'syn and dst port 81' | grep -c '\[S\]')" 1
is "-c is a connection" "$("$GLASS" trace -c 1 -j | jq -s 'map(.conn) | max')" 1
like "--paths counts" "$("$GLASS" trace --paths tcp and inbound)" "[0-9]+ +[0-9.]+ % +glass0 > eth_input > ip_input"
ok "-o" "$GLASS" trace -o "$LAB/trace.txt" 1
like "writes a file" "$(cat "$LAB/trace.txt")" "connection 1:"
is "a connection by its end" "$("$GLASS" trace 10.0.0.5:81)" "$("$GLASS" trace -c 2)"
is "the last" "$("$GLASS" trace last)" "$("$GLASS" trace "$("$GLASS" why -j | jq .conn)")"
is "an end that is not there" "$(glass_code trace 10.0.0.5:82)" 1
for modes in "-f -P 1" "-f --paths" "-f --save $LAB/ring" "-f --ring $LAB/ring" "--paths -r" "--paths -e rx"; do
	# shellcheck disable=SC2086 # words
	is "trace $modes: not both" "$(glass_code trace $modes)" 2
done
is "a filter that is none" "$(glass_code trace hots 10.0.0.5)" 2
ok "the recorder is saved" "$GLASS" trace --save "$LAB/ring"
like "and read again" "$("$GLASS" trace --ring "$LAB/ring" 1)" "glass0 > eth_input > ip_input"
like "why reads it too" "$("$GLASS" why --ring "$LAB/ring" last)" "ECONNREFUSED"
head -c 5000 "$LAB/ring" >"$LAB/cut"
is "a ring that was cut is refused" "$(glass_code trace --ring "$LAB/cut")" 1
like "and it says so" "$(said)" "no flight recorder"

# ---- ss

background on_glass python3 -c "
import socket, time
s = socket.create_connection(('$HOST', 8080)); l = socket.socket(); l.bind(('', 7000)); l.listen(); time.sleep(60)"
wait_for 10 sh -c "'$GLASS' ss -l | grep -q 7000"
like "ss" "$("$GLASS" ss -tn)" "tcp +ESTAB +0 +0 +10.0.0.4:[0-9]+ +10.0.0.5:8080 +[0-9]+"
like "ss -i has the fields of ss -ti" "$("$GLASS" ss -ti)" "rto:[0-9]+ rtt:[0-9./]+ ato:40 mss:1448 pmtu:1500 .*cwnd:10"
like "ss -tmoe: memory, number" "$("$GLASS" ss -tmoe)" "sk:[0-9a-f]+ skmem:\\(r0,rb[0-9]+,t0,tb[0-9]+,"
like "ss -i tells what held it back" "$("$GLASS" ss -ti)" "limiter:application life:[0-9]+ms limits:\\(handshake:"
like "ss -j too" "$("$GLASS" -j ss -ti)" '"limiter":"application","life_ms":[0-9.]+,"limits_ms":\{"handshake":'
is "ss without -a does not show listeners" "$("$GLASS" ss -t | grep -c LISTEN)" 0
like "ss -l does" "$("$GLASS" ss -lt)" "LISTEN.*:7000"
is "ss dport" "$("$GLASS" ss dport 8080 | grep -c ESTAB)" 1
is "ss state, src, dst" "$("$GLASS" ss state established src 10.0.0.4 dst 10.0.0.5:8080 | grep -c ESTAB)" 1
is "ss of another port" "$("$GLASS" ss dst :9 | grep -c ESTAB)" 0
is "ss: a state does not outvote the rest" "$("$GLASS" ss state established dst :9 | grep -c ESTAB)" 0
is "ss: comparisons, or, parentheses" \
	"$("$GLASS" ss '( dport > 8079 and dport le 8080 ) or sport = :1' | grep -c ESTAB)" 1
is "ss: not" "$("$GLASS" ss 'not dport = :8080 and not dport = :81' | grep -c ESTAB)" 0
is "ss: != and a network" "$("$GLASS" ss 'dport != 9 and dst 10.0.0.0/24' | grep -c ESTAB)" 1
is "ss: groups of states" "$("$GLASS" ss state connected | grep -c ESTAB)" 1
is "ss: exclude" "$("$GLASS" ss exclude established | grep -c ESTAB)" 0
is "ss: a state that is none" "$(glass_code ss state establish)" 2
like "what was meant is told" "$(said)" "did you mean established"
like "ss -p: the program, its process, its descriptor" "$("$GLASS" ss -tp)" \
	'ESTAB .*users:\(\("python3",pid=[0-9]+,fd=[0-9]+\)\)'
like "ss -lp too" "$("$GLASS" ss -ltp)" 'LISTEN .*users:\(\("python3",pid='
is "ss -jp" "$("$GLASS" ss -tjp | jq -r '.[0].users[0].name')" python3
like "ss -e: the inode" "$("$GLASS" ss -te)" "ino:[1-9][0-9]+ sk:"
is "ss -H" "$("$GLASS" ss -tH | wc -l)" 1
is "ss -O: one line each" "$("$GLASS" ss -tiOH | grep -c 'ESTAB.*cwnd:')" 1
like "ss -s" "$("$GLASS" ss -s)" "TCP: +[0-9]+ \(estab 1, "
like "stat tells of now" "$("$GLASS" stat TcpCurrEstab)" "TcpCurrEstab +1 "
is "check: the account holds" "$(glass_code check)" 0
like "and is told" "$(said)" "received = delivered \+ dropped \+ held: [0-9]+ = "
is "a filter that is none" "$(glass_code ss colour red)" 2
like "why: open" "$("$GLASS" why "$HOST:8080")" "open"

# ---- tunables

like "tunables" "$("$GLASS" tunables tcp_syn_retries)" "tcp_syn_retries = 6 .*0..127"
ok "set" "$GLASS" set tcp_syn_retries=2
like "it is set" "$("$GLASS" tunables tcp_syn_retries)" "tcp_syn_retries = 2"
is "beyond the range" "$(glass_code set tcp_syn_retries=1000)" 1
like "the range is told" "$(said)" "between 0 and 127"
is "an unknown tunable" "$(glass_code set nonsense=1)" 1
like "the way to the list is told" "$(said)" "glass tunables"

# ---- black hole

ok "net blackhole" "$GLASS" net blackhole 10.0.0.7
ok "net JSON" json_ok net show
like "net show" "$("$GLASS" net)" "blackhole 10.0.0.7"
timeout 2 env LD_PRELOAD="$PRELOAD" "$get" 10.0.0.7 80 >/dev/null 2>&1
like "why: a black hole" "$("$GLASS" why 10.0.0.7)" "black hole made by 'glass net blackhole'"
like "explain tells how often" "$("$GLASS" explain BLACKHOLE)" "seen: +[1-9]"
ok "net clear" "$GLASS" net clear
is "a word that net does not know" "$(glass_code net earthquake)" 1

# ---- pcap

background "$GLASS" pcap -w "$LAB/all.pcap" >/dev/null 2>&1
capture=$!
wait_for 5 sh -c "'$GLASS' status | grep -q 'capture *on'"
is "a second capture is refused" "$(glass_code pcap -w "$LAB/second.pcap")" 1
on_glass "$get" "$HOST" 8080 >/dev/null
kill -INT "$capture"
wait_for 5 sh -c "'$GLASS' status | grep -q 'capture *off'"
like "pcap: tcpdump reads it" "$(tcpdump -nr "$LAB/all.pcap" 2>/dev/null)" "10.0.0.5.8080.*Flags \[S\]"
"$GLASS" ping -c 20 -i 0.05 "$HOST" >/dev/null &
ok "pcap ends after a count" timeout 10 "$GLASS" pcap -c 5 -w "$LAB/five.pcap"
wait $!
is "of frames" "$(tcpdump -nr "$LAB/five.pcap" 2>/dev/null | wc -l)" 5
background "$GLASS" pcap -w "$LAB/killed.pcap" >/dev/null 2>&1
capture=$!
wait_for 5 sh -c "'$GLASS' status | grep -q 'capture *on'"
kill -9 "$capture"
wait "$capture" 2>/dev/null
ok "pcap ends with whoever asked for it" wait_for 5 sh -c "'$GLASS' status | grep -q 'capture *off'"

# ---- as it happens; lost records

"$GLASS" trace -f >"$LAB/follow" 2>&1 &
follower=$!
sleep 0.3
on_glass "$get" "$HOST" 8080 >/dev/null
wait_for 5 grep -q "call close" "$LAB/follow"
kill "$follower"
wait "$follower" 2>/dev/null
like "trace -f" "$(cat "$LAB/follow")" "c[0-9]+ +#[0-9]+ +tx \[S\]"
on_glass "$get" "$HOST" 8080 /big >/dev/null
like "overwritten records are told" "$("$GLASS" trace 2>&1 >/dev/null)" "older records were overwritten"

# ---- clients that misbehave

# The operations in their order: the numbers of the protocol.
grep -o '^OP([A-Z_]*' "$(dirname "$0")/../../src/abi/op.def" | cut -c4- >"$LAB/ops"
python3 - "$GLASS_DIR/default.sock" "$LAB/ops" <<'END'
import socket, struct, sys, time
def request(op, arg=(0, 0, 0, 0), data=b""):
	end = struct.pack("=B16sBH", 4, bytes([10, 0, 0, 97]) + bytes(12), 0, 0)
	head = struct.pack("=IHH", 0x53534c47, 1, op)
	fixed = head + struct.pack("=Q4q", 0, *arg) + end
	return fixed + struct.pack("=I", len(data)) + data
names = {line.strip(): number for number, line in enumerate(open(sys.argv[2]))}
for ops in (["PING", "PING"], ["PING", "PCAP"], ["PING", "PING", "PING"]):
	s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
	s.connect(sys.argv[1])
	for op in ops:
		s.send(request(names[op], (1, 56, 5000, 1), b"stop" if op == "PCAP" else b""))
	time.sleep(0.1)
	s.close()
END
is "several pings at once on one connection, then gone: the daemon lives" "$(glass_code status)" 0

# ---- colours

is "no colours into a file" "$("$GLASS" trace 1 --ring "$LAB/ring" | grep -c $'\033')" 0
# A terminal that is not ours.
has_colours()
{
	script -qec "'$GLASS' trace 1 --ring '$LAB/ring'" /dev/null | grep -q $'\033'
}
ok "colours on a terminal" has_colours
NO_COLOR=1 not_ok "not with NO_COLOR" has_colours

# ---- another stack, and the end

is "a second stack" "$(glass_code up --stack two --dev glass1 --address 10.1.0.4/24 --host-address 10.1.0.5/24)" 0
like "has its own address" "$("$GLASS" --stack two addr)" "10.1.0.4/24"
like "chosen by the environment" "$(GLASS_STACK=two "$GLASS" addr)" "10.1.0.4/24"
is "down of one" "$(glass_code down --stack two)" 0
is "leaves the other" "$(glass_code status)" 0
is "down" "$(glass_code down)" 0
is "and it is gone" "$(glass_code status)" 3

done_testing
