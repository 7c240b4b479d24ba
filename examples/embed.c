/* SPDX-License-Identifier: MIT */
/*
 * Glass as a library: a stack inside a program, on a TAP device, with a loop of the program's own.
 * Nothing but glass.h and Linux.
 *
 *	embed DEV ADDR/BITS serve PORT		answers every byte that it gets (RFC 862)
 *	embed DEV ADDR/BITS ask HOST PORT TEXT	sends TEXT, prints what comes back
 *
 * DEV must exist and be up, with an address of the host:
 *	ip tuntap add dev tap7 mode tap; ip addr add 10.7.0.1/24 dev tap7; ip link set tap7 up
 *	embed tap7 10.7.0.2/24 serve 7 &  nc 10.7.0.2 7
 */
#include <glass/glass.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FRAME_BYTES_MAX 1518
#define MTU_BYTES 1500
#define CHUNK_BYTES 4096

struct app {
	struct glass *g;
	int tap_fd;
	unsigned dev;
	bool done;
	struct glass_sock *listener; /* serve; else NULL */
	const char *text;	     /* ask: what is left to be sent */
};

static void die(const char *what, int rc) __attribute__((noreturn));
static void die(const char *what, int rc)
{
	fprintf(stderr, "embed: %s: %s\n", what, strerror(-rc));
	exit(EXIT_FAILURE);
}

static int64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* ---- the device: three functions are all that a stack needs of the world ---- */

static int tap_open(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0)
		die(name, -errno);
	return fd;
}

static void frames_in(struct app *a)
{
	for (;;) {
		struct pkt *p = glass_pkt_new(a->g, FRAME_BYTES_MAX);
		size_t room;
		ssize_t n;

		if (!p)
			return;
		n = read(a->tap_fd, glass_pkt_room(p, &room), FRAME_BYTES_MAX);
		if (n <= 0) {
			glass_pkt_free(a->g, p);
			return;
		}
		glass_pkt_filled(p, (size_t)n, NULL);
		glass_input(a->g, a->dev, p, clock_ns());
	}
}

static void frames_out(struct app *a)
{
	struct glass_frame frame;
	struct iovec iov[GLASS_IOV_MAX];

	while (glass_output(a->g, &frame)) {
		memcpy(iov, frame.iov,
		       frame.niov * sizeof(iov[0])); /* glass_iov is an iovec by design */
		if (writev(a->tap_fd, iov, (int)frame.niov) < 0)
			glass_output_lost(a->g, &frame, errno);
	}
}

/* ---- the two applications ---- */

/* Sends back what came; what the send buffer does not take stays in the receive queue. */
static void echo(struct app *a, struct glass_sock *s)
{
	struct glass_iov iov;
	char chunk[CHUNK_BYTES];
	int64_t sent = 0;

	while (glass_recv_peek(a->g, s, &iov, 1)) {
		size_t length = iov.len < sizeof(chunk) ? iov.len : sizeof(chunk);

		memcpy(chunk, iov.base, length); /* the next call may move the bytes */
		sent = glass_send(a->g, s, chunk, length);
		if (sent <= 0)
			break;
		glass_recv_consume(a->g, s, (size_t)sent);
	}
	if (sent == -EAGAIN) /* the peer does not read: GLASS_OUT will tell when it does */
		return;
	if (sent < 0 || glass_ready(a->g, s) & (GLASS_RDHUP | GLASS_HUP | GLASS_ERR))
		glass_close(a->g, s);
}

static void serve(struct app *a, const struct glass_event *e)
{
	struct glass_sock *s;

	if (e->sock != a->listener) {
		echo(a, e->sock);
		return;
	}
	while ((s = glass_accept(a->g, a->listener)))
		echo(a, s);
}

static void ask(struct app *a, const struct glass_event *e)
{
	char chunk[CHUNK_BYTES];
	int64_t n = 0;

	if (e->ready & GLASS_ERR)
		die("connection", -glass_error(a->g, e->sock));
	while (e->ready & GLASS_OUT && *a->text &&
	       (n = glass_send(a->g, e->sock, a->text, strlen(a->text))) > 0)
		a->text += n;
	if (e->ready & GLASS_OUT && !*a->text)
		glass_shutdown(a->g, e->sock, GLASS_SHUT_WR);
	while ((n = glass_recv(a->g, e->sock, chunk, sizeof(chunk))) > 0)
		fwrite(chunk, 1, (size_t)n, stdout);
	if (n)
		return; /* -EAGAIN: more will come */
	glass_close(a->g, e->sock);
	a->done = true;
}

