/* SPDX-License-Identifier: MIT */
/* What INFO answers as data: TCP_INFO and TCP_CONGESTION as Linux has them. */
#ifndef GLASS_ABI_INFO_H
#define GLASS_ABI_INFO_H

#include <stdint.h>

#define ABI_TCP_INFO_MAX 256

struct abi_info {
	char congestion[16];
	uint32_t tcp_info_bytes;
	uint8_t tcp_info[ABI_TCP_INFO_MAX]; /* struct tcp_info of Linux */
};

#endif
