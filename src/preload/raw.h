/* SPDX-License-Identifier: MIT */
/*
 * The ground the preload library stands on: system calls and nothing else. It is loaded into
 * programs of any C library (glibc, musl), before their constructors ran, into signal handlers and
 * children of vfork; so it calls none of them, and keeps no state but its control connections
 * (call.c).
 */
#ifndef GLASS_PRELOAD_RAW_H
#define GLASS_PRELOAD_RAW_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

/*
 * Declares what the program calls as NAME. Here it has another name, since the C libraries' headers
 * declare theirs in ways that differ.
 */
#define WRAP(type, name, ...) \
	__attribute__((visibility("default"))) type wrap_##name(__VA_ARGS__) __asm__(#name)

/* A system call; the result is negative for an errno. */
static inline long raw6(long nr, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
#else
#error "the preload library knows the system calls of x86_64 and aarch64"
#endif
}

/*
 * In the sixth argument, which no call of ours but sendto and recvfrom has, and these only beside
 * an address: the filter of `glass run` knows by it that the library is at work.
 */
#define RAW_MARK 0x676c617373ul /* "glass" */

static inline long raw3(long nr, long a, long b, long c)
{
	return raw6(nr, a, b, c, 0, 0, RAW_MARK);
}

static inline long raw4(long nr, long a, long b, long c, long d)
{
	return raw6(nr, a, b, c, d, 0, RAW_MARK);
}

static inline long raw5(long nr, long a, long b, long c, long d, long e)
{
	return raw6(nr, a, b, c, d, e, RAW_MARK);
}

/* sendto(2) and recvfrom(2) without an address: the kernel does not look at its length then. */
static inline long raw_send(int fd, const void *bytes, size_t n, int flags)
{
	return raw6(SYS_sendto, fd, (long)(uintptr_t)bytes, (long)n, flags, 0, RAW_MARK);
}

static inline long raw_recv(int fd, void *bytes, size_t n, int flags)
{
	return raw6(SYS_recvfrom, fd, (long)(uintptr_t)bytes, (long)n, flags, 0, RAW_MARK);
}

/* What a system call takes for a pointer. */
static inline long addr_of(const void *p)
{
	return (long)(uintptr_t)p;
}

static inline void raw_close(int fd)
{
	raw3(SYS_close, fd, 0, 0);
}

/* A wrapper's result: sets errno of the C library that is there. */
long result_of(long raw);
/* getenv(3). */
char *env_get(const char *name);
/* A line on stderr made of strings (the last is NULL). */
void complain(const char *const part[]);

#endif
