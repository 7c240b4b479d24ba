/* SPDX-License-Identifier: MIT */
/*
 * Names by c-ares, over sockets of the stack: /etc/hosts, the servers and the search list of the
 * stack's resolv.conf or the host's. Only names come here to be asked for; numbers, services, and
 * the lists that programs get are the C library's own work. The stack speaks IPv4: an address of
 * IPv6 is looked for when asked for by family, or when there is no other.
 *
 * This library is loaded with RTLD_DEEPBIND, so that a program's own c-ares (node has one) does not
 * get between: the plain names of the C library mean the C library's here.
 *
 * In: names.c.   Out: c-ares; getaddrinfo(3), getnameinfo(3) for numbers.
 */
#include "resolve.h"

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define ANSWERS_MAX 64
#define NAME_MAX_BYTES 256
#define HEADER_BYTES 12 /* of a DNS message: the question follows */
#define TEXT_BYTES INET6_ADDRSTRLEN

/* What has been found. */
struct found {
	int status; /* ARES_* */
	bool done;
	int n, family[ANSWERS_MAX];
	union {
		struct in_addr in;
		struct in6_addr in6;
	} addr[ANSWERS_MAX];
	char name[NAME_MAX_BYTES];
};

/* ---- sockets ------------------------------------------------------------------------------- */

static int open_socket(int family, int type, int protocol, void *user)
{
	const struct resolve_sockets *on = user;

	return on->socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

static int close_socket(int fd, void *user)
{
	(void)user;
	return close(fd);
}

static int connect_socket(int fd, const struct sockaddr *to, socklen_t size, void *user)
{
	const struct resolve_sockets *on = user;

	return on->connect(fd, to, size);
}

static ssize_t receive(int fd, void *room, size_t bytes, int flags, struct sockaddr *from,
		       socklen_t *size, void *user)
{
	const struct resolve_sockets *on = user;

	return on->recvfrom(fd, room, bytes, flags, from, size);
}

static ssize_t send_pieces(int fd, const struct iovec *pieces, int n, void *user)
{
	const struct resolve_sockets *on = user;
	struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)pieces, .msg_iovlen = (size_t)n };

	return on->sendmsg(fd, &m, MSG_NOSIGNAL);
}

static const struct ares_socket_functions sockets = { open_socket, close_socket, connect_socket,
						      receive, send_pieces };

/* ---- asking -------------------------------------------------------------------------------- */

static void library_begin(void)
{
	ares_library_init(ARES_LIB_INIT_ALL);
}

static int channel_open(const struct resolve_sockets *on, ares_channel *c)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct ares_options o = { .resolvconf_path = (char *)(uintptr_t)on->conf };
	int status;

	pthread_once(&once, library_begin);
	status = ares_init_options(c, &o, on->conf ? ARES_OPT_RESOLVCONF : 0);
	if (!status)
		ares_set_socket_functions(*c, &sockets, (void *)(uintptr_t)on);
	return status;
}

/* Until what was asked has been answered. */
static void channel_wait(ares_channel c, const struct found *f)
{
	ares_socket_t fd[ARES_GETSOCK_MAXNUM];
	struct pollfd p[ARES_GETSOCK_MAXNUM];
	struct timeval limit, *t;

	while (!f->done) {
		int bits = ares_getsock(c, fd, ARES_GETSOCK_MAXNUM), n = 0;

		for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
			short events = (short)((ARES_GETSOCK_READABLE(bits, i) ? POLLIN : 0) |
					       (ARES_GETSOCK_WRITABLE(bits, i) ? POLLOUT : 0));

			if (events)
				p[n++] = (struct pollfd){ fd[i], events, 0 };
		}
		t = ares_timeout(c, NULL, &limit);
		if (!n && !t)
			return;
		if (poll(p, (nfds_t)n, t ? (int)(t->tv_sec * 1000 + t->tv_usec / 1000 + 1) : -1) <
		    0)
			n = 0; /* a signal: time-outs are looked at, and it waits on */
		ares_process_fd(c, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
		for (int i = 0; i < n && !f->done; i++)
			if (p[i].revents)
				ares_process_fd(c, p[i].events & POLLIN ? p[i].fd : ARES_SOCKET_BAD,
						p[i].events & POLLOUT ? p[i].fd : ARES_SOCKET_BAD);
	}
}

