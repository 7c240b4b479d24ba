/* SPDX-License-Identifier: MIT */
/*
 * What recvmsg() through packetdrill's interface tells beside bytes: the error queue (MSG_ZEROCOPY,
 * SO_TIMESTAMPING) and TCP_INQ. The scripts' language here has no words for it.
 *
 *	told ADAPTER
 */
#include <time.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

#define PEER_ISN 5000u
#define MS 1000u

static struct packetdrill_interface ifc;
static struct segment last; /* what left last */

static void must(bool ok, int line, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "%s:%d: %s\n", __FILE__, line, what);
	exit(1);
}
#define MUST(condition) must(condition, __LINE__, #condition)

/* ---- the wire -------------------------------------------------------------------------------- */

static int64_t now_us(void)
{
	struct timeval tv;

	ifc.gettimeofday(ifc.userdata, &tv, NULL);
	return tv.tv_sec * 1000000ll + tv.tv_usec;
}

static void leaves(void)
{
	uint8_t frame[4096];
	size_t length = sizeof(frame);
	long long at_us;

	MUST(!ifc.netdev_receive(ifc.userdata, frame, &length, &at_us) && length);
	MUST(segment_parse(frame, length, &last));
}

/* The peer: place counts its bytes from 0, and acknowledges all that left. */
static void comes(uint8_t flags, uint32_t place, uint32_t len)
{
	struct segment s = { .flags = flags, .seq = PEER_ISN + place, .len = len, .win = 60000 };
	uint8_t frame[4096];
	size_t n;

	s.ack = last.seq + last.len + (last.flags & 2 ? 1 : 0);
	s.ack_ok = s.win_ok = true;
	s.sport = last.dport;
	s.dport = last.sport;
	n = segment_build(&s, frame, REMOTE_ADDR, LOCAL_ADDR);
	MUST(!ifc.netdev_send(ifc.userdata, frame, n));
}

static int connected(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = ifc.socket(ifc.userdata, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP);

	to.sin_addr.s_addr = htonl(REMOTE_ADDR);
	MUST(ifc.connect(ifc.userdata, fd, (struct sockaddr *)&to, sizeof(to)) == -1 &&
	     errno == EINPROGRESS);
	leaves();
	comes(2 | 16, 0, 0);
	leaves();
	return fd;
}

static int set(int fd, int level, int name, int value)
{
	return ifc.setsockopt(ifc.userdata, fd, level, name, &value, sizeof(value));
}

/* ---- what is told ---------------------------------------------------------------------------- */

static union {
	struct cmsghdr align;
	uint8_t bytes[512];
} control;
static struct msghdr msg;

static ssize_t receive(int fd, size_t length, int flags)
{
	static char bytes[4096];
	static struct iovec iov;

	iov = (struct iovec){ bytes, length };
	msg = (struct msghdr){ .msg_iov = &iov,
			       .msg_iovlen = 1,
			       .msg_control = control.bytes,
			       .msg_controllen = sizeof(control.bytes) };
	return ifc.recvmsg(ifc.userdata, fd, &msg, flags);
}

static const void *told(int level, int type)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == level && c->cmsg_type == type)
			return CMSG_DATA(c);
	return NULL;
}

static short polled(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	ifc.poll(ifc.userdata, &p, 1, 0);
	return p.revents;
}

static void zerocopy(void)
{
	struct sock_extended_err ee;
	int fd = connected();

	MUST(ifc.send(ifc.userdata, fd, "a", 1, MSG_ZEROCOPY) == 1); /* nobody asked */
	MUST(receive(fd, 0, MSG_ERRQUEUE) == -1 && errno == EAGAIN);
	MUST(!set(fd, SOL_SOCKET, SO_ZEROCOPY, 1));
	MUST(set(fd, SOL_SOCKET, SO_ZEROCOPY, 2) == -1 && errno == EINVAL);
	for (int i = 0; i < 3; i++)
		MUST(ifc.send(ifc.userdata, fd, "b", 1, MSG_ZEROCOPY) == 1);
	MUST(polled(fd) == (POLLOUT | POLLERR));
	MUST(!receive(fd, 0, MSG_ERRQUEUE) && msg.msg_flags == MSG_ERRQUEUE);
	MUST(told(IPPROTO_IP, IP_RECVERR));
	memcpy(&ee, told(IPPROTO_IP, IP_RECVERR), sizeof(ee));
	MUST(!ee.ee_errno && ee.ee_origin == SO_EE_ORIGIN_ZEROCOPY);
	MUST(ee.ee_code == SO_EE_CODE_ZEROCOPY_COPIED && ee.ee_info == 0 && ee.ee_data == 2);
	MUST(polled(fd) == POLLOUT);
	MUST(receive(fd, 0, MSG_ERRQUEUE) == -1 && errno == EAGAIN);
	ifc.close(ifc.userdata, fd);
}

