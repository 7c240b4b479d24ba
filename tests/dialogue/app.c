/* SPDX-License-Identifier: MIT */
/* The program's side of a dialogue: calls of the public API, and what they must answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dlg.h"

struct app *dlg_app(struct dlg *d)
{
	struct app *a;

	if (d->napps == DLG_APPS_MAX)
		dlg_fail(d, d->at, "more than %d sockets", DLG_APPS_MAX);
	a = &d->apps[d->napps++];
	*a = (struct app){ 0 };
	return a;
}

static void need_socket(struct dlg *d, struct app *a)
{
	if (a->s)
		return;
	a->s = glass_socket(d->g, GLASS_TCP);
	if (!a->s)
		dlg_fail(d, d->at, "glass_socket() answers NULL");
	glass_sock_set_user(a->s, a);
}

static void learn_ports(struct app *a)
{
	struct glass_end e;

	if (!glass_local(a->s, &e))
		a->lport = e.port;
	if (!glass_remote(a->s, &e))
		a->rport = e.port;
}

static void expect_result(struct dlg *d, const char *call, int64_t got, int64_t want)
{
	dlg_pump(d);
	if (got != want)
		dlg_fail(d, d->at, "%s answers %lld%s%s, should be %lld", call, (long long)got,
			 got < 0 ? " " : "", got < 0 ? strerror((int)-got) : "", (long long)want);
}

void dlg_connect(struct dlg *d, const struct dlg_place *at, struct app *a, uint32_t ip,
		 uint16_t port)
{
	struct glass_end to = { glass_ip4(ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255),
				port };
	int got;

	d->at = at;
	need_socket(d, a);
	got = glass_connect(d->g, a->s, &to);
	learn_ports(a);
	a->rport = port;
	expect_result(d, "glass_connect()", got, -EINPROGRESS);
}

void dlg_connect_send(struct dlg *d, const struct dlg_place *at, struct app *a, uint16_t port,
		      size_t n, int64_t taken)
{
	struct glass_end to = { glass_ip4(10, 0, 0, 5), port };
	uint8_t *bytes = malloc(n ? n : 1);
	int64_t got;

	d->at = at;
	need_socket(d, a);
	a->sent = a->received = 0;
	for (size_t i = 0; i < n; i++)
		bytes[i] = dlg_pattern(1, a->sent + i);
	got = glass_connect_send(d->g, a->s, &to, bytes, n);
	free(bytes);
	a->sent += got > 0 ? (uint64_t)got : 0;
	learn_ports(a);
	a->rport = port;
	expect_result(d, "glass_connect_send()", got, taken);
}

void dlg_connect_later(struct dlg *d, const struct dlg_place *at, struct app *a, uint16_t port)
{
	struct glass_end to = { glass_ip4(10, 0, 0, 5), port };

	d->at = at;
	need_socket(d, a);
	a->sent = a->received = 0;
	expect_result(d, "glass_connect()", glass_connect(d->g, a->s, &to), 0);
	learn_ports(a);
	a->rport = port;
}

void dlg_listen(struct dlg *d, const struct dlg_place *at, struct app *a, uint16_t port,
		unsigned backlog)
{
	struct glass_end local = { { GLASS_UNSPEC, { 0 } }, port };

	d->at = at;
	need_socket(d, a);
	expect_result(d, "glass_bind()", glass_bind(d->g, a->s, &local), 0);
	expect_result(d, "glass_listen()", glass_listen(d->g, a->s, backlog), 0);
	a->lport = port;
	d->flow = dlg_flow(d, port, 40000);
}

struct app *dlg_accept(struct dlg *d, const struct dlg_place *at, struct app *l)
{
	struct glass_sock *s;
	struct app *a;

	d->at = at;
	s = glass_accept(d->g, l->s);
	if (!s)
		dlg_fail(d, at, "no connection waits");
	a = dlg_app(d);
	a->s = s;
	glass_sock_set_user(s, a);
	learn_ports(a);
	dlg_pump(d);
	return a;
}

void dlg_send(struct dlg *d, const struct dlg_place *at, struct app *a, size_t n, size_t taken,
	      unsigned flags)
{
	uint8_t *bytes = malloc(n ? n : 1);
	int64_t got;

	d->at = at;
	for (size_t i = 0; i < n; i++)
		bytes[i] = dlg_pattern(1, a->sent + i);
	got = glass_send_flags(d->g, a->s, bytes, n, flags);
	free(bytes);
	a->sent += got > 0 ? (uint64_t)got : 0;
	expect_result(d, "glass_send()", got, (int64_t)taken);
}

void dlg_send_in_place(struct dlg *d, const struct dlg_place *at, struct app *a, size_t n)
{
	size_t room;
	uint8_t *bytes;

	d->at = at;
	bytes = glass_send_reserve(d->g, a->s, n, &room);
	for (size_t i = 0; i < room; i++)
		bytes[i] = dlg_pattern(1, a->sent + i);
	glass_send_commit(d->g, a->s, room);
	a->sent += room;
	expect_result(d, "glass_send_reserve()", (int64_t)room, (int64_t)n);
}

void dlg_send_error(struct dlg *d, const struct dlg_place *at, struct app *a, int error)
{
	d->at = at;
	expect_result(d, "glass_send()", glass_send(d->g, a->s, "x", 1), -error);
}

/* Exactly n bytes are there, and they are the peer's. */
void dlg_recv(struct dlg *d, const struct dlg_place *at, struct app *a, size_t n)
{
	uint8_t *bytes = malloc(n + 1);
	int64_t got;
	size_t i;

	d->at = at;
	got = glass_recv(d->g, a->s, bytes, n + 1);
	for (i = 0; got == (int64_t)n && i < n; i++)
		if (bytes[i] != dlg_pattern(2, a->received + i))
			break;
	free(bytes);
	expect_result(d, "glass_recv()", got, (int64_t)n);
	if (i < n)
		dlg_fail(d, at, "byte %llu is wrong", (unsigned long long)(a->received + i));
	a->received += n;
}

