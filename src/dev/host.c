/* SPDX-License-Identifier: MIT */
/*
 * The host's side of a device, over rtnetlink: address, MTU, up. Nothing here runs a program.
 *
 * In: the daemon's start.	Out: the kernel. Looking at links is in host_link.c.
 */
#include "dev_io.h"
#include "host_nl.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* What a caller is told. */
struct why {
	char *text;
	size_t size;
};

static int family_of(const struct glass_addr *a)
{
	return a->family == GLASS_IP6 ? AF_INET6 : AF_INET;
}

static size_t addr_bytes(const struct glass_addr *a)
{
	return a->family == GLASS_IP6 ? 16 : 4;
}

static struct nlmsghdr *link_request(struct nl_request *r, const struct host_link *link,
				     unsigned flags)
{
	struct nlmsghdr *nlh = nl_begin(r, RTM_NEWLINK, NLM_F_ACK);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = link->index;
	ifi->ifi_flags = flags;
	ifi->ifi_change = flags;
	return nlh;
}

/*
 * No IPv6 address of the host's own making: with one, router solicitations and multicast reports
 * would be the first frames in every trace. A kernel without IPv6 refuses, which is as good.
 */
static void link_quiet(struct mnl_socket *nl, const struct host_link *link)
{
	struct nl_request r;
	struct nlmsghdr *nlh = link_request(&r, link, 0);
	struct nlattr *spec = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	struct nlattr *inet6 = mnl_attr_nest_start(nlh, AF_INET6);

	mnl_attr_put_u8(nlh, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(nlh, inet6);
	mnl_attr_nest_end(nlh, spec);
	nl_ask(nl, nlh, NULL, NULL);
}

static int link_set_mtu(struct mnl_socket *nl, const struct host_link *link, uint32_t mtu_bytes)
{
	struct nl_request r;
	struct nlmsghdr *nlh = link_request(&r, link, 0);

	mnl_attr_put_u32(nlh, IFLA_MTU, mtu_bytes);
	return nl_ask(nl, nlh, NULL, NULL);
}

static int link_set_up(struct mnl_socket *nl, const struct host_link *link)
{
	struct nl_request r;

	return nl_ask(nl, link_request(&r, link, IFF_UP), NULL, NULL);
}

static int addr_add(struct mnl_socket *nl, const struct host_link *link,
		    const struct glass_addr *addr, unsigned prefix_bits)
{
	struct nl_request r;
	struct nlmsghdr *nlh = nl_begin(&r, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

	ifa->ifa_family = (uint8_t)family_of(addr);
	ifa->ifa_prefixlen = (uint8_t)prefix_bits;
	ifa->ifa_flags = addr->family == GLASS_IP6 ? IFA_F_NODAD : 0;
	ifa->ifa_index = (uint32_t)link->index;
	mnl_attr_put(nlh, IFA_LOCAL, addr_bytes(addr), addr->byte);
	mnl_attr_put(nlh, IFA_ADDRESS, addr_bytes(addr), addr->byte);
	return nl_ask(nl, nlh, NULL, NULL);
}

/* ---- what is there already ---- */

/* What the host's addresses mean for the one that is wanted. */
struct survey {
	const struct glass_addr *addr;
	unsigned prefix_bits;
	int own_index;
	bool is_set;	 /* it is there, on our device */
	int other_index; /* of a device with the same network; 0: none */
	struct glass_addr other;
	unsigned other_bits;
};

/* A row of the kernel's list. */
struct survey_row {
	struct survey *survey;
	const struct ifaddrmsg *ifa;
};

static bool same_net(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	uint8_t mask = (uint8_t)(0xff00 >> bits % 8);

	return !memcmp(a, b, bits / 8) && (bits % 8 == 0 || !((a[bits / 8] ^ b[bits / 8]) & mask));
}

static int survey_attr(const struct nlattr *attr, void *arg)
{
	const struct survey_row *row = arg;
	struct survey *s = row->survey;
	const uint8_t *addr = mnl_attr_get_payload(attr);
	unsigned bits = row->ifa->ifa_prefixlen;
	size_t n = addr_bytes(s->addr);

	if (mnl_attr_get_type(attr) != IFA_ADDRESS || mnl_attr_get_payload_len(attr) != n)
		return MNL_CB_OK;
	if ((int)row->ifa->ifa_index == s->own_index) {
		s->is_set |= bits == s->prefix_bits && !memcmp(addr, s->addr->byte, n);
	} else if (same_net(addr, s->addr->byte, bits < s->prefix_bits ? bits : s->prefix_bits)) {
		s->other_index = (int)row->ifa->ifa_index;
		s->other_bits = bits;
		s->other.family = s->addr->family;
		memcpy(s->other.byte, addr, n);
	}
	return MNL_CB_OK;
}

static int survey_row(const struct nlmsghdr *nlh, void *arg)
{
	struct survey *s = arg;
	struct survey_row row = { s, mnl_nlmsg_get_payload(nlh) };

	if (row.ifa->ifa_family != family_of(s->addr))
		return MNL_CB_OK;
	return mnl_attr_parse(nlh, sizeof(*row.ifa), survey_attr, &row);
}

static int survey(struct mnl_socket *nl, struct survey *s)
{
	struct nl_request r;
	struct nlmsghdr *nlh = nl_begin(&r, RTM_GETADDR, NLM_F_DUMP);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

	ifa->ifa_family = (uint8_t)family_of(s->addr);
	return nl_ask(nl, nlh, survey_row, s);
}

/* ---- all of it ---- */

static int say(struct why *why, int rc, const char *what, const char *name)
{
	const char *advice = "";

	if (!rc)
		return 0;
	if (rc == -EPERM)
		advice = ". This needs CAP_NET_ADMIN: start as root, or in a namespace of your own "
			 "(unshare -Urn), or set it yourself and give --no-host-setup";
	snprintf(why->text, why->size, "cannot %s of %s: %s%s", what, name, strerror(-rc), advice);
	return rc;
}

/*
 * A network that lies on another device already would be taken from it: the host's own traffic
 * would suffer.
 */
static int say_overlap(struct mnl_socket *nl, const struct survey *s, struct why *why)
{
	char name[IFNAMSIZ] = "another device", text[64];

	nl_ifname(nl, s->other_index, name);
	nl_addr_text(&s->other, text, sizeof(text));
	snprintf(why->text, why->size,
		 "the host has %s/%u on %s already, and the stack's network would hide it. Take "
		 "another, "
		 "for example: --address 10.77.0.4/24 --host-address 10.77.0.5/24",
		 text, s->other_bits, name);
	return -EADDRINUSE;
}

/* What is as it should be already is left alone: it may have been root who did it, and we are not.
 */
static int setup_steps(struct mnl_socket *nl, const struct host_link *link, struct survey *s,
		       uint32_t mtu_bytes, struct why *why)
{
	int rc = say(why, survey(nl, s), "list the addresses", "the host");

	if (rc)
		return rc;
	if (s->other_index)
		return say_overlap(nl, s, why);
	link_quiet(nl, link);
	if (mtu_bytes && mtu_bytes != link->mtu_bytes)
		rc = say(why, link_set_mtu(nl, link, mtu_bytes), "set the MTU", link->name);
	if (!rc && !s->is_set)
		rc = say(why, addr_add(nl, link, s->addr, s->prefix_bits), "set the host's address",
			 link->name);
	if (!rc && !link->up)
		rc = say(why, link_set_up(nl, link), "set up the host's side", link->name);
	return rc;
}

int host_setup(const char *name, struct glass_addr addr, unsigned prefix_bits, uint32_t mtu_bytes,
	       char *why, size_t why_size)
{
	struct why told = { why, why_size };
	struct mnl_socket *nl;
	struct survey wanted = { .addr = &addr, .prefix_bits = prefix_bits };
	struct host_link link;
	int rc = host_link_get(name, &link);

	if (rc)
		return say(&told, rc, "find the host's side", name);
	wanted.own_index = link.index;
	rc = nl_open(&nl, 0);
	if (rc)
		return say(&told, rc, "ask the kernel about the host's side", name);
	rc = setup_steps(nl, &link, &wanted, mtu_bytes, &told);
	mnl_socket_close(nl);
	return rc;
}
