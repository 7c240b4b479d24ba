/* SPDX-License-Identifier: MIT */
/*
 * The stopped ioctl(2): how much the peer has not acknowledged, and what the devices are.
 *
 * In: supervise_call.c.   Out: the preload library (ioctl.c).
 */
#include <asm/ioctls.h>
#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "iface.h"
#include "supervise.h"

#define CONF_MAX 65536 /* bytes of a list of devices */

static int64_t do_queued(const struct target *t, int fd)
{
	int value = 0;

	if (lib.ioctl(fd, (unsigned long)t->arg[1], &value))
		return -errno;
	return target_write(t, t->arg[2], &value, sizeof(value));
}

static int64_t do_one(const struct target *t, int fd)
{
	struct ifreq r;
	int err = target_read(t, t->arg[2], &r, sizeof(r));

	if (err)
		return err;
	if (lib.ioctl(fd, (unsigned long)t->arg[1], &r))
		return -errno;
	return target_write(t, t->arg[2], &r, sizeof(r));
}

static int64_t do_all(const struct target *t, int fd)
{
	struct ifconf c, here;
	int err = target_read(t, t->arg[2], &c, sizeof(c));
	char *room = NULL;

	if (err)
		return err;
	if (c.ifc_len < 0)
		return -EINVAL;
	here.ifc_len = c.ifc_len < CONF_MAX ? c.ifc_len : CONF_MAX;
	if (c.ifc_buf && !(room = malloc((size_t)here.ifc_len + 1)))
		return -ENOMEM;
	here.ifc_buf = room;
	err = lib.ioctl(fd, SIOCGIFCONF, &here) ? -errno : 0;
	if (!err && room)
		err = target_write(t, (uintptr_t)c.ifc_buf, room, (size_t)here.ifc_len);
	free(room);
	c.ifc_len = here.ifc_len;
	return err ? err : target_write(t, t->arg[2], &c, sizeof(c));
}

int64_t supervise_ioctl(const struct target *t, int fd)
{
	unsigned request = (unsigned)t->arg[1];

	if (request == SIOCOUTQ)
		return do_queued(t, fd);
	if (request == SIOCGIFCONF)
		return do_all(t, fd);
	return iface_asks_of_one(request) ? do_one(t, fd) : GO_ON;
}
