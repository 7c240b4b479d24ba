/* SPDX-License-Identifier: MIT */
/* What "glass net" attaches to its words: filters and recorded links, as glassd reads them. */
#ifndef TESTS_UNIT_DAEMON_ATTACHED_H
#define TESTS_UNIT_DAEMON_ATTACHED_H

#include <string.h>

#include "../../../src/abi/attached.h"

/* Writes one to `to`; how many bytes it takes. */
static inline size_t attach(uint8_t *to, unsigned kind, const char *name, const void *elements,
			    uint32_t count, size_t element_bytes)
{
	struct abi_attached h = { .magic = ABI_ATTACHED_MAGIC,
				  .kind = (uint16_t)kind,
				  .count = count };
	size_t at = sizeof(h);

	h.text_bytes = (uint16_t)(strlen(name) + 1);
	memcpy(to, &h, sizeof(h));
	memcpy(to + at, name, h.text_bytes);
	at += abi_attached_filled(h.text_bytes);
	memcpy(to + at, elements, count * element_bytes);
	return at + abi_attached_filled(count * element_bytes);
}

#endif
