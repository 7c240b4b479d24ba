/* SPDX-License-Identifier: MIT */
/*
 * The small operations of the command `glass`: end, flight recorder, tunables, black holes,
 * capture. Tables are show.c's, echo is ping.c's.
 *
 * In: control.c.  Out: glass.h, netcmd.c, capture.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"

#define TEXT_BYTES 1024

/* An answer in words; error: 0 or a positive errno. */
static void answer(struct daemon *d, struct client *c, const struct abi_request *req, int error,
		   const char *text)
{
	struct abi_reply rep = { .error = error };

	control_reply(d, c, req, &rep, text, strlen(text), -1);
}

void op_stop(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
	     int *fd)
{
	(void)data;
	(void)fd;
	notice("ends: asked to by pid %d of uid %u", (int)client_pid(c), (unsigned)client_uid(c));
	answer(d, c, req, 0, "");
	d->stopping = true;
}

void op_trace(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
	      int *fd)
{
	struct abi_reply rep = { .value = { (int64_t)d->ring_bytes } };

	(void)data;
	(void)fd;
	c->reads = true;
	if (d->ring)
		control_reply(d, c, req, &rep, NULL, 0, d->ring_fd);
	else
		answer(d, c, req, ENODATA, "the daemon runs without a flight recorder");
}

static bool tunable_find(const struct glass *g, const char *name, struct glass_tunable *out)
{
	for (unsigned i = 0; glass_tunable_at(g, i, out); i++)
		if (!strcmp(out->name, name))
			return true;
	return false;
}

/* The one setting that is no number. The words do not tell it again: it is a secret. */
static int key_set(struct daemon *d, const char *value, char *text, size_t size)
{
	uint8_t key[2 * GLASS_FASTOPEN_KEY_BYTES];
	int n = glass_fastopen_key_read(value, key);

	if (n < 0 || glass_fastopen_key_set(d->g, key, (size_t)n)) {
		snprintf(text, size,
			 "a key is four hexadecimal numbers with '-' between them, as in "
			 "1-2-3-4; a second one may follow after ','");
		return EINVAL;
	}
	snprintf(text, size, "tcp_fastopen_key is set: %s",
		 n > GLASS_FASTOPEN_KEY_BYTES ? "two keys" : "one key");
	return 0;
}

/* "name=value". 0 or a positive errno; text tells the outcome either way. */
static int tunable_set(struct daemon *d, const char *words, char *text, size_t size)
{
	const char *value = strchr(words, '=');
	struct glass_tunable t;
	char name[64], *end;
	long long n;

	snprintf(name, sizeof(name), "%.*s", value ? (int)(value - words) : 0, words);
	if (value && !strcmp(name, "tcp_fastopen_key"))
		return key_set(d, value + 1, text, size);
	if (!value || !tunable_find(d->g, name, &t)) {
		snprintf(text, size, "there is no tunable '%s'\ntype: glass tunables", name);
		return ENOENT;
	}
	errno = 0;
	n = strtoll(value + 1, &end, 0);
	if (errno || end == value + 1 || *end) {
		snprintf(text, size, "'%s' is not a number", value + 1);
		return EINVAL;
	}
	if (glass_tunable_set(d->g, name, n)) {
		snprintf(text, size, "%s lies between %" PRId64 " and %" PRId64 " (%s)", name,
			 t.value_min, t.value_max, t.unit);
		return ERANGE;
	}
	snprintf(text, size, "%s = %lld %s (was %" PRId64 ")", name, n, t.unit, t.value);
	return 0;
}

void op_set(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
	    int *fd)
{
	char text[TEXT_BYTES] = "";
	int error = tunable_set(d, data, text, sizeof(text));

	(void)fd;
	answer(d, c, req, error, text);
}

void op_net(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
	    int *fd)
{
	char text[TEXT_BYTES * 8] = "";
	int err = net_command(d, data, *fd, text, sizeof(text));

	answer(d, c, req, -err, text);
}

/* Whoever captures is gone without a word. */
static void capture_orphaned(struct daemon *d, struct client *c, void *arg)
{
	uint64_t written, lost;

	(void)c;
	(void)arg;
	capture_end(d, &written, &lost);
}

bool capture_waits(const struct client *c)
{
	return client_gone_is(c, capture_orphaned);
}

void capture_wait_again(struct client *c)
{
	client_on_gone(c, capture_orphaned, NULL);
}

static void capture_start(struct daemon *d, struct client *c, const struct abi_request *req,
			  int *fd)
{
	int err = *fd < 0 ? -EBADF : -EBUSY;

	if (*fd >= 0 && client_gone_is(c, NULL)) {
		err = capture_begin(d, *fd, (uint32_t)req->arg[0]);
		*fd = -1; /* taken in any case */
	}
	if (!err)
		client_on_gone(c, capture_orphaned, NULL);
	answer(d, c, req, -err, err == -EBUSY ? "another capture is going on: end it first" : "");
}

static void capture_stop(struct daemon *d, struct client *c, const struct abi_request *req)
{
	struct abi_reply rep = { .error = ENOENT };
	uint64_t written = 0, lost = 0;

	if (client_gone_is(c, capture_orphaned)) { /* it is this client's */
		rep.error = -capture_end(d, &written, &lost);
		rep.value[0] = (int64_t)written;
		rep.value[1] = (int64_t)lost;
		client_on_gone(c, NULL, NULL);
	}
	control_reply(d, c, req, &rep, NULL, 0, -1);
}

void op_pcap(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
	     int *fd)
{
	if (!strcmp(data, "start"))
		capture_start(d, c, req, fd);
	else if (!strcmp(data, "stop"))
		capture_stop(d, c, req);
	else
		answer(d, c, req, EINVAL, "the words are start and stop");
}
