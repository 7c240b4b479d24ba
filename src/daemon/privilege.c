/* SPDX-License-Identifier: MIT */
/*
 * Giving up what is not needed once the device is open: every capability, in every set, and the
 * means to get one back. It is read back, because a set that was forgotten looks like success (our
 * forerunner cleared the bounding set only, and kept CAP_NET_ADMIN in the two that count).
 */
#include "start.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOFILE_WANTED \
	1048576 /* two descriptors per connection; more only where the limit allows it */

void privilege_raise_nofile(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	if (limit.rlim_max <
	    NOFILE_WANTED) { /* raising the hard limit takes CAP_SYS_RESOURCE: never mind */
		struct rlimit more = { NOFILE_WANTED, NOFILE_WANTED };

		if (!setrlimit(RLIMIT_NOFILE, &more))
			return;
	}
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int caps_read(struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3])
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };

	return syscall(SYS_capget, &header, data) < 0 ? -errno : 0;
}

static int caps_clear(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

/*
 * What a later exec could gain. Without CAP_SETPCAP it stays, and no_new_privs makes it worthless.
 */
static void bounding_clear(void)
{
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

static bool bounding_is_empty(void)
{
	int has;

	for (unsigned long cap = 0; (has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0)) >= 0; cap++) {
		if (has)
			return false;
	}
	return true;
}

static bool has_setpcap(void)
{
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	return !caps_read(data) &&
	       data[CAP_TO_INDEX(CAP_SETPCAP)].effective & CAP_TO_MASK(CAP_SETPCAP);
}

static bool caps_are_gone(void)
{
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (caps_read(data))
		return false;
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		if (data[i].effective || data[i].permitted || data[i].inheritable)
			return false;
	}
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

bool privilege_drop(void)
{
	bool bounding = has_setpcap();
	int rc;

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	bounding_clear();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		notice("cannot forbid new privileges: %s", strerror(errno));
		return false;
	}
	rc = caps_clear();
	if (rc) {
		notice("cannot give up the capabilities: %s", strerror(-rc));
		return false;
	}
	if (!caps_are_gone() || (bounding && !bounding_is_empty())) {
		notice("capabilities are left after giving them up: not going on");
		return false;
	}
	return true;
}
