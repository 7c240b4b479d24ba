/* SPDX-License-Identifier: MIT */
/*
 * The counters in a file, one "name value" per line, as of the last call: for the stand-in of
 * nstat(8), which runs in another process.
 *
 * In:  drill_leave().   Out: glass_stat_at().
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "drill.h"

#define TEXT_BYTES 32768

void drill_counters_write(struct drill *d)
{
	char text[TEXT_BYTES];
	struct glass_stat row;
	size_t n = 0;

	if (d->counters < 0)
		return;
	for (unsigned i = 0; glass_stat_at(d->g, i, &row) && n < sizeof(text); i++)
		if (row.value)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s %" PRIu64 "\n",
					      row.group, row.name, row.value);
	if (n > sizeof(text))
		n = sizeof(text); /* more than there can be: what fits */
	if (ftruncate(d->counters, 0) || pwrite(d->counters, text, n, 0) != (ssize_t)n)
		perror("libglass-packetdrill: counters");
}
