/* SPDX-License-Identifier: MIT */
/*
 * pcap as tcpdump and Wireshark read it: little-endian, times in nanoseconds, frames as they pass
 * (a super-packet is one frame, a checksum that the device completes is incomplete).
 *
 * The descriptor may be a pipe whose reader is slow. Nobody waits for it: of a record that went out
 * in part the rest is kept, and while there is a rest whole records are left out and counted. So
 * the file is always well formed.
 *
 * In: the daemon's capture.	Out: a descriptor.
 */
#include "dev_io.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define PCAP_MAGIC_NS 0xa1b23c4du
#define PCAP_SNAP_BYTES 262144u
#define LINKTYPE_ETHERNET 1
#define LINKTYPE_RAW 101
#define NS_PER_S 1000000000

struct pcap_file_header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, sigfigs, snap_bytes, linktype;
};

struct pcap_record_header {
	uint32_t time_s, time_ns, kept_bytes, full_bytes;
};

/* 0: nothing is left over; -EAGAIN: something still is; else -errno. */
static int pcap_write_rest(struct pcap_writer *w)
{
	ssize_t n;

	while (w->rest_length) {
		n = write(w->fd, w->rest + w->rest_at, w->rest_length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		w->rest_at += (size_t)n;
		w->rest_length -= (size_t)n;
	}
	free(w->rest);
	w->rest = NULL;
	w->rest_at = 0;
	return 0;
}

/* Keeps what follows the first n bytes of iov. */
static int pcap_keep_rest(struct pcap_writer *w, const struct iovec *iov, unsigned niov, size_t n,
			  size_t total)
{
	uint8_t *to = malloc(total - n);

	if (!to)
		return -ENOMEM;
	w->rest = to;
	w->rest_at = 0;
	w->rest_length = total - n;
	for (unsigned i = 0; i < niov; i++) {
		size_t skip = n < iov[i].iov_len ? n : iov[i].iov_len;

		memcpy(to, (const uint8_t *)iov[i].iov_base + skip, iov[i].iov_len - skip);
		to += iov[i].iov_len - skip;
		n -= skip;
	}
	return 0;
}

/* All of iov, now or later; -EAGAIN: nothing of it. */
static int pcap_write(struct pcap_writer *w, const struct iovec *iov, unsigned niov, size_t total)
{
	ssize_t n;
	int rc = pcap_write_rest(w);

	if (rc)
		return rc;
	do {
		n = writev(w->fd, iov, (int)niov);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == total ? 0 : pcap_keep_rest(w, iov, niov, (size_t)n, total);
}

int pcap_start(struct pcap_writer *w, int fd, enum glass_link link)
{
	struct pcap_file_header h = {
		.magic = htole32(PCAP_MAGIC_NS),
		.major = htole16(2),
		.minor = htole16(4),
		.snap_bytes = htole32(PCAP_SNAP_BYTES),
		.linktype = htole32(link == GLASS_ETHERNET ? LINKTYPE_ETHERNET : LINKTYPE_RAW),
	};
	struct iovec iov = { &h, sizeof(h) };

	*w = (struct pcap_writer){ .fd = fd, .link = link };
	return pcap_write(w, &iov, 1, sizeof(h));
}

int pcap_frame(struct pcap_writer *w, int64_t realtime_ns, const struct glass_iov *iov,
	       unsigned niov)
{
	struct pcap_record_header h = {
		.time_s = htole32((uint32_t)(realtime_ns / NS_PER_S)),
		.time_ns = htole32((uint32_t)(realtime_ns % NS_PER_S)),
	};
	struct iovec all[GLASS_IOV_MAX + 1] = { { &h, sizeof(h) } };
	size_t length = 0;
	int rc;

	for (unsigned i = 0; i < niov && i < GLASS_IOV_MAX; i++) {
		memcpy(&all[i + 1].iov_base, &iov[i].base, sizeof(void *)); /* drops const */
		all[i + 1].iov_len = iov[i].len;
		length += iov[i].len;
	}
	h.kept_bytes = h.full_bytes = htole32((uint32_t)length);
	rc = pcap_write(w, all, niov + 1, sizeof(h) + length);
	if (rc == -EAGAIN)
		w->lost++;
	else if (!rc)
		w->written++;
	return rc;
}

int pcap_stop(struct pcap_writer *w)
{
	int rc = pcap_write_rest(w);

	free(w->rest);
	w->rest = NULL;
	w->rest_length = 0;
	return rc;
}
