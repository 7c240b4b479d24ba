/* SPDX-License-Identifier: MIT */
/* close(2) with SO_LINGER: close.c. */
#ifndef GLASS_PRELOAD_CLOSE_H
#define GLASS_PRELOAD_CLOSE_H

/* A socket of this process was told to wait when it is closed. */
void close_may_linger(void);

#endif
