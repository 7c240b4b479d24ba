/* SPDX-License-Identifier: MIT */
/*
 * What a program sets and asks of its socket beside bytes: options, names, errors, TCP_INFO. Values
 * that are wrong are refused by the stack (sock_opt.def).
 *
 * In: control.c.   Out: glass_setopt(), glass_getopt() and their kin.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "../abi/info.h"
#include "program.h"

/* ---- addresses ------------------------------------------------------------------------------ */

struct abi_end abi_of_end(const struct glass_end *e)
{
	struct abi_end a = { .family = e->addr.family, .port = e->port };

	memcpy(a.addr, e->addr.byte, sizeof(a.addr));
	return a;
}

int end_of_abi(const struct abi_end *a, struct glass_end *out)
{
	if (a->family != GLASS_IP4)
		return -EAFNOSUPPORT;
	*out = (struct glass_end){ .addr = { .family = GLASS_IP4 }, .port = a->port };
	memcpy(out->addr.byte, a->addr, 4);
	return 0;
}

/* ---- options -------------------------------------------------------------------------------- */

void opts_save(struct daemon *d, struct glass_sock *s, int64_t opt[GLASS_OPT_COUNT])
{
	for (unsigned i = 0; i < GLASS_OPT_COUNT; i++)
		if (glass_getopt(d->g, s, (enum glass_opt)i, &opt[i]))
			opt[i] = INT64_MIN;
}

static bool is_doubled(int64_t opt)
{
	return opt == GLASS_OPT_SNDBUF || opt == GLASS_OPT_RCVBUF; /* by the stack, as Linux */
}

void opts_restore(struct daemon *d, struct glass_sock *s, const int64_t opt[GLASS_OPT_COUNT])
{
	int64_t v;

	for (unsigned i = 0; i < GLASS_OPT_COUNT; i++) {
		if (opt[i] != INT64_MIN && !glass_getopt(d->g, s, (enum glass_opt)i, &v) &&
		    v != opt[i])
			glass_setopt(d->g, s, (enum glass_opt)i,
				     is_doubled(i) ? opt[i] / 2 : opt[i]);
	}
}

static int set_v6only(struct end *e, int64_t value)
{
	if (e->family != 6)
		return -ENOPROTOOPT;
	if (e->bound || e->state != END_FRESH)
		return -EINVAL;
	e->v6only = value != 0;
	return 0;
}

/* name: ABI_CC_NAME_BYTES. */
static int set_congestion(struct daemon *d, struct end *e, const void *name)
{
	const char *known;

	for (unsigned i = 0; (known = glass_congestion_name(i)); i++)
		if (!strncmp(known, name, ABI_CC_NAME_BYTES))
			return glass_setopt(d->g, e->sock, GLASS_OPT_CONGESTION, i);
	return -ENOENT;
}

/* value: a bit of enum abi_tell to set, or its negative to clear it. */
static int set_tell(struct end *e, int64_t value)
{
	if (!e->dgram)
		return -ENOPROTOOPT;
	if (value < 0)
		e->dgram->tell &= (uint16_t) ~-value;
	else
		e->dgram->tell |= (uint16_t)value;
	return 0;
}

static int set_option(struct daemon *d, struct end *e, const struct abi_request *req,
		      const char *data)
{
	const int64_t *arg = req->arg;

	if (arg[0] == ABI_OPT_FASTOPEN_KEY)
		return glass_sock_fastopen_key_set(d->g, e->sock, data, req->length);
	if (arg[0] == ABI_OPT_V6ONLY)
		return set_v6only(e, arg[1]);
	if (arg[0] == ABI_OPT_TELL)
		return set_tell(e, arg[1]);
	if (arg[0] == ABI_OPT_DEVICE)
		return device_set(d, e, (const char *)&arg[1]);
	if (arg[0] == GLASS_OPT_CONGESTION)
		return set_congestion(d, e, &arg[1]);
	if (arg[0] < 0 || arg[0] >= GLASS_OPT_COUNT)
		return -ENOPROTOOPT;
	return glass_setopt(d->g, e->sock, (enum glass_opt)arg[0], arg[1]);
}

/* For the socket that will go on where this one ended; as there, but that nobody checks it yet. */
static int set_ended(struct ended *x, const int64_t *arg)
{
	if (arg[0] < 0 || arg[0] >= GLASS_OPT_COUNT || arg[0] == GLASS_OPT_CONGESTION)
		return 0;
	x->opt[arg[0]] = is_doubled(arg[0]) ? 2 * arg[1] : arg[1];
	return 0;
}

static int get_ended(const struct ended *x, int64_t opt, int64_t *value)
{
	if (opt == ABI_OPT_V6ONLY)
		*value = x->v6only;
	else if (opt < 0 || opt >= GLASS_OPT_COUNT || x->opt[opt] == INT64_MIN)
		return -ENOPROTOOPT;
	else
		*value = x->opt[opt];
	return 0;
}

