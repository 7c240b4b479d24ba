/* SPDX-License-Identifier: MIT */
/*
 * TAP and TUN devices of Linux: frames by readv and writev on a descriptor, bytes lying where the
 * stack keeps them.
 *
 * With IFF_VNET_HDR every frame has a struct virtio_net_hdr in front. TUNSETOFFLOAD tells the
 * kernel what we can bear to receive: packets without a checksum, and super-packets of up to 64 KB
 * that nobody has cut. What we may send needs no permission: the header says it, and the kernel
 * cuts and sums for us. USO is not asked for: the stack knows super-packets of TCP only.
 *
 * The device lies: it takes frames above its MTU, and cuts what it delivers to the room that there
 * is. The stack checks both. One that was deleted answers EBADFD; its descriptor can be attached
 * again (tap_attach).
 *
 * In: dev_io_ops, from the daemon's loop.	Out: the kernel.
 */
#include "dev_io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <unistd.h>

#define TUN_PATH "/dev/net/tun"
#define ETH_HEADER_BYTES 14
#define MTU_DEFAULT_BYTES 1500

struct tap {
	struct dev_io io;
	enum dev_kind kind;
	bool vnet; /* frames carry a virtio_net_hdr */
};

static const char *const kind_name[] = { [DEV_TAP] = "tap", [DEV_TUN] = "tun" };

static struct tap *tap_of(struct dev_io *io)
{
	return (struct tap *)(void *)io; /* io is the first member */
}

/* ---- the header of a frame ---- */

/*
 * What the kernel said of a received frame. Nothing is believed: offsets and sizes are the stack's
 * to check against the bytes (OFFLOAD_LIES). A GSO type that we did not ask for becomes one that
 * cannot pass that check.
 */
static void offload_of_vnet(const struct virtio_net_hdr *h, struct glass_offload *off)
{
	uint8_t type = h->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;

	*off = (struct glass_offload){ 0 };
	if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		off->csum_partial = true;
		off->csum_start = h->csum_start;
		off->csum_offset = h->csum_offset;
	}
	off->csum_valid = h->flags & VIRTIO_NET_HDR_F_DATA_VALID;
	if (type == VIRTIO_NET_HDR_GSO_NONE)
		return;
	off->hdr_len = h->hdr_len;
	off->gso_size = h->gso_size;
	off->gso_ecn = h->gso_type & VIRTIO_NET_HDR_GSO_ECN;
	if (type != VIRTIO_NET_HDR_GSO_TCPV4 && type != VIRTIO_NET_HDR_GSO_TCPV6) {
		off->csum_partial = true;
		off->csum_start = UINT16_MAX;
	}
}

/* The IP version of a frame to be sent: its first iovec holds the headers. */
static bool frame_is_ip6(const struct tap *t, const struct glass_frame *f)
{
	size_t at = t->kind == DEV_TAP ? ETH_HEADER_BYTES : 0;

	return f->iov[0].len > at && ((const uint8_t *)f->iov[0].base)[at] >> 4 == 6;
}

static void vnet_of_frame(const struct tap *t, const struct glass_frame *f,
			  struct virtio_net_hdr *h)
{
	const struct glass_offload *off = &f->off;

	*h = (struct virtio_net_hdr){ 0 };
	if (off->csum_partial) {
		h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h->csum_start = off->csum_start;
		h->csum_offset = off->csum_offset;
	}
	if (!off->gso_size)
		return;
	h->gso_type = frame_is_ip6(t, f) ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
	if (off->gso_ecn)
		h->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	h->gso_size = off->gso_size;
	h->hdr_len = off->hdr_len;
}

/* ---- frames ---- */

