/* SPDX-License-Identifier: MIT */
/*
 * Whole records to a descriptor whose reader may be slow. Nobody waits for it: what does not go out
 * at once is kept, up to a limit, and beyond it whole records are left out and counted. So the
 * reader never sees a part of one.
 *
 * In: the daemon's capture.	Out: a descriptor.
 */
#include "dev_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

int whole_flush(struct whole_writer *w)
{
	ssize_t n;

	while (w->length) {
		n = write(w->fd, w->kept + w->at, w->length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		w->at += (size_t)n;
		w->length -= (size_t)n;
	}
	w->at = 0;
	return 0;
}

/* Room for so many bytes more behind those that are kept. false: out of memory. */
static bool kept_room(struct whole_writer *w, size_t more)
{
	size_t size = w->size ? w->size : 65536;
	uint8_t *bigger;

	if (w->at) {
		memmove(w->kept, w->kept + w->at, w->length);
		w->at = 0;
	}
	while (size < w->length + more)
		size *= 2;
	if (size == w->size)
		return true;
	bigger = realloc(w->kept, size);
	if (!bigger)
		return false;
	w->kept = bigger;
	w->size = size;
	return true;
}

/* Keeps what follows the first n bytes of iov. */
static int keep(struct whole_writer *w, const struct glass_iov *iov, unsigned niov, size_t n,
		size_t total)
{
	if (!kept_room(w, total - n))
		return -ENOMEM;
	for (unsigned i = 0; i < niov; i++) {
		size_t skip = n < iov[i].len ? n : iov[i].len;

		memcpy(w->kept + w->length, (const uint8_t *)iov[i].base + skip, iov[i].len - skip);
		w->length += iov[i].len - skip;
		n -= skip;
	}
	return 0;
}

bool whole_adopt(struct whole_writer *w, const void *bytes, size_t length)
{
	const struct glass_iov iov = { bytes, length };

	return !keep(w, &iov, 1, 0, length);
}

static ssize_t write_now(int fd, const struct glass_iov *iov, unsigned niov)
{
	struct iovec all[GLASS_IOV_MAX];
	ssize_t n;

	for (unsigned i = 0; i < niov; i++) {
		memcpy(&all[i].iov_base, &iov[i].base, sizeof(void *)); /* drops const */
		all[i].iov_len = iov[i].len;
	}
	do {
		n = writev(fd, all, (int)niov);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int whole_write(struct whole_writer *w, const struct glass_iov *iov, unsigned niov)
{
	int rc = whole_flush(w);
	size_t total = 0;
	ssize_t n = 0;

	for (unsigned i = 0; i < niov; i++)
		total += iov[i].len;
	if (!rc) {
		n = write_now(w->fd, iov, niov);
		rc = n == -EAGAIN ? 0 : n < 0 ? (int)n : 0;
		n = n < 0 ? 0 : n;
	} else if (rc == -EAGAIN && w->length + total <= WHOLE_KEPT_MAX) {
		rc = 0;
	}
	if (!rc && (size_t)n < total)
		rc = keep(w, iov, niov, (size_t)n, total);
	if (!rc)
		w->written++;
	else if (rc == -EAGAIN)
		w->lost++;
	return rc;
}

int whole_end(struct whole_writer *w)
{
	int rc = whole_flush(w);

	free(w->kept);
	w->kept = NULL;
	w->at = w->length = w->size = 0;
	return rc;
}