static void keep_name(struct found *f, const char *name)
{
	if (name && strlen(name) < sizeof(f->name))
		strcpy(f->name, name);
}

static void on_addresses(void *arg, int status, int timeouts, struct ares_addrinfo *all)
{
	struct found *f = arg;

	(void)timeouts;
	f->status = status;
	f->done = true;
	if (!all)
		return;
	keep_name(f, all->cnames ? all->cnames->name : NULL);
	for (struct ares_addrinfo_cname *c = all->cnames; c; c = c->next)
		keep_name(f, c->name);
	for (struct ares_addrinfo_node *a = all->nodes; a && f->n < ANSWERS_MAX; a = a->ai_next) {
		f->family[f->n] = a->ai_family;
		if (a->ai_family == AF_INET)
			f->addr[f->n++].in = ((struct sockaddr_in *)(void *)a->ai_addr)->sin_addr;
		else if (a->ai_family == AF_INET6)
			f->addr[f->n++].in6 =
				((struct sockaddr_in6 *)(void *)a->ai_addr)->sin6_addr;
	}
	ares_freeaddrinfo(all);
}

static void on_host(void *arg, int status, int timeouts, struct hostent *h)
{
	struct found *f = arg;

	(void)timeouts;
	f->status = status;
	f->done = true;
	if (h)
		keep_name(f, h->h_name);
}

/* The name that was asked for: the whole one, where the search list had a part in it. */
static void on_question(void *arg, int status, int timeouts, unsigned char *answer, int bytes)
{
	struct found *f = arg;
	char *name;
	long length;

	(void)timeouts;
	f->done = true;
	if (status || bytes <= HEADER_BYTES ||
	    ares_expand_name(answer + HEADER_BYTES, answer, bytes, &name, &length))
		return;
	keep_name(f, name);
	ares_free_string(name);
}

/* c-ares does not tell the whole name of a short one; one in the hosts file is whole. */
static void ask_whole_name(ares_channel c, const char *name, int family, struct found *f)
{
	struct hostent *h;

	if (strchr(name, '.') || strcmp(f->name, name) != 0)
		return;
	if (!ares_gethostbyname_file(c, name, family, &h)) {
		ares_free_hostent(h);
		return;
	}
	f->done = false;
	ares_search(c, name, ns_c_in, family == AF_INET ? ns_t_a : ns_t_aaaa, on_question, f);
	channel_wait(c, f);
}

static void ask_name(const struct resolve_sockets *on, const char *name, int family, bool whole,
		     struct found *f)
{
	struct ares_addrinfo_hints hints = { .ai_family = family,
					     .ai_flags = ARES_AI_CANONNAME | ARES_AI_NOSORT };
	ares_channel c;

	*f = (struct found){ .status = channel_open(on, &c) };
	if (f->status)
		return;
	keep_name(f, name);
	ares_getaddrinfo(c, name, NULL, &hints, on_addresses, f);
	channel_wait(c, f);
	if (!f->status && !f->n)
		f->status = ARES_ENODATA;
	if (!f->status && whole)
		ask_whole_name(c, name, family, f);
	ares_destroy(c);
}

static void ask_addr(const struct resolve_sockets *on, const void *addr, socklen_t size, int family,
		     struct found *f)
{
	ares_channel c;

	*f = (struct found){ .status = channel_open(on, &c) };
	if (f->status)
		return;
	ares_gethostbyaddr(c, addr, (int)size, family, on_host, f);
	channel_wait(c, f);
	ares_destroy(c);
}

/* By what getaddrinfo(3) says of family and flags. */
static void ask(const struct resolve_sockets *on, const char *name, const struct addrinfo *hints,
		struct found *f)
{
	bool whole = hints->ai_flags & AI_CANONNAME;

