/* SPDX-License-Identifier: MIT */
/*
 * glass host: a program on the kernel's side of the device. With a rootless stack that is a network
 * namespace which nobody else sees; otherwise it is where the daemon runs.
 */
#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What programs on that side want to do: take low ports, capture, set addresses and routes. */
static const unsigned kept[] = { CAP_NET_BIND_SERVICE, CAP_NET_ADMIN, CAP_NET_RAW };

static int open_namespace(int pid, const char *kind)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, kind);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool is_ours(int fd, const char *kind)
{
	struct stat theirs, ours;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	return !fstat(fd, &theirs) && !stat(path, &ours) && theirs.st_ino == ours.st_ino;
}

/* Joins that namespace of the daemon's, if it is not ours already. 0 or -errno. */
static int join(int pid, const char *kind, int type)
{
	int fd = open_namespace(pid, kind), err = 0;

	if (fd < 0)
		return -errno;
	if (!is_ours(fd, kind) && setns(fd, type))
		err = -errno;
	close(fd);
	return err;
}

/* In a user namespace that we joined we may everything, but an ordinary user's exec would lose it.
 */
static void keep_rights(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) < 0)
		return;
	for (unsigned i = 0; i < COUNT(kept); i++)
		data[CAP_TO_INDEX(kept[i])].inheritable |=
			data[CAP_TO_INDEX(kept[i])].permitted & CAP_TO_MASK(kept[i]);
	syscall(SYS_capset, &header, data);
	for (unsigned i = 0; i < COUNT(kept); i++)
		prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kept[i], 0, 0);
}

static int daemon_pid(int *pid)
{
	struct reply rep;
	int err = client_open();

	if (err)
		return err;
	err = client_call(ABI_HELLO, NULL, "glass", -1, &rep);
	client_close();
	*pid = (int)rep.head.value[0];
	return err ? client_failed("host", err, &rep) : 0;
}

int cmd_host(const struct command *self, int argc, char **argv)
{
	int n = opt_parse_until_operand(self, NULL, 0, argc, argv), pid = 0, err;

	if (n < 0)
		return EXIT_USAGE;
	if (!n)
		return usage(self, "which program?");
	err = daemon_pid(&pid);
	if (err)
		return err;
	/* Root joins the network without the user namespace, and stays root. */
	err = geteuid() ? join(pid, "user", CLONE_NEWUSER) : 0;
	if (!err)
		err = join(pid, "net", CLONE_NEWNET);
	if (err)
		return failed(
			"cannot join the daemon's namespaces: %s\nis the stack another user's? "
			"type: glass status",
			strerror(-err));
	keep_rights();
	execvp(argv[1], argv + 1);
	err = errno;
	failed("%s: %s", argv[1], strerror(err));
	return err == ENOENT ? 127 : 126;
}
