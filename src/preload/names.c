/* SPDX-License-Identifier: MIT */
/*
 * getaddrinfo(3) and its kin. The C library's resolver makes its sockets where nothing is
 * interposed: under bare LD_PRELOAD names would be asked for on the kernel's network. So they are
 * libglass-resolve.so's, from the folder that this library is in; it is loaded at the first
 * question. Where it cannot be (another C library), or with GLASS_RESOLVER=libc (glass run says so
 * to a program that has a supervisor), the C library's functions do the work.
 *
 * In: the program.   Out: resolve.c; the C library.
 */
#include <dlfcn.h>
#include <limits.h>
#include <netdb.h>

#include "../abi/path.h"
#include "raw.h"
#include "resolve.h"

#define ROOM_BYTES 4096

WRAP(int, getaddrinfo, const char *restrict node, const char *restrict service,
     const struct addrinfo *restrict hints, struct addrinfo **restrict out);
WRAP(int, getnameinfo, const struct sockaddr *restrict sa, socklen_t size, char *restrict host,
     socklen_t host_room, char *restrict service, socklen_t service_room, int flags);
WRAP(int, gethostbyname_r, const char *restrict name, struct hostent *restrict h,
     char *restrict room, size_t bytes, struct hostent **restrict out, int *restrict h_error);
WRAP(int, gethostbyname2_r, const char *restrict name, int family, struct hostent *restrict h,
     char *restrict room, size_t bytes, struct hostent **restrict out, int *restrict h_error);
WRAP(int, gethostbyaddr_r, const void *restrict addr, socklen_t size, int family,
     struct hostent *restrict h, char *restrict room, size_t bytes, struct hostent **restrict out,
     int *restrict h_error);
WRAP(struct hostent *, gethostbyname, const char *name);
WRAP(struct hostent *, gethostbyname2, const char *name, int family);
WRAP(struct hostent *, gethostbyaddr, const void *addr, socklen_t size, int family);

extern __typeof__(dlsym) dlsym __attribute__((weak));
extern __typeof__(dlopen) dlopen __attribute__((weak));
extern __typeof__(dladdr) dladdr __attribute__((weak));
extern int *__h_errno_location(void) __attribute__((weak));

int wrap_socket(int, int, int) __asm__("socket");
int wrap_connect(int, const struct sockaddr *, socklen_t) __asm__("connect");
ssize_t wrap_recvfrom(int, void *, size_t, int, struct sockaddr *, socklen_t *) __asm__("recvfrom");
ssize_t wrap_sendmsg(int, const struct msghdr *, int) __asm__("sendmsg");

/* ---- loading ------------------------------------------------------------------------------- */

static const struct resolve *loaded;
static bool missing;
static char conf[ABI_PATH_MAX + sizeof(".resolv.conf")];
static struct resolve_sockets sockets = { wrap_socket, wrap_connect, wrap_recvfrom, wrap_sendmsg,
					  NULL };

/* The stack's own resolv.conf, where there is one. */
static void find_conf(void)
{
	const char *stack = env_get(ABI_ENV_STACK);
	char dir[ABI_PATH_MAX] = "", *at = conf;

	if (!stack || !*stack)
		stack = ABI_DEFAULT_STACK;
	if (!abi_stack_name_ok(stack) ||
	    !abi_dir(dir, env_get, (unsigned)raw3(SYS_geteuid, 0, 0, 0)))
		return;
	for (const char *p = dir; *p; p++)
		*at++ = *p;
	*at++ = '/';
	for (const char *p = stack; *p && at < conf + ABI_PATH_MAX; p++)
		*at++ = *p;
	__builtin_memcpy(at, ".resolv.conf", sizeof(".resolv.conf"));
	sockets.conf = raw3(SYS_access, addr_of(conf), 4, 0) ? NULL : conf;
}

static const struct resolve *load(void)
{
	char path[PATH_MAX];
	const struct resolve *found;
	size_t n = 0, slash = 0;
	Dl_info self;
	void *library;

	if (!dlopen || !dlsym || !dladdr || !dladdr((void *)(uintptr_t)load, &self))
		return NULL;
	for (; self.dli_fname[n] && n < sizeof(path); n++) {
		path[n] = self.dli_fname[n];
		if (path[n] == '/')
			slash = n + 1;
	}
	if (slash + sizeof(RESOLVE_LIBRARY) > sizeof(path))
		return NULL;
	__builtin_memcpy(path + slash, RESOLVE_LIBRARY, sizeof(RESOLVE_LIBRARY));
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
	found = library ? dlsym(library, RESOLVE_SYMBOL) : NULL;
	return found && found->version == RESOLVE_VERSION ? found : NULL;
}

