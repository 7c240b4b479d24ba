/* SPDX-License-Identifier: MIT */
/*
 * Which system calls the supervisor is asked about (seccomp(2)): those in which an address, an
 * option, a new socket of IPv4 or IPv6 or an error that AF_UNIX calls by another name may appear.
 * Everything else runs untouched. The preload library marks its own calls (raw.h), so that a
 * program it could be loaded into is not stopped for what it has done already. io_uring would pass
 * by: it does not exist.
 *
 * In: run.c.   Out: seccomp(2).
 */
#include "supervise.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "raw.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1ul << 5)
#endif

static int add_rules(scmp_filter_ctx c)
{
	static const int always[] = { SCMP_SYS(bind),	     SCMP_SYS(listen),
				      SCMP_SYS(connect),     SCMP_SYS(accept),
				      SCMP_SYS(accept4),     SCMP_SYS(getsockname),
				      SCMP_SYS(getpeername), SCMP_SYS(getsockopt),
				      SCMP_SYS(setsockopt),  SCMP_SYS(sendmsg),
				      SCMP_SYS(recvmsg),     SCMP_SYS(sendmmsg),
				      SCMP_SYS(recvmmsg),    SCMP_SYS(shutdown),
				      SCMP_SYS(sendto),	     SCMP_SYS(recvfrom) };
	struct scmp_arg_cmp unmarked = SCMP_A5(SCMP_CMP_NE, RAW_MARK);
	int err = 0;

	for (unsigned i = 0; !err && i < sizeof(always) / sizeof(always[0]); i++)
		err = seccomp_rule_add(c, SCMP_ACT_NOTIFY, always[i], 1, unmarked);
	for (int family = AF_INET; !err && family <= AF_INET6; family += AF_INET6 - AF_INET)
		err = seccomp_rule_add(c, SCMP_ACT_NOTIFY, SCMP_SYS(socket), 2,
				       SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family), unmarked);
	if (!err)
		err = seccomp_rule_add(c, SCMP_ACT_NOTIFY, SCMP_SYS(ioctl), 2,
				       SCMP_A1(SCMP_CMP_EQ, SIOCOUTQ), unmarked);
	if (!err)
		err = seccomp_rule_add(c, SCMP_ACT_NOTIFY, SCMP_SYS(ioctl), 2,
				       SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffff00, SOCK_IOC_TYPE << 8),
				       unmarked);
	if (!err)
		err = seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(io_uring_setup), 0);
	return err;
}

/* The filter's instructions; free() them. NULL: errno. */
static struct sock_filter *filter_build(unsigned short *length)
{
	scmp_filter_ctx c = seccomp_init(SCMP_ACT_ALLOW);
	int fd = memfd_create("glass-filter", MFD_CLOEXEC);
	struct sock_filter *code = NULL;
	off_t bytes = 0;

	/* A program of another architecture (32 bits) is not ours to reach, nor to kill. */
	if (c && fd >= 0 && !seccomp_attr_set(c, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW) &&
	    !add_rules(c) && !seccomp_export_bpf(c, fd))
		bytes = lseek(fd, 0, SEEK_END);
	if (bytes > 0 && (code = malloc((size_t)bytes)) &&
	    pread(fd, code, (size_t)bytes, 0) == bytes)
		*length = (unsigned short)((size_t)bytes / sizeof(*code));
	else {
		free(code);
		code = NULL;
		errno = ENOMEM;
	}
	if (fd >= 0)
		close(fd);
	seccomp_release(c);
	return code;
}

int filter_install(void)
{
	struct sock_fprog prog;
	unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	int fd;

	prog.filter = filter_build(&prog.len);
	if (!prog.filter)
		return -errno;
	/* Root needs no promise not to gain rights, and su(1) goes on working. */
	fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			  flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &prog);
	if (fd < 0 && errno == EACCES && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				  flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &prog);
	if (fd < 0)
		fd = -errno;
	free(prog.filter);
	return fd;
}
