/* SPDX-License-Identifier: MIT */
/*
 * The stack's devices in the program's own network namespace, as pictures: nothing passes through
 * them. What asks the kernel (netlink: Go, static programs, `ip addr`) finds their names, numbers
 * and addresses as on the stack. Their addresses bring no route, so that a socket of the kernel's
 * fails at once instead of waiting for an answer that nobody gives.
 *
 * In: run_net.c.   Out: rtnetlink(7), /dev/net/tun where the kernel has no dummy devices.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../abi/name.h"
#include "run_net.h"

#define MESSAGE_BYTES 512

struct message {
	struct nlmsghdr head;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg addr;
	};
	char room[MESSAGE_BYTES];
};

/* ---- rtnetlink ----------------------------------------------------------------------------- */

static void begin(struct message *m, int type, size_t bytes)
{
	*m = (struct message){ .head = { .nlmsg_len = (uint32_t)NLMSG_LENGTH(bytes),
					 .nlmsg_type = (uint16_t)type,
					 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE |
							NLM_F_EXCL } };
}

static struct rtattr *add(struct message *m, int type, const void *data, size_t bytes)
{
	struct rtattr *a = (struct rtattr *)(void *)((char *)m + NLMSG_ALIGN(m->head.nlmsg_len));

	a->rta_type = (uint16_t)type;
	a->rta_len = (uint16_t)RTA_LENGTH(bytes);
	if (bytes)
		memcpy(RTA_DATA(a), data, bytes);
	m->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(m->head.nlmsg_len) + RTA_ALIGN(a->rta_len));
	return a;
}

/* 0 or -errno: the kernel's acknowledgement. */
static int tell(int nl, const struct message *m)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr err;
		char room[MESSAGE_BYTES];
	} answer;
	ssize_t n;

	if (send(nl, m, m->head.nlmsg_len, 0) < 0)
		return -errno;
	n = recv(nl, &answer, sizeof(answer), 0);
	if (n < (ssize_t)NLMSG_LENGTH(sizeof(answer.err)) || answer.head.nlmsg_type != NLMSG_ERROR)
		return n < 0 ? -errno : -EPROTO;
	return answer.err.error;
}

static int link_make_dummy(int nl, const struct abi_iface *row)
{
	struct message m;
	struct rtattr *info;

	begin(&m, RTM_NEWLINK, sizeof(m.link));
	m.link.ifi_index = (int)row->index;
	add(&m, IFLA_IFNAME, row->name, strlen(row->name) + 1);
	info = add(&m, IFLA_LINKINFO, NULL, 0);
	add(&m, IFLA_INFO_KIND, "dummy", sizeof("dummy"));
	info->rta_len = (uint16_t)((char *)&m + m.head.nlmsg_len - (char *)info);
	return tell(nl, &m);
}

static int address_add(int nl, const struct abi_iface *row)
{
	uint32_t flags = IFA_F_NOPREFIXROUTE | IFA_F_PERMANENT;
	struct in_addr broadcast, addr = { .s_addr = htonl(abi_end_ip4(&row->addr)) };
	struct message m;

	begin(&m, RTM_NEWADDR, sizeof(m.addr));
	m.addr = (struct ifaddrmsg){ .ifa_family = AF_INET,
				     .ifa_prefixlen = (uint8_t)row->prefix_bits,
				     .ifa_index = if_nametoindex(row->name) };
	add(&m, IFA_LOCAL, &addr, sizeof(addr));
	add(&m, IFA_ADDRESS, &addr, sizeof(addr));
	add(&m, IFA_FLAGS, &flags, sizeof(flags));
	if (row->flags & IFF_BROADCAST && row->prefix_bits < 31) {
		broadcast.s_addr = addr.s_addr | htonl(~0u >> row->prefix_bits);
		add(&m, IFA_BROADCAST, &broadcast, sizeof(broadcast));
	}
	return tell(nl, &m);
}

/* ---- devices ------------------------------------------------------------------------------- */

static int link_make_tun(const struct abi_iface *row)
{
	struct ifreq r = { .ifr_flags = IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	r.ifr_flags |= row->hardware == ARPHRD_ETHER ? IFF_TAP : IFF_TUN;
	memcpy(r.ifr_name, row->name, sizeof(row->name));
	if (ioctl(fd, TUNSETIFF, &r) || ioctl(fd, TUNSETPERSIST, 1))
		err = -errno;
	close(fd);
	return err;
}

/* Its address, its MTU, and up. */
static int link_dress(const struct abi_iface *row)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;
	struct ifreq r = { .ifr_mtu = (int)row->mtu_bytes };

	if (fd < 0)
		return -errno;
	memcpy(r.ifr_name, row->name, sizeof(row->name));
	if (ioctl(fd, SIOCSIFMTU, &r))
		err = -errno;
	r.ifr_hwaddr = (struct sockaddr){ .sa_family = row->hardware };
	memcpy(r.ifr_hwaddr.sa_data, row->mac, sizeof(row->mac));
	if (row->hardware == ARPHRD_ETHER && ioctl(fd, SIOCSIFHWADDR, &r))
		err = -errno;
	if (ioctl(fd, SIOCGIFFLAGS, &r))
		err = -errno;
	r.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &r))
		err = -errno;
	close(fd);
	return err;
}

static int link_make(int nl, const struct abi_iface *row)
{
	int err = link_make_dummy(nl, row);

	if (err && err != -EEXIST)
		err = link_make_tun(row);
	return err ? err : link_dress(row);
}

int ifaces_make(const struct abi_iface *rows, int n)
{
	int nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), err = 0;

	if (nl < 0)
		return -errno;
	for (int i = 0; i < n && !err; i++) {
		if (rows[i].flags & IFF_LOOPBACK)
			continue;
		if (!i || rows[i].index != rows[i - 1].index)
			err = link_make(nl, &rows[i]);
		if (!err && rows[i].addr.family == 4)
			err = address_add(nl, &rows[i]);
	}
	close(nl);
	return err;
}
