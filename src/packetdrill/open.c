/* SPDX-License-Identifier: MIT */
/*
 * Calls that open and close conversations.
 *
 * In:  packetdrill.   Out: glass.h's socket calls.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "drill.h"

int drill_addr_read(const struct sockaddr *addr, socklen_t size, struct glass_end *out)
{
	struct sockaddr_in in;

	if (!addr)
		return -EFAULT;
	if (size < sizeof(in))
		return -EINVAL;
	memcpy(&in, addr, sizeof(in));
	if (in.sin_family != AF_INET)
		return -EAFNOSUPPORT;
	*out = (struct glass_end){ .addr = { .family = GLASS_IP4 }, .port = ntohs(in.sin_port) };
	memcpy(out->addr.byte, &in.sin_addr, sizeof(in.sin_addr));
	return 0;
}

void drill_addr_write(const struct glass_end *end, struct sockaddr *addr, socklen_t *size)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(end->port) };

	if (!addr || !size)
		return;
	memcpy(&in.sin_addr, end->addr.byte, sizeof(in.sin_addr));
	memcpy(addr, &in, *size < sizeof(in) ? *size : sizeof(in));
	*size = sizeof(in);
}

static struct drill_fd *new_socket(struct drill *d, struct glass_sock *s, uint8_t proto)
{
	struct drill_fd *f = s ? drill_fd_new(d, DRILL_SOCKET) : NULL;

	if (!s) {
		errno = ENOBUFS;
		return NULL;
	}
	if (!f) {
		glass_abort(d->g, s);
		return NULL;
	}
	f->sock = s;
	f->proto = proto;
	glass_sock_set_user(s, f);
	return f;
}

int drill_socket(void *userdata, int domain, int type, int protocol)
{
	struct drill *d = userdata;
	int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	uint8_t proto = kind == SOCK_STREAM ? GLASS_TCP : GLASS_UDP;
	struct drill_fd *f;

	if (domain != AF_INET)
		return (int)drill_answer(-EAFNOSUPPORT);
	if ((kind != SOCK_STREAM && kind != SOCK_DGRAM) || (protocol && protocol != proto))
		return (int)drill_answer(-EPROTONOSUPPORT);
	drill_enter(d);
	f = new_socket(d, glass_socket(d->g, proto), proto);
	if (f)
		f->nonblock = type & SOCK_NONBLOCK;
	drill_leave(d);
	return f ? f->fd : -1;
}

/* Begins a call about fd and an address. 0 or -errno. */
static int enter_with_addr(struct drill *d, int fd, const struct sockaddr *addr, socklen_t size,
			   struct drill_fd **f, struct glass_end *end)
{
	drill_enter(d);
	*f = drill_socket_of(d, fd);
	return *f ? drill_addr_read(addr, size, end) : -errno;
}

int drill_bind(void *userdata, int fd, const struct sockaddr *addr, socklen_t size)
{
	struct drill *d = userdata;
	struct glass_end local;
	struct drill_fd *f;
	int result = enter_with_addr(d, fd, addr, size, &f, &local);

	if (!result)
		result = glass_bind(d->g, f->sock, &local);
	drill_leave(d);
	return (int)drill_answer(result);
}

int drill_listen(void *userdata, int fd, int backlog)
{
	struct drill *d = userdata;
	struct drill_fd *f;
	int result;

	drill_enter(d);
	f = drill_socket_of(d, fd);
	result = f ? glass_listen(d->g, f->sock, backlog < 0 ? 0 : (unsigned)backlog) : -errno;
	if (!result && d->listen_fast)
		glass_setopt(d->g, f->sock, GLASS_OPT_FASTOPEN, backlog < 1 ? 1 : backlog);
	drill_leave(d);
	return (int)drill_answer(result);
}

/* The next connection; the caller holds the lock. */
static int64_t accept_wait(struct drill *d, struct drill_fd *f, struct glass_sock **out)
{
	int64_t until = f->recv_ns ? d->now_ns + f->recv_ns : GLASS_NEVER;
	struct glass_conn_info info;

	glass_sock_info(d->g, f->sock, &info);
	if (strcmp(info.state, "LISTEN") != 0)
		return -EINVAL;
	while (!(*out = glass_accept(d->g, f->sock)))
		if (f->nonblock || drill_wait(d, until))
			return -EAGAIN;
	return 0;
}

int drill_accept(void *userdata, int fd, struct sockaddr *addr, socklen_t *size)
{
	struct drill *d = userdata;
	struct glass_sock *s = NULL;
	struct glass_end remote;
	struct drill_fd *listener, *f;
	int64_t result;

	drill_enter(d);
	listener = drill_socket_of(d, fd);
	result = listener ? accept_wait(d, listener, &s) : -errno;
	if (!result) {
		f = new_socket(d, s, GLASS_TCP);
		result = f ? f->fd : -errno;
		if (f)
			f->zerocopy = listener->zerocopy;
	}
	if (result >= 0 && !glass_remote(s, &remote))
		drill_addr_write(&remote, addr, size);
	drill_leave(d);
	return (int)drill_answer(result);
}

int drill_connect_wait(struct drill *d, struct drill_fd *f)
{
	int64_t until = f->send_ns ? d->now_ns + f->send_ns : GLASS_NEVER;
	int error;

	while (!(glass_ready(d->g, f->sock) & (GLASS_OUT | GLASS_ERR | GLASS_HUP)))
		if (drill_wait(d, until))
			return -EINPROGRESS;
	f->connecting = false;
	if (glass_ready(d->g, f->sock) & GLASS_CONNECTED)
		return 0;
	error = glass_error(d->g, f->sock);
	return error ? -error : -ECONNABORTED;
}

/* A second call tells once how the first one ended, as Linux does. */
static int connect_again(struct drill *d, struct drill_fd *f)
{
	unsigned ready = glass_ready(d->g, f->sock);

	if (!(ready & (GLASS_OUT | GLASS_ERR | GLASS_HUP)) && f->nonblock)
		return -EALREADY;
	return drill_connect_wait(d, f);
}

static int connect_now(struct drill *d, struct drill_fd *f, const struct glass_end *remote)
{
	int result = glass_connect(d->g, f->sock, remote);

	f->deferred = !result;
	if (result != -EINPROGRESS)
		return result;
	f->connecting = true;
	return f->nonblock ? result : drill_connect_wait(d, f);
}

int drill_connect(void *userdata, int fd, const struct sockaddr *addr, socklen_t size)
{
	struct drill *d = userdata;
	struct glass_end remote;
	struct drill_fd *f;
	int result = enter_with_addr(d, fd, addr, size, &f, &remote);

	if (!result)
		result = f->connecting ? connect_again(d, f) : connect_now(d, f, &remote);
	drill_leave(d);
	return (int)drill_answer(result);
}

int drill_shutdown(void *userdata, int fd, int how)
{
	static const enum glass_how hows[] = {
		[SHUT_RD] = GLASS_SHUT_RD, [SHUT_WR] = GLASS_SHUT_WR, [SHUT_RDWR] = GLASS_SHUT_RDWR
	};
	struct drill *d = userdata;
	struct drill_fd *f;
	int result;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return (int)drill_answer(-EINVAL);
	drill_enter(d);
	f = drill_socket_of(d, fd);
	result = f ? glass_shutdown(d->g, f->sock, hows[how]) : -errno;
	drill_leave(d);
	return (int)drill_answer(result);
}
