/* SPDX-License-Identifier: MIT */
/* Socket calls of a script, and what they answer. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

#define BYTES_MAX (1 << 20)

struct made {
	int64_t result;
	bool is_fd;	/* the result is a new descriptor */
	char *mismatch; /* a value came back that the script does not say */
};

static char wrong[300];

static int live_fd(const struct runner *r, int64_t fd)
{
	return fd >= 0 && fd < FDS_MAX ? r->fd[fd] : -1;
}

static struct sockaddr_in address(uint32_t addr)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	in.sin_addr.s_addr = htonl(addr);
	return in;
}

static void expect(struct made *m, const char *what, int64_t got, int64_t want)
{
	if (m->result < 0 || got == want)
		return;
	snprintf(wrong, sizeof(wrong), "%s is %lld, should be %lld", what, (long long)got,
		 (long long)want);
	m->mismatch = wrong;
}

/* ---- by name --------------------------------------------------------------------------------- */

static bool open_call(struct runner *r, const struct call *c, int fd, struct made *m)
{
	struct packetdrill_interface *i = &r->ifc;
	struct sockaddr_in local = address(LOCAL_ADDR), remote = address(REMOTE_ADDR);
	const struct arg *a = c->arg;

	if (!strcmp(c->name, "socket")) {
		m->result = i->socket(i->userdata, AF_INET, (int)a[1].v, (int)a[2].v);
		m->is_fd = true;
	} else if (!strcmp(c->name, "bind")) {
		m->result = i->bind(i->userdata, fd, (void *)&local, sizeof(local));
	} else if (!strcmp(c->name, "listen")) {
		m->result = i->listen(i->userdata, fd, (int)a[1].v);
	} else if (!strcmp(c->name, "accept")) {
		m->result = i->accept(i->userdata, fd, NULL, NULL);
		m->is_fd = true;
	} else if (!strcmp(c->name, "connect")) {
		m->result = i->connect(i->userdata, fd, (void *)&remote, sizeof(remote));
	} else if (!strcmp(c->name, "shutdown")) {
		m->result = i->shutdown(i->userdata, fd, (int)a[1].v);
	} else if (!strcmp(c->name, "close")) {
		m->result = i->close(i->userdata, fd);
	} else {
		return false;
	}
	return true;
}

static bool data_call(struct runner *r, const struct call *c, int fd, struct made *m)
{
	static char bytes[2][BYTES_MAX]; /* of either thread's call */
	struct packetdrill_interface *i = &r->ifc;
	const struct arg *a = c->arg;
	size_t n = (size_t)a[2].v < BYTES_MAX ? (size_t)a[2].v : BYTES_MAX;

	if (!strcmp(c->name, "read"))
		m->result = i->read(i->userdata, fd, bytes[0], n);
	else if (!strcmp(c->name, "recv"))
		m->result = i->recv(i->userdata, fd, bytes[0], n, (int)a[3].v);
	else if (!strcmp(c->name, "write"))
		m->result = i->write(i->userdata, fd, bytes[1], n);
	else if (!strcmp(c->name, "send"))
		m->result = i->send(i->userdata, fd, bytes[1], n, (int)a[3].v);
	else
		return false;
	return true;
}

static bool control_call(struct runner *r, const struct call *c, int fd, struct made *m)
{
	struct packetdrill_interface *i = &r->ifc;
	const struct arg *a = c->arg;
	int value = (int)a[3].v;
	socklen_t size = sizeof(value);

	if (!strcmp(c->name, "setsockopt")) {
		m->result = i->setsockopt(i->userdata, fd, (int)a[1].v, (int)a[2].v, &value, size);
	} else if (!strcmp(c->name, "getsockopt")) {
		m->result = i->getsockopt(i->userdata, fd, (int)a[1].v, (int)a[2].v, &value, &size);
		expect(m, "the option", value, a[3].v);
	} else if (!strcmp(c->name, "fcntl")) {
		m->result = i->fcntl(i->userdata, fd, (int)a[1].v, (int)a[2].v);
	} else if (!strcmp(c->name, "ioctl")) {
		m->result = i->ioctl(i->userdata, fd, (unsigned long)a[1].v, &value);
		expect(m, "the value", value, a[2].v);
	} else if (!strcmp(c->name, "poll")) {
		struct pollfd p = { live_fd(r, a[0].fd), (short)a[0].events, 0 };

		m->result = i->poll(i->userdata, &p, 1, (int)a[2].v);
		expect(m, "revents", p.revents, a[0].revents);
	} else {
		return false;
	}
	return true;
}

