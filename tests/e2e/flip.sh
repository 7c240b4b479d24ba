#!/bin/bash
# SPDX-License-Identifier: MIT
# A wire that flips a bit in 1 % of the frames, each way: no wrong byte reaches a program, and each damaged frame has
# its reason. DOWNLOADS: how many (6).
. "$(dirname "$0")/lib.sh"

mkdir "$LAB/www"
head -c 10000000 /dev/urandom >"$LAB/www/bytes"
lab_start --no-offload --no-host-setup --seed 7
ip link set glass0 up
python3 "$(dirname "$0")/flip_wire.py" glass0 1 42 $HOST/24 "$LAB/www" >"$LAB/wire" &
wire=$!
lab_jobs+=("$wire")
wait_for 10 env LD_PRELOAD="$PRELOAD" curl -sfo /dev/null -m 5 http://$HOST:8080/

for i in $(seq "${DOWNLOADS:-6}"); do
	LD_PRELOAD=$PRELOAD curl -sf -m 120 -o "$LAB/got" http://$HOST:8080/bytes
	is "download $i: curl is content" $? 0
	ok "download $i: every byte is right" cmp "$LAB/www/bytes" "$LAB/got"
done
like "damage was found by TCP's checksum" "$("$GLASS" stat -a)" 'TCP_BAD_CSUM +[1-9]'
like "and by IP's" "$("$GLASS" stat -a)" 'IP_BAD_CSUM +[1-9]'
kill $wire
wait $wire
like "the wire did damage" "$(cat "$LAB/wire")" '[1-9][0-9]+ damaged'
done_testing