static void is_stamp(int fd, uint32_t what, uint32_t byte, int64_t time_us)
{
	struct scm_timestamping times;
	struct sock_extended_err ee;
	int64_t at_us;

	MUST(!receive(fd, 0, MSG_ERRQUEUE) && msg.msg_flags == (MSG_ERRQUEUE | MSG_TRUNC));
	MUST(told(IPPROTO_IP, IP_RECVERR) && told(SOL_SOCKET, SCM_TIMESTAMPING));
	memcpy(&ee, told(IPPROTO_IP, IP_RECVERR), sizeof(ee));
	memcpy(&times, told(SOL_SOCKET, SCM_TIMESTAMPING), sizeof(times));
	MUST(ee.ee_errno == ENOMSG && ee.ee_origin == SO_EE_ORIGIN_TIMESTAMPING);
	MUST(ee.ee_info == what && ee.ee_data == byte);
	at_us = times.ts[0].tv_sec * 1000000ll + times.ts[0].tv_nsec / 1000;
	MUST(at_us > time_us - 100 && at_us < time_us + 100);
}

static void timestamping(void)
{
	int fd = connected();
	int64_t sent_us;

	MUST(ifc.write(ifc.userdata, fd, "before", 6) == 6);
	leaves();
	comes(16, 1, 0);
	MUST(!set(fd, SOL_SOCKET, SO_TIMESTAMPING,
		  SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_SOFTWARE |
			  SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE |
			  SOF_TIMESTAMPING_OPT_ID));
	sent_us = now_us();
	MUST(ifc.write(ifc.userdata, fd, "0123456789", 10) == 10);
	leaves();
	ifc.usleep(ifc.userdata, 20 * MS);
	comes(16, 1, 0);
	is_stamp(fd, SCM_TSTAMP_SCHED, 9, sent_us);
	is_stamp(fd, SCM_TSTAMP_SND, 9, sent_us);
	is_stamp(fd, SCM_TSTAMP_ACK, 9, sent_us + (int64_t)(20 * MS));
	MUST(receive(fd, 0, MSG_ERRQUEUE) == -1 && errno == EAGAIN);
	ifc.close(ifc.userdata, fd);
}

static void inq(void)
{
	int fd = connected(), left = -1;

	comes(16, 1, 1000);
	MUST(receive(fd, 300, 0) == 300 && !told(IPPROTO_TCP, TCP_CM_INQ));
	MUST(!set(fd, IPPROTO_TCP, TCP_INQ, 1));
	MUST(receive(fd, 300, 0) == 300 && told(IPPROTO_TCP, TCP_CM_INQ));
	memcpy(&left, told(IPPROTO_TCP, TCP_CM_INQ), sizeof(left));
	MUST(left == 400);
	comes(1 | 16, 1001, 0); /* a FIN: the end counts for one */
	MUST(receive(fd, 400, 0) == 400);
	memcpy(&left, told(IPPROTO_TCP, TCP_CM_INQ), sizeof(left));
	MUST(left == 1);
	MUST(receive(fd, 400, 0) == 0);
	ifc.close(ifc.userdata, fd);
}

/* What a card has merged tells by its segments what size the peer sends, not by the whole. */
static void merged(void)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);
	int fd = connected();

	comes(16, 1, 3000);
	leaves();
	MUST(last.ack == PEER_ISN + 3001);
	MUST(!ifc.getsockopt(ifc.userdata, fd, IPPROTO_TCP, TCP_INFO, &info, &size));
	MUST(info.tcpi_rcv_mss == 1000);
	ifc.close(ifc.userdata, fd);
}

int main(int argc, char **argv)
{
	void *handle = argc == 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
	void (*const tests[])(void) = { zerocopy, timestamping, inq, merged };
	void (*init)(const char *flags, struct packetdrill_interface *out);

	if (!handle) {
		fprintf(stderr, "told ADAPTER: %s\n", argc == 2 ? dlerror() : "");
		return 2;
	}
	*(void **)&init = dlsym(handle, "packetdrill_interface_init");
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		init("local=192.168.0.1/16,mss=1000", &ifc); /* each has a stack of its own */
		tests[i]();
		ifc.free(ifc.userdata);
	}
	dlclose(handle);
	return 0;
}