/* NULL: the C library does it. Two threads that load it at the same time find the same. */
static const struct resolve *resolver(void)
{
	const struct resolve *r = __atomic_load_n(&loaded, __ATOMIC_ACQUIRE);
	const char *word;

	if (r || __atomic_load_n(&missing, __ATOMIC_RELAXED))
		return r;
	word = env_get(ABI_ENV_RESOLVER);
	if (!word || !*word)
		find_conf();
	else if (*word == '/')
		sockets.conf = word;
	if (!word || *word != 'l')
		r = load();
	__atomic_store_n(&missing, !r, __ATOMIC_RELAXED);
	__atomic_store_n(&loaded, r, __ATOMIC_RELEASE);
	return r;
}

static void *next(const char *name)
{
	return dlsym ? dlsym(RTLD_NEXT, name) : NULL;
}

/* ---- the functions ------------------------------------------------------------------------- */

int wrap_getaddrinfo(const char *restrict node, const char *restrict service,
		     const struct addrinfo *restrict hints, struct addrinfo **restrict out)
{
	const struct resolve *r = resolver();
	__typeof__(wrap_getaddrinfo) *libc;

	if (r)
		return r->getaddrinfo(&sockets, node, service, hints, out);
	*(void **)&libc = next("getaddrinfo");
	return libc ? libc(node, service, hints, out) : EAI_FAIL;
}

int wrap_getnameinfo(const struct sockaddr *restrict sa, socklen_t size, char *restrict host,
		     socklen_t host_room, char *restrict service, socklen_t service_room, int flags)
{
	const struct resolve *r = resolver();
	__typeof__(wrap_getnameinfo) *libc;

	if (r)
		return r->getnameinfo(&sockets, sa, size, host, host_room, service, service_room,
				      flags);
	*(void **)&libc = next("getnameinfo");
	return libc ? libc(sa, size, host, host_room, service, service_room, flags) : EAI_FAIL;
}

int wrap_gethostbyname2_r(const char *restrict name, int family, struct hostent *restrict h,
			  char *restrict room, size_t bytes, struct hostent **restrict out,
			  int *restrict h_error)
{
	const struct resolve *r = resolver();
	__typeof__(wrap_gethostbyname2_r) *libc;

	if (r)
		return r->by_name(&sockets, name, family, h, room, bytes, out, h_error);
	*(void **)&libc = next("gethostbyname2_r");
	return libc ? libc(name, family, h, room, bytes, out, h_error) : ENOSYS;
}

int wrap_gethostbyname_r(const char *restrict name, struct hostent *restrict h, char *restrict room,
			 size_t bytes, struct hostent **restrict out, int *restrict h_error)
{
	return wrap_gethostbyname2_r(name, AF_INET, h, room, bytes, out, h_error);
}

int wrap_gethostbyaddr_r(const void *restrict addr, socklen_t size, int family,
			 struct hostent *restrict h, char *restrict room, size_t bytes,
			 struct hostent **restrict out, int *restrict h_error)
{
	const struct resolve *r = resolver();
	__typeof__(wrap_gethostbyaddr_r) *libc;

	if (r && ((family == AF_INET && size >= 4) || (family == AF_INET6 && size >= 16)))
		return r->by_addr(&sockets, addr, family == AF_INET ? 4 : 16, family, h, room,
				  bytes, out, h_error);
	*(void **)&libc = next("gethostbyaddr_r");
	return libc ? libc(addr, size, family, h, room, bytes, out, h_error) : ENOSYS;
}

/* ---- those whose result is static ---------------------------------------------------------- */

static struct hostent host;
static char room_of_host[ROOM_BYTES];

static struct hostent *told(struct hostent *out, int h_error)
{
	if (!out && __h_errno_location)
		*__h_errno_location() = h_error;
	return out;
}

struct hostent *wrap_gethostbyname2(const char *name, int family)
{
	struct hostent *out = NULL;
	int h_error = NO_RECOVERY;

	wrap_gethostbyname2_r(name, family, &host, room_of_host, sizeof(room_of_host), &out,
			      &h_error);
	return told(out, h_error);
}

struct hostent *wrap_gethostbyname(const char *name)
{
	return wrap_gethostbyname2(name, AF_INET);
}

struct hostent *wrap_gethostbyaddr(const void *addr, socklen_t size, int family)
{
	struct hostent *out = NULL;
	int h_error = NO_RECOVERY;

	wrap_gethostbyaddr_r(addr, size, family, &host, room_of_host, sizeof(room_of_host), &out,
			     &h_error);
	return told(out, h_error);
}
