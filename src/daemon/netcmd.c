/* SPDX-License-Identifier: MIT */
/*
 * "glass net": its words, and black holes: an address that answers ARP and swallows everything
 * else, which is how most dead hosts look from afar. Each swallowed frame counts and shows as a
 * drop BLACKHOLE. What "set" does is net_wire.c's.
 *
 * In: loop.c with every frame that leaves; command.c with the words.	Out: loop_receive with
 * the ARP reply; net_wire.c.
 */
#include "start.h"

#include "../base/save.h"
#include "../wire/arp.h"
#include "../wire/eth.h"
#include "../wire/ip4.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOLES_MAX 64

struct hole {
	struct glass_addr addr;
	uint64_t swallowed, answered;
};

struct netem {
	unsigned nholes;
	struct hole hole[HOLES_MAX];
};

/* What is looked at of a frame that leaves. */
struct peek {
	struct eth_header eth;
	union {
		struct arp_packet arp;
		struct ip4_header ip4;
	};
};

static struct hole *hole_find(const struct daemon *d, const void *ip4)
{
	for (unsigned i = 0; i < d->net->nholes; i++) {
		if (!memcmp(d->net->hole[i].addr.byte, ip4, 4))
			return &d->net->hole[i];
	}
	return NULL;
}

/* ---- frames ---- */

/* The frame's first bytes. What it does not have is zero, which is no type that we look for. */
static void frame_peek(const struct daemon *d, const struct glass_frame *f, struct peek *out)
{
	bool ethernet = d->dev[f->dev]->setup.link == GLASS_ETHERNET;
	uint8_t *to = (uint8_t *)out + (ethernet ? 0 : sizeof(out->eth));
	size_t room = sizeof(*out) - (ethernet ? 0 : sizeof(out->eth));

	*out = (struct peek){ 0 };
	if (!ethernet)
		out->eth.type = be16_of(ETH_TYPE_IP4);
	for (unsigned i = 0; i < f->niov && room; i++) {
		size_t n = f->iov[i].len < room ? f->iov[i].len : room;

		memcpy(to, f->iov[i].base, n);
		to += n;
		room -= n;
	}
}

/*
 * The answer of somebody who is not there: a hardware address made from the one that was asked for.
 */
static void hole_answer(struct daemon *d, unsigned dev, struct hole *h,
			const struct arp_packet *ask)
{
	const uint8_t mac[ETH_MAC_BYTES] = {
		0x02, 0xb1, ask->target.b[0], ask->target.b[1], ask->target.b[2], ask->target.b[3]
	};
	struct pkt *p = glass_pkt_new(d->g, sizeof(struct eth_header) + sizeof(*ask));
	struct eth_header eth = { .type = be16_of(ETH_TYPE_ARP) };
	struct arp_packet arp = *ask;
	size_t room;
	uint8_t *to;

	if (!p)
		return;
	memcpy(eth.dst, ask->sender_mac, sizeof(mac));
	memcpy(eth.src, mac, sizeof(mac));
	arp.op = be16_of(ARP_OP_REPLY);
	memcpy(arp.sender_mac, mac, sizeof(mac));
	arp.sender = ask->target;
	memcpy(arp.target_mac, ask->sender_mac, sizeof(mac));
	arp.target = ask->sender;
	to = glass_pkt_room(p, &room);
	memcpy(to, &eth, sizeof(eth));
	memcpy(to + sizeof(eth), &arp, sizeof(arp));
	glass_pkt_filled(p, sizeof(eth) + sizeof(arp), NULL);
	h->answered++;
	loop_receive(d, dev, p, clock_now_ns(), NULL);
}

bool net_swallows(struct daemon *d, const struct glass_frame *frame)
{
	struct peek peek;
	struct hole *h;

	if (!d->net || !d->net->nholes || frame->dev >= DAEMON_DEVS_MAX || !d->dev[frame->dev])
		return false;
	frame_peek(d, frame, &peek);
	if (be16_get(peek.eth.type) == ETH_TYPE_IP4) {
		h = hole_find(d, &peek.ip4.dst);
		if (!h)
			return false;
		h->swallowed++;
		glass_output_swallowed(d->g, frame, h->addr);
		return true;
	}
	if (be16_get(peek.eth.type) != ETH_TYPE_ARP || be16_get(peek.arp.op) != ARP_OP_REQUEST)
		return false;
	h = hole_find(d, &peek.arp.target);
	if (!h)
		return false;
	capture_tell(d); /* the request, before what answers it */
	hole_answer(d, frame->dev, h, &peek.arp);
	return true;
}

/* ---- words ---- */

static int hole_add(struct daemon *d, const struct glass_addr *addr)
{
	if (!d->net)
		d->net = calloc(1, sizeof(*d->net));
	if (!d->net)
		return -ENOMEM;
	if (hole_find(d, addr->byte))
		return -EEXIST;
	if (d->net->nholes == HOLES_MAX)
		return -ENOSPC;
	d->net->hole[d->net->nholes++] = (struct hole){ .addr = *addr };
	return 0;
}

