/* SPDX-License-Identifier: MIT */
/* Side by side: who may share a port with whom (SO_REUSEADDR, SO_REUSEPORT, SO_BINDTODEVICE). */
#define _GNU_SOURCE
#include "mirror.h"

#include <stdbool.h>

#define LISTENERS 4
#define FLOWS 80

static const char *const reuse_name[] = { "alone", "ADDR", "PORT", "both" };
static const char *const addr_name[] = { "any", "127.0.0.1", "127.0.0.2" };

static struct sockaddr_in addr_of(int which, int port)
{
	struct sockaddr_in a = local_addr(port);

	a.sin_addr.s_addr = which ? htonl(INADDR_LOOPBACK - 1 + (unsigned)which) : 0;
	return a;
}

static int sock_with(int type, int reuse)
{
	int fd = socket(AF_INET, type, 0);

	set(fd, SOL_SOCKET, SO_REUSEADDR, reuse & 1);
	set(fd, SOL_SOCKET, SO_REUSEPORT, reuse >> 1);
	return fd;
}

static int bind_at(int fd, int addr, int port)
{
	struct sockaddr_in a = addr_of(addr, port);

	return bind(fd, (struct sockaddr *)&a, sizeof(a)) ? -errno : 0;
}

static void tell(const char *what, int reuse, int addr, int first, int first_addr, int err)
{
	char line[100];

	snprintf(line, sizeof(line), "%s (%s %s) beside (%s %s)", what, reuse_name[reuse],
		 addr_name[addr], reuse_name[first], addr_name[first_addr]);
	say(line, err);
}

/* What a second socket is told beside a first one, which listens or not. */
static void beside(int type, int first, int first_addr, int reuse, int addr, bool listens)
{
	int a = sock_with(type, first), b = sock_with(type, reuse), err;

	bind_at(a, first_addr, 0);
	if (listens)
		listen(a, 5);
	err = bind_at(b, addr, port_of(a));
	tell(listens ? "bind, it listens" : "bind", reuse, addr, first, first_addr, err);
	if (!err && type == SOCK_STREAM)
		tell(listens ? "listen, it listens" : "listen", reuse, addr, first, first_addr,
		     listen(b, 5) ? -errno : 0);
	close(a);
	close(b);
}

static void claims(void)
{
	static const struct {
		int first, second;
	} addr[] = { { 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 1 }, { 1, 2 } };

	for (int first = 0; first < 4; first++)
		for (int reuse = 0; reuse < 4; reuse++)
			for (unsigned i = 0; i < sizeof(addr) / sizeof(addr[0]); i++) {
				beside(SOCK_STREAM, first, addr[i].first, reuse, addr[i].second,
				       false);
				beside(SOCK_STREAM, first, addr[i].first, reuse, addr[i].second,
				       true);
			}
}

static void claims_udp(void)
{
	for (int first = 0; first < 4; first++)
		for (int reuse = 0; reuse < 4; reuse++) {
			beside(SOCK_DGRAM, first, 0, reuse, 0, false);
			beside(SOCK_DGRAM, first, 1, reuse, 0, false);
			beside(SOCK_DGRAM, first, 1, reuse, 2, false);
		}
}

/* Each of several listeners of a port has connections; all are served. */
static void spread(void)
{
	int l[LISTENERS], port = 0, got[LISTENERS] = { 0 }, total = 0, least = FLOWS;

	for (int i = 0; i < LISTENERS; i++) {
		l[i] = sock_with(SOCK_STREAM, 2);
		bind_at(l[i], 1, port);
		port = port_of(l[i]);
		DO(listen(l[i], FLOWS));
		fcntl(l[i], F_SETFL, O_NONBLOCK);
	}
	for (int n = 0; n < FLOWS; n++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (to_port(fd, port))
			say("a connect fails", -errno);
		for (int i = 0, c = -1; i < LISTENERS * 1000 && c < 0; i++) {
			c = accept(l[i % LISTENERS], NULL, NULL);
			if (c < 0)
				continue;
			got[i % LISTENERS]++;
			close(c);
		}
		close(fd);
	}
	for (int i = 0; i < LISTENERS; i++) {
		total += got[i];
		least = got[i] < least ? got[i] : least;
		close(l[i]);
	}
	say("served", total);
	say("by each of them some", least > 0);
}

static int to_device(int fd, const char *name)
{
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name));
}

/* glass0 is there on both sides: the stack's, or the host's end of it. */
static void device(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), a = sock_with(SOCK_STREAM, 0);
	int b = sock_with(SOCK_STREAM, 0), c = sock_with(SOCK_STREAM, 0), port, got;
	char name[20] = "";
	socklen_t size = sizeof(name);

	DO(to_device(a, "nothing"));
	DO(to_device(a, "lo"));
	DO(getsockopt(a, SOL_SOCKET, SO_BINDTODEVICE, name, &size));
	say(name, (long)size);
	say("a's port", bind_at(a, 0, 0));
	port = port_of(a);
	DO(to_device(b, "glass0"));
	say("by another device", bind_at(b, 0, port));
	say("by any", bind_at(c, 0, port));
	DO(listen(a, 5));
	DO(listen(b, 5));
	DO(to_device(fd, "lo"));
	DO(to_port(fd, port));
	got = accept(a, NULL, NULL);
	size = sizeof(name);
	DO(getsockopt(got, SOL_SOCKET, SO_BINDTODEVICE, name, &size));
	say(name, (long)size);
	DO(send(fd, "x", 1, 0));
	DO(recv(got, name, 1, 0));
	close(a);
	close(fd);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	DO(to_port(fd, port)); /* who is left hears another device */
	DO(to_device(fd, ""));
	close(fd);
	close(got);
	close(b);
	close(c);
}

void mirror_share(void)
{
	SCENE(claims);
	SCENE(claims_udp);
	SCENE(spread);
	SCENE(device);
}
