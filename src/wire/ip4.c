/* SPDX-License-Identifier: MIT */
/* Reading IPv4 options one at a time, and the header's checksum: see ip4.h. */
#include "ip4.h"

#include "checksum.h"

size_t ip4_option_step(const uint8_t *bytes, size_t length, size_t at, struct ip4_option *out)
{
	*out = (struct ip4_option){ 0 };
	if (at >= length)
		return 0;
	*out = (struct ip4_option){ .kind = bytes[at], .length = 1, .at = bytes + at };
	if (out->kind == IP4_OPT_END)
		return length; /* what follows is padding */
	if (out->kind == IP4_OPT_NOP)
		return at + 1;
	if (length - at < 2 || bytes[at + 1] < 2 || bytes[at + 1] > length - at)
		return 0;
	out->length = bytes[at + 1];
	return at + out->length;
}

bool ip4_option_pointer_ok(const struct ip4_option *o)
{
	unsigned least = o->kind == IP4_OPT_TIMESTAMP ? 5 : 4;

	/* A pointer beyond the end is legal: the option is full. */
	return o->length >= least - 1 && o->at[2] >= least;
}

void ip4_set_checksum(struct ip4_header *h)
{
	h->checksum = be16_of(0);
	h->checksum = be16_of(csum_fold(csum_add(0, h, ip4_header_length(h))));
}
