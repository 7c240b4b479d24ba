/* SPDX-License-Identifier: MIT */
/*
 * A device: the only code that reads or writes frames. The stack sees an index; the daemon sees
 * this.
 */
#ifndef GLASS_DEV_DEV_IO_H
#define GLASS_DEV_DEV_IO_H

#include <glass/glass.h>

struct dev_io;

struct dev_io_ops {
	/*
	 * The next received frame into p (glass_pkt_room, glass_pkt_filled). 1: one frame; 0: none
	 * now; -errno: the device failed (-EBADFD: it is gone).
	 */
	int (*receive)(struct dev_io *io, struct pkt *p);
	/* One frame out. 0 or -errno (-EAGAIN: later). */
	int (*send)(struct dev_io *io, const struct glass_frame *frame);
	void (*close)(struct dev_io *io);
};

struct dev_io {
	const struct dev_io_ops *ops;
	int fd;	      /* to poll for reading; -1: none */
	bool on_host; /* the host's kernel has a network device of that name */
	struct glass_dev_setup
		setup; /* for glass_dev_add(): name, link, MAC, MTU, what it offloads */
};

enum dev_kind { DEV_TAP, DEV_TUN, DEV_USER };

/*
 * Creates (or attaches to) TAP or TUN device name, with IFF_VNET_HDR and TUNSETOFFLOAD unless
 * no_offload. NULL and a message in why (at least 256 bytes) that tells what to do.
 */
struct dev_io *tap_open(enum dev_kind kind, const char *name, bool no_offload, char *why,
			size_t why_size);

/* With a descriptor that another process has opened, as the stack knows it: NULL: no memory. */
struct dev_io *tap_adopt(int fd, bool header, const struct glass_dev_setup *setup);
struct dev_io *user_adopt(int fd, const struct glass_dev_setup *setup);
/* Its frames carry a virtio_net_hdr. */
bool tap_has_header(const struct dev_io *io);

/* A network in user space, which needs no rights: see user.c. */
#define USER_PUBLISH_MAX 32
struct user_setup {
	struct glass_addr address, host_address; /* the stack's; the gateway's */
	unsigned prefix_bits;
	uint32_t mtu_bytes;
	const char *publish[USER_PUBLISH_MAX]; /* [ADDR:]PORT:PORT[/udp] */
	unsigned npublish;
};
/* It answers DNS there, as this machine would. */
struct glass_addr user_nameserver(const struct user_setup *setup);
/* NULL and a message in why, if glass-usernet has not told it on stderr. */
struct dev_io *user_open(const char *name, const struct user_setup *setup, char *why,
			 size_t why_size);

/*
 * The device was deleted and is there again: takes it with the same descriptor. -EPERM: it is not
 * there.
 */
int tap_attach(struct dev_io *io);

/*
 * The host's side, by netlink (needs CAP_NET_ADMIN): address with prefix, MTU (0: leave), up. 0 or
 * -errno with why. Refuses (-EADDRINUSE) an address whose network lies on another of the host's
 * devices already.
 */
int host_setup(const char *name, struct glass_addr addr, unsigned prefix_bits, uint32_t mtu_bytes,
	       char *why, size_t why_size);

/* What the host says of a device. */
struct host_link {
	char name[16];
	int index;
	bool up; /* set up, and somebody holds the other end */
	uint32_t mtu_bytes;
	uint8_t mac[6];
	bool gone; /* host_watch_next(): it was deleted */
};
/* 0 or -errno (-ENODEV: no such device). */
int host_link_get(const char *name, struct host_link *out);
/* A netlink descriptor that becomes readable when any link changes; or -errno. */
int host_watch_open(void);
/*
 * The next change. 1: *out is set; 0: none now; -ENOBUFS: changes were lost, ask host_link_get();
 * else -errno.
 */
int host_watch_next(int fd, struct host_link *out);

/* Two devices in one process, joined: what one sends the other receives. For tests. 0 or -errno. */
int pipe_open(struct dev_io *pair[2], uint32_t mtu_bytes, uint32_t offload);

/*
 * Whole records to a descriptor that it does not own, and that does not make it wait: what the
 * reader does not take yet is kept.
 */
#define WHOLE_KEPT_MAX (16u << 20) /* bytes */
struct whole_writer {
	int fd;
	uint64_t written, lost; /* records; lost: the reader was too slow */
	uint8_t *kept;
	size_t at, length, size; /* of what is kept: where it begins, bytes of it; room */
};
/* 0 or -errno; -EAGAIN: this record is left out. At most GLASS_IOV_MAX pieces. */
int whole_write(struct whole_writer *w, const struct glass_iov *iov, unsigned niov);
/* Bytes that another writer had kept. false: no memory. */
bool whole_adopt(struct whole_writer *w, const void *bytes, size_t length);
/* 0: nothing is kept any more; -EAGAIN: something still is; else -errno. */
int whole_flush(struct whole_writer *w);
/* The same, and what is still kept is thrown away. */
int whole_end(struct whole_writer *w);

#endif
