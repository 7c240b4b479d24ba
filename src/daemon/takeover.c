/* SPDX-License-Identifier: MIT */
/*
 * "glass up --takeover". Theory of operation.
 *
 *	new: TAKEOVER, with one end of a pair	the versions that it reads; the old one answers
 *	new: BEGIN, by the pair			until then the old one only listens there
 *	old: ends its round, and stands still	state in a memfd, all descriptors, by the pair
 *	new: makes everything, sends READY	reads and writes nothing of what it was given
 *	old: COMMIT, closes everything, ends	without a word to any peer or program
 *	new: sees the pair closed, and runs	so names that the old one had are free
 *
 * Until COMMIT the old one has lost nothing and has given nothing away: if the new one fails, dies,
 * or takes longer than PATIENCE, it goes on with what it has, and it was a pause of that length.
 * While both stand, what comes waits in the device's queue, in the pairs, in the control socket.
 *
 * In: control_request.c (TAKEOVER), loop.c, main.c.	Out: takeover_fds.c, takeover_state.c.
 */
#include "takeover.h"

#include <glass/glass_trace.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "program.h"
#include "start.h"

#define PATIENCE_S 10
#define SETTLE_MAX 64
#define BEGIN 'b'
#define READY 'r'
#define COMMIT 'c'

static bool be_patient(int fd)
{
	const struct timeval t = { .tv_sec = PATIENCE_S };

	return !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) &&
	       !setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

/* ---- the old one: who asks ------------------------------------------------------------------- */

struct taker {
	struct watch watch;    /* our end of the pair */
	struct client *client; /* who asked */
	bool begun;
};

/* It hangs up, or has failed. */
static void taker_drop(struct daemon *d)
{
	struct taker *t = d->taker;

	client_on_gone(t->client, NULL, NULL);
	t->client->taker = false;
	loop_unwatch(d, &t->watch);
	close(t->watch.fd);
	free(t);
	d->taker = NULL;
}

static void client_gone(struct daemon *d, struct client *c, void *arg)
{
	(void)c;
	(void)arg;
	taker_drop(d);
}

/* It has sent BEGIN, or nothing will come of it. Until then it costs nothing to have been asked. */
static void taker_ready(struct daemon *d, struct watch *w, uint32_t events)
{
	char word = 0;

	(void)events;
	if (recv(w->fd, &word, 1, MSG_DONTWAIT) == 1 && word == BEGIN)
		d->taker->begun = true;
	else
		taker_drop(d);
}

static const char *refusal(const struct daemon *d, const struct client *c,
			   const struct abi_request *req, int fd)
{
	static char text[200];

	if (d->taker || !client_gone_is(c, NULL))
		return "somebody takes it over already";
	if (d->freeze)
		return "the stack stands still by 'glass step': end that first";
	if (fd < 0 || !is_seqpacket(fd))
		return "without a pair to hand things over by";
	if (req->arg[0] >= SAVE_OLDEST && req->arg[1] <= SAVE_VERSION)
		return NULL;
	snprintf(text, sizeof(text),
		 "the running glassd (%s) saves its state in version %d, which versions from %d on "
		 "read; the new one reads %lld to %lld. Restart it: glass down; glass up",
		 GLASS_VERSION, SAVE_VERSION, SAVE_OLDEST, (long long)req->arg[1],
		 (long long)req->arg[0]);
	return text;
}

/* Takes fd; false: no memory. */
static bool taker_new(struct daemon *d, struct client *c, int fd)
{
	struct taker *t = malloc(sizeof(*t));

	if (!t)
		return false;
	*t = (struct taker){ .watch = { fd, taker_ready }, .client = c };
	if (loop_watch(d, &t->watch, EPOLLIN)) {
		free(t);
		return false;
	}
	d->taker = t;
	c->taker = true;
	client_on_gone(c, client_gone, NULL);
	return true;
}

void op_takeover(struct daemon *d, struct client *c, const struct abi_request *req,
		 const char *data, int *fd)
{
	const char *why = refusal(d, c, req, *fd);
	struct abi_reply rep = { 0 };

	(void)data;
	if (!why && !taker_new(d, c, *fd))
		why = "out of memory";
	if (!why)
		*fd = -1;
	rep.error = why ? EBUSY : 0;
	control_reply(d, c, req, &rep, why, why ? strlen(why) : 0, -1);
}

/* ---- the old one: what it gives -------------------------------------------------------------- */

