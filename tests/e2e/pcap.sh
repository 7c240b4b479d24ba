#!/bin/bash
# SPDX-License-Identifier: MIT
# Captures: the file block by block, what it says of each packet, filters, lengths, the old format; readers that listen
# while it is written; and what glass wireshark installs.
. "$(dirname "$0")/lib.sh"

URL=http://$HOST:8080/page
export HOME=$LAB/home WIRESHARK_EXTCAP_DIR=$LAB/extcap PYTHONPATH
PYTHONPATH=$(dirname "$0")
mkdir -p "$LAB/www" "$HOME"
head -c 20000 /dev/urandom >"$LAB/www/page"

# capture OPTIONS... [FILTER]: begins one, into $LAB/$1
capture_begin()
{
	local file=$1

	shift
	"$GLASS" pcap -w "$LAB/$file" "$@" >"$LAB/$file.log" 2>&1 &
	capture=$!
	wait_for 5 capture_is on
}

capture_is()
{
	"$GLASS" status | grep -q "capture *$1"
}

capture_end()
{
	kill -INT "$capture"
	wait "$capture"
}

curl_on_glass()
{
	LD_PRELOAD=$PRELOAD timeout 20 curl -sf -o /dev/null "$URL"
}

# dump FILE: a line per block
dump()
{
	python3 "$(dirname "$0")/pcapng.py" "$LAB/$1"
}

lab_start
background python3 -m http.server 8080 --bind "$HOST" --directory "$LAB/www" >/dev/null 2>&1
wait_for 10 listens 8080

# ---- what is in the file

capture_begin all.pcapng
ok "a request" curl_on_glass
"$GLASS" net set out drop nth 1 data >/dev/null
ok "a request whose segment is lost" curl_on_glass
"$GLASS" net del >/dev/null
"$GLASS" net blackhole 10.0.0.6 >/dev/null
timeout 1 env LD_PRELOAD="$PRELOAD" curl -s http://10.0.0.6/
ping -qc1 -W1 "$STACK" >/dev/null
capture_end
dump all.pcapng >"$LAB/all.txt" 2>&1
all=$(cat "$LAB/all.txt")
like "the section tells the machine and the application" "$all" "^section .*$(uname -m).*Linux.*glass [0-9]"
like "the interface its name and what it is" "$all" \
	"interface ~ 1 ~ b'glass0' ~ b'Glass stack default, TAP device, mtu 1500'"
n="[0-9]*"
by_call="glass.pid=$n glass.state=SYN-SENT glass.cause=$n glass.cause.text=.call connect"
like "a packet: fate, process, state, cause" "$all" \
	"out ~ $n ~ sent.*glass.packet=$n .*glass.verdict=sent glass.conn=$n glass.process=curl $by_call"
like "what the stack made of one that came" "$all" "in ~ [0-9]* ~ accepted; SYN-SENT -> ESTABLISHED: SYN-ACK"
like "one that glass net has lost" "$all" \
	"out ~ $n ~ dropped: NET_AIMED.*glass.drop.text=.NET_AIMED: $n bytes at 0 aimed at. glass.verdict=drop"
like "and its repetition, with the kind" "$all" \
	"sent again, copy of #$n: tail loss probe.*glass.retransmission=tlp glass.why=.tail loss probe. glass.copy_of"
like "one that a black hole swallows" "$all" "out .*glass.drop=BLACKHOLE .*glass.verdict=dropped"
like "the host's ping and the answer to it" "$all" "in ~ 98 ~ accepted"
like "what was received, at the end" "$all" "statistics .4: [0-9]*, 5: 0, 6: [0-9]*.$"
is "as many as the command says" "$(grep -c '^out\|^in ' "$LAB/all.txt") frames written" \
	"$(grep -o '^[0-9]* frames written' "$LAB/all.pcapng.log")"
ok "tcpdump reads it" tcpdump -nr "$LAB/all.pcapng" -w "$LAB/copy.pcap"

# Each number in a label is that of the recorder.
"$GLASS" trace -j >"$LAB/trace.jsonl" 2>/dev/null
is "labels and recorder agree, packet by packet" "$(python3 - "$LAB" <<'END'
import json, pcapng, sys
records, wrong = {}, []
for line in open(sys.argv[1] + "/trace.jsonl"):
    r = json.loads(line)
    records.setdefault(r["pkt"], []).append(r)
for p in pcapng.Capture(sys.argv[1] + "/all.pcapng").packets:
    mine = records[int(p.glass["packet"])]
    drop = [r["reason"] for r in mine if r["event"] == "drop"]
    if [p.glass["drop"]] * ("drop" in p.glass) != drop if "drop" in p.glass or drop else False:
        wrong.append(("drop", p.glass, drop))
    if p.id != [int(p.glass["packet"])] or p.out != any(r["event"] in ("tx", "tcp_out", "arp_out") for r in mine):
        wrong.append(("direction", p.glass))
    conns = {r["conn"] for r in mine if r["conn"]}
    if conns and {int(p.glass.get("conn", 0))} != conns:
        wrong.append(("conn", p.glass, conns))
print(wrong or "agree")
END
)" agree

# ---- filter, length, count, format

