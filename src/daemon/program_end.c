/* SPDX-License-Identifier: MIT */
/*
 * One end: its token, its life, what is remembered of it. A program names its socket by the random
 * token in its end's name; it can only reach sockets of its own user.
 *
 * In: program.c (SOCKET), program_listen.c (a connection to hand over), loop.c (an end became
 * ready; the stack's socket did). Out: program_connect.c, program_listen.c, program_data.c by the
 * end's state.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program.h"

/* ---- tokens ---------------------------------------------------------------------------------- */

static struct end **bucket_of(struct programs *p, uint64_t token)
{
	return &p->bucket[token % END_BUCKETS];
}

struct end *end_by_token(struct programs *p, uint64_t token)
{
	struct end *e = *bucket_of(p, token);

	while (e && e->token != token)
		e = e->chain;
	return e;
}

/* 0: the kernel has no randomness to give. */
static uint64_t token_new(struct programs *p)
{
	uint64_t token;

	do {
		if (!p->nrandom) {
			if (getrandom(p->random, sizeof(p->random), 0) != sizeof(p->random))
				return 0;
			p->nrandom = sizeof(p->random) / sizeof(p->random[0]);
		}
		token = p->random[--p->nrandom];
	} while (!token || end_by_token(p, token));
	return token;
}

/*
 * A process that gave up root (a server's worker) still has root's listening socket, and its
 * accepted connections are root's too: it may speak for them. It could not be here had its parent
 * not let it in (control.c).
 */
static bool may_use(const struct client *c, uid_t owner)
{
	uid_t uid = client_uid(c);

	return uid == owner || !uid || !owner;
}

struct end *end_of_token(struct daemon *d, const struct client *c, uint64_t token)
{
	struct end *e = end_by_token(d->programs, token);

	return e && may_use(c, e->uid) ? e : NULL;
}

struct end *end_find(struct daemon *d, struct client *c, const struct abi_request *req)
{
	struct end *e = end_of_token(d, c, req->token);

	if (e)
		return e;
	reply_errno(d, c, req, ENOTCONN);
	return NULL;
}

/* ---- life of an end -------------------------------------------------------------------------- */

static void end_event(struct daemon *d, struct sock_owner *owner, const struct glass_event *ev)
{
	struct end *e = (struct end *)owner;

	if (e->dgram)
		dgram_event(d, e, ev->ready);
	else if (e->state == END_CONNECTING)
		connect_event(d, e, ev->ready);
	else if (e->state == END_LISTENING)
		listen_event(d, e);
	else if (e->state == END_OPEN)
		data_event(d, e, ev->ready);
}

static void end_link(struct programs *p, struct end *e)
{
	struct end **b = bucket_of(p, e->token);

	e->chain = *b;
	*b = e;
	list_append(&p->ends, &e->node);
}

static void end_unlink(struct programs *p, struct end *e)
{
	struct end **at = bucket_of(p, e->token);

	while (*at != e)
		at = &(*at)->chain;
	*at = e->chain;
	list_remove(&e->node);
}

/* The pair and its watch. */
static int stream_open(struct daemon *d, struct end *e, int *fd)
{
	int pair[2];
	int err;

	if ((err = pair_open(pair, e->token, e->family)))
		return err;
	e->watch = (struct watch){ pair[0], end_ready };
	if ((err = loop_watch(d, &e->watch, END_EVENTS))) {
		close(pair[0]);
		close(pair[1]);
		return err;
	}
	*fd = pair[1];
	return 0;
}

/* The program's end in *fd; e is in no list yet. */
static int end_open(struct daemon *d, struct end *e, int *fd)
{
	if (!(e->token = token_new(d->programs)))
		return -EAGAIN;
	return e->proto == GLASS_TCP ? stream_open(d, e, fd) : dgram_open(d, e, fd);
}

/* Whoever has enough may have closed datagram sockets, of which glassd is not told. */
static bool charge(struct daemon *d, uid_t uid)
{
	return user_charge(d->programs, uid) ||
	       (dgrams_sweep_for_room(d) && user_charge(d->programs, uid));
}

int end_new(struct daemon *d, const struct end *like, int *fd, struct end **out)
{
	struct programs *p = d->programs;
	struct stat st;
	struct end *e;
	int err = -ENOMEM;

	senders_yield(d);
	if (!charge(d, like->uid))
		return -ENFILE;
	if (!(e = calloc(1, sizeof(*e))))
		goto err_charge;
	*e = (struct end){ .owner = { end_event },
			   .uid = like->uid,
			   .family = like->family,
			   .proto = like->proto,
			   .watch = { .fd = -1 },
			   .state = like->state,
			   .canary = 1,
			   .in_hand_fd = -1 };
	if ((err = end_open(d, e, fd)))
		goto err_end;
	if (!fstat(*fd, &st))
		e->inode = st.st_ino;
	list_init(&e->starved);
	end_link(p, e);
	*out = e;
	return 0;
err_end:
	free(e);
err_charge:
	user_uncharge(p, like->uid);
	return err;
}

void end_attach(struct end *e, struct glass_sock *sock)
{
	e->sock = sock;
	glass_sock_set_user(sock, &e->owner);
	glass_sock_set_owner(sock, e->uid);
}