static int hole_remove(struct daemon *d, const struct glass_addr *addr)
{
	struct hole *h = d->net ? hole_find(d, addr->byte) : NULL;

	if (!h)
		return -ENOENT;
	*h = d->net->hole[--d->net->nholes];
	return 0;
}

static void hole_fields(struct save *s, struct hole *hole)
{
	save_array(s, "addr", &hole->addr, sizeof(hole->addr));
	SAVE(s, hole->swallowed);
	SAVE(s, hole->answered);
}

void net_keep(struct save *s, struct daemon *d)
{
	struct hole hole;

	for (unsigned i = 0; !save_reading(s) && d->net && i < d->net->nholes; i++) {
		save_begin(s, "hole");
		hole_fields(s, &d->net->hole[i]);
		save_end(s);
	}
	while (save_reading(s) && save_begin(s, "hole")) {
		hole = (struct hole){ .addr.family = 0 };
		hole_fields(s, &hole);
		save_end(s);
		if (save_check(s, !hole_add(d, &hole.addr), "a black hole is damaged"))
			d->net->hole[d->net->nholes - 1] = hole;
	}
}

static void holes_fini(struct daemon *d)
{
	free(d->net);
	d->net = NULL;
}

static int say(char *text, size_t size, int rc, const char *addr, const char *done)
{
	if (!rc)
		snprintf(text, size, "%s %s\n", addr, done);
	else if (rc == -EEXIST)
		snprintf(text, size, "%s is a black hole already\n", addr);
	else if (rc == -ENOENT)
		snprintf(text, size, "%s is no black hole. Type: glass net show\n", addr);
	else if (rc == -ENOSPC)
		snprintf(text, size, "no more than %d black holes. Type: glass net clear\n",
			 HOLES_MAX);
	else
		snprintf(text, size, "%s\n", strerror(-rc));
	return rc;
}

static int word_addr(const char *word, struct glass_addr *out, char *text, size_t size)
{
	*out = (struct glass_addr){ .family = GLASS_IP4 };
	if (word && inet_pton(AF_INET, word, out->byte) == 1)
		return 0;
	snprintf(text, size,
		 "'%s' is no IPv4 address. Type for example: glass net blackhole 10.0.0.6\n",
		 word ? word : "");
	return -EINVAL;
}

static int net_show(const struct daemon *d, char *text, size_t size)
{
	size_t at = net_wire_show(d, text, size);

	for (unsigned i = 0; d->net && i < d->net->nholes && at < size; i++) {
		const struct hole *h = &d->net->hole[i];

		at += (size_t)snprintf(text + at, size - at,
				       "blackhole %u.%u.%u.%u swallowed %llu answered %llu\n",
				       h->addr.byte[0], h->addr.byte[1], h->addr.byte[2],
				       h->addr.byte[3], (unsigned long long)h->swallowed,
				       (unsigned long long)h->answered);
	}
	if (!at)
		snprintf(text, size,
			 "the network is as it is: nothing set, no black holes. Type "
			 "for example: glass net set delay 40ms loss 1%%\n");
	return 0;
}

/* Without an address: everything is as it is again. */
static int net_clear(struct daemon *d, const char *word, char *text, size_t size)
{
	struct glass_addr addr;
	unsigned holes = d->net ? d->net->nholes : 0;
	int rc;

	if (!word || !*word) {
		holes_fini(d);
		net_wire_del(d, NULL, text, size);
		snprintf(text, size, "%u black holes cleared, the network is as it is\n", holes);
		return 0;
	}
	rc = word_addr(word, &addr, text, size);
	return rc ? rc : say(text, size, hole_remove(d, &addr), word, "is no black hole any more");
}

static int net_blackhole(struct daemon *d, const char *word, char *text, size_t size)
{
	struct glass_addr addr;
	int rc = word_addr(word, &addr, text, size);

	return rc ? rc
		  : say(text, size, hole_add(d, &addr), word,
			"answers ARP from now on, and swallows everything else");
}

int net_command(struct daemon *d, const char *words, int fd, char *text, size_t size)
{
	size_t n;

	words += strspn(words, " \t\n");
	n = strcspn(words, " \t\n");
#define IS(verb) (n == strlen(verb) && !strncmp(words, verb, n))
#define REST (words + n + strspn(words + n, " \t\n"))
	if (!n || IS("show"))
		return net_show(d, text, size);
	if (IS("set"))
		return net_wire_set(d, REST, fd, text, size);
	if (IS("del"))
		return net_wire_del(d, REST, text, size);
	if (IS("clear"))
		return net_clear(d, REST, text, size);
	if (IS("blackhole"))
		return net_blackhole(d, REST, text, size);
#undef IS
#undef REST
	snprintf(text, size,
		 "'%.*s': glass net knows: set [in|out] delay ... loss ..., del [in|out], "
		 "blackhole ADDR, clear [ADDR], show\n",
		 (int)(n < 40 ? n : 40), words);
	return -EINVAL;
}

void net_fini(struct daemon *d)
{
	holes_fini(d);
	net_wire_fini(d);
}
