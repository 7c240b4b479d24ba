/* SPDX-License-Identifier: MIT */
/* GLASS_LOOPBACK=kernel: 127.0.0.0/8 is the kernel's. */
#ifndef GLASS_PRELOAD_LOOPBACK_H
#define GLASS_PRELOAD_LOOPBACK_H

#include "ours.h"

/*
 * addr is in 127.0.0.0/8, and that is the kernel's: fd, one of ours, has become a socket of the
 * kernel's, to be bound or connected by the kernel. 1: so it is; 0: it stays ours; or -errno.
 */
int loopback_to_kernel(int fd, const struct abi_name *self, const void *addr, socklen_t size);

#endif
