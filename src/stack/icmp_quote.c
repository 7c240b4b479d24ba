/* SPDX-License-Identifier: MIT */
/*
 * ICMP errors that came in. Anybody can send one, so what it quotes must be a packet that we could
 * have sent; the protocol looks closer (RFC 5927). Errors are hints: which of them ends a
 * connection is TCP's affair.
 *
 * In:  icmp_input().
 * Out: tcp_icmp_error(), udp_icmp_error(), ping_icmp_error(), raw_icmp_error().
 */
#include "../wire/icmp.h"
#include "../wire/ip4.h"

#include "tcp.h"
#include "udp.h"

#define QUOTE_L4_BYTES 8 /* RFC 792: at least the first 64 bits of the datagram's data */

/* What a program sees of codes 0..15 of "unreachable": RFC 1122 3.2.2.1, errors as on Linux. */
static const int unreachable_errors[] = {
	ENETUNREACH,  EHOSTUNREACH, ENOPROTOOPT,  ECONNREFUSED, EMSGSIZE,     EOPNOTSUPP,
	ENETUNREACH,  EHOSTDOWN,    ENONET,	  ENETUNREACH,	EHOSTUNREACH, ENETUNREACH,
	EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH,
};

#define UNREACHABLE_CODES (sizeof(unreachable_errors) / sizeof(unreachable_errors[0]))

/* 0: a code that nobody has defined. */
static int error_of(uint8_t type, uint8_t code)
{
	if (type == ICMP_UNREACHABLE)
		return code < UNREACHABLE_CODES ? unreachable_errors[code] : 0;
	return type == ICMP_TIME_EXCEEDED ? EHOSTUNREACH : EPROTO;
}

/* Codes 0, 1, 5, 11 and 12: the way may come back. */
#define SOFT_CODES (1u << 0 | 1u << 1 | 1u << 5 | 1u << 11 | 1u << 12)

/* RFC 1122 4.2.3.9 names 2 to 4; what a filter forbids stays so too, as on Linux. */
static bool is_hard(uint8_t type, uint8_t code)
{
	return type == ICMP_UNREACHABLE && code < UNREACHABLE_CODES && !(SOFT_CODES >> code & 1);
}

/*
 * The quoted header, with 8 bytes behind it; NULL: it is cut, or is none. p stays at the ICMP
 * header.
 */
static const struct ip4_header *quoted_header(const struct pkt *p)
{
	const struct ip4_header *h = pkt_peek(p, ICMP_HEADER_BYTES, sizeof(*h));

	if (!h || ip4_version(h) != 4 || ip4_header_length(h) < IP4_HEADER_BYTES)
		return NULL;
	if (!pkt_peek(p, ICMP_HEADER_BYTES, ip4_header_length(h) + QUOTE_L4_BYTES))
		return NULL;
	return h;
}

/* We sent it: from an address of ours, to a host, and it is the datagram's beginning. */
static bool quote_is_ours(const struct glass *g, const struct ip4_header *h)
{
	return ip_is_local(g, be32_get(h->src)) && !ip_is_broadcast(g, be32_get(h->dst)) &&
	       !(be16_get(h->frag) & IP4_FRAGMENT_OFFSET);
}

static struct icmp_error error_read(const struct pkt *p, const struct ip_info *ip,
				    const struct ip4_header *h)
{
	const struct icmp_header *icmp = (const struct icmp_header *)p->l4;
	const uint8_t *l4 = (const uint8_t *)h + ip4_header_length(h);
	const struct be16 *port = (const struct be16 *)(const void *)l4;
	bool cut = icmp->type == ICMP_UNREACHABLE && icmp->code == ICMP_FRAG_NEEDED;

	return (struct icmp_error){
		.type = icmp->type,
		.code = icmp->code,
		.proto = h->proto,
		.mtu_bytes = cut ? be16_get(icmp->seq) : 0,
		.from = ip->src,
		.src = be32_get(h->src),
		.dst = be32_get(h->dst),
		.sport = be16_get(port[0]),
		.dport = be16_get(port[1]),
		.seq = be32_get(*(const struct be32 *)(const void *)(l4 + 4)),
		.l4 = l4,
		.l4_bytes = (size_t)(p->data + p->len - l4),
		.error = error_of(icmp->type, icmp->code),
		.hard = is_hard(icmp->type, icmp->code),
	};
}

enum verdict icmp_got_error(struct glass *g, struct pkt *p, const struct ip_info *ip)
{
	const struct ip4_header *h = quoted_header(p);
	struct icmp_error e;
	bool heard;

	ENTER(g, p);
	if (!h)
		return drop(g, p, ICMP_QUOTE, p->len - ICMP_HEADER_BYTES, 0);
	if (ip->dst_group || !quote_is_ours(g, h))
		return drop(g, p, ICMP_QUOTE, p->len - ICMP_HEADER_BYTES, h->proto);
	e = error_read(p, ip, h);
	if (!e.error)
		return drop(g, p, ICMP_TYPE, e.type, e.code);
	heard = raw_icmp_error(g, &e);
	switch (e.proto) {
	case IP_PROTO_TCP:
		return tcp_icmp_error(g, p, &e);
	case IP_PROTO_UDP:
		return udp_icmp_error(g, p, &e);
	case IP_PROTO_ICMP:
		return ping_icmp_error(g, p, &e);
	default:
		if (heard)
			return accept_packet(g, p);
		return drop(g, p, ICMP_QUOTE, p->len - ICMP_HEADER_BYTES, e.proto);
	}
}