capture_begin filtered.pcapng -s 60 'tcp port 8080 and tcp[tcpflags] & tcp-syn != 0'
curl_on_glass
ping -qc1 -W1 "$STACK" >/dev/null
capture_end
dump filtered.pcapng >"$LAB/filtered.txt"
is "a filter lets two packets pass" "$(grep -c '^out\|^in ' "$LAB/filtered.txt")" 2
like "the file tells the filter" "$(cat "$LAB/filtered.txt")" 'b.*tcp port 8080 and tcp\[tcpflags\]'
is "and keeps 60 bytes of each" "$(tcpdump -nr "$LAB/filtered.pcapng" -v 2>&1 | grep -c 'snapshot length 60')" 1
like "the command tells how many of how many" "$(cat "$LAB/filtered.pcapng.log")" "2 frames written of [1-9]"
capture_begin old.pcap --format pcap
curl_on_glass
capture_end
is "the old format" "$(od -An -tx4 -N4 "$LAB/old.pcap" | tr -d ' ')" a1b23c4d
like "tcpdump reads it" "$(tcpdump -nr "$LAB/old.pcap" 2>/dev/null)" "$HOST.8080.*Flags \[S\]"
"$GLASS" ping -c 20 -i 0.05 "$HOST" >/dev/null &
like "-c, and -j" "$(timeout 10 "$GLASS" pcap -j -c 3 -w "$LAB/three.pcapng")" '^."frames":3,"received":3,"lost":0.$'
wait $!
out=$("$GLASS" pcap -w "$LAB/none" 'tcp prot 80' 2>&1)
like "what is no filter: $(head -n1 <<<"$out")" "$out" "pcap-filter.7."
like "nor a file without -w" "$("$GLASS" pcap "$LAB/x.pcap" 2>&1)" "glass pcap -w"
like "nor another format" "$("$GLASS" pcap --format gif -w "$LAB/x" 2>&1)" "pcapng or pcap"

# ---- whoever listens

(sleep 1 && curl_on_glass) &
timeout -s INT 3 "$GLASS" pcap -U tcp 2>/dev/null | tcpdump -nl -c 4 -r - >"$LAB/live.txt" 2>/dev/null
like "tcpdump reads while it is written" "$(cat "$LAB/live.txt")" "$HOST.8080.*Flags \[S\.\]"
ok "a reader that has gone ends the capture" wait_for 5 capture_is off

# ---- a stack on TUN

lab_stop
lab_start --tun
capture_begin tun.pcapng
ping -qc1 -W1 "$STACK" >/dev/null
capture_end
tun=$(dump tun.pcapng)
like "of TUN the link is raw IP" "$tun" "interface ~ 101 ~ b'glass0' ~ b'Glass stack default, TUN"
like "and packets begin with IP" "$tun" "in ~ 84 ~ accepted"
lab_stop

# ---- Wireshark

ok "the Lua file is printed" sh -c "'$GLASS' wireshark --print | grep -q 'ProtoField.uint32(\"glass.cwnd\"'"
if ! command -v tshark >/dev/null; then
	echo "# no tshark (apt install tshark): what it shows is not tested"
	done_testing
	exit
fi
lab_start
installed=$("$GLASS" wireshark)
like "glass wireshark installs fields" "$installed" "fields: $LAB/home/.*glass.lua"
like "and interfaces" "$installed" "interfaces: $LAB/extcap/glass"
tshark -2 -r "$LAB/all.pcapng" -Y 'glass.drop || glass.retransmission' -O glass >"$LAB/shown.txt" 2>&1
shown=$(cat "$LAB/shown.txt")
is "tshark finds what was dropped or sent again" \
	"$(grep -o '^    .\(drop\|retransmission\): [A-Za-z_]*' "$LAB/shown.txt" | tr -d ' [' | sort)" \
	"$(grep -o 'glass\.\(drop\|retransmission\)=[A-Za-z_]*' "$LAB/all.txt" | sed 's/glass\.//; s/=/:/' | sort)"
like "with advice" "$shown" "drop: NET_AIMED .glass net set drop"
is "and no error of Lua" "$(grep -c 'Lua Error' "$LAB/shown.txt")" 0
typed='glass.cwnd in {1460..100000} && glass.state == "ESTABLISHED" && glass.process == "curl"'
is "fields have types" "$(tshark -r "$LAB/all.pcapng" -Y "$typed" -T fields -e glass.packet 2>/dev/null)" \
	"$(sed -n 's/.*glass.packet=\([0-9]*\) .*glass.process=curl .*ESTABLISHED glass.cwnd=.*/\1/p' "$LAB/all.txt")"
background sh -c "while sleep 0.3; do LD_PRELOAD=$PRELOAD curl -sf -o /dev/null $URL; done"
# For root tshark looks into its own folder only: ours lies there for the time of this line.
extcap=$(tshark -G folders 2>/dev/null | awk -F':[[:space:]]*' 'tolower($1) ~ /extcap/ { print $2; exit }')
export extcap
seen=$(unshare --mount sh -c 'mount --bind "$LAB/extcap" "$extcap" &&
	timeout 60 tshark -l -i glass-default -f "tcp port 8080" -c 5 -T fields -e glass.verdict' 2>/dev/null)
is "the running stack is an interface" "$(wc -w <<<"$seen")" 5
"$GLASS" wireshark --uninstall >/dev/null
is "all of it is removed" "$(find "$LAB/home" "$LAB/extcap" -type f | grep -c glass)" 0

done_testing