void dlg_recv_result(struct dlg *d, const struct dlg_place *at, struct app *a, int error)
{
	uint8_t byte;

	d->at = at;
	expect_result(d, "glass_recv()", glass_recv(d->g, a->s, &byte, 1), -error);
}

void dlg_error(struct dlg *d, const struct dlg_place *at, struct app *a, int error)
{
	d->at = at;
	expect_result(d, "glass_error()", glass_error(d->g, a->s), error);
}

void dlg_shutdown(struct dlg *d, const struct dlg_place *at, struct app *a, enum glass_how how)
{
	d->at = at;
	expect_result(d, "glass_shutdown()", glass_shutdown(d->g, a->s, how), 0);
}

void dlg_close(struct dlg *d, const struct dlg_place *at, struct app *a, bool abort)
{
	d->at = at;
	if (abort)
		glass_abort(d->g, a->s);
	else
		glass_close(d->g, a->s);
	a->s = NULL;
	dlg_pump(d);
}

void dlg_setopt(struct dlg *d, const struct dlg_place *at, struct app *a, enum glass_opt opt,
		int64_t v)
{
	d->at = at;
	need_socket(d, a);
	expect_result(d, "glass_setopt()", glass_setopt(d->g, a->s, opt, v), 0);
}

void dlg_woke(struct dlg *d, const struct dlg_place *at, struct app *a, unsigned bits)
{
	d->at = at;
	dlg_pump(d);
	if ((a->woke & bits) != bits)
		dlg_fail(d, at, "glass_event() has told %#x", a->woke);
	a->woke = 0;
}

void dlg_ready(struct dlg *d, const struct dlg_place *at, struct app *a, unsigned bits)
{
	d->at = at;
	dlg_pump(d);
	if ((glass_ready(d->g, a->s) & ~(unsigned)GLASS_CONNECTED) != bits)
		dlg_fail(d, at, "glass_ready() says %#x, should be %#x", glass_ready(d->g, a->s),
			 bits);
}