/* ---- the loop ---- */

static int wait_ms(const struct app *a)
{
	int64_t deadline_ns = glass_next_deadline(a->g), left_ns = deadline_ns - clock_ns();

	if (deadline_ns == GLASS_NEVER)
		return -1;
	return left_ns <= 0 ? 0 : (int)(left_ns / 1000000) + 1;
}

static void run(struct app *a)
{
	struct pollfd ready = { .fd = a->tap_fd, .events = POLLIN };
	struct glass_event e;

	while (!a->done) {
		frames_out(a);
		poll(&ready, 1, wait_ms(a));
		glass_advance(a->g, clock_ns());
		frames_in(a);
		while (glass_event(a->g, &e)) {
			if (a->listener)
				serve(a, &e);
			else
				ask(a, &e);
		}
	}
	frames_out(a);
}

/* ---- setting it up ---- */

static struct glass_addr addr_of(const char *text)
{
	struct glass_addr addr = { .family = GLASS_IP4 };

	if (inet_pton(AF_INET, text, addr.byte) != 1)
		die(text, -EINVAL);
	return addr;
}

static void start_stack(struct app *a, const char *name, char *cidr)
{
	struct glass_setup setup = { .now_ns = clock_ns() };
	struct glass_dev_setup dev = { .link = GLASS_ETHERNET,
				       .mac = { 2, 'g', 'l', 'a', 's', 's' },
				       .mtu_bytes = MTU_BYTES };
	char *slash = strchr(cidr, '/');
	int rc;

	if (!slash)
		die(cidr, -EINVAL);
	*slash = '\0';
	if (getrandom(setup.seed, sizeof(setup.seed), 0) < 0)
		die("getrandom", -errno);
	a->g = glass_new(&setup);
	if (!a->g)
		die("glass_new", -ENOMEM);
	snprintf(dev.name, sizeof(dev.name), "%s", name);
	rc = glass_dev_add(a->g, &dev);
	if (rc < 0)
		die("glass_dev_add", rc);
	a->dev = (unsigned)rc;
	rc = glass_addr_add(a->g, a->dev, addr_of(cidr), (unsigned)atoi(slash + 1));
	if (rc)
		die("glass_addr_add", rc);
}

static void start_server(struct app *a, int port)
{
	struct glass_end local = { .addr = { .family = GLASS_IP4 }, .port = (uint16_t)port };
	int rc;

	a->listener = glass_socket(a->g, GLASS_TCP);
	if (!a->listener)
		die("socket", -ENOMEM);
	rc = glass_bind(a->g, a->listener, &local);
	if (!rc)
		rc = glass_listen(a->g, a->listener, 128);
	if (rc)
		die("listen", rc);
}

static void start_client(struct app *a, const char *host, int port, const char *text)
{
	struct glass_end remote = { .addr = addr_of(host), .port = (uint16_t)port };
	struct glass_sock *s = glass_socket(a->g, GLASS_TCP);
	int rc = s ? glass_connect(a->g, s, &remote) : -ENOMEM;

	if (rc && rc != -EINPROGRESS)
		die("connect", rc);
	a->text = text;
}

int main(int argc, char **argv)
{
	struct app a = { .tap_fd = -1 };
	bool server = argc == 5 && !strcmp(argv[3], "serve");

	if (!server && !(argc == 7 && !strcmp(argv[3], "ask"))) {
		fprintf(stderr, "usage: embed DEV ADDR/BITS serve PORT\n"
				"       embed DEV ADDR/BITS ask HOST PORT TEXT\n");
		return EXIT_FAILURE;
	}
	a.tap_fd = tap_open(argv[1]);
	start_stack(&a, argv[1], argv[2]);
	if (server)
		start_server(&a, atoi(argv[4]));
	else
		start_client(&a, argv[4], atoi(argv[5]), argv[6]);
	run(&a);
	glass_free(a.g);
	close(a.tap_fd);
	return EXIT_SUCCESS;
}