	ask_name(on, name, hints->ai_family == AF_INET6 ? AF_INET6 : AF_INET, whole, f);
	if (!f->status || f->status == ARES_ENOMEM || hints->ai_family == AF_INET)
		return;
	if (hints->ai_family == AF_UNSPEC)
		ask_name(on, name, AF_INET6, whole, f);
	else if (hints->ai_flags & AI_V4MAPPED)
		ask_name(on, name, AF_INET, whole, f);
}

/* ---- errors -------------------------------------------------------------------------------- */

static int eai_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return 0;
	case ARES_ENODATA:
		return EAI_NODATA;
	case ARES_ENOTFOUND:
	case ARES_EBADNAME:
		return EAI_NONAME;
	case ARES_ETIMEOUT:
	case ARES_ECONNREFUSED:
	case ARES_ESERVFAIL:
		return EAI_AGAIN;
	case ARES_ENOMEM:
		return EAI_MEMORY;
	default:
		return EAI_FAIL;
	}
}

static int h_code_of(int status)
{
	switch (eai_of(status)) {
	case EAI_NODATA:
		return NO_DATA;
	case EAI_NONAME:
		return HOST_NOT_FOUND;
	case EAI_AGAIN:
		return TRY_AGAIN;
	default:
		return NO_RECOVERY;
	}
}

/* Nothing was found: what gethostbyname2_r(3) returns, with *h_error. */
static int nothing(int status, int *h_error)
{
	*h_error = h_errno = h_code_of(status);
	return *h_error == TRY_AGAIN ? EAGAIN : 0;
}

/* ---- getaddrinfo --------------------------------------------------------------------------- */

static bool is_number(const char *node)
{
	struct in6_addr in6;
	struct in_addr in;

	return strchr(node, ':') || inet_aton(node, &in) || inet_pton(AF_INET6, node, &in6) == 1;
}

static const char *text_of(const struct found *f, int i, bool mapped, char text[TEXT_BYTES + 8])
{
	strcpy(text, "::ffff:");
	if (!inet_ntop(f->family[i], &f->addr[i], text + 7, TEXT_BYTES))
		return NULL;
	return mapped && f->family[i] == AF_INET ? text : text + 7;
}

/* A list for each address, made by the C library, one behind the other. */
static int list_make(const struct found *f, const char *service, const struct addrinfo *hints,
		     struct addrinfo **out)
{
	struct addrinfo like = *hints, **end = out;
	char text[TEXT_BYTES + 8];

	like.ai_flags = (hints->ai_flags & (AI_PASSIVE | AI_NUMERICSERV)) | AI_NUMERICHOST;
	*out = NULL;
	for (int i = 0; i < f->n; i++) {
		const char *number = text_of(f, i, hints->ai_family == AF_INET6, text);
		int err = number ? getaddrinfo(number, service, &like, end) : EAI_FAIL;

		if (err) {
			*end = NULL;
			if (*out)
				freeaddrinfo(*out);
			return err;
		}
		while (*end)
			end = &(*end)->ai_next;
	}
	return 0;
}

static int resolve_getaddrinfo(const struct resolve_sockets *on, const char *node,
			       const char *service, const struct addrinfo *hints,
			       struct addrinfo **out)
{
	static const struct addrinfo none = { .ai_flags = AI_V4MAPPED | AI_ADDRCONFIG };
	struct found f;
	int err;

	if (!node || (hints && hints->ai_flags & AI_NUMERICHOST) || is_number(node))
		return getaddrinfo(node, service, hints, out);
	if (!hints)
		hints = &none;
	if (hints->ai_family != AF_UNSPEC && hints->ai_family != AF_INET &&
	    hints->ai_family != AF_INET6)
		return EAI_FAMILY;
	ask(on, node, hints, &f);
	err = eai_of(f.status);
	if (!err)
		err = list_make(&f, service, hints, out);
	if (!err && hints->ai_flags & AI_CANONNAME) {
		free((*out)->ai_canonname);
		(*out)->ai_canonname = strdup(f.name);
	}
	return err;
}