static const char *state_of(struct dlg *d, struct app *a)
{
	static struct glass_conn_info info;
	uint64_t cursor = 0;

	if (a->s)
		return glass_sock_info(d->g, a->s, &info) ? "?" : info.state;
	while (glass_conn_next(d->g, &cursor, &info))
		if (info.local.port == a->lport && info.remote.port == a->rport)
			return info.state;
	return "CLOSED";
}

void dlg_state(struct dlg *d, const struct dlg_place *at, struct app *a, const char *name)
{
	const char *got;

	d->at = at;
	dlg_pump(d);
	got = state_of(d, a);
	if (strcmp(got, name) != 0)
		dlg_fail(d, at, "the state is %s, should be %s", got, name);
}

void dlg_limited(struct dlg *d, const struct dlg_place *at, struct app *a, enum glass_limiter which,
		 double ms)
{
	struct glass_conn_info info;

	d->at = at;
	dlg_pump(d);
	if (glass_sock_info(d->g, a->s, &info))
		dlg_fail(d, at, "there is no such connection");
	if (info.limit_ns[which] != (int64_t)(ms * 1e6))
		dlg_fail(d, at, "it was %.3f ms", (double)info.limit_ns[which] / 1e6);
}

void dlg_check_limits(struct dlg *d, const struct dlg_place *at)
{
	struct glass_conn_info info;
	uint64_t cursor = 0;

	while (glass_conn_next(d->g, &cursor, &info)) {
		int64_t sum = 0;

		for (unsigned i = 0; i < GLASS_LIMIT_COUNT; i++)
			sum += info.limit_ns[i];
		if (sum != info.life_ns)
			dlg_fail(d, at, "connection %u: limiters sum to %lld ns, it lives %lld",
				 info.conn, (long long)sum, (long long)info.life_ns);
	}
}

void dlg_tunable(struct dlg *d, const struct dlg_place *at, const char *name, int64_t v)
{
	d->at = at;
	expect_result(d, "glass_tunable_set()", glass_tunable_set(d->g, name, v), 0);
}

uint64_t dlg_counter_value(struct dlg *d, const char *name)
{
	struct glass_stat st;

	for (unsigned i = 0; glass_stat_at(d->g, i, &st); i++)
		if (strcmp(st.name, name) == 0)
			return st.value;
	dlg_fail(d, d->at, "there is no counter %s", name);
}

void dlg_counter(struct dlg *d, const struct dlg_place *at, const char *name, uint64_t v)
{
	uint64_t got;

	d->at = at;
	dlg_pump(d);
	got = dlg_counter_value(d, name);
	if (got != v)
		dlg_fail(d, at, "%s is %llu, should be %llu", name, (unsigned long long)got,
			 (unsigned long long)v);
}

/*
 * Both take 40 ms, so that the first round-trip time is 40 ms and the first RTO 240 ms (RFC 6298
 * 2.2).
 */
#define HANDSHAKE_MS 40

void dlg_connected(struct dlg *d, const struct dlg_place *at, struct app *c, const char *options)
{
	dlg_connect(d, at, c, DLG_PEER_IP, 8080);
	dlg_out(d, at, 0, 0, "SYN, seq=0");
	dlg_time(d, at, dlg_now(d) + HANDSHAKE_MS);
	dlg_in(d, at, "SYN|ACK, seq=0, ack=1, %s", options);
	dlg_out(d, at, 0, 0, "ACK, seq=1, ack=1, len=0");
	dlg_state(d, at, c, "ESTAB");
	c->woke = 0;
}

struct app *dlg_accepted(struct dlg *d, const struct dlg_place *at, struct app *l,
			 const char *options)
{
	struct app *a;

	if (!l->s)
		dlg_listen(d, at, l, 8080, 16);
	dlg_in(d, at, "SYN, seq=0, %s", options);
	dlg_out(d, at, 0, 0, "SYN|ACK, seq=0, ack=1");
	dlg_time(d, at, dlg_now(d) + HANDSHAKE_MS);
	dlg_in(d, at, "ACK, seq=1, ack=1");
	a = dlg_accept(d, at, l);
	dlg_state(d, at, a, "ESTAB");
	l->woke = a->woke = 0;
	return a;
}
