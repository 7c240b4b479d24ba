/* SPDX-License-Identifier: MIT */
/*
 * The state of a stack, damaged: every length, each byte changed. It is refused with a reason, or
 * makes a stack that can be freed; what is read lies within the bytes. By itself, since what such a
 * stack counts need not agree.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/sim/sim.h"

#define STEP 29 /* not every byte: enough, and fast with sanitizers too */

static uint8_t state[1 << 20];
static size_t length;

static int put(void *arg, const void *bytes, size_t n)
{
	(void)arg;
	if (length + n > sizeof(state))
		return -ENOSPC;
	memcpy(state + length, bytes, n);
	length += n;
	return 0;
}

static void listen_and_join(struct glass *g)
{
	struct glass_end at = { glass_ip4(0, 0, 0, 0), 7 };
	struct glass_group group = { .group = glass_ip4(239, 1, 2, 3), .ifindex = 2 };
	struct glass_sock *l = glass_socket(g, GLASS_TCP), *u = glass_socket(g, GLASS_UDP);

	glass_bind(g, l, &at);
	glass_listen(g, l, 8);
	glass_bind(g, u, &at);
	glass_group(g, u, GLASS_GROUP_JOIN, &group);
	at.addr = glass_ip4(10, 0, 0, 99);
	glass_sendto(g, u, "waits for its neighbour", 23, &at);
}

/* Side 0 is in the middle of much: a transfer with losses, a connection under way, datagrams. */
static struct sim *busy(void)
{
	struct sim_setup setup = { .seed = 5,
				   .way = { { .delay_ns = 5000000, .loss = 100000 },
					    { .delay_ns = 5000000, .loss = 100000 } } };
	struct sim *s = sim_new(&setup);
	struct glass_end to = { sim_addr(1), 7 };
	struct glass_sock *c;

	listen_and_join(sim_stack(s, 0));
	listen_and_join(sim_stack(s, 1));
	for (unsigned i = 0; i < 2; i++) {
		c = glass_socket(sim_stack(s, 0), GLASS_TCP);
		glass_connect(sim_stack(s, 0), c, &to);
		sim_run(s, NULL, NULL, sim_now(s) + 3000000000ll);
		glass_send(sim_stack(s, 0), c, state, 100000);
		sim_run(s, NULL, NULL, sim_now(s) + 40000000);
	}
	to.addr = sim_addr(0);
	c = glass_socket(sim_stack(s, 1), GLASS_TCP);
	glass_connect(sim_stack(s, 1), c, &to);
	sim_run(s, NULL, NULL, sim_now(s) + 12000000);
	return s;
}

/* n bytes of the state, the one at `at` changed. Answers whether it was refused. */
static bool try(int64_t now_ns, size_t n, size_t at, uint8_t change)
{
	const struct glass_setup setup = { .now_ns = now_ns };
	uint8_t *copy = malloc(n + 1); /* of that size: ASan sees who reads beyond */
	const char *why = NULL;
	struct glass *g;

	memcpy(copy, state, n);
	if (at < n)
		copy[at] ^= change;
	g = glass_restore(&setup, copy, n, &why);
	free(copy);
	if (!g != (why != NULL)) {
		printf("Bail out! %zu bytes, changed at %zu: no stack and no reason\n", n, at);
		exit(1);
	}
	glass_free(g);
	return !g;
}

int main(void)
{
	struct sim *s = busy();
	size_t cut = 0, changed = 0, tries = 0;

	if (glass_save(sim_stack(s, 0), put, NULL) || try(sim_now(s), length, length, 0)) {
		printf("not ok 1 the state is good\n1..1\n");
		return 1;
	}
	for (size_t i = 0; i < length; i += STEP, tries++) {
		cut += try(sim_now(s), i, i, 0);
		changed += try(sim_now(s), length, i, (uint8_t)(1 + i % 255));
	}
	sim_free(s);
	printf("# %zu bytes: of %zu cut short %zu were refused, of as many changed %zu\n", length,
	       tries, cut, changed);
	/* Only between two records a shorter one is a whole state: of a stack with less in it. */
	printf("%sok 1 damaged states\n1..1\n",
	       cut > tries * 9 / 10 && changed > tries / 100 ? "" : "not ");
	return 0;
}
