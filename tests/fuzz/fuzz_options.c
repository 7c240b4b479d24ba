/* SPDX-License-Identifier: MIT */
/*
 * TCP and IP options: any bytes, any length. What was read, written again and read again is the
 * same.
 */
#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/wire/ip4.h"
#include "../../src/wire/tcp.h"

static void check_tcp(const uint8_t *bytes, size_t size)
{
	struct tcp_options first, again;
	uint8_t written[40];
	size_t n;

	tcp_options_read(bytes, size, &first);
	assert(first.nsack <= TCP_SACK_BLOCKS_MAX);
	if (first.nsack > 2 &&
	    (first.timestamps || first.mss_ok || first.wscale_ok || first.sack_permitted))
		first.nsack = 2; /* what a header can hold */
	n = tcp_options_write(written, &first);
	assert(n <= sizeof(written) && n % 4 == 0);
	tcp_options_read(written, n, &again);
	assert(again.mss_ok == first.mss_ok && (!first.mss_ok || again.mss == first.mss));
	assert(again.timestamps == first.timestamps);
	assert(!first.timestamps || (again.tsval == first.tsval && again.tsecr == first.tsecr));
	assert(again.sack_permitted == first.sack_permitted && again.wscale_ok == first.wscale_ok);
	assert(again.nsack == first.nsack);
	assert(!memcmp(again.sack, first.sack, first.nsack * sizeof(first.sack[0])));
}

static void check_ip(const uint8_t *bytes, size_t size)
{
	struct ip4_option o;
	size_t at = 0, next;

	while (at < size) {
		next = ip4_option_step(bytes, size, at, &o);
		if (!next)
			return;
		assert(next > at && next <= size);
		assert(o.at == bytes + at);
		if (o.length > 1)
			ip4_option_pointer_ok(&o);
		at = next;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n = size < 40 ? size : 40;
	uint8_t *exact = malloc(n ? n : 1); /* a byte beyond is a finding */

	memcpy(exact, data, n);
	check_tcp(exact, n);
	check_ip(exact, n);
	free(exact);
	return 0;
}
