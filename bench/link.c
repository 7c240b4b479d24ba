/* SPDX-License-Identifier: MIT */
/*
 * A link between network namespaces, emulated in user space by the same engine as `glass net`
 * (src/base/impair.h), so that the kernel's TCP and Glass can be sent over the same bad network.
 *
 *	link --left END... --right END --out WORDS --in WORDS [--seed N]
 *
 * An END is tap:DEVICE[@/proc/PID/ns/net], a persistent TAP device that the kernel uses on its
 * other side, or packet:DEVICE, any device of this namespace, whose frames are taken by a packet
 * socket (for the TAP device that glassd has). Left ends share the link, --out is what happens to
 * their frames, --in to those of the right end. Frames that are not IPv4 (ARP) pass untouched.
 *
 * Both kinds of ends take super-packets; they are cut here, as a network card would, and every
 * segment is decided for itself and delivered as a frame of its own. Prints "ready" when it works,
 * and on SIGTERM what it did, as JSON; late is by how much frames came later than they should.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "../src/dev/held.h"
#include "../src/dev/impair_words.h"
#include "../src/wire/cut.h"
#include "../src/wire/eth.h"

#define ENDS_MAX 4
#define FRAME_MAX_BYTES 70000
#define READS_MAX 64 /* from one end before what is due is delivered */
#define SOCKET_BUFFER_BYTES (64 << 20)

struct end {
	const char *name;
	int fd;
	bool right, learned;
	uint8_t mac[ETH_MAC_BYTES]; /* of who is behind it */
};

static struct {
	struct end end[ENDS_MAX];
	unsigned nends;
	struct impair impair[2]; /* by direction: of frames that come from the right, from the left */
	struct impair_way way[2];
	struct held held;
	uint64_t delivered, refused;
	int64_t late_ns_max, late_ns_sum;
} l;

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("link: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static int64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* ---- ends ---- */

static int open_tap(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int header = sizeof(struct virtio_net_hdr);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) || ioctl(fd, TUNSETVNETHDRSZ, &header) ||
	    ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO_ECN))
		die("tap device %s: %s", name, strerror(errno));
	return fd;
}

static int open_packet(const char *name)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
	int bytes = SOCKET_BUFFER_BYTES;
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, SIOCGIFINDEX, &ifr) ||
	    setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)))
		die("packet socket on %s: %s", name, strerror(errno));
	at.sll_ifindex = ifr.ifr_ifindex;
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)))
		die("packet socket on %s: %s", name, strerror(errno));
	return fd;
}

/* In the namespace at path, if there is one; and back. */
static int open_in(const char *path, int (*open_end)(const char *), const char *name)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), there, fd;

	if (!path)
		return open_end(name);
	there = open(path, O_RDONLY | O_CLOEXEC);
	if (there < 0 || setns(there, CLONE_NEWNET))
		die("%s: %s", path, strerror(errno));
	fd = open_end(name);
	if (setns(home, CLONE_NEWNET))
		die("cannot go back: %s", strerror(errno));
	close(there);
	close(home);
	return fd;
}

static void add_end(char *words, bool right)
{
	char *name = strchr(words, ':'), *path = strchr(words, '@');
	struct end *e = &l.end[l.nends++];

	if (l.nends > ENDS_MAX || !name)
		die("'%s': an end is tap:DEVICE[@NETNS] or packet:DEVICE, and there are at most %d",
		    words, ENDS_MAX);
	if (path)
		*path++ = '\0';
	*name++ = '\0';
	e->name = name;
	e->right = right;
	e->fd = open_in(path, strcmp(words, "tap") ? open_packet : open_tap, name);
}

/* ---- frames ---- */

static void deliver(const struct held_frame *f, int64_t now_ns)
{
	struct virtio_net_hdr h = { 0 };
	struct iovec iov[2] = { { &h, sizeof(h) }, { 0 } };
	const void *bytes = f->bytes;

	memcpy(&iov[1].iov_base, &bytes, sizeof(bytes)); /* drops const */
	iov[1].iov_len = f->length;
	l.late_ns_sum += now_ns - f->at_ns;
	if (now_ns - f->at_ns > l.late_ns_max)
		l.late_ns_max = now_ns - f->at_ns;
	if (writev(l.end[f->tag].fd, iov, 2) < 0)
		l.refused++;
	else
		l.delivered++;
}

static int64_t deliver_due(void)
{
	int64_t now_ns = clock_ns();
	struct held_frame *f;

	while ((f = held_take(&l.held, now_ns))) {
		deliver(f, now_ns);
		free(f);
		now_ns = clock_ns();
	}
	return now_ns;
}

static bool is_behind(const struct end *e, const uint8_t *frame)
{
	return e->learned && eth_same(e->mac, frame);
}

/*
 * As a switch: to all while nobody is known to have that address, so that nobody else's time is
 * spent on what is not his.
 */
static bool is_for(const struct end *e, const uint8_t *frame)
{
	if (eth_is_group(frame) || is_behind(e, frame))
		return true;
	for (unsigned i = 0; i < l.nends; i++)
		if (is_behind(&l.end[i], frame))
			return false;
	return !e->learned;
}

static void send_at(const struct end *from, const uint8_t *frame, size_t length, int64_t now_ns,
		    int64_t at_ns)
{
	for (unsigned i = 0; i < l.nends; i++) {
		const struct end *e = &l.end[i];

		if (e->right != from->right && is_for(e, frame) &&
		    !held_add(&l.held, frame, length, i, now_ns, at_ns))
			die("out of memory");
	}
}

