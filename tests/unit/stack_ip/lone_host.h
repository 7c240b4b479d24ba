/* SPDX-License-Identifier: MIT */
/* One stack per test, which knows nobody: what tests of the link and of tables begin and end with.
 */
#ifndef TESTS_UNIT_LONE_HOST_H
#define TESTS_UNIT_LONE_HOST_H

#include "../frames.h"

static struct host h;
static __attribute__((unused)) struct frame f;

static int setup(void **state)
{
	(void)state;
	host_new(&h, 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_silent(&h);
	host_free(&h);
	return 0;
}

#endif
