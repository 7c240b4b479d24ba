/* SPDX-License-Identifier: MIT */
/* One stack per test and two sockets that may join groups: what the tests of IGMP begin and end
 * with. */
#ifndef TESTS_UNIT_GROUP_HOST_H
#define TESTS_UNIT_GROUP_HOST_H

#include "groups.h"

static struct host h;
static struct frame f;
static struct glass_sock *a, *b;

static int setup(void **state)
{
	(void)state;
	host_new(&h, 0);
	a = udp_socket(&h, 0, 0);
	b = udp_socket(&h, 0, 0);
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
