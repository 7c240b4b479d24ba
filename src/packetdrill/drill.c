/* SPDX-License-Identifier: MIT */
/*
 * The shared object's beginning and end: the table of functions, and the stack behind it.
 *
 * The text of --so_flags is a list of name=value, separated by commas:
 *	local=192.168.0.1/16	our address: the script's --local_ip, which packetdrill does not say
 *	mtu=1500
 *	trace=FILE		the flight recorder, to be read by `glass trace --ring FILE`
 *	settings=FILE		where the stand-ins of tools/packetdrill write what a script sets
 *	counters=FILE		where they find the stack's counters
 * Any other name is one of Linux's sysctl names, or a tunable's.
 *
 * In:  packetdrill, or tests/packetdrill.   Out: every file here.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <glass/glass_trace.h>

#include "drill.h"

#define START_NS (1000 * DRILL_NS_PER_S) /* any time but 0 */
#define RING_RECORDS 65536

struct drill *drill_instance;

struct drill_setup {
	struct glass_addr local;
	unsigned prefix_bits;
};

/* A mistake in the flags: there is nobody to answer it to but the user. */
static void refuse(const char *what, const char *value)
{
	fprintf(stderr, "libglass-packetdrill: --so_flags: %s: %s\n", what, value);
	exit(EXIT_FAILURE);
}

static void read_local(struct drill_setup *setup, char *value)
{
	char *slash = strchr(value, '/');

	if (slash)
		*slash++ = 0;
	setup->prefix_bits = slash ? (unsigned)strtoul(slash, NULL, 10) : 16;
	if (inet_pton(AF_INET, value, setup->local.byte) != 1 || setup->prefix_bits > 32)
		refuse("not an IPv4 address", value);
	setup->local.family = GLASS_IP4;
}

static int open_file(const char *path, int mode)
{
	int fd = open(path, mode | O_CLOEXEC);

	if (fd < 0)
		refuse("cannot be opened", path);
	return fd;
}

static void read_flag(struct drill *d, struct drill_setup *setup, char *name, char *value)
{
	if (!strcmp(name, "local")) {
		read_local(setup, value);
	} else if (!strcmp(name, "mtu")) {
		d->mtu_bytes = (unsigned)strtoul(value, NULL, 10);
	} else if (!strcmp(name, "mss")) {
		d->mss = (unsigned)strtoul(value, NULL, 10);
	} else if (!strcmp(name, "trace")) {
		return; /* the stack was born with it */
	} else if (!strcmp(name, "settings")) {
		d->settings = open_file(value, O_RDONLY);
	} else if (!strcmp(name, "counters")) {
		d->counters = open_file(value, O_WRONLY);
	} else if (drill_setting(d, name, value)) {
		refuse("neither a flag nor a setting", name);
	}
}

static void read_flags(struct drill *d, struct drill_setup *setup, const char *flags)
{
	char *copy = strdup(flags ? flags : ""), *rest = copy, *name, *value;

	while (copy && (name = strsep(&rest, ","))) {
		value = strchr(name, '=');
		if (!*name)
			continue;
		if (!value)
			refuse("name=value is meant", name);
		*value++ = 0;
		read_flag(d, setup, name, value);
	}
	free(copy);
}

/* A default route too: whom the script speaks for is anywhere. */
static int open_device(struct drill *d, const struct drill_setup *setup)
{
	struct glass_dev_setup dev = { .name = "tun0", .link = GLASS_RAW_IP };
	struct glass_addr any = glass_ip4(0, 0, 0, 0), none = { 0 };
	int index, err;

	dev.mtu_bytes = d->mtu_bytes;
	dev.offload = GLASS_OFFLOAD_CSUM | GLASS_OFFLOAD_TSO;
	index = glass_dev_add(d->g, &dev);
	if (index < 0)
		return index;
	d->dev = (unsigned)index;
	glass_dev_set_up(d->g, d->dev, true);
	err = glass_addr_add(d->g, d->dev, setup->local, setup->prefix_bits);
	return err ? err : glass_route_add(d->g, any, 0, none, d->dev);
}

