/* SPDX-License-Identifier: MIT */
/*
 * poll(2), in virtual time.
 *
 * In:  packetdrill.   Out: glass_ready().
 */
#include "drill.h"

int64_t drill_deadline(const struct drill *d, int timeout_ms)
{
	if (timeout_ms < 0)
		return GLASS_NEVER;
	return d->now_ns + timeout_ms * DRILL_NS_PER_MS;
}

short drill_ready(struct drill *d, const struct drill_fd *f)
{
	static const struct {
		unsigned ready;
		short bits;
	} map[] = {
		{ GLASS_IN, POLLIN | POLLRDNORM },
		{ GLASS_OUT, POLLOUT | POLLWRNORM },
		{ GLASS_ERR, POLLERR },
		{ GLASS_HUP, POLLHUP },
		{ GLASS_RDHUP, POLLRDHUP },
	};
	unsigned ready = glass_ready(d->g, f->sock);
	short bits = 0;

	for (unsigned i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (ready & map[i].ready)
			bits |= map[i].bits;
	return bits;
}

static int poll_once(struct drill *d, struct pollfd *fds, nfds_t n)
{
	int count = 0;

	for (nfds_t i = 0; i < n; i++) {
		struct drill_fd *f = drill_socket_of(d, fds[i].fd);

		fds[i].revents = POLLNVAL;
		if (f)
			fds[i].revents = drill_ready(d, f) & (fds[i].events | POLLERR | POLLHUP);
		if (fds[i].fd < 0)
			fds[i].revents = 0;
		count += fds[i].revents != 0;
	}
	return count;
}

int drill_poll(void *userdata, struct pollfd *fds, nfds_t n, int timeout_ms)
{
	struct drill *d = userdata;
	int64_t until;
	int count;

	drill_enter(d);
	until = drill_deadline(d, timeout_ms);
	while (!(count = poll_once(d, fds, n)) && !drill_wait(d, until))
		;
	drill_leave(d);
	return count;
}
