/* SPDX-License-Identifier: MIT */
/*
 * A device: the only code that reads or writes frames. The stack sees an index; the daemon sees this.
 */
#ifndef GLASS_DEV_DEV_IO_H
#define GLASS_DEV_DEV_IO_H

#include <glass/glass.h>

struct dev_io;

struct dev_io_ops {
	/*
	 * The next received frame into p (glass_pkt_room, glass_pkt_filled). 1: one frame; 0: none now; -errno: the
	 * device failed (-EBADFD: it is gone).
	 */
	int (*receive)(struct dev_io *io, struct pkt *p);
	/* One frame out. 0 or -errno (-EAGAIN: later). */
	int (*send)(struct dev_io *io, const struct glass_frame *frame);
	void (*close)(struct dev_io *io);
};

struct dev_io {
	const struct dev_io_ops *ops;
	int fd; /* to poll for reading; -1: none */
	struct glass_dev_setup setup; /* for glass_dev_add(): name, link, MAC, MTU, what it offloads */
};

enum dev_kind { DEV_TAP, DEV_TUN };

/*
 * Creates (or attaches to) TAP or TUN device name, with IFF_VNET_HDR and TUNSETOFFLOAD unless no_offload. NULL and a
 * message in why (at least 256 bytes) that tells what to do.
 */
struct dev_io *tap_open(enum dev_kind kind, const char *name, bool no_offload, char *why, size_t why_size);

/*
 * The host's side, by netlink (needs CAP_NET_ADMIN): address with prefix, MTU (0: leave), up. 0 or -errno with why.
 */
int host_setup(const char *name, struct glass_addr addr, unsigned prefix_bits, uint32_t mtu_bytes, char *why,
	       size_t why_size);

/* Two devices in one process, joined: what one sends the other receives. For tests. 0 or -errno. */
int pipe_open(struct dev_io *pair[2], uint32_t mtu_bytes, uint32_t offload);

/* Writes frames as pcap (LINKTYPE_ETHERNET or LINKTYPE_RAW) to a descriptor it does not own. */
struct pcap_writer {
	int fd;
	enum glass_link link;
};
int pcap_start(struct pcap_writer *w, int fd, enum glass_link link);
int pcap_frame(struct pcap_writer *w, int64_t realtime_ns, const struct glass_iov *iov, unsigned niov);

#endif
