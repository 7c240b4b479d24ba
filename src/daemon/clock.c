/* SPDX-License-Identifier: MIT */
/*
 * The daemon's clock, which is the stack's: CLOCK_MONOTONIC without the time for which it stood
 * still. It never goes back, and after a stop it goes on from where it was: no timer becomes due by
 * the pause.
 *
 * In: whoever tells the stack the time; freeze.c stops it.
 */
#include "daemon.h"

#include <time.h>

static struct {
	bool stopped;
	int64_t stood_ns; /* stopped: where it stands */
	int64_t lost_ns;  /* running: how far it is behind CLOCK_MONOTONIC */
} it;

static int64_t monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

int64_t clock_now_ns(void)
{
	return it.stopped ? it.stood_ns : monotonic_ns() - it.lost_ns;
}

void clock_stop(int64_t latest_ns)
{
	int64_t now_ns = clock_now_ns();

	it.stood_ns = now_ns < latest_ns ? now_ns : latest_ns;
	it.stopped = true;
}

int64_t clock_lost(void)
{
	return it.lost_ns;
}

void clock_lose(int64_t lost_ns)
{
	it.lost_ns = lost_ns;
}

void clock_go(void)
{
	if (it.stopped)
		it.lost_ns = monotonic_ns() - it.stood_ns;
	it.stopped = false;
}
