/* SPDX-License-Identifier: MIT */
/* One request and its answers over rtnetlink: what host.c and host_link.c share. */
#ifndef GLASS_DEV_HOST_NL_H
#define GLASS_DEV_HOST_NL_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include <glass/glass.h>

#define NL_BYTES 8192 /* MNL_SOCKET_BUFFER_SIZE is no constant */

struct nl_request {
	char bytes[NL_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
};

/* A socket in *nl, listening to groups too. 0 or -errno. */
int nl_open(struct mnl_socket **nl, unsigned groups);
struct nlmsghdr *nl_begin(struct nl_request *r, uint16_t type, uint16_t flags);
/* Sends, and gives each answer to row (NULL: none is expected). 0 or the kernel's -errno. */
int nl_ask(struct mnl_socket *nl, struct nlmsghdr *nlh, mnl_cb_t row, void *arg);
/* The name of the link with this index; name stays as it is when there is none. */
void nl_ifname(struct mnl_socket *nl, int index, char name[16]);
void nl_addr_text(const struct glass_addr *addr, char *out, size_t size);

#endif
