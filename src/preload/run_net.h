/* SPDX-License-Identifier: MIT */
/* The program's surroundings: an empty network namespace, a resolv.conf of its own. */
#ifndef GLASS_PRELOAD_RUN_NET_H
#define GLASS_PRELOAD_RUN_NET_H

#include "../abi/iface.h"

/* A network namespace with nothing in it but lo, and pictures of the stack's devices. 0 or -errno.
 */
int net_enter(const struct abi_iface *rows, int n);
/* run_iface.c: those pictures. 0 or -errno. */
int ifaces_make(const struct abi_iface *rows, int n);
/*
 * /etc/resolv.conf, for this process and its descendants, has that text, or is the file at path
 * when text is NULL. dir: where a file may be made for a moment. 0, or -errno and *why.
 */
int net_resolver(const char *dir, const char *text, const char *path, const char **why);

#endif
