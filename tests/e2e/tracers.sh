#!/bin/bash
# SPDX-License-Identifier: MIT
# Who looks from outside sees the same: glass trace --functions, tools/functrace.uftrace and tools/functrace.bt tell the
# same functions of the lab's two scenes. What "the same" means: tracers.py. SystemTap needs a kernel with headers and
# symbols; its script's probes and variables are resolved here where stap is, against a kernel tree that is empty.
. "$(dirname "$0")/lib.sh"

here=$(dirname "$0")
tools=$here/../../tools

has_no()
{
	case $1 in
	uftrace) command -v uftrace >/dev/null || echo "uftrace is not installed" ;;
	bpftrace)
		command -v bpftrace >/dev/null || { echo "bpftrace is not installed" && return; }
		timeout 20 bpftrace -e "uprobe:$GLASSD:glass_free { exit() } BEGIN { exit() }" >/dev/null 2>&1 ||
			echo "bpftrace may not place uprobes here"
		;;
	esac
}

# Plays the scenes under one tracer, in a lab within this one.
play()
{
	mkdir "$LAB/$1"
	env -u GLASS_LAB -u GLASS_DIR GLASSD="$GLASSD" bash "$here/tracers_scene.sh" "$1" "$LAB/$1" \
		>"$LAB/$1.log" 2>&1
	python3 "$here/tracers.py" functions "$LAB/$1" "$tools/functrace.bt" >"$LAB/$1.acts" 2>>"$LAB/$1.log"
}

same()
{
	diff "$LAB/glass.acts" "$LAB/$1.acts" >"$LAB/diff" && return 0
	cat "$LAB/$1.log" "$LAB/diff"
	return 1
}

# Names, types and places of the script against the program, without a kernel to run it on.
stap_resolves()
{
	local tree=$LAB/kernel

	mkdir -p "$tree/include/config" "$tree/include/generated"
	: >"$tree/Makefile"
	: >"$tree/System.map"
	: >"$tree/Module.symvers"
	printf 'CONFIG_%s=y\n' UTRACE UPROBES TRACEPOINTS KPROBES RELAY DEBUG_FS MODULES PERF_EVENTS \
		>"$tree/.config"
	echo 6.1.0 >"$tree/include/config/kernel.release"
	echo '#define UTS_RELEASE "6.1.0"' >"$tree/include/generated/utsrelease.h"
	stap -p2 -r "$tree" "$tools/functrace.stp" "$GLASSD" >"$LAB/stap" 2>&1 || { cat "$LAB/stap" && return 1; }
	grep -q 'function("tcp_input@' "$LAB/stap"
}

tracers=glass
for tracer in uftrace bpftrace; do
	reason=$(has_no $tracer)
	if [ -n "$reason" ]; then
		echo "# SKIP $tracer: $reason"
	else
		tracers="$tracers $tracer"
	fi
done
[[ $tracers != *uftrace* ]] || blind=blind
for tracer in $tracers ${blind:-}; do
	play "$tracer" &
	plays+=($!)
done
wait "${plays[@]}"

is "a page, and nobody there" "$(tr '\n' ' ' <"$LAB/glass/status")" "a page EHOSTUNREACH "
like "what the SYN-ACK does" "$(cat "$LAB/glass.acts")" "eth_input .*ip_input .*tcp_input .*tcp_syn_sent_input"
like "three ARP requests, and the end" "$(cat "$LAB/glass.acts")" "(glass_advance [^
]*arp_send.*){2}glass_advance [^
]*neigh_take"
for tracer in ${tracers#glass}; do
	ok "$tracer tells the same functions" same "$tracer"
done
is "without any of them it would be another list" \
	"$(python3 "$here/tracers.py" unnoticed "$LAB/glass" "$tools/functrace.bt")" ""
if [ -n "${blind:-}" ]; then
	not_ok "a tracer that misses one is found out" same blind
	is "by nothing but that" "$(sed -E 's/ tcp_owe\>//g' "$LAB/glass.acts" | diff - "$LAB/blind.acts")" ""
fi
if [[ $tracers = *bpftrace* ]]; then
	is "bpftrace reads from the probes what the recorder has" \
		"$(python3 "$here/tracers.py" probes "$LAB/bpftrace")" "all there"
fi
if command -v stap >/dev/null; then
	ok "functrace.stp fits the program" stap_resolves
else
	echo "# SKIP functrace.stp: stap is not installed"
fi
done_testing