/* ---- getnameinfo --------------------------------------------------------------------------- */

static int resolve_getnameinfo(const struct resolve_sockets *on, const struct sockaddr *sa,
			       socklen_t size, char *host, socklen_t host_room, char *service,
			       socklen_t service_room, int flags)
{
	const struct sockaddr_in *in = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;
	bool is4 = size >= sizeof(*in) && sa->sa_family == AF_INET;
	struct found f;

	if (!host || !host_room || flags & NI_NUMERICHOST ||
	    (!is4 && (size < sizeof(*in6) || sa->sa_family != AF_INET6)))
		return getnameinfo(sa, size, host, host_room, service, service_room, flags);
	if (is4)
		ask_addr(on, &in->sin_addr, sizeof(in->sin_addr), AF_INET, &f);
	else
		ask_addr(on, &in6->sin6_addr, sizeof(in6->sin6_addr), AF_INET6, &f);
	if (f.status || !*f.name)
		return flags & NI_NAMEREQD ? EAI_NONAME
					   : getnameinfo(sa, size, host, host_room, service,
							 service_room, flags | NI_NUMERICHOST);
	if (strlen(f.name) >= host_room)
		return EAI_OVERFLOW;
	strcpy(host, f.name);
	return service && service_room
		       ? getnameinfo(sa, size, NULL, 0, service, service_room, flags)
		       : 0;
}

/* ---- gethostbyname ------------------------------------------------------------------------- */

/* In room: the name, no aliases, the addresses. 0, or ERANGE: it is too small. */
static int fill(const struct found *f, int family, struct hostent *h, char *room, size_t bytes)
{
	size_t each = family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
	size_t skip = -(uintptr_t)room % sizeof(char *), n = (size_t)f->n;
	char **list = (char **)(void *)(room + skip), *at;

	if (skip + (n + 2) * sizeof(char *) + n * each + strlen(f->name) + 1 > bytes)
		return ERANGE;
	at = (char *)(list + n + 2);
	*h = (struct hostent){ .h_addrtype = family,
			       .h_length = (int)each,
			       .h_addr_list = list,
			       .h_aliases = list + n + 1 };
	for (size_t i = 0; i < n; i++, at += each)
		list[i] = memcpy(at, &f->addr[i], each);
	list[n] = list[n + 1] = NULL;
	h->h_name = strcpy(at, f->name);
	return 0;
}

static int by_name(const struct resolve_sockets *on, const char *name, int family,
		   struct hostent *h, char *room, size_t bytes, struct hostent **out, int *h_error)
{
	struct found f;
	int err;

	*out = NULL;
	if (family != AF_INET && family != AF_INET6) {
		*h_error = NETDB_INTERNAL;
		return EAFNOSUPPORT;
	}
	if (is_number(name))
		return gethostbyname2_r(name, family, h, room, bytes, out, h_error);
	ask_name(on, name, family, true, &f);
	if (f.status)
		return nothing(f.status, h_error);
	err = fill(&f, family, h, room, bytes);
	*h_error = err ? NETDB_INTERNAL : 0;
	*out = err ? NULL : h;
	return err;
}

static int by_addr(const struct resolve_sockets *on, const void *addr, socklen_t size, int family,
		   struct hostent *h, char *room, size_t bytes, struct hostent **out, int *h_error)
{
	struct found f;
	int err;

	*out = NULL;
	ask_addr(on, addr, size, family, &f);
	if (f.status)
		return nothing(f.status, h_error);
	f.n = 1;
	memcpy(&f.addr[0], addr, size < sizeof(f.addr[0]) ? size : sizeof(f.addr[0]));
	err = fill(&f, family, h, room, bytes);
	*h_error = err ? NETDB_INTERNAL : 0;
	*out = err ? NULL : h;
	return err;
}

extern const struct resolve glass_resolve;
__attribute__((visibility("default")))
const struct resolve glass_resolve = { RESOLVE_VERSION, resolve_getaddrinfo, resolve_getnameinfo,
				       by_name, by_addr };
