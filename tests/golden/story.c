/* SPDX-License-Identifier: MIT */
/*
 * Makes the ring of a story, for the golden files: our stack and a neighbour on one wire, in
 * virtual time and from fixed seeds, so that it is the same ring each time.
 *
 *	story fetch FILE	a page is asked for and comes
 *	story unreachable FILE	nobody has the address
 *	story blackhole FILE	the neighbour answers ARP and swallows the rest
 *	story refused FILE	nobody listens
 *	story slow FILE		an upload that loses segments
 *	story received FILE	the same, as the other side sees it
 *	story unread FILE	likewise, where nobody reads for two seconds
 *	story long FILE		an upload of twenty thousand segments, of which one in 300 is lost
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glass/glass_trace.h>

#define RECORDS 16384
#define LONG_RECORDS (1u << 19)
#define DELAY_NS 50000
#define END_NS 16000000000ll
#define MTU 1500
#define DEV 1
#define PORT 8080

static const char request[] = "GET / HTTP/1.1\r\nHost: 10.0.0.5:8080\r\n\r\n";
static const char page[] = "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";

struct host {
	struct glass *g;
	struct glass_sock *listener, *sock;
	struct glass_addr addr;
};

#define UPLOAD_BYTES 300000
#define LONG_UPLOAD_BYTES 28000000
#define LONG_LOSS 300
#define UPLOAD_DELAY_NS 10000000
#define LARGE_BYTES 200
#define UNREAD_NS 2000000000ll

struct world {
	struct host us, peer;
	void *ring;
	size_t ring_bytes;
	int64_t now_ns;
	bool swallow; /* the peer's IP packets */
	bool asked;
	int64_t delay_ns;
	size_t to_upload; /* the client has so much to say, not the request */
	unsigned large;	  /* frames that were large, so far */
	bool is_long;
	int64_t unread_ns; /* until then the server of an upload does not read */
};

static void die(const char *what)
{
	fprintf(stderr, "story: %s\n", what);
	exit(1);
}

static void host_init(struct host *h, unsigned last, void *ring, size_t ring_bytes)
{
	const struct glass_setup setup = { .seed = { 1, last },
					   .ring = ring,
					   .ring_bytes = ring_bytes };
	const struct glass_dev_setup dev = {
		.name = "glass0",
		.link = GLASS_ETHERNET,
		.mac = { 2, 0, 0, 0, 0, (uint8_t)last },
		.mtu_bytes = MTU,
	};

	h->g = glass_new(&setup);
	h->addr = glass_ip4(10, 0, 0, last);
	if (!h->g || glass_dev_add(h->g, &dev) != DEV || glass_addr_add(h->g, DEV, h->addr, 24))
		die("no stack");
}

/* The frame, as the other host's device gets it. */
static void deliver(struct world *w, struct host *to, const struct glass_frame *f)
{
	struct pkt *p = glass_pkt_new(to->g, f->length);
	size_t capacity, at = 0;
	uint8_t *room;

	if (!p)
		die("no packet");
	room = glass_pkt_room(p, &capacity);
	for (unsigned i = 0; i < f->niov; i++) {
		memcpy(room + at, f->iov[i].base, f->iov[i].len);
		at += f->iov[i].len;
	}
	glass_pkt_filled(p, at, NULL);
	glass_input(to->g, DEV, p, w->now_ns);
}

/* IPv4 for the black hole? */
static bool is_swallowed(const struct world *w, const struct glass_frame *f)
{
	const uint8_t *eth = f->iov[0].base;

	return w->swallow && eth[12] == 8 && eth[13] == 0;
}

/* Of an upload these are lost: one in the middle, three in a row, and the last. */
static bool is_lost(struct world *w, const struct host *from, const struct glass_frame *f)
{
	static const unsigned lost[] = { 20, 60, 61, 62, 212 };

	if (from != &w->us || f->length < LARGE_BYTES)
		return false;
	w->large++;
	if (w->is_long)
		return w->large % LONG_LOSS == 0;
	for (unsigned i = 0; i < sizeof(lost) / sizeof(lost[0]); i++)
		if (w->large == lost[i])
			return true;
	return false;
}

/* All that wants to leave arrives at the other host a moment later. */
static bool exchange(struct world *w, struct host *from, struct host *to)
{
	struct glass_frame f;
	bool any = false;

	while (glass_output(from->g, &f)) {
		if (is_swallowed(w, &f)) {
			glass_output_swallowed(from->g, &f, w->peer.addr);
			continue;
		}
		if (is_lost(w, from, &f)) {
			const struct glass_fate fate = { GLASS_FATE_LOST, 0, f.length, 0 };

			glass_output_impaired(from->g, &f, &fate);
			continue;
		}
		if (!any)
			w->now_ns += w->delay_ns;
		deliver(w, to, &f);
		any = true;
	}
	glass_advance(from->g, w->now_ns);
	glass_advance(to->g, w->now_ns);
	return any;
}

/* What there is to upload, as far as it goes; then the end. */
static void upload(struct world *w)
{
	static const char bytes[4096];
	int64_t n = 1;

	while (w->to_upload && n > 0) {
		n = glass_send(w->us.g, w->us.sock, bytes,
			       w->to_upload < sizeof(bytes) ? w->to_upload : sizeof(bytes));
		w->to_upload -= n > 0 ? (size_t)n : 0;
	}
	if (!w->to_upload)
		glass_shutdown(w->us.g, w->us.sock, GLASS_SHUT_WR);
}

