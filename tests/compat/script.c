/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "script.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const char *scene = "";

void say(const char *name, long v)
{
	if (v < 0)
		printf("%s: %s: %s\n", scene, name, strerrorname_np((int)-v));
	else
		printf("%s: %s: %ld\n", scene, name, v);
}

void mask(const char *name, int fd)
{
	struct pollfd p = { fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0 };

	poll(&p, 1, 0);
	printf("%s: %s:%s%s%s%s%s%s\n", scene, name, p.revents & POLLIN ? " IN" : "",
	       p.revents & POLLOUT ? " OUT" : "", p.revents & POLLPRI ? " PRI" : "",
	       p.revents & POLLRDHUP ? " RDHUP" : "", p.revents & POLLHUP ? " HUP" : "",
	       p.revents & POLLERR ? " ERR" : "");
}

void pause_ms(int ms)
{
	usleep((useconds_t)ms * 1000);
}

int wait_for(int fd, int events)
{
	struct pollfd p = { fd, (short)events, 0 };

	return poll(&p, 1, 5000);
}

int option(int fd, int level, int name)
{
	int v = -1;
	socklen_t size = sizeof(v);

	return getsockopt(fd, level, name, &v, &size) ? -errno : v;
}

int set(int fd, int level, int name, int v)
{
	return setsockopt(fd, level, name, &v, sizeof(v));
}
