/* SPDX-License-Identifier: MIT */
/* Which processes have a socket open: by its inode, as ss -p and lsof find it. */
#ifndef GLASS_CTL_PROCESS_H
#define GLASS_CTL_PROCESS_H

#include <stdint.h>

struct holder {
	uint64_t inode;
	int pid, fd;
	char name[20];
};

/* Looks at all processes that may be looked at; what was found before is forgotten. */
void holders_find(void);
/* The first of those that hold it; *count of them follow each other. NULL: nobody does. */
const struct holder *holders_of(uint64_t inode, unsigned *count);

#endif