/* One frame as it is on the wire. */
static void carry(void *arg, uint8_t *frame, size_t length)
{
	const struct end *from = arg;
	unsigned direction = from->right ? IMPAIR_IN : IMPAIR_OUT;
	unsigned kind = wire_kind(frame, length, ETH_HEADER_BYTES);
	struct impair *im = &l.impair[direction];
	struct impair_verdict v;
	int64_t now_ns = clock_ns();

	if (!(kind & IMPAIR_IP)) {
		send_at(from, frame, length, now_ns, now_ns);
		return;
	}
	impair_decide(im, &l.way[direction], length, kind, now_ns, &v);
	if (v.fate != IMPAIR_PASSES)
		return;
	if (v.mark)
		wire_mark(frame, length, ETH_HEADER_BYTES);
	if (v.damage)
		impair_damage(im, frame + ETH_HEADER_BYTES, length - ETH_HEADER_BYTES);
	send_at(from, frame, length, now_ns, v.at_ns);
	if (v.duplicate)
		send_at(from, frame, length, now_ns, v.at_ns);
}

static void offload_of(const struct virtio_net_hdr *h, struct glass_offload *off)
{
	*off = (struct glass_offload){ .csum_partial = h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM,
				       .csum_start = h->csum_start,
				       .csum_offset = h->csum_offset };
	if (h->gso_type != VIRTIO_NET_HDR_GSO_NONE)
		off->gso_size = h->gso_size;
}

/* false: none is there. */
static bool receive(struct end *e)
{
	static uint8_t frame[FRAME_MAX_BYTES];
	struct virtio_net_hdr h;
	struct iovec iov[2] = { { &h, sizeof(h) }, { frame, sizeof(frame) } };
	struct glass_offload off;
	ssize_t n = readv(e->fd, iov, 2);
	size_t length = n > 0 ? (size_t)n - sizeof(h) : 0;

	if (n < (ssize_t)(sizeof(h) + ETH_HEADER_BYTES))
		return false;
	memcpy(e->mac, frame + ETH_MAC_BYTES, ETH_MAC_BYTES);
	e->learned = true;
	offload_of(&h, &off);
	if (off.gso_size) {
		wire_cut(frame, length, ETH_HEADER_BYTES, &off, carry, e);
		return true;
	}
	wire_complete_csum(frame, length, &off);
	carry(e, frame, length);
	return true;
}

static void wait_for_news(struct pollfd *p, int64_t now_ns)
{
	int64_t ns = held_next_ns(&l.held);
	struct timespec t = { 0 };

	if (ns != INT64_MAX && ns > now_ns)
		t = (struct timespec){ (ns - now_ns) / 1000000000, (ns - now_ns) % 1000000000 };
	ppoll(p, l.nends, ns == INT64_MAX ? NULL : &t, NULL);
}

static void run(void)
{
	struct pollfd p[ENDS_MAX];

	for (unsigned i = 0; i < l.nends; i++)
		p[i] = (struct pollfd){ l.end[i].fd, POLLIN, 0 };
	while (!stop) {
		wait_for_news(p, deliver_due());
		for (unsigned i = 0; i < l.nends; i++)
			for (unsigned n = 0; p[i].revents && n < READS_MAX && receive(&l.end[i]);)
				n++;
	}
}

/* ---- the program ---- */

static void read_way(unsigned direction, const char *text)
{
	struct impair_words w;
	char why[512];

	if (!*text)
		return;
	if (impair_parse(text, NULL, &w, why, sizeof(why)))
		die("%s", why);
	l.way[direction] = w.way[direction];
}

static void print_way(const char *name, const struct impair_counts *n)
{
	printf("\"%s\":{\"frames\":%llu,\"bytes\":%llu,\"lost\":%llu,\"aimed\":%llu,"
	       "\"queue_full\":%llu,\"reordered\":%llu,\"duplicated\":%llu},",
	       name, (unsigned long long)n->frames, (unsigned long long)n->bytes,
	       (unsigned long long)n->lost, (unsigned long long)n->aimed,
	       (unsigned long long)n->queue_full, (unsigned long long)n->reordered,
	       (unsigned long long)n->duplicated);
}

static void report(void)
{
	putchar('{');
	print_way("out", &l.impair[IMPAIR_OUT].counts);
	print_way("in", &l.impair[IMPAIR_IN].counts);
	printf("\"delivered\":%llu,\"refused\":%llu,\"late_us_mean\":%.1f,\"late_us_max\":%.1f}\n",
	       (unsigned long long)l.delivered, (unsigned long long)l.refused,
	       l.delivered ? (double)l.late_ns_sum / 1e3 / (double)l.delivered : 0,
	       (double)l.late_ns_max / 1e3);
}

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = on_signal };
	uint64_t seed = 1;

	for (int i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--left") || !strcmp(argv[i], "--right"))
			add_end(argv[i + 1], argv[i][2] == 'r');
		else if (!strcmp(argv[i], "--out") || !strcmp(argv[i], "--in"))
			read_way(argv[i][2] == 'o' ? IMPAIR_OUT : IMPAIR_IN, argv[i + 1]);
		else if (!strcmp(argv[i], "--seed"))
			seed = strtoull(argv[i + 1], NULL, 0);
		else
			die("'%s': see the head of bench/link.c", argv[i]);
	}
	impair_init(&l.impair[IMPAIR_OUT], seed);
	impair_init(&l.impair[IMPAIR_IN], seed + 1000003);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	prctl(PR_SET_TIMERSLACK, 1);
	puts("ready");
	fflush(stdout);
	run();
	report();
	return 0;
}
