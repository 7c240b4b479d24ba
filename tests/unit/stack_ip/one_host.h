/* SPDX-License-Identifier: MIT */
/* One stack per test, and a peer that it knows: what most tests of IP begin and end with. */
#ifndef TESTS_UNIT_ONE_HOST_H
#define TESTS_UNIT_ONE_HOST_H

#include "../frames.h"

static struct host h;
static struct frame f;
static const struct ip_spec plain = { 0 };

static int setup(void **state)
{
	(void)state;
	host_new(&h, 0);
	peer_introduces(&h);
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
