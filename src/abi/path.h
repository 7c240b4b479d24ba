/* SPDX-License-Identifier: MIT */
/*
 * Where the control socket lies: DIR/STACK.sock. DIR is the environment's GLASS_DIR, else
 * /run/glass for root, else $XDG_RUNTIME_DIR/glass, else /tmp/glass-UID. STACK is GLASS_STACK, else
 * "default". Needs no library: it serves the preload library too.
 *
 * In: src/daemon, src/ctl, src/preload.
 */
#ifndef GLASS_ABI_PATH_H
#define GLASS_ABI_PATH_H

#include <stdbool.h>

#define ABI_ENV_DIR "GLASS_DIR"
#define ABI_ENV_STACK "GLASS_STACK"
#define ABI_ENV_RESOLVER "GLASS_RESOLVER" /* "libc", or a resolv.conf: see names.c */
#define ABI_ENV_LOOPBACK "GLASS_LOOPBACK" /* "kernel": 127.0.0.0/8 is not the stack's */
#define ABI_DEFAULT_STACK "default"
#define ABI_STACK_NAME_MAX 32
#define ABI_PATH_MAX 108 /* sizeof sun_path */

/* Appends at *at; false: no room. */
static inline bool abi_path_add(char out[ABI_PATH_MAX], unsigned *at, const char *s)
{
	for (; *s; s++) {
		if (*at + 1 >= ABI_PATH_MAX)
			return false;
		out[(*at)++] = *s;
	}
	out[*at] = 0;
	return true;
}

static inline bool abi_path_add_uid(char out[ABI_PATH_MAX], unsigned *at, unsigned uid)
{
	char digits[12];
	char *p = digits + sizeof(digits) - 1;

	*p = 0;
	do
		*--p = (char)('0' + uid % 10);
	while (uid /= 10);
	return abi_path_add(out, at, p);
}

/* Letters, digits, '-', '_', '.', and no leading '.': a name that is also a file's. */
static inline bool abi_stack_name_ok(const char *s)
{
	unsigned n = 0;

	if (*s == '.')
		return false;
	for (; s[n]; n++) {
		char c = s[n];

		if (n == ABI_STACK_NAME_MAX ||
		    !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '_' || c == '.'))
			return false;
	}
	return n > 0;
}

/* The directory; env is getenv(3) or alike. false: too long. */
static inline bool abi_dir(char out[ABI_PATH_MAX], char *(*env)(const char *), unsigned uid)
{
	unsigned at = 0;
	const char *dir = env(ABI_ENV_DIR), *run = env("XDG_RUNTIME_DIR");

	if (dir && *dir)
		return abi_path_add(out, &at, dir);
	if (!uid)
		return abi_path_add(out, &at, "/run/glass");
	if (run && *run)
		return abi_path_add(out, &at, run) && abi_path_add(out, &at, "/glass");
	return abi_path_add(out, &at, "/tmp/glass-") && abi_path_add_uid(out, &at, uid);
}

/* The control socket in dir. false: too long. */
static inline bool abi_socket_path(char out[ABI_PATH_MAX], const char *dir, const char *stack)
{
	unsigned at = 0;

	return abi_path_add(out, &at, dir) && abi_path_add(out, &at, "/") &&
	       abi_path_add(out, &at, stack) && abi_path_add(out, &at, ".sock");
}

#endif
