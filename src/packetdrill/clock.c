/* SPDX-License-Identifier: MIT */
/*
 * The virtual clock, and the two threads that share it; see drill.h.
 *
 * In:  every door.   Out: glass_advance(), wire.c, sysctl.c.
 */
#include <time.h>

#include "drill.h"

#define SETTLE_S 2 /* real time: a thread that does not come back is no reason to hang */
#define NAP_PART 16
#define NAP_RETURN_NS (2 * DRILL_NS_PER_MS)
#define NAP_MAX_NS (30 * DRILL_NS_PER_MS)

static bool is_script(const struct drill *d)
{
	return pthread_equal(d->script, pthread_self());
}

/* Lets the blocked call run, and waits until it has done what it can. */
static void settle(struct drill *d)
{
	struct timespec limit;

	if (!d->waiting || !is_script(d))
		return;
	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += SETTLE_S;
	d->running = true;
	pthread_cond_signal(&d->wake);
	while (d->running && !pthread_cond_timedwait(&d->settled, &d->lock, &limit))
		;
	drill_drain(d);
}

void drill_enter(struct drill *d)
{
	pthread_mutex_lock(&d->lock);
	drill_settings_read(d);
	glass_advance(d->g, d->now_ns);
	d->touched = true;
}

void drill_leave(struct drill *d)
{
	int error = errno;

	if (d->touched)
		settle(d); /* first: what the call does then goes with the ACK, as in a kernel */
	drill_drain(d);
	drill_counters_write(d);
	d->touched = false;
	pthread_mutex_unlock(&d->lock);
	errno = error;
}

int64_t drill_next(struct drill *d)
{
	int64_t next = glass_next_deadline(d->g);

	return d->waiting && d->wait_until_ns < next ? d->wait_until_ns : next;
}

void drill_run_until(struct drill *d, int64_t time_ns)
{
	int64_t next;

	while ((next = drill_next(d)) <= time_ns) {
		if (next > d->now_ns)
			d->now_ns = next;
		glass_advance(d->g, d->now_ns);
		drill_drain(d);
		settle(d);
	}
	if (time_ns > d->now_ns)
		d->now_ns = time_ns;
	glass_advance(d->g, d->now_ns);
}

/* The script's own thread waits: nothing can come in meanwhile, only timers can help. */
static int wait_alone(struct drill *d, int64_t deadline_ns)
{
	int64_t next = drill_next(d);

	if (next > deadline_ns || next == GLASS_NEVER) {
		if (deadline_ns != GLASS_NEVER)
			drill_run_until(d, deadline_ns);
		return -EAGAIN;
	}
	drill_run_until(d, next);
	return 0;
}

int drill_wait(struct drill *d, int64_t deadline_ns)
{
	if (d->now_ns >= deadline_ns)
		return -EAGAIN;
	drill_drain(d);
	if (is_script(d))
		return wait_alone(d, deadline_ns);
	d->waiting = true;
	d->wait_until_ns = deadline_ns;
	d->running = false;
	pthread_cond_signal(&d->settled);
	while (!d->running)
		pthread_cond_wait(&d->wake, &d->lock);
	return 0;
}

/*
 * Some real time passes too: for packetdrill's other thread, which writes down what its call has
 * answered, and for commands that a script leaves in the background.
 */
static void nap(struct drill *d, useconds_t us)
{
	int64_t ns = us * DRILL_NS_PER_US / NAP_PART;

	if (d->returned && ns < NAP_RETURN_NS)
		ns = NAP_RETURN_NS;
	d->returned = false;
	if (ns > NAP_MAX_NS)
		ns = NAP_MAX_NS;
	nanosleep(&(struct timespec){ .tv_nsec = ns }, NULL);
}

int drill_usleep(void *userdata, useconds_t us)
{
	struct drill *d = userdata;

	nap(d, us);
	drill_enter(d);
	drill_run_until(d, d->now_ns + us * DRILL_NS_PER_US);
	drill_leave(d);
	return 0;
}

/*
 * A thread waits for a time by looking at the clock, so a look moves it. One look is different:
 * that of the other thread when its blocking call has returned. From then on time may pass again.
 */
int drill_gettimeofday(void *userdata, struct timeval *tv, struct timezone *tz)
{
	struct drill *d = userdata;

	(void)tz;
	pthread_mutex_lock(&d->lock);
	if (is_script(d) || !d->waiting) {
		drill_run_until(d, d->now_ns + DRILL_NS_PER_US);
	} else {
		d->waiting = d->running = false;
		d->returned = true;
		pthread_cond_signal(&d->settled);
	}
	tv->tv_sec = d->now_ns / DRILL_NS_PER_S;
	tv->tv_usec = d->now_ns % DRILL_NS_PER_S / DRILL_NS_PER_US;
	pthread_mutex_unlock(&d->lock);
	return 0;
}
