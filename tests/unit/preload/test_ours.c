/* SPDX-License-Identifier: MIT */
/*
 * The preload library's view of descriptors and addresses, on real AF_UNIX pairs named as the
 * daemon names them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../../src/preload/ours.h"

static void name_end(int fd, const struct abi_name *n)
{
	struct sockaddr_un u = { .sun_family = AF_UNIX };
	unsigned length = abi_name_write(u.sun_path, n);

	assert_int_equal(bind(fd, (struct sockaddr *)&u,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
			 0);
}

/* A token that no other test has at the same time: names are the network namespace's. */
static uint64_t token(void)
{
	static uint64_t n;

	return (uint64_t)getpid() << 32 | ++n;
}

static void test_ours(void **state)
{
	struct abi_name p = { .kind = 'p', .token = token(), .family = 6, .proto = ABI_UDP }, got;
	struct abi_name c = { .kind = 'c',
			      .token = p.token,
			      .local = abi_end_of_ip4(1, 2),
			      .remote = abi_end_of_ip4(3, 4) };
	int pair[2], inet = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_false(ours(pair[1], &got)); /* no name */
	name_end(pair[1], &p);
	assert_true(ours(pair[1], &got));
	assert_memory_equal(&got, &p, sizeof(p));
	assert_int_equal(peer_of(pair[1], &got), 0);
	name_end(pair[0], &c);
	assert_int_equal(peer_of(pair[1], &got), 'c');
	assert_memory_equal(&got, &c, sizeof(c));
	close(pair[0]);
	assert_int_equal(peer_of(pair[1], &got), 'c'); /* the name outlives the end */
	assert_false(ours(inet, &got));
	assert_false(ours(0, &got));
	assert_false(ours(-1, &got));
	close(inet);
	close(pair[1]);
}

static void test_plug(void **state)
{
	struct pollfd p = { .events = POLLOUT };
	int pair[2], size = ABI_END_SNDBUF;
	static char trash[2 * ABI_PLUG_BYTES];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	p.fd = pair[1];
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_int_equal(plug_fd(pair[1]), ABI_PLUG_BYTES);
	assert_int_equal(poll(&p, 1, 0), 0);
	/* All but the last byte, the canary, is read: writable. */
	assert_int_equal(recv(pair[0], trash, ABI_PLUG_BYTES - 1, MSG_WAITALL), ABI_PLUG_BYTES - 1);
	assert_int_equal(poll(&p, 1, 0), 1);
	close(pair[0]);
	close(pair[1]);
}

static void test_addresses4(void **state)
{
	struct abi_name self = { .family = 4 };
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(80),
				  .sin_addr.s_addr = htonl(0x0a000005) },
			   out;
	struct abi_end e;
	socklen_t size = sizeof(out);

	(void)state;
	assert_int_equal(end_of_sockaddr(&self, &in, sizeof(in), &e), 0);
	assert_int_equal(abi_end_ip4(&e), 0x0a000005);
	assert_int_equal(e.port, 80);
	assert_int_equal(end_of_sockaddr(&self, &in, sizeof(in) - 1, &e), -EINVAL);
	assert_int_equal(end_of_sockaddr(&self, NULL, sizeof(in), &e), -EFAULT);
	assert_int_equal(sockaddr_of_end(4, &e, &out, &size), 0);
	assert_int_equal(size, sizeof(out));
	assert_memory_equal(&in, &out, sizeof(in));
	size = 4;
	memset(&out, 0xee, sizeof(out));
	assert_int_equal(sockaddr_of_end(4, &e, &out, &size), 0);
	assert_int_equal(size, sizeof(out)); /* the full size, though cut */
	assert_int_equal(((uint8_t *)&out)[4], 0xee);
	size = (socklen_t)-1;
	assert_int_equal(sockaddr_of_end(4, &e, &out, &size), -EINVAL);
	in.sin_family = AF_INET6;
	assert_int_equal(end_of_sockaddr(&self, &in, sizeof(in), &e), -EAFNOSUPPORT);
}

static void test_addresses6(void **state)
{
	struct abi_name self = { .family = 6 };
	struct sockaddr_in6 in = { .sin6_family = AF_INET6, .sin6_port = htons(80) }, out;
	struct abi_end e;
	socklen_t size = sizeof(out);

	(void)state;
	assert_int_equal(end_of_sockaddr(&self, &in, sizeof(in), &e), 0); /* :: */
	assert_int_equal(abi_end_ip4(&e), 0);
	inet_pton(AF_INET6, "::ffff:10.0.0.5", &in.sin6_addr);
	assert_int_equal(end_of_sockaddr(&self, &in, 24, &e),
			 0); /* RFC 2133's size, without scope */
	assert_int_equal(abi_end_ip4(&e), 0x0a000005);
	assert_int_equal(sockaddr_of_end(6, &e, &out, &size), 0);
	assert_int_equal(size, sizeof(out));
	assert_memory_equal(&in, &out, sizeof(in));
	inet_pton(AF_INET6, "2001:db8::1", &in.sin6_addr);
	assert_int_equal(end_of_sockaddr(&self, &in, sizeof(in), &e), -EADDRNOTAVAIL);
	inet_pton(AF_INET6, "::1", &in.sin6_addr);
	assert_int_equal(end_of_sockaddr(&self, &in, sizeof(in), &e), -EADDRNOTAVAIL);
	assert_int_equal(end_of_sockaddr(&self, &in, sizeof(struct sockaddr_in), &e), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_plug),
		cmocka_unit_test(test_addresses4),
		cmocka_unit_test(test_addresses6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
