/* SPDX-License-Identifier: MIT */
/*
 * IPv4 in: is this header sound, from a host, and for us? RFC 791, RFC 1122 3.2.1. The checks come
 * in the order of the header's fields, and whatever follows relies on the lengths that were checked
 * here.
 *
 * In:  eth_input(); the stack's door for devices without link header and for lo.
 * Out: frag_input() for fragments; ip_deliver() to ICMP, IGMP, TCP and UDP, and to raw sockets.
 */
#include "../wire/checksum.h"
#include "../wire/icmp.h"
#include "../wire/ip4.h"

#include "group.h"
#include "tcp.h"
#include "udp.h"

/*
 * Version, lengths and checksum. What came behind the packet is cut off: Ethernet pads short
 * frames.
 */
static enum verdict ip_check_header(struct glass *g, struct pkt *p, const struct ip4_header *h)
{
	uint32_t header = ip4_header_length(h), total = be16_get(h->total_length);
	uint64_t sum;

	if (ip4_version(h) != 4)
		return drop(g, p, IP_VERSION, ip4_version(h));
	if (header < IP4_HEADER_BYTES || header > p->len)
		return drop(g, p, IP_HEADER_LENGTH, header, p->len);
	if (total < header || total > p->len)
		return drop(g, p, IP_TOTAL_LENGTH, total, p->len);
	sum = csum_add(0, h, header);
	if (csum_fold(sum) != 0) {
		uint16_t got = be16_get(h->checksum);

		return drop(g, p, IP_BAD_CSUM, got, csum_update16(csum_fold(sum), got, 0));
	}
	pkt_trim(p, total);
	return GO_ON;
}

/*
 * RFC 1122 3.2.1.3 and 3.3.6. What came over lo is our own. Who has no address yet may say which
 * groups it hears (RFC 3376 4.2.13), and a switch that asks has none.
 */
static enum verdict ip_check_source(struct glass *g, struct pkt *p, ip4_t src, uint8_t proto)
{
	if (p->flags & PKT_LOOPED || (!src && proto == IP_PROTO_IGMP))
		return GO_ON;
	if (!ip_is_host(g, src) || ip_is_local(g, src))
		return drop(g, p, IP_SOURCE, src);
	return GO_ON;
}

/* RFC 1112 7.2, RFC 3376 3.2. IGMP's own packets are heard whatever the filter. */
static enum verdict ip_check_group(struct glass *g, struct pkt *p, const struct ip_info *ip)
{
	bool multicast = ip_is_multicast(ip->dst);

	if (multicast && !group_hears(g, p->dev, ip->dst))
		return drop(g, p, IP_NO_MEMBER, ip->dst);
	if (multicast && ip->proto != IP_PROTO_IGMP &&
	    !group_hears_source(g, p->dev, ip->dst, ip->src))
		return drop(g, p, IP_GROUP_SOURCE, ip->src, ip->dst);
	stat_inc(g, multicast ? STAT_IP_IN_MCAST_PKTS : STAT_IP_IN_BCAST_PKTS);
	stat_add(g, multicast ? STAT_IP_IN_MCAST_OCTETS : STAT_IP_IN_BCAST_OCTETS, p->len);
	return GO_ON;
}

static enum verdict ip_check_destination(struct glass *g, struct pkt *p, struct ip_info *ip)
{
	if (ip_is_loopback(ip->dst) && !(p->flags & PKT_LOOPED))
		return drop(g, p, IP_NOT_FOR_US, ip->dst);
	ip->dst_group = ip_is_broadcast(g, ip->dst);
	if (ip->dst_group)
		return ip_check_group(g, p, ip);
	if (!ip_is_local(g, ip->dst))
		return drop(g, p, IP_NOT_FOR_US, ip->dst);
	if (p->flags & PKT_LINK_BROADCAST)
		return drop(g, p, IP_LINK_BROADCAST, ip->dst);
	return GO_ON;
}

