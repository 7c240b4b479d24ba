/* SPDX-License-Identifier: MIT */
/*
 * What comes with the words of operation NET when these are not enough: a memfd that holds, one
 * after the other, filters that the command has compiled and traces that it has read. The words
 * name them by number, each kind counted from 0: "drop nth 3 filter 0", "trace 0".
 *
 * An attachment is this header, its text with NUL, filled up to a multiple of 8 bytes, and the
 * elements, filled up too.
 */
#ifndef GLASS_ABI_ATTACHED_H
#define GLASS_ABI_ATTACHED_H

#include <stdint.h>

#define ABI_ATTACHED_MAGIC 0x48435441u	   /* "ATCH" */
#define ABI_ATTACHED_BYTES_MAX (64u << 20) /* of the memfd */
#define ABI_ATTACHED_TEXT_MAX 256	   /* with NUL */

enum abi_attached_kind {
	ABI_ATTACHED_FILTER, /* text: the filter; elements of 8 bytes as struct bpf_insn */
	ABI_ATTACHED_TRACE,  /* text: its name; elements of 4 bytes, milliseconds */
};

struct abi_attached {
	uint32_t magic;
	uint16_t kind;
	uint16_t text_bytes;
	uint32_t count; /* elements */
	uint32_t zero;
};

static inline uint64_t abi_attached_filled(uint64_t bytes)
{
	return (bytes + 7) & ~(uint64_t)7;
}

#endif
