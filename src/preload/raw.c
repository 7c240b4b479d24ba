/* SPDX-License-Identifier: MIT */
/*
 * errno, the environment, stderr, and the four functions that compilers call by themselves: all
 * without a C library.
 */
#include "raw.h"

#include <sys/uio.h>

#define PARTS_MAX 16

extern int *__errno_location(void) __attribute__((weak));
extern char **environ __attribute__((weak));

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	char *t = to;
	const char *f = from;

	while (n--)
		*t++ = *f++;
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	char *t = to;
	const char *f = from;

	if (t <= f)
		return memcpy(to, from, n);
	while (n--)
		t[n] = f[n];
	return to;
}

void *memset(void *to, int c, size_t n)
{
	char *t = to;

	while (n--)
		*t++ = (char)c;
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

long result_of(long raw)
{
	if (raw >= 0 || raw < -4095)
		return raw;
	if (__errno_location)
		*__errno_location() = (int)-raw;
	return -1;
}

char *env_get(const char *name)
{
	if (!&environ || !environ)
		return NULL;
	for (char **e = environ; *e; e++) {
		size_t n = 0;

		while (name[n] && (*e)[n] == name[n])
			n++;
		if (!name[n] && (*e)[n] == '=')
			return *e + n + 1;
	}
	return NULL;
}

void complain(const char *const part[])
{
	struct iovec iov[PARTS_MAX];
	int n = 0;

	for (; n < PARTS_MAX && part[n]; n++) {
		size_t length = 0;

		while (part[n][length])
			length++;
		iov[n] = (struct iovec){ (void *)(uintptr_t)part[n], length };
	}
	raw3(SYS_writev, 2, addr_of(iov), n);
}
