/* SPDX-License-Identifier: MIT */
/* One stack per test, a peer that it knows and a socket, which each file opens in its setup. */
#ifndef TESTS_UNIT_ONE_SOCKET_H
#define TESTS_UNIT_ONE_SOCKET_H

#include "../frames.h"

static struct host h;
static struct frame f;
static struct glass_sock *s;
static const struct ip_spec plain = { 0 };

static void known_host(void)
{
	host_new(&h, 0);
	peer_introduces(&h);
}

static int teardown(void **state)
{
	(void)state;
	assert_silent(&h);
	glass_close(h.g, s);
	host_free(&h);
	return 0;
}

#endif
