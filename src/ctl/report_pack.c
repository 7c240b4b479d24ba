/* SPDX-License-Identifier: MIT */
/*
 * Data for a page: deflated (RFC 1950), as base64 (RFC 4648). A browser undoes both by itself.
 *
 * In: report_write.c.  Out: zlib.
 */
#include "report.h"

#include <stdlib.h>
#include <zlib.h>

#define LINE_TRIPLES 25 /* of three bytes each */

static void put_triple(const unsigned char *b, size_t n, FILE *f)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t v = (uint32_t)b[0] << 16;

	v |= n > 1 ? (uint32_t)b[1] << 8 : 0;
	v |= n > 2 ? b[2] : 0;
	putc(digits[v >> 18], f);
	putc(digits[v >> 12 & 63], f);
	putc(n > 1 ? digits[v >> 6 & 63] : '=', f);
	putc(n > 2 ? digits[v & 63] : '=', f);
}

bool report_pack(const char *data, size_t bytes, FILE *f)
{
	uLongf n = compressBound(bytes);
	unsigned char *packed = malloc(n);

	if (!packed || compress2(packed, &n, (const unsigned char *)data, bytes, 9) != Z_OK) {
		free(packed);
		return false;
	}
	for (size_t i = 0; i < n; i += 3) {
		if (i % (LINE_TRIPLES * 3) == 0)
			putc('\n', f);
		put_triple(packed + i, n - i, f);
	}
	free(packed);
	return true;
}
