/* SPDX-License-Identifier: MIT */
/*
 * Runs one script against the shared object that packetdrill would load.
 *
 *	run ADAPTER SCRIPT [TEXT]	with TEXT: it must fail, and say this
 */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runner.h"

#define PATIENCE_US 2000000 /* of real time, for a call to block or to return */

int64_t run_now_us(struct runner *r)
{
	struct timeval tv;

	r->ifc.gettimeofday(r->ifc.userdata, &tv, NULL);
	return tv.tv_sec * 1000000ll + tv.tv_usec;
}

bool run_wrong(struct runner *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(r->error, sizeof(r->error), format, ap);
	va_end(ap);
	return false;
}

/* ---- calls that block ------------------------------------------------------------------------ */

static void *blocked_thread(void *arg)
{
	struct runner *r = arg;
	struct blocked *b = &r->blocked;
	char *wrong;

	__atomic_store_n(&b->tid, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
	wrong = call_make(r, &b->event->call);
	b->end_us = run_now_us(r) - r->start_us;
	b->wrong = wrong;
	__atomic_store_n(&b->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static bool is_asleep(int tid)
{
	char path[64], text[256], *state;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	f = fopen(path, "r");
	if (!f)
		return false;
	state = fgets(text, sizeof(text), f) ? strrchr(text, ')') : NULL;
	fclose(f);
	return state && state[1] && state[2] == 'S';
}

/* Until the thread sleeps in the call, or is back from it. */
static bool start_blocked(struct runner *r, const struct event *e)
{
	struct blocked *b = &r->blocked;
	int asleep = 0;

	*b = (struct blocked){ .busy = true, .event = e };
	if (pthread_create(&b->thread, NULL, blocked_thread, r))
		return run_wrong(r, "no thread");
	for (int us = 0; us < PATIENCE_US && asleep < 3; us += 200) {
		int tid = __atomic_load_n(&b->tid, __ATOMIC_ACQUIRE);

		if (__atomic_load_n(&b->done, __ATOMIC_ACQUIRE))
			return true;
		asleep = tid && is_asleep(tid) ? asleep + 1 : 0;
		usleep(200);
	}
	return asleep ? true : run_wrong(r, "the call neither blocks nor returns");
}

static bool end_blocked(struct runner *r)
{
	struct blocked *b = &r->blocked;
	int64_t want;

	if (!b->busy)
		return true;
	for (int us = 0; us < PATIENCE_US && !__atomic_load_n(&b->done, __ATOMIC_ACQUIRE);
	     us += 200)
		usleep(200);
	b->busy = false;
	if (!b->done)
		return run_wrong(r, "the call of line %u still blocks", b->event->line);
	pthread_join(b->thread, NULL);
	if (b->wrong)
		return run_wrong(r, "line %u: %s", b->event->line, b->wrong);
	want = b->event->end_us;
	if (b->end_us < want - TOLERANCE_US || b->end_us > want + TOLERANCE_US)
		return run_wrong(r, "the call of line %u returned at %.6f, should be %.6f",
				 b->event->line, (double)b->end_us / 1e6, (double)want / 1e6);
	return true;
}

/* ---- events ---------------------------------------------------------------------------------- */

static bool wait_until(struct runner *r, int64_t at_us)
{
	int64_t now_us = run_now_us(r) - r->start_us;

	if (now_us > at_us + TOLERANCE_US)
		return run_wrong(r, "it is %.6f already", (double)now_us / 1e6);
	if (now_us < at_us)
		r->ifc.usleep(r->ifc.userdata, (useconds_t)(at_us - now_us));
	return true;
}

static bool outbound(struct runner *r, const struct event *e, int64_t from_us, int64_t to_us)
{
	int64_t at_us;

	if (!wire_expect(r, &e->seg, &at_us))
		return false;
	r->last_us = at_us;
	if (at_us >= from_us - TOLERANCE_US && at_us <= to_us + TOLERANCE_US)
		return true;
	return run_wrong(r, "the segment left at %.6f, should be %.6f to %.6f", (double)at_us / 1e6,
			 (double)from_us / 1e6, (double)to_us / 1e6);
}

/* The adapter reads the file at the next call. */
static bool setting(struct runner *r, const char *text)
{
	const char *equals = strchr(text, '=');

	if (!equals)
		return run_wrong(r, "NAME=VALUE is meant: %s", text);
	fprintf(r->settings, "%.*s = %s\n", (int)(equals - text), text, equals + 1);
	fflush(r->settings);
	return true;
}

static bool call(struct runner *r, struct event *e, int64_t base_us)
{
	char *wrong;

	if (!end_blocked(r))
		return false;
	call_connects(r, &e->call);
	if (e->end_us >= 0) {
		e->end_us += base_us;
		return start_blocked(r, e);
	}
	wrong = call_make(r, &e->call);
	return wrong ? run_wrong(r, "%s", wrong) : true;
}

static bool run_event(struct runner *r, struct event *e)
{
	int64_t base_us = e->relative ? r->last_us : 0;

	if (e->kind == EV_OUT)
		return outbound(r, e, base_us + e->from_us, base_us + e->to_us);
	r->last_us = base_us + e->from_us;
	if (!wait_until(r, r->last_us))
		return false;
	switch (e->kind) {
	case EV_IN:
		return wire_inject(r, &e->seg);
	case EV_SETTING:
		return setting(r, e->text);
	case EV_INFO:
		return call_info(r, e->text);
	case EV_CALL:
	case EV_OUT:
		break;
	}
	return call(r, e, base_us);
}

static bool run_script(struct runner *r, const char *path)
{
	char why[200];
	struct event *list = script_read(path, why, sizeof(why));
	unsigned line = 0;
	bool ok = list || run_wrong(r, "%s", why);

	r->start_us = run_now_us(r);
	for (struct event *e = list; e && ok; e = e->next) {
		line = e->line;
		ok = run_event(r, e);
	}
	ok = ok && end_blocked(r) && wire_at_end(r);
	if (!ok)
		printf("%s:%u: %s\n", path, line, r->error);
	if (!r->blocked.busy)
		script_free(list);
	return ok;
}

static void *load(struct runner *r, const char *adapter, char *settings)
{
	void (*init)(const char *, struct packetdrill_interface *);
	void *handle = dlopen(adapter, RTLD_NOW | RTLD_LOCAL);
	char flags[128];
	int fd = mkstemp(settings);

	r->settings = fd < 0 ? NULL : fdopen(fd, "w");
	if (!handle || !r->settings) {
		fprintf(stderr, "%s\n", handle ? settings : dlerror());
		exit(2);
	}
	*(void **)&init = dlsym(handle, "packetdrill_interface_init");
	snprintf(flags, sizeof(flags), "local=192.168.0.1/16,settings=%s", settings);
	init(flags, &r->ifc);
	return handle;
}

int main(int argc, char **argv)
{
	static struct runner r = { .under_test = -1 };
	char settings[] = "/tmp/glass-packetdrill-XXXXXX";
	const char *must_say = argc > 3 ? argv[3] : NULL;
	bool ok;

	if (argc < 3) {
		fprintf(stderr, "usage: run ADAPTER SCRIPT [TEXT]\n");
		return 2;
	}
	for (int i = 0; i < FDS_MAX; i++)
		r.fd[i] = -1;
	load(&r, argv[1], settings);
	ok = run_script(&r, argv[2]);
	unlink(settings);
	if (r.blocked.busy)
		_exit(1); /* a thread is still inside */
	for (int i = 0; i < FDS_MAX; i++)
		if (r.fd[i] >= 0)
			close(r.fd[i]);
	r.ifc.free(r.ifc.userdata);
	fclose(r.settings);
	if (must_say)
		return ok || !strstr(r.error, must_say);
	return !ok;
}
