/* SPDX-License-Identifier: MIT */
/*
 * A fuzz target is one function; libFuzzer drives it, or replay.c, which needs no special
 * compiler.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* The name is libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input, read piece by piece; beyond its end there are zeros. */
struct input {
	const uint8_t *at;
	size_t left;
};

static inline uint32_t in_uint(struct input *in, unsigned bytes)
{
	uint32_t v = 0;

	while (bytes--) {
		v = v << 8 | (in->left ? *in->at : 0u);
		if (in->left) {
			in->at++;
			in->left--;
		}
	}
	return v;
}

/* Up to n bytes, as many as there are. */
static inline const uint8_t *in_bytes(struct input *in, size_t *n)
{
	const uint8_t *at = in->at;

	if (*n > in->left)
		*n = in->left;
	in->at += *n;
	in->left -= *n;
	return at;
}

#endif
