/* SPDX-License-Identifier: MIT */
/*
 * ioctl(2): FIONBIO, FIONREAD and SIOCATMARK are the kernel's; how much the peer has not
 * acknowledged yet, and what the devices are, is the stack's.
 *
 * In: the program.   Out: iface_ioctl.c; src/daemon/program_option.c (QUEUED).
 */
#include <stdarg.h>
#include <asm/ioctls.h>
#include <linux/sockios.h>

#include "call.h"
#include "iface.h"
#include "ours.h"

WRAP(int, ioctl, int fd, unsigned long request, ...);

static int queued(const struct abi_name *self, int *out)
{
	struct call c = { .req = { .head = { .op = ABI_QUEUED }, .token = self->token } };
	int err = call_daemon(&c);

	if (!out)
		return -EFAULT;
	if (!err)
		*out = (int)c.rep.value[0];
	return err;
}

int wrap_ioctl(int fd, unsigned long request, ...)
{
	struct abi_name self;
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if ((unsigned)request == SIOCOUTQ &&
	    ours(fd, &self)) /* on a terminal the same number is TIOCOUTQ */
		return (int)result_of(queued(&self, arg));
	if (request >> 8 == SOCK_IOC_TYPE && ours(fd, &self)) {
		int err = iface_ioctl((unsigned)request, arg);

		if (err != IFACE_OTHER)
			return (int)result_of(err);
	}
	return (int)result_of(raw3(SYS_ioctl, fd, (long)request, addr_of(arg)));
}