void end_adopt(struct daemon *d, struct end *e)
{
	e->owner.event = end_event;
	e->watch.ready = e->dgram ? dgram_peer_ready : end_ready;
	if (e->dgram) {
		list_init(&e->dgram->senders);
		list_append(&d->programs->dgrams, &e->dgram->node);
	}
	list_init(&e->starved);
	end_attach(e, e->sock);
	end_link(d->programs, e);
}

uint64_t programs_inode(const void *user)
{
	const struct end *e = user; /* if it is one: others own sockets too */

	return e && e->owner.event == end_event ? e->inode : 0;
}

void end_free(struct daemon *d, struct end *e, bool abort)
{
	if (e->in_hand) {
		close(e->in_hand_fd);
		end_free(d, e->in_hand, true);
	}
	connect_tell(d, e, ECONNABORTED); /* as Linux: another thread has shut it down, or closed */
	if (e->dgram)
		dgram_free(d, e);
	if (e->watch.fd >= 0) {
		loop_unwatch(d, &e->watch);
		close(e->watch.fd);
	}
	if (e->sock)
		glass_sock_set_user(e->sock, NULL);
	if (e->sock && !abort && e->hup)
		linger_note(d, e);
	if (e->sock && abort)
		glass_abort(d->g, e->sock);
	else if (e->sock)
		glass_close(d->g, e->sock);
	list_remove(&e->starved);
	end_unlink(d->programs, e);
	user_uncharge(d->programs, e->uid);
	free(e);
}

/*
 * The kernel shows a pair that was shut down both ways as it shows one that was closed. But as long
 * as anybody has the program's end its name is taken. Asked only where the library has told of such
 * a shutdown (SHUTDOWN): every other hang-up is a close, or the end of both ways.
 */
static bool is_held(const struct end *e)
{
	const struct abi_name name = {
		.kind = 'p', .token = e->token, .family = e->family, .proto = ABI_TCP
	};
	int fd = -1, err = 0;

	if (e->shuts && e->state == END_OPEN)
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	err = pair_bind(fd, &name);
	close(fd);
	return err == -EADDRINUSE;
}

/* Shut down both ways, and open: it can be asked, and what comes for it is answered by a reset. */
static void end_shut_down(struct daemon *d, struct end *e)
{
	if (!e->shut)
		glass_shutdown(d->g, e->sock, GLASS_SHUT_RD);
	e->shut = true;
	if (data_pull(d, e))
		data_push(d, e);
}

/* The program has closed, or it and the peer have shut down one way each. */
static void end_hung_up(struct daemon *d, struct end *e)
{
	int64_t linger = -1;

	if (e->state != END_OPEN) {
		end_free(d, e, false);
		return;
	}
	glass_getopt(d->g, e->sock, GLASS_OPT_LINGER, &linger);
	e->reset = e->unread || linger == 0;
	if (!data_pull(d, e)) /* first what it wrote: Linux has sent that already */
		return;
	if (!e->reset) {
		data_push(d, e);
		return;
	}
	loop_send_frames(d);
	end_free(d, e, true);
}

void op_shutdown(struct daemon *d, struct client *c, const struct abi_request *req,
		 const char *data, int *fd)
{
	struct end *e = end_find(d, c, req);

	(void)data;
	(void)fd;
	if (!e)
		return;
	e->shuts = true;
	reply_errno(d, c, req, 0);
}

void end_ready(struct daemon *d, struct watch *w, uint32_t events)
{
	struct end *e = container_of(w, struct end, watch);

	if (events & EPOLLOUT && e->wants_out) {
		e->wants_out = false;
		loop_change(d, w, END_EVENTS | (e->exact ? (uint32_t)EPOLLOUT : 0));
	}
	e->oob |= (events & EPOLLPRI) != 0;
	e->eof |= (events & (EPOLLRDHUP | EPOLLHUP)) != 0;
	e->hup |= events & EPOLLHUP && !is_held(e);
	e->unread |= (events & EPOLLERR) != 0;
	if (e->hup)
		end_hung_up(d, e);
	else if (events & EPOLLHUP)
		end_shut_down(d, e);
	else if (e->state == END_LISTENING)
		listen_event(d, e);
	else if (e->state == END_OPEN && data_pull(d, e) && events & EPOLLOUT)
		data_push(d, e);
}

/* ---- the ended ------------------------------------------------------------------------------ */

void end_remember(struct daemon *d, const struct end *e, int error)
{
	struct ended *x = &d->programs->ended[e->token % ENDED_MAX];

	*x = (struct ended){ .token = e->token,
			     .uid = e->uid,
			     .error = error,
			     .bound = e->bound,
			     .v6only = e->v6only,
			     .local = e->local };
	if (e->port_chosen)
		x->local.port = 0;
	opts_save(d, e->sock, x->opt);
}

int end_bind_again(struct daemon *d, struct glass_sock *sock, const struct glass_end *local)
{
	static const uint8_t any[sizeof(local->addr.byte)];

	if (!local->port && !memcmp(local->addr.byte, any, sizeof(any)))
		return 0;
	return glass_bind(d->g, sock, local);
}

struct ended *ended_find(const struct daemon *d, const struct client *c, uint64_t token)
{
	struct ended *x = &d->programs->ended[token % ENDED_MAX];

	return token && x->token == token && may_use(c, x->uid) ? x : NULL;
}