static int put(void *arg, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length) {
		ssize_t n = write(*(int *)arg, at, length);

		if (n < 0 && errno != EINTR)
			return -errno;
		at += n > 0 ? n : 0;
		length -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int save_daemon(struct daemon *d, struct package *p, struct handover *h)
{
	int err;

	h->s = save_writer(put, &p->memfd);
	if (!h->s)
		return -ENOMEM;
	daemon_keep(h, d);
	err = save_finish(h->s);
	if (!err && save_fault(h->s))
		err = -EMFILE;
	save_free(h->s);
	return err;
}

static int package_fill(struct daemon *d, struct package *p, struct handover *h)
{
	off_t at;
	int err;

	p->memfd = memfd_create("glass-takeover", MFD_CLOEXEC);
	h->cap = d->programs->count * 2 + d->control->nclients + DAEMON_DEVS_MAX + 9;
	h->fd = malloc(h->cap * sizeof(int));
	if (p->memfd < 0 || !h->fd)
		return -ENOMEM;
	/* Names of sockets are of a namespace, too. */
	h->fd[h->nfds++] = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	h->fd[h->nfds++] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	err = h->fd[0] < 0 || h->fd[1] < 0 ? -errno : glass_save(d->g, put, &p->memfd);
	at = lseek(p->memfd, 0, SEEK_CUR);
	if (err || at < 0)
		return err ? err : -errno;
	p->stack_bytes = (uint64_t)at;
	err = save_daemon(d, p, h);
	p->daemon_bytes = (uint64_t)lseek(p->memfd, 0, SEEK_CUR) - p->stack_bytes;
	return err;
}

static int give(struct daemon *d, struct package *p, struct handover *h)
{
	int err = package_fill(d, p, h), to = d->taker->watch.fd;
	char word = 0;

	if (!err && !be_patient(to))
		err = -errno;
	if (!err)
		err = package_send(to, p, h->fd, h->nfds);
	if (!err)
		err = word_receive(to, &word);
	if (!err && word != READY)
		err = -EPROTO;
	return err ? err : word_send(to, COMMIT);
}

/* Everything is the other one's now. The pair closes last: by that it knows. */
static _Noreturn void gone(struct daemon *d)
{
	int fd = d->taker->watch.fd;

	syscall(SYS_close_range, fd + 1, ~0u, 0);
	if (fd)
		syscall(SYS_close_range, 0, fd - 1, 0);
	_exit(EXIT_SUCCESS);
}

void takeover_round(struct daemon *d)
{
	struct package p = { .memfd = -1 };
	struct handover h = { 0 };
	int err;

	if (!d->taker->begun)
		return;
	for (unsigned i = 0; i < SETTLE_MAX && (loop_send_frames(d) | loop_events(d)); i++)
		;
	err = give(d, &p, &h);
	if (!err)
		gone(d);
	notice("the takeover failed, this glassd goes on: %s",
	       err == -EPIPE ? "the new one has ended" : strerror(-err));
	for (unsigned i = 0; i < 2 && i < h.nfds; i++)
		if (h.fd[i] >= 0)
			close(h.fd[i]);
	free(h.fd);
	package_free(&p);
	taker_drop(d);
}

/* ---- the new one ----------------------------------------------------------------------------- */

/* A connection to the control socket of the stack; *who runs it. -1: told. */
static int connect_old(const struct instance *in, struct ucred *who)
{
	struct sockaddr_un u = { .sun_family = AF_UNIX };
	socklen_t size = sizeof(*who);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	memcpy(u.sun_path, in->socket_path, sizeof(u.sun_path));
	if (fd >= 0 && be_patient(fd) && !connect(fd, (struct sockaddr *)&u, sizeof(u)) &&
	    !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, who, &size))
		return fd;
	notice("nothing to take over at %s: %s", in->socket_path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool send_request(int control, int fd)
{
	struct abi_request req = { .head = { ABI_MAGIC, ABI_VERSION, ABI_TAKEOVER },
				   .arg = { SAVE_VERSION, SAVE_OLDEST } };
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} rights = { .align = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec iov = { &req, sizeof(req) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &rights,
			    .msg_controllen = sizeof(rights.space) };

	memcpy(CMSG_DATA(&rights.align), &fd, sizeof(fd));
	return sendmsg(control, &m, MSG_NOSIGNAL) == sizeof(req);
}

/* The old one's answer. false: told. */
static bool agreed(int control)
{
	struct {
		struct abi_reply rep;
		char text[1024];
	} answer = { 0 };
	ssize_t n = recv(control, &answer, sizeof(answer) - 1, 0);

	if (n < (ssize_t)sizeof(answer.rep)) {
		notice("the running glassd does not answer: %s",
		       n < 0 ? strerror(errno) : "it hung up");
		return false;
	}
	if (answer.rep.error)
		notice("the running glassd refuses: %s",
		       answer.text[0] ? answer.text : strerror(answer.rep.error));
	return !answer.rep.error;
}

bool takeover_ask(struct taken *t, const struct instance *in)
{
	int pair[2], control = connect_old(in, &t->who), err;

	t->fd = -1;
	t->package.memfd = -1;
	if (control < 0)
		return false;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) || !be_patient(pair[0])) {
		notice("socketpair: %s", strerror(errno));
		return false;
	}
	t->fd = pair[0];
	if (!send_request(control, pair[1]) || !agreed(control))
		return false;
	close(pair[1]);
	t->control = control; /* as long as that stands, we are there */
	err = word_send(t->fd, BEGIN);
	if (!err)
		err = package_receive(t->fd, &t->package, &t->handover.fd, &t->handover.nfds);
	if (err)
		notice("what the running glassd hands over: %s%s", strerror(-err),
		       err == -EMFILE ? ". Allow more descriptors: ulimit -n" : "");
	return !err && t->handover.nfds >= 2;
}

