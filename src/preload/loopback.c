/* SPDX-License-Identifier: MIT */
/*
 * Loopback left to the kernel (`glass run --loopback=kernel`). A socket is on the stack until it is
 * bound, connected or sent to 127.0.0.0/8: then a socket of the kernel's takes its number, with the
 * options that are usually set before. An epoll instance does not know it by then: programs add
 * their sockets after connect or listen.
 *
 * In: socket.c, listen.c, transfer.c.   Out: socket(2), option.c.
 */
#include "loopback.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "../abi/path.h"

int wrap_getsockopt(int, int, int, void *, socklen_t *) __asm__("getsockopt");

static bool is_kernels(void)
{
	const char *word = env_get(ABI_ENV_LOOPBACK);

	return word && *word == 'k';
}

static void copy_option(int from, int to, int level, int option)
{
	socklen_t size = sizeof(int);
	int value = 0;

	if (!wrap_getsockopt(from, level, option, &value, &size) && value)
		raw5(SYS_setsockopt, to, level, option, addr_of(&value), size);
}

static void copy_time(int from, int to, int option)
{
	char value[16]; /* struct timeval */
	socklen_t size = sizeof(value);

	if (!raw5(SYS_getsockopt, from, SOL_SOCKET, option, addr_of(value), addr_of(&size)))
		raw5(SYS_setsockopt, to, SOL_SOCKET, option, addr_of(value), size);
}

static void copy_options(int from, int to, uint8_t proto)
{
	static const int of_socket[] = { SO_REUSEADDR, SO_REUSEPORT, SO_KEEPALIVE, SO_BROADCAST };

	for (unsigned i = 0; i < sizeof(of_socket) / sizeof(of_socket[0]); i++)
		copy_option(from, to, SOL_SOCKET, of_socket[i]);
	if (proto == ABI_TCP)
		copy_option(from, to, IPPROTO_TCP, TCP_NODELAY);
	copy_time(from, to, SO_RCVTIMEO);
	copy_time(from, to, SO_SNDTIMEO);
}

static long kernel_socket(const struct abi_name *self)
{
	return raw3(SYS_socket, self->family == 6 ? AF_INET6 : AF_INET,
		    (self->proto == ABI_TCP ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC,
		    self->proto == ABI_PING ? IPPROTO_ICMP : 0);
}

int loopback_to_kernel(int fd, const struct abi_name *self, const void *addr, socklen_t size)
{
	long status, on_exec, fresh, err;
	struct abi_name peer;
	struct abi_end to;

	if (self->proto == ABI_RAW || !is_kernels() || end_of_sockaddr(self, addr, size, &to) ||
	    abi_end_ip4(&to) >> 24 != IN_LOOPBACKNET || peer_of(fd, &peer))
		return 0;
	status = raw3(SYS_fcntl, fd, F_GETFL, 0);
	on_exec = raw3(SYS_fcntl, fd, F_GETFD, 0);
	fresh = kernel_socket(self);
	if (fresh < 0)
		return (int)fresh;
	copy_options(fd, (int)fresh, self->proto);
	raw3(SYS_fcntl, fresh, F_SETFL, status);
	err = raw3(SYS_dup3, fresh, fd, on_exec & FD_CLOEXEC ? O_CLOEXEC : 0);
	raw_close((int)fresh);
	return err < 0 ? (int)err : 1;
}
