/* SPDX-License-Identifier: MIT */
/*
 * Whom a datagram comes from. A program that has not connected its datagram socket learns that from
 * recvfrom(2), which tells the name of the AF_UNIX socket that sent: so there is one per origin,
 * named after it (abi/name.h, kind r). Those used last are kept, as far as there are descriptors
 * that no socket of a program wants. A connected one hears of its peer only, but may want to know
 * more of a datagram (IP_PKTINFO, ...): then such a socket comes along.
 *
 * In: program_dgram.c, program_end.c (senders_yield).   Out: the program's end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "program.h"

#define SENDERS_PER_SOCKET 16

struct sender {
	struct watch watch; /* fd; watched while it waits for room */
	struct list node;   /* in dgram->senders */
	struct list used;   /* in programs->senders */
	struct end *end;
	bool waits;
	char name[ABI_NAME_MAX];
};

static void sender_ready(struct daemon *d, struct watch *w, uint32_t events)
{
	struct sender *s = container_of(w, struct sender, watch);

	(void)events;
	loop_unwatch(d, w);
	s->waits = false;
	dgram_push(d, s->end);
}

static void sender_free(struct daemon *d, struct sender *s)
{
	if (s->waits)
		loop_unwatch(d, &s->watch);
	close(s->watch.fd);
	list_remove(&s->node);
	list_remove(&s->used);
	s->end->dgram->nsenders--;
	d->programs->nsenders--;
	free(s);
}

void senders_yield(struct daemon *d)
{
	struct programs *p = d->programs;

	if (p->count + p->nsenders < p->count_max)
		return;
	list_for_each(s, &p->senders, struct sender, used) {
		if (s->waits) /* of a datagram that nobody would give then */
			continue;
		sender_free(d, s);
		return;
	}
}

void senders_free(struct daemon *d, struct end *e)
{
	list_for_each_safe(s, &e->dgram->senders, struct sender, node)
		sender_free(d, s);
}

/* What of the datagram the program wants to know; the rest would only make more names. */
static struct abi_name name_of(const struct end *e, const struct glass_dgram *info)
{
	const struct glass_end spec_end = { .addr = info->spec };
	const struct abi_end spec = abi_of_end(&spec_end);
	uint16_t tell = e->dgram->tell, pktinfo = ABI_TELL_PKTINFO | ABI_TELL_PKTINFO6;

	return (struct abi_name){ .kind = 'r',
				  .token = e->token,
				  .local = abi_of_end(&info->to),
				  .remote = abi_of_end(&info->from),
				  .tell = tell,
				  .ttl = tell & ABI_TELL_TTL ? info->ttl : 0,
				  .tos = tell & ABI_TELL_TOS ? info->tos : 0,
				  .dev = tell & pktinfo ? (uint8_t)(info->dev + 1) : 0,
				  .spec = tell & pktinfo ? abi_end_ip4(&spec) : 0,
				  .drops = tell & ABI_TELL_DROPS ? info->drops : 0 };
}

static int sender_open(const struct end *e, const struct abi_name *name)
{
	struct abi_name program = {
		.kind = 'p', .token = e->token, .family = e->family, .proto = e->proto
	};
	struct sockaddr_un u;
	socklen_t length = pair_sockaddr(&program, &u);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err = fd < 0 ? -errno : pair_bind(fd, name);

	/* Connected, the program's end hears its peer only. */
	if (!err && !dgram_connected(e) && connect(fd, (struct sockaddr *)&u, length))
		err = -errno;
	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return err;
}

static struct sender *sender_new(struct daemon *d, struct end *e, const struct abi_name *name,
				 int *error)
{
	struct sender *s;

	if (e->dgram->nsenders == SENDERS_PER_SOCKET)
		sender_free(d, container_of(e->dgram->senders.prev, struct sender, node));
	senders_yield(d);
	*error = ENOMEM;
	if (!(s = malloc(sizeof(*s))))
		return NULL;
	*s = (struct sender){ .watch = { sender_open(e, name), sender_ready }, .end = e };
	if (s->watch.fd < 0) {
		*error = -s->watch.fd;
		free(s);
		return NULL;
	}
	abi_name_write(s->name, name);
	list_prepend(&e->dgram->senders, &s->node);
	list_append(&d->programs->senders, &s->used);
	e->dgram->nsenders++;
	d->programs->nsenders++;
	return s;
}

struct sender *sender_get(struct daemon *d, struct end *e, const struct glass_dgram *info,
			  int *error)
{
	struct abi_name name = name_of(e, info);
	char text[ABI_NAME_MAX];
	unsigned length = abi_name_write(text, &name);

	list_for_each(s, &e->dgram->senders, struct sender, node) {
		if (memcmp(s->name, text, length) != 0)
			continue;
		list_remove(&s->node);
		list_prepend(&e->dgram->senders, &s->node);
		list_remove(&s->used);
		list_append(&d->programs->senders, &s->used);
		return s;
	}
	return sender_new(d, e, &name, error);
}

int sender_give(const struct sender *s, const void *bytes, size_t length)
{
	return send(s->watch.fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
}

int sender_give_along(const struct sender *s, const void *bytes, size_t length)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .head = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec iov = { (void *)(uintptr_t)bytes, length };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = CMSG_LEN(sizeof(int)) };

	memcpy(CMSG_DATA(&control.head), &s->watch.fd, sizeof(int));
	return sendmsg(s->end->watch.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
}

void sender_wait(struct daemon *d, struct sender *s)
{
	if (!s->waits)
		s->waits = !loop_watch(d, &s->watch, EPOLLOUT);
}