static bool same_namespace(int fd, const char *path)
{
	struct stat ours, theirs;

	return !stat(path, &ours) && !fstat(fd, &theirs) && ours.st_ino == theirs.st_ino &&
	       ours.st_dev == theirs.st_dev;
}

static bool enter(int fd, int kind, const char *path, const char *what)
{
	if (same_namespace(fd, path) || !setns(fd, kind))
		return true;
	notice("the running glassd is in another %s namespace, and it cannot be entered: %s", what,
	       strerror(errno));
	return false;
}

/*
 * Root becomes who runs it: the stack stays that user's. Its groups are gone by then: in a
 * namespace that an ordinary user has made nobody may change them. And that user may look at us, as
 * before: "glass host" finds the namespaces by our number.
 */
static bool become(const struct ucred *who)
{
	if (!setresgid(who->gid, who->gid, who->gid) && !setresuid(who->uid, who->uid, who->uid) &&
	    !prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
		return true;
	notice("cannot become uid %u, who runs it: %s", (unsigned)who->uid, strerror(errno));
	return false;
}

bool takeover_move_in(struct taken *t)
{
	/* Before: in there everybody whom nobody knows is called 65534. */
	bool same = geteuid() == t->who.uid;
	int *fd = t->handover.fd;
	bool ok = (same || !setgroups(0, NULL)) &&
		  enter(fd[0], CLONE_NEWUSER, "/proc/self/ns/user", "user") &&
		  enter(fd[1], CLONE_NEWNET, "/proc/self/ns/net", "network") &&
		  (same || become(&t->who));

	for (unsigned i = 0; i < 2; i++) {
		close(fd[i]);
		fd[i] = -1;
	}
	return ok;
}

bool takeover_stack(struct taken *t, struct daemon *d, const struct glass_setup *setup)
{
	const char *why;

	d->g = glass_restore(setup, t->package.bytes, t->package.stack_bytes, &why);
	if (!d->g)
		notice("the stack that was handed over: %s", why);
	return d->g;
}

bool takeover_daemon(struct taken *t, struct daemon *d)
{
	struct handover *h = &t->handover;
	const char *why;

	h->s = save_reader(t->package.bytes + t->package.stack_bytes, t->package.daemon_bytes);
	if (h->s)
		daemon_keep(h, d);
	why = h->s ? save_fault(h->s) : "out of memory";
	save_free(h->s);
	for (unsigned i = 0; i < h->nfds; i++) /* of a field that we do not know */
		if (h->fd[i] >= 0)
			close(h->fd[i]);
	free(h->fd);
	if (why)
		notice("what was handed over: %s", why);
	return !why;
}

void takeover_ring(struct taken *t, struct daemon *d)
{
	struct recorder *r = &t->handover.recorder;
	void *old = MAP_FAILED;
	struct stat st = { 0 };
	int64_t n;

	if (r->fd >= 0 && !fstat(r->fd, &st))
		old = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, r->fd, 0);
	if (r->fd >= 0)
		close(r->fd);
	if (r->functions_named)
		functions_name(d);
	n = glass_ring_take(d->g, old == MAP_FAILED ? NULL : old, (size_t)st.st_size, r->layout);
	if (n < 0 && old != MAP_FAILED && d->ring)
		notice("the flight recorder begins anew: what the other glassd wrote down %s",
		       n == -EINVAL ? "is of another version" : strerror((int)-n));
	if (old != MAP_FAILED)
		munmap(old, (size_t)st.st_size);
}

bool takeover_commit(struct taken *t)
{
	char word = 0;
	int err;

	package_free(&t->package);
	err = word_send(t->fd, READY);
	if (!err)
		err = word_receive(t->fd, &word);
	if (err || word != COMMIT) {
		notice("the running glassd has changed its mind: %s",
		       strerror(err ? -err : EPROTO));
		return false;
	}
	word_receive(t->fd, &word); /* until it is gone; if it cannot end, we go on all the same */
	close(t->fd);
	close(t->control);
	return true;
}