/* ---- a call ---------------------------------------------------------------------------------- */

void call_connects(struct runner *r, const struct call *c)
{
	if (!strcmp(c->name, "connect") && !r->talk.active)
		r->talk = (struct talk){ .active = true };
}

static char *compare(struct runner *r, const struct call *c, const struct made *m, int error)
{
	if (m->is_fd && m->result >= 0 && c->result >= 0 && c->result < FDS_MAX) {
		r->fd[c->result] = (int)m->result;
		r->under_test = (int)m->result;
		return m->mismatch;
	}
	if (m->result == c->result && (m->result >= 0 || !c->error || error == c->error))
		return m->mismatch;
	snprintf(wrong, sizeof(wrong), "%s answers %lld%s%s, should be %lld%s%s", c->name,
		 (long long)m->result, m->result < 0 ? " " : "",
		 m->result < 0 ? strerrorname_np(error) : "", (long long)c->result,
		 c->error ? " " : "", c->error ? strerrorname_np(c->error) : "");
	return wrong;
}

char *call_make(struct runner *r, const struct call *c)
{
	struct made m = { 0 };
	int fd = live_fd(r, c->arg[0].v);

	errno = 0;
	if (!open_call(r, c, fd, &m) && !data_call(r, c, fd, &m) && !control_call(r, c, fd, &m)) {
		snprintf(wrong, sizeof(wrong), "%s: there is no such call", c->name);
		return wrong;
	}
	return compare(r, c, &m, errno);
}

/* ---- TCP_INFO -------------------------------------------------------------------------------- */

#define F(name)                                                                              \
	{                                                                                    \
#name, offsetof(struct tcp_info, name), sizeof(((struct tcp_info *)0)->name) \
	}
static const struct {
	const char *name;
	size_t at, size;
} fields[] = {
	F(tcpi_state),	       F(tcpi_ca_state),     F(tcpi_retransmits),
	F(tcpi_backoff),       F(tcpi_options),	     F(tcpi_rto),
	F(tcpi_snd_mss),       F(tcpi_unacked),	     F(tcpi_sacked),
	F(tcpi_lost),	       F(tcpi_retrans),	     F(tcpi_rtt),
	F(tcpi_rttvar),	       F(tcpi_snd_ssthresh), F(tcpi_snd_cwnd),
	F(tcpi_total_retrans), F(tcpi_bytes_acked),  F(tcpi_bytes_received),
};
#undef F

static bool field(const struct tcp_info *info, const char *name, long long *out)
{
	uint64_t v = 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (strcmp(fields[i].name, name) != 0)
			continue;
		memcpy(&v, (const char *)info + fields[i].at, fields[i].size);
		*out = (long long)v;
		return true;
	}
	return false;
}

static bool holds(long long a, const char *op, long long b)
{
	if (!strcmp(op, "=="))
		return a == b;
	if (!strcmp(op, ">="))
		return a >= b;
	return !strcmp(op, "<=") && a <= b;
}

bool call_info(struct runner *r, const char *text)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);
	char copy[200], *rest = copy, *one, name[40], op[3];
	long long want, got;

	snprintf(copy, sizeof(copy), "%s", text);
	if (r->ifc.getsockopt(r->ifc.userdata, r->under_test, IPPROTO_TCP, TCP_INFO, &info, &size))
		return run_wrong(r, "TCP_INFO: %s", strerrorname_np(errno));
	while ((one = strsep(&rest, ","))) {
		if (sscanf(one, " %39[a-z_] %2[=<>] %lld", name, op, &want) != 3 ||
		    !field(&info, name, &got))
			return run_wrong(r, "not understood: %s", one);
		if (!holds(got, op, want))
			return run_wrong(r, "%s is %lld, should be %s %lld", name, got, op, want);
	}
	return true;
}
