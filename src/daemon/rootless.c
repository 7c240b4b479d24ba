/* SPDX-License-Identifier: MIT */
/*
 * --rootless: a user namespace in which we may make devices, and a network namespace to make them
 * in. We are who we are there, so files and the control socket are as before; other users do not
 * exist in it. The namespaces last as long as the daemon and whoever joined it (glass host).
 */
#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

static bool map_ourselves(uid_t uid, gid_t gid)
{
	char users[32], groups[32];

	snprintf(users, sizeof(users), "%u %u 1", (unsigned)uid, (unsigned)uid);
	snprintf(groups, sizeof(groups), "%u %u 1", (unsigned)gid, (unsigned)gid);
	return write_file("/proc/self/uid_map", users) &&
	       write_file("/proc/self/setgroups", "deny") &&
	       write_file("/proc/self/gid_map", groups);
}

static bool loopback_up(void)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && !ioctl(fd, SIOCSIFFLAGS, &r);

	if (fd >= 0)
		close(fd);
	return ok;
}

bool rootless_enter(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET)) {
		notice("--rootless: no user namespace: %s. Where they are forbidden, root allows "
		       "them "
		       "by: sysctl kernel.unprivileged_userns_clone=1 "
		       "user.max_user_namespaces=10000 "
		       "kernel.apparmor_restrict_unprivileged_userns=0; or take --user, which "
		       "needs "
		       "none",
		       strerror(errno));
		return false;
	}
	if (map_ourselves(uid, gid) && loopback_up())
		return true;
	notice("--rootless: the new namespaces: %s", strerror(errno));
	return false;
}