static int tap_receive(struct dev_io *io, struct pkt *p)
{
	struct tap *t = tap_of(io);
	struct virtio_net_hdr h;
	struct glass_offload off;
	size_t header = t->vnet ? sizeof(h) : 0;
	struct iovec iov[2] = { { &h, header }, { 0 } };
	ssize_t n;

	iov[1].iov_base = glass_pkt_room(p, &iov[1].iov_len);
	do {
		n = readv(io->fd, iov, 2);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if ((size_t)n <
	    header) { /* less than its own header: an empty frame, which the stack refuses */
		glass_pkt_filled(p, 0, NULL);
		return 1;
	}
	if (t->vnet)
		offload_of_vnet(&h, &off);
	glass_pkt_filled(p, (size_t)n - header, t->vnet ? &off : NULL);
	return 1;
}

static int tap_send(struct dev_io *io, const struct glass_frame *frame)
{
	struct tap *t = tap_of(io);
	struct virtio_net_hdr h;
	struct iovec iov[GLASS_IOV_MAX + 1];
	unsigned n = 0;

	if (t->vnet) {
		vnet_of_frame(t, frame, &h);
		iov[n++] = (struct iovec){ &h, sizeof(h) };
	}
	for (unsigned i = 0; i < frame->niov; i++) {
		iov[n].iov_len = frame->iov[i].len;
		memcpy(&iov[n++].iov_base, &frame->iov[i].base, sizeof(void *)); /* drops const */
	}
	while (writev(io->fd, iov, (int)n) < 0) {
		if (errno == EIO) /* what tun answers when the host has set it down */
			return -ENETDOWN;
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

static void tap_close(struct dev_io *io)
{
	close(io->fd);
	free(tap_of(io));
}

static const struct dev_io_ops tap_ops = { .receive = tap_receive,
					   .send = tap_send,
					   .close = tap_close };

/* ---- opening ---- */

/* Asks for as much as the kernel gives; the answer in GLASS_OFFLOAD_*. */
static uint32_t tap_ask_offload(int fd)
{
	static const struct {
		unsigned tun;
		uint32_t glass;
	} wish[] = {
		{ TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
		  GLASS_OFFLOAD_CSUM | GLASS_OFFLOAD_TSO },
		{ TUN_F_CSUM | TUN_F_TSO4, GLASS_OFFLOAD_CSUM | GLASS_OFFLOAD_TSO },
		{ TUN_F_CSUM, GLASS_OFFLOAD_CSUM },
	};

	for (unsigned i = 0; i < sizeof(wish) / sizeof(wish[0]); i++) {
		if (!ioctl(fd, TUNSETOFFLOAD, (unsigned long)wish[i].tun))
			return wish[i].glass;
	}
	ioctl(fd, TUNSETOFFLOAD, 0ul);
	return 0;
}

/* Creates the device, or takes one that exists and that nobody has. 0 or -errno. */
static int tap_bind(struct tap *t)
{
	struct glass_dev_setup *setup = &t->io.setup;
	int header = sizeof(struct virtio_net_hdr);
	struct ifreq ifr = { 0 };

	memcpy(ifr.ifr_name, setup->name, sizeof(setup->name));
	ifr.ifr_flags = (short)(IFF_NO_PI | (t->kind == DEV_TAP ? IFF_TAP : IFF_TUN));
	if (t->vnet)
		ifr.ifr_flags |= IFF_VNET_HDR;
	if (ioctl(t->io.fd, TUNSETIFF, &ifr) < 0)
		return -errno;
	memcpy(setup->name, ifr.ifr_name, sizeof(setup->name));
	setup->name[sizeof(setup->name) - 1] = '\0';
	/* A persistent device remembers what its last user wanted: say everything anew. */
	if (t->vnet && ioctl(t->io.fd, TUNSETVNETHDRSZ, &header) < 0)
		return -errno;
	setup->offload = 0;
	if (t->vnet)
		setup->offload = tap_ask_offload(t->io.fd);
	else
		ioctl(t->io.fd, TUNSETOFFLOAD, 0ul);
	return 0;
}

bool tap_has_header(const struct dev_io *io)
{
	return ((const struct tap *)(const void *)io)->vnet;
}

struct dev_io *tap_adopt(int fd, bool header, const struct glass_dev_setup *setup)
{
	struct tap *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	*t = (struct tap){ .io = { &tap_ops, fd, true, *setup },
			   .kind = setup->link == GLASS_ETHERNET ? DEV_TAP : DEV_TUN,
			   .vnet = header };
	return &t->io;
}

int tap_attach(struct dev_io *io)
{
	return tap_bind(tap_of(io));
}

static void say_open(int error, char *why, size_t size)
{
	if (error == ENOENT || error == ENODEV || error == ENXIO)
		snprintf(why, size,
			 "no " TUN_PATH
			 ": the kernel's module tun is not there. Type: modprobe tun (for a "
			 "container: --device " TUN_PATH ")");
	else if (error == EACCES)
		snprintf(why, size,
			 "may not open " TUN_PATH ": it is root's alone here. Root opens it for "
			 "all by: chmod 666 " TUN_PATH "; or take --user, which needs no device");
	else
		snprintf(why, size, "cannot open " TUN_PATH ": %s. Type: ls -l " TUN_PATH,
			 strerror(error));
}

static void say_bind(const struct tap *t, int error, char *why, size_t size)
{
	const char *name = t->io.setup.name, *kind = kind_name[t->kind];

	if (error == EPERM || error == EACCES)
		snprintf(why, size,
			 "may not make device %s: this needs CAP_NET_ADMIN. Start as root, or in a "
			 "network "
			 "namespace of your own (unshare -Urn), or let root make it for you: ip "
			 "tuntap add dev "
			 "%s mode %s user NAME",
			 name, name, kind);
	else if (error == EBUSY)
		snprintf(why, size, "device %s has a user already. Take another: --dev NAME", name);
	else if (error == EINVAL)
		snprintf(why, size,
			 "%s exists and is no %s device for one user. Take another name (--dev "
			 "NAME), or look: "
			 "ip -d link show %s",
			 name, kind, name);
	else
		snprintf(why, size, "cannot make %s device %s: %s", kind, name, strerror(error));
}

static bool name_is_good(const char *name)
{
	size_t n = strlen(name);

	return n && n < IFNAMSIZ && !strpbrk(name, "/ :\t\n") && strcmp(name, ".") &&
	       strcmp(name, "..");
}

/*
 * Locally administered (bit 1 of the first byte), no group (bit 0), and of no relation to the host
 * side's.
 */
static void mac_random(uint8_t mac[6])
{
	if (getrandom(mac, 6, 0) != 6)
		memset(mac, 0x5a, 6);
	mac[0] = (uint8_t)((mac[0] & 0xfc) | 2);
}

struct dev_io *tap_open(enum dev_kind kind, const char *name, bool no_offload, char *why,
			size_t why_size)
{
	struct tap *t;
	int rc;

	if (!name_is_good(name)) {
		snprintf(why, why_size,
			 "'%s' cannot be a device's name: 1 to %d letters without / : or blank",
			 name, IFNAMSIZ - 1);
		return NULL;
	}
	t = calloc(1, sizeof(*t));
	if (!t) {
		snprintf(why, why_size, "out of memory");
		return NULL;
	}
	t->io.ops = &tap_ops;
	t->io.on_host = true;
	t->kind = kind;
	t->vnet = !no_offload;
	t->io.setup.link = kind == DEV_TAP ? GLASS_ETHERNET : GLASS_RAW_IP;
	t->io.setup.mtu_bytes = MTU_DEFAULT_BYTES;
	snprintf(t->io.setup.name, sizeof(t->io.setup.name), "%s", name);
	mac_random(t->io.setup.mac);
	t->io.fd = open(TUN_PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (t->io.fd < 0) {
		say_open(errno, why, why_size);
		goto err_free;
	}
	rc = tap_bind(t);
	if (rc) {
		say_bind(t, -rc, why, why_size);
		goto err_close;
	}
	return &t->io;
err_close:
	close(t->io.fd);
err_free:
	free(t);
	return NULL;
}