static void open_ring(struct drill *d, const char *path)
{
	char name[4096];
	int fd;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(path, ","), path);
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	d->ring_bytes = glass_ring_bytes(RING_RECORDS);
	if (fd < 0 || ftruncate(fd, (off_t)d->ring_bytes))
		refuse("cannot be written", name);
	d->ring = mmap(NULL, d->ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (d->ring == MAP_FAILED)
		refuse("cannot be mapped", name);
	close(fd);
}

static struct drill *drill_new(const char *flags)
{
	struct glass_setup stack = { .seed = { 1, 2 }, .now_ns = START_NS };
	const char *trace = flags ? strstr(flags, "trace=") : NULL;
	struct drill_setup setup = { glass_ip4(192, 168, 0, 1), 16 };
	struct drill *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	if (trace)
		open_ring(d, trace + strlen("trace="));
	stack.ring = d->ring;
	stack.ring_bytes = d->ring_bytes;
	d->mtu_bytes = 1500;
	d->g = glass_new(&stack);
	if (!d->g) {
		free(d);
		return NULL;
	}
	d->now_ns = START_NS;
	d->settings = d->counters = -1;
	d->script = pthread_self();
	list_init(&d->sent);
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->wake, NULL);
	pthread_cond_init(&d->settled, NULL);
	/* Scripts say what differs from Linux's defaults; these of ours do (docs/packetdrill.md).
	 */
	glass_tunable_set(d->g, "tcp_mtu_probing", 0);
	glass_tunable_set(d->g, "tcp_fastopen_experiment", 1);
	read_flags(d, &setup, flags);
	if (open_device(d, &setup))
		refuse("no device can be made of them", flags ? flags : "");
	return d;
}

/* packetdrill has closed the descriptors by itself: only what hangs on them is left. */
static void drill_free(void *userdata)
{
	struct drill *d = userdata;
	struct list *node;

	for (int i = 0; i < DRILL_FD_MAX; i++)
		if (d->fd[i].kind == DRILL_EPOLL)
			drill_epoll_free(&d->fd[i]);
	while ((node = list_take(&d->sent)))
		free(container_of(node, struct drill_packet, node));
	glass_free(d->g);
	if (d->ring)
		munmap(d->ring, d->ring_bytes);
	if (d->settings >= 0)
		close(d->settings);
	if (d->counters >= 0)
		close(d->counters);
	pthread_mutex_destroy(&d->lock);
	pthread_cond_destroy(&d->wake);
	pthread_cond_destroy(&d->settled);
	if (drill_instance == d)
		drill_instance = NULL;
	free(d);
}

void packetdrill_interface_init(const char *flags, struct packetdrill_interface *out)
{
	struct drill *d = drill_new(flags);

	if (!d)
		refuse("out of memory", "");
	drill_instance = d;
	*out = (struct packetdrill_interface){
		.userdata = d,
		.free = drill_free,
		.socket = drill_socket,
		.bind = drill_bind,
		.listen = drill_listen,
		.accept = drill_accept,
		.connect = drill_connect,
		.read = drill_read,
		.readv = drill_readv,
		.recv = drill_recv,
		.recvfrom = drill_recvfrom,
		.recvmsg = drill_recvmsg,
		.write = drill_write,
		.writev = drill_writev,
		.send = drill_send,
		.sendto = drill_sendto,
		.sendmsg = drill_sendmsg,
		.fcntl = drill_fcntl,
		.ioctl = drill_ioctl,
		.close = drill_close,
		.shutdown = drill_shutdown,
		.getsockopt = drill_getsockopt,
		.setsockopt = drill_setsockopt,
		.poll = drill_poll,
		.netdev_send = drill_netdev_send,
		.netdev_receive = drill_netdev_receive,
		.usleep = drill_usleep,
		.gettimeofday = drill_gettimeofday,
		.epoll_create = drill_epoll_create,
		.epoll_ctl = drill_epoll_ctl,
		.epoll_wait = drill_epoll_wait,
		.pipe = drill_pipe,
		.splice = drill_splice,
	};
}