/* The client: asks when it may, reads, closes at the end of file. */
static void client(struct world *w)
{
	unsigned ready = w->us.sock ? glass_ready(w->us.g, w->us.sock) : 0;
	char bytes[256];

	if (ready & (GLASS_ERR | GLASS_HUP)) {
		glass_close(w->us.g, w->us.sock);
		w->us.sock = NULL;
		return;
	}
	if (ready & GLASS_OUT && w->to_upload)
		upload(w);
	else if (ready & GLASS_OUT && !w->asked) {
		glass_send(w->us.g, w->us.sock, request, sizeof(request) - 1);
		w->asked = true;
	}
	if (w->us.sock && ready & GLASS_IN &&
	    !glass_recv(w->us.g, w->us.sock, bytes, sizeof(bytes))) {
		glass_close(w->us.g, w->us.sock);
		w->us.sock = NULL;
	}
}

/* The server of an upload: reads all, and closes when the client does. */
static void sink(struct world *w)
{
	struct host *h = &w->peer;
	char bytes[4096];
	int64_t n = 1;

	if (!h->sock && h->listener)
		h->sock = glass_accept(h->g, h->listener);
	if (w->now_ns < w->unread_ns)
		return;
	while (h->sock && n > 0)
		n = glass_recv(h->g, h->sock, bytes, sizeof(bytes));
	if (!h->sock || n < 0)
		return;
	glass_close(h->g, h->sock);
	h->sock = NULL;
	glass_close(h->g, h->listener);
	h->listener = NULL;
}

/* The server: one connection, one request, the page, end. */
static void server(struct world *w)
{
	struct host *h = &w->peer;
	char bytes[256];

	if (!h->sock && h->listener)
		h->sock = glass_accept(h->g, h->listener);
	if (!h->sock || glass_recv(h->g, h->sock, bytes, sizeof(bytes)) <= 0)
		return;
	glass_send(h->g, h->sock, page, sizeof(page) - 1);
	glass_close(h->g, h->sock);
	h->sock = NULL;
	glass_close(h->g, h->listener);
	h->listener = NULL;
}

static void run(struct world *w)
{
	int64_t next, other;
	bool busy;

	int64_t end_ns = w->is_long ? 4 * END_NS : END_NS;

	while (w->now_ns < end_ns) {
		busy = exchange(w, &w->us, &w->peer);
		busy = exchange(w, &w->peer, &w->us) || busy;
		client(w);
		(w->delay_ns == DELAY_NS ? server : sink)(w);
		if (busy)
			continue;
		next = glass_next_deadline(w->us.g);
		other = glass_next_deadline(w->peer.g);
		next = next < other ? next : other;
		if (next > end_ns)
			return;
		w->now_ns = next > w->now_ns ? next : w->now_ns + 1;
		glass_advance(w->us.g, w->now_ns);
		glass_advance(w->peer.g, w->now_ns);
	}
}

static void save(const struct world *w, const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(w->ring, 1, w->ring_bytes, f) != w->ring_bytes || fclose(f))
		die("cannot write the ring");
}

int main(int argc, char **argv)
{
	struct world w = { 0 };
	struct glass_end to = { .port = PORT };
	const char *story = argc == 3 ? argv[1] : "";
	bool nobody = !strcmp(story, "unreachable"), unread = !strcmp(story, "unread");
	bool received = unread || !strcmp(story, "received"), slow;

	if (argc != 3)
		die("usage: story fetch|unreachable|blackhole|refused|slow|received|unread|long "
		    "FILE");
	w.is_long = !strcmp(story, "long");
	slow = w.is_long || received || !strcmp(story, "slow");
	w.ring_bytes = glass_ring_bytes(w.is_long ? LONG_RECORDS : RECORDS);
	w.ring = calloc(1, w.ring_bytes);
	w.delay_ns = slow ? UPLOAD_DELAY_NS : DELAY_NS;
	w.to_upload = w.is_long ? LONG_UPLOAD_BYTES : slow ? UPLOAD_BYTES : 0;
	w.asked = slow;
	w.unread_ns = unread ? UNREAD_NS : 0;
	host_init(&w.us, 4, received ? NULL : w.ring, received ? 0 : w.ring_bytes);
	host_init(&w.peer, !strcmp(story, "blackhole") ? 7 : 5, received ? w.ring : NULL,
		  received ? w.ring_bytes : 0);
	w.swallow = !strcmp(story, "blackhole");
	to.addr = nobody ? glass_ip4(10, 0, 0, 6) : w.peer.addr;
	run(&w); /* the addresses are announced */
	if (!strcmp(story, "fetch") || slow) {
		w.peer.listener = glass_socket(w.peer.g, GLASS_TCP);
		if (glass_bind(w.peer.g, w.peer.listener, &(struct glass_end){ .port = PORT }) ||
		    glass_listen(w.peer.g, w.peer.listener, 1))
			die("no listener");
	}
	w.us.sock = glass_socket(w.us.g, GLASS_TCP);
	if (!w.us.sock || glass_connect(w.us.g, w.us.sock, &to) != -EINPROGRESS)
		die("no connect");
	run(&w);
	save(&w, argv[2]);
	glass_free(w.us.g);
	glass_free(w.peer.g);
	free(w.ring);
	return 0;
}