void op_setopt(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
	       int *fd)
{
	struct ended *x = ended_find(d, c, req->token);
	struct end *e;

	(void)fd;
	if (x) {
		reply_errno(d, c, req, -set_ended(x, req->arg));
		return;
	}
	e = end_find(d, c, req);
	if (e)
		reply_errno(d, c, req, -set_option(d, e, req, data));
}

void op_setopt_quiet(struct daemon *d, struct client *c, const struct abi_request *req,
		     const char *data, int *fd)
{
	op_setopt(d, c, req, data, fd); /* control_reply() knows that nobody waits */
}

static void reply_key(struct daemon *d, struct client *c, const struct abi_request *req,
		      const struct end *e)
{
	uint8_t key[2 * GLASS_FASTOPEN_KEY_BYTES];
	struct abi_reply rep = { 0 };
	size_t n = glass_sock_fastopen_key_get(d->g, e->sock, key);

	control_reply(d, c, req, &rep, key, n, -1);
}

void op_getopt(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
	       int *fd)
{
	struct abi_reply rep = { 0 };
	struct ended *x = ended_find(d, c, req->token);
	struct end *e = x ? NULL : end_find(d, c, req);
	int err = 0;

	(void)data;
	(void)fd;
	if (!e && !x)
		return;
	if (e && req->arg[0] == ABI_OPT_FASTOPEN_KEY) {
		reply_key(d, c, req, e);
		return;
	}
	if (x)
		err = get_ended(x, req->arg[0], &rep.value[0]);
	else if (req->arg[0] == ABI_OPT_V6ONLY)
		rep.value[0] = e->v6only;
	else if (req->arg[0] == ABI_OPT_TELL)
		rep.value[0] = e->dgram ? e->dgram->tell : 0;
	else if (req->arg[0] == ABI_OPT_DEVICE)
		err = device_get(d, e, (char *)&rep.value[0]);
	else if (req->arg[0] < 0 || req->arg[0] >= GLASS_OPT_COUNT)
		err = -ENOPROTOOPT;
	else
		err = glass_getopt(d->g, e->sock, (enum glass_opt)req->arg[0], &rep.value[0]);
	rep.error = -err;
	control_reply(d, c, req, &rep, NULL, 0, -1);
}

/* ---- names, errors -------------------------------------------------------------------------- */

void op_names(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
	      int *fd)
{
	struct abi_reply rep = { 0 };
	struct glass_end end;
	struct end *e = end_find(d, c, req);

	(void)data;
	(void)fd;
	if (!e)
		return;
	if (e->v6only)
		rep.local = abi_of_end(&e->local);
	else if (!glass_local(e->sock, &end))
		rep.local = abi_of_end(&end);
	if (!glass_remote(e->sock, &end))
		rep.remote = abi_of_end(&end);
	control_reply(d, c, req, &rep, NULL, 0, -1);
}

void op_error(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
	      int *fd)
{
	struct ended *x = ended_find(d, c, req->token);
	struct abi_reply rep = { .value = { x ? x->error : 0 } };
	struct end *e = x ? NULL : end_of_token(d, c, req->token);

	(void)data;
	(void)fd;
	if (e && e->dgram)
		rep.value[0] = dgram_error(d, e);
	control_reply(d, c, req, &rep, NULL, 0, -1);
}

/* ---- TCP_INFO ------------------------------------------------------------------------------- */

void op_info(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
	     int *fd)
{
	struct abi_info out = { 0 };
	struct glass_tcp_info linux_info;
	struct end *e = end_find(d, c, req);
	int64_t cc = 0;

	(void)data;
	(void)fd;
	if (!e)
		return;
	glass_getopt(d->g, e->sock, GLASS_OPT_CONGESTION, &cc);
	snprintf(out.congestion, sizeof(out.congestion), "%s", glass_congestion_name((unsigned)cc));
	glass_tcp_info(d->g, e->sock, &linux_info);
	memcpy(out.tcp_info, &linux_info, sizeof(linux_info));
	out.tcp_info_bytes = sizeof(linux_info);
	control_reply(d, c, req, &(struct abi_reply){ 0 }, &out, sizeof(out), -1);
}

void op_queued(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
	       int *fd)
{
	struct abi_reply rep = { 0 };
	struct glass_conn_info info = { 0 };
	struct end *e = end_find(d, c, req);

	(void)data;
	(void)fd;
	if (!e)
		return;
	if (e->dgram) { /* what it sent is gone, or on its way to here */
		control_reply(d, c, req, &rep, NULL, 0, -1);
		return;
	}
	rep.error = e->state == END_LISTENING ? EINVAL : -glass_sock_info(d->g, e->sock, &info);
	if (!rep.error)
		rep.value[0] = (int64_t)info.send_q + pair_queued(e) - e->canary;
	control_reply(d, c, req, &rep, NULL, 0, -1);
}
