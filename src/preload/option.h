/* SPDX-License-Identifier: MIT */
/* Socket options that are more than a number: group.c. */
#ifndef GLASS_PRELOAD_OPTION_H
#define GLASS_PRELOAD_OPTION_H

#include "ours.h"

#define OPTION_OF_OTHERS 1 /* it is none of these */

/* Of level IPPROTO_IP: memberships and filters. 0, -errno or OPTION_OF_OTHERS. */
int group_setopt(const struct abi_name *self, int name, const void *value, socklen_t size);
int group_getopt(const struct abi_name *self, int name, void *value, socklen_t *size);
/* Devices that a socket is bound to, or sends by; likewise. */
int device_setopt(const struct abi_name *self, int level, int name, const void *value,
		  socklen_t size);
int device_getopt(const struct abi_name *self, int level, int name, void *value, socklen_t *size);
/* option.c: as getsockopt(2) gives a value of full bytes. 0 or -errno. */
int option_give(void *value, socklen_t *size, const void *from, socklen_t full);

#endif
