/* SPDX-License-Identifier: MIT */
/*
 * Looking at the host's links over rtnetlink: what a device is like now, and news of it. A downed
 * link is silent on its descriptor, and a changed MTU too: only netlink tells.
 *
 * In: the daemon.	Out: the kernel.
 */
#include "dev_io.h"
#include "host_nl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- one question ---- */

int nl_open(struct mnl_socket **nl, unsigned groups)
{
	*nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!*nl)
		return -errno;
	if (mnl_socket_bind(*nl, groups, MNL_SOCKET_AUTOPID) < 0) {
		int error = errno;

		mnl_socket_close(*nl);
		return -error;
	}
	return 0;
}

struct nlmsghdr *nl_begin(struct nl_request *r, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh;

	memset(r, 0, sizeof(*r));
	nlh = mnl_nlmsg_put_header(r->bytes);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	nlh->nlmsg_seq = 1; /* one question at a time per socket */
	return nlh;
}

int nl_ask(struct mnl_socket *nl, struct nlmsghdr *nlh, mnl_cb_t row, void *arg)
{
	struct nl_request answer;
	ssize_t n;
	int rc;

	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do {
		n = mnl_socket_recvfrom(nl, answer.bytes, sizeof(answer.bytes));
		if (n < 0)
			return -errno;
		rc = mnl_cb_run(answer.bytes, (size_t)n, nlh->nlmsg_seq, mnl_socket_get_portid(nl),
				row, arg);
	} while (rc > MNL_CB_STOP);
	return rc < 0 ? -errno : 0;
}

void nl_addr_text(const struct glass_addr *addr, char *out, size_t size)
{
	if (!inet_ntop(addr->family == GLASS_IP6 ? AF_INET6 : AF_INET, addr->byte, out,
		       (socklen_t)size))
		out[0] = '\0';
}

/* ---- links ---- */

static int link_attr(const struct nlattr *attr, void *arg)
{
	struct host_link *out = arg;
	size_t n = mnl_attr_get_payload_len(attr);

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		n = n < sizeof(out->name) ? n : sizeof(out->name) - 1;
		memcpy(out->name, mnl_attr_get_payload(attr), n);
		break;
	case IFLA_MTU:
		if (n == sizeof(uint32_t))
			out->mtu_bytes = mnl_attr_get_u32(attr);
		break;
	case IFLA_ADDRESS:
		if (n == sizeof(out->mac))
			memcpy(out->mac, mnl_attr_get_payload(attr), n);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static void link_of_message(const struct nlmsghdr *nlh, struct host_link *out)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);

	*out = (struct host_link){
		.index = ifi->ifi_index,
		.up = (ifi->ifi_flags & IFF_UP) && (ifi->ifi_flags & IFF_LOWER_UP),
		.gone = nlh->nlmsg_type == RTM_DELLINK,
	};
	mnl_attr_parse(nlh, sizeof(*ifi), link_attr, out);
}

static int link_row(const struct nlmsghdr *nlh, void *arg)
{
	if (nlh->nlmsg_type == RTM_NEWLINK)
		link_of_message(nlh, arg);
	return MNL_CB_OK;
}

/* By index, or when that is 0 by name. */
static int link_query(struct mnl_socket *nl, int index, const char *name, struct host_link *out)
{
	struct nl_request r;
	struct nlmsghdr *nlh = nl_begin(&r, RTM_GETLINK, NLM_F_ACK);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = index;
	if (!index)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	return nl_ask(nl, nlh, link_row, out);
}

void nl_ifname(struct mnl_socket *nl, int index, char name[16])
{
	struct host_link link;

	if (!link_query(nl, index, NULL, &link))
		memcpy(name, link.name, sizeof(link.name));
}

int host_link_get(const char *name, struct host_link *out)
{
	struct mnl_socket *nl;
	int rc = nl_open(&nl, 0);

	if (rc)
		return rc;
	rc = link_query(nl, 0, name, out);
	mnl_socket_close(nl);
	return rc;
}

/* ---- news of them ---- */

int host_watch_open(void)
{
	struct sockaddr_nl at = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

int host_watch_next(int fd, struct host_link *out)
{
	struct nl_request r;
	struct nlmsghdr *nlh = (struct nlmsghdr *)r.bytes;
	struct sockaddr_nl from = { 0 };
	socklen_t from_bytes = sizeof(from);
	ssize_t n;

	for (;;) {
		n = recvfrom(fd, r.bytes, sizeof(r.bytes), 0, (struct sockaddr *)&from,
			     &from_bytes);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		/* Only the kernel's word counts (port 0); it sends one link per message. */
		if (from.nl_pid || !mnl_nlmsg_ok(nlh, (int)n) ||
		    nlh->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(struct ifinfomsg))
			continue;
		if (nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK)
			continue;
		link_of_message(nlh, out);
		return 1;
	}
}
