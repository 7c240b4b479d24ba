/* SPDX-License-Identifier: MIT */
/*
 * What INFO answers as data: TCP_INFO and TCP_CONGESTION as Linux has them. A header of its own,
 * because <linux/tcp.h> and <netinet/tcp.h> exclude each other.
 */
#ifndef GLASS_ABI_INFO_H
#define GLASS_ABI_INFO_H

#include <linux/tcp.h>

struct abi_info {
	char congestion[16];
	struct tcp_info tcp_info;
};

#endif
