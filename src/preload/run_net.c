/* SPDX-License-Identifier: MIT */
/*
 * Namespaces for the program of `glass run`: an empty network, so that nothing passes by the stack
 * by accident, and mounts of its own where it is to see another file than the host has.
 *
 * In: run.c.   Out: run_iface.c; unshare(2), mount(2).
 */
#include "run_net.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESOLV_CONF "/etc/resolv.conf"

/* ---- the network ---- */

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Without root: inside a user namespace in which we are who we are. */
static int unshare_as_user(void)
{
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return -errno;
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	if (!write_file("/proc/self/uid_map", map))
		return -errno;
	snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	if (!write_file("/proc/self/setgroups", "deny") || !write_file("/proc/self/gid_map", map))
		return -errno;
	return 0;
}

static void loopback_up(void)
{
	struct ifreq r = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (!ioctl(fd, SIOCGIFFLAGS, &r)) {
		r.ifr_flags |= IFF_UP;
		ioctl(fd, SIOCSIFFLAGS, &r);
	}
	close(fd);
}

/*
 * lo has the stack's first address too: programs that ask "does this host have IPv4?"
 * (getaddrinfo with AI_ADDRCONFIG) look for an address that is not 127.0.0.1.
 */
static void loopback_stands_in(const struct abi_iface *rows, int n)
{
	struct ifreq r = { .ifr_name = "lo:1" };
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&r.ifr_addr;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	while (n && (rows->flags & IFF_LOOPBACK || rows->addr.family != 4)) {
		rows++;
		n--;
	}
	if (fd >= 0 && n) {
		*in = (struct sockaddr_in){ .sin_family = AF_INET };
		memcpy(&in->sin_addr, rows->addr.addr, 4);
		ioctl(fd, SIOCSIFADDR, &r);
		in->sin_addr.s_addr = INADDR_BROADCAST; /* a netmask of 32 bits */
		ioctl(fd, SIOCSIFNETMASK, &r);
	}
	if (fd >= 0)
		close(fd);
}

int net_enter(const struct abi_iface *rows, int n)
{
	int err = unshare(CLONE_NEWNET) ? -errno : 0;

	if (err == -EPERM && geteuid())
		err = unshare_as_user();
	if (err)
		return err;
	loopback_up();
	if (ifaces_make(rows, n))
		loopback_stands_in(rows, n);
	return 0;
}

/* ---- the resolver ---- */

/* A file with that text; its name in path. 0 or -errno. */
static int file_make(const char *dir, const char *text, char path[PATH_MAX])
{
	int fd, err = 0;

	snprintf(path, PATH_MAX, "%s/resolv.XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text) || fchmod(fd, 0644))
		err = -errno;
	close(fd);
	if (err)
		unlink(path);
	return err;
}

int net_resolver(const char *dir, const char *text, const char *path, const char **why)
{
	char made[PATH_MAX];
	int err = 0;

	*why = "no mount namespace for a " RESOLV_CONF " of the program's own";
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	*why = "no file for the program's " RESOLV_CONF;
	if (text && (err = file_make(dir, text, made)))
		return err;
	*why = "cannot put a file in the place of " RESOLV_CONF;
	if (mount(text ? made : path, RESOLV_CONF, NULL, MS_BIND, NULL))
		err = -errno;
	if (text)
		unlink(made);
	return err;
}