static enum verdict ip_check_option(struct glass *g, struct pkt *p, const struct ip4_option *o,
				    size_t at)
{
	switch (o->kind) {
	case IP4_OPT_LOOSE_ROUTE:
	case IP4_OPT_STRICT_ROUTE:
		return drop(g, p, IP_SOURCE_ROUTE, o->kind);
	case IP4_OPT_RECORD_ROUTE:
	case IP4_OPT_TIMESTAMP:
		if (!ip4_option_pointer_ok(o))
			return drop(g, p, IP_OPTION, o->kind, at);
		break;
	default: /* RFC 1122 3.2.1.8: options that we do not know are passed over */
		break;
	}
	return GO_ON;
}

static enum verdict ip_check_options(struct glass *g, struct pkt *p, const struct ip4_header *h)
{
	const uint8_t *options = (const uint8_t *)h + IP4_HEADER_BYTES;
	size_t length = ip4_header_length(h) - IP4_HEADER_BYTES;
	struct ip4_option o;
	enum verdict v;

	for (size_t at = 0, next; at < length; at = next) {
		next = ip4_option_step(options, length, at, &o);
		if (!next)
			return drop(g, p, IP_OPTION, o.kind, IP4_HEADER_BYTES + at);
		v = ip_check_option(g, p, &o, IP4_HEADER_BYTES + at);
		if (v != GO_ON)
			return v;
	}
	return GO_ON;
}

enum verdict ip_input(struct glass *g, struct pkt *p)
{
	const struct ip4_header *h = pkt_peek(p, 0, sizeof(*h));
	struct ip_info ip;
	enum verdict v;

	ENTER(g, p);
	stat_inc(g, STAT_IP_IN_RECEIVES);
	if (!h)
		return drop(g, p, IP_SHORT, p->len, sizeof(*h));
	p->l3 = p->data;
	ip = (struct ip_info){
		.src = be32_get(h->src),
		.dst = be32_get(h->dst),
		.proto = h->proto,
		.ttl = h->ttl,
		.tos = h->tos,
	};
	if ((v = ip_check_header(g, p, h)) != GO_ON)
		return v;
	if ((v = ip_check_source(g, p, ip.src, ip.proto)) != GO_ON)
		return v;
	if ((v = ip_check_destination(g, p, &ip)) != GO_ON)
		return v;
	if ((v = ip_check_options(g, p, h)) != GO_ON)
		return v;
	/* RFC 1122 3.2.1.7: a packet that has arrived is not refused because of its TTL. */
	EVENT(g, 0, p->id, IP_IN, ip.src, ip.dst, ip.proto, ip.ttl, p->len);
	pkt_pull(p, ip4_header_length(h));
	if (be16_get(h->frag) & (IP4_MORE_FRAGMENTS | IP4_FRAGMENT_OFFSET))
		return frag_input(g, p, &ip);
	return ip_deliver(g, p, &ip);
}

enum verdict ip_deliver(struct glass *g, struct pkt *p, const struct ip_info *ip)
{
	bool heard;

	ENTER(g, p);
	p->l4 = p->data;
	p->l4_proto = ip->proto;
	heard = raw_input(g, p, ip);
	if (heard || ip->proto == IP_PROTO_TCP || ip->proto == IP_PROTO_UDP ||
	    ip->proto == IP_PROTO_ICMP || ip->proto == IP_PROTO_IGMP)
		stat_inc(g, STAT_IP_IN_DELIVERS);
	if (ip->proto == IP_PROTO_TCP)
		return tcp_input(g, p, ip);
	if (ip->proto == IP_PROTO_UDP)
		return udp_input(g, p, ip);
	if (ip->proto == IP_PROTO_ICMP)
		return icmp_input(g, p, ip);
	if (ip->proto == IP_PROTO_IGMP)
		return igmp_input(g, p, ip);
	if (heard)
		return accept_packet(g, p);
	icmp_send_error(g, p, ICMP_UNREACHABLE, ICMP_PROTO_UNREACHABLE, 0);
	return drop(g, p, IP_PROTO, ip->proto);
}
