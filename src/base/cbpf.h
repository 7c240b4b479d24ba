/* SPDX-License-Identifier: MIT */
/*
 * Filters as programs: classic BPF, which libpcap compiles of pcap-filter's language (McCanne and
 * Jacobson, 1993). A program that cbpf_valid() lets pass ends, whatever the packet: it jumps
 * forwards only and reads nothing outside of the packet and its sixteen words of memory.
 */
#ifndef GLASS_BASE_CBPF_H
#define GLASS_BASE_CBPF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CBPF_INSNS_MAX 4096 /* as Linux: BPF_MAXINSNS */
#define CBPF_MEMORY_WORDS 16

/* As struct bpf_insn of libpcap and struct sock_filter of Linux. */
struct cbpf_insn {
	uint16_t code;
	uint8_t jt, jf; /* how many to leave out when the comparison holds, or does not */
	uint32_t k;
};

/* May it be run? As bpf_check_classic() of Linux, without its loads beyond the packet. */
bool cbpf_valid(const struct cbpf_insn *insn, size_t n);
/* What it returns of a packet: 0 when that does not pass. Only of a valid program. */
uint32_t cbpf_run(const struct cbpf_insn *insn, const uint8_t *bytes, size_t length);

#endif
