/* SPDX-License-Identifier: MIT */
/*
 * glass run [OPTION...] PROGRAM [ARGUMENT...]: PROGRAM with libglass-preload.so, in a network
 * namespace of its own that is empty, so that nothing passes by the stack by accident. What cannot
 * work (no daemon, a static or setuid program) is said here, since the dynamic linker would ignore
 * the library without a word.
 *
 * In: src/ctl.   Out: execv; the exit status is the program's. 126, 127: it could not be started,
 * as in sh.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../abi/abi.h"
#include "../abi/path.h"
#include "run.h"

#define LIBRARY "libglass-preload.so"
#define SCRIPT_DEPTH_MAX 4 /* as the kernel */
#define CANNOT_RUN 126
#define NOT_FOUND 127
#define NO_DAEMON 3

#ifndef GLASS_LIBDIR
#define GLASS_LIBDIR "/usr/local/lib"
#endif

struct run {
	const char *stack;
	bool keep_net, verbose;
	char dir[ABI_PATH_MAX];
	char library[PATH_MAX];
	char program[PATH_MAX];
	char **argv;
	struct abi_end stack_addr;
};

static int __attribute__((format(printf, 2, 3))) fail(int status, const char *format, ...)
{
	va_list ap;

	fputs("glass run: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return status;
}

/* ---- options -----------------------------------------------------------------------------------
 */

static void help(void)
{
	puts("usage: glass run [OPTION...] PROGRAM [ARGUMENT...]\n"
	     "\n"
	     "Runs PROGRAM on the stack: its TCP sockets are Glass's, everything else is as ever.\n"
	     "\n"
	     "  --stack NAME  the stack to use (default: $GLASS_STACK, else \"default\")\n"
	     "  --keep-net    stay in this network namespace: what is not TCP passes through the "
	     "kernel\n"
	     "  --verbose     say what is done\n"
	     "  --help        this text\n"
	     "\n"
	     "Exit status: PROGRAM's; 126 or 127 when it could not be started; 3 without a running "
	     "stack.");
}

/* 0: go on; else the exit status plus one. */
static int parse(struct run *r, int argc, char **argv)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (!strcmp(argv[i], "--")) {
			i++;
			break;
		}
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			help();
			return 1;
		}
		if (!strcmp(argv[i], "--keep-net"))
			r->keep_net = true;
		else if (!strcmp(argv[i], "--verbose") || !strcmp(argv[i], "-v"))
			r->verbose = true;
		else if ((!strcmp(argv[i], "--stack") || !strcmp(argv[i], "-s")) && i + 1 < argc)
			r->stack = argv[++i];
		else if (!strncmp(argv[i], "--stack=", 8))
			r->stack = argv[i] + 8;
		else
			return 1 + fail(2, "no such option: %s. Type: glass run --help", argv[i]);
	}
	if (i >= argc)
		return 1 + fail(2, "which program? Type: glass run PROGRAM [ARGUMENT...]");
	r->argv = argv + i;
	return 0;
}

/* ---- the library -------------------------------------------------------------------------------
 */

/* Beside this binary, in the build tree, or where it is installed. */
static bool find_library(char out[PATH_MAX])
{
	static const char *const places[] = { "", "../preload/", "../lib/", "../lib/glass/", NULL };
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n < 0 ? 0 : n] = 0;
	if (strrchr(self, '/'))
		strrchr(self, '/')[1] = 0;
	for (int i = 0; n > 0 && places[i]; i++)
		if (snprintf(out, PATH_MAX, "%s%s" LIBRARY, self, places[i]) < PATH_MAX &&
		    !access(out, R_OK))
			return true;
	snprintf(out, PATH_MAX, GLASS_LIBDIR "/" LIBRARY);
	return !access(out, R_OK);
}

/* ---- the daemon --------------------------------------------------------------------------------
 */

/* Asks it for the stack's address. 0 or -errno. */
static int hello(struct run *r, int fd)
{
	struct abi_request req = { .head = { ABI_MAGIC, ABI_VERSION, ABI_HELLO } };
	struct abi_reply rep;
	ssize_t n;

	if (send(fd, &req, sizeof(req), MSG_NOSIGNAL) != sizeof(req))
		return -errno;
	n = recv(fd, &rep, sizeof(rep), 0);
	if (n < (ssize_t)sizeof(rep))
		return n < 0 ? -errno : -EACCES;
	r->stack_addr = rep.local;
	return -rep.error;
}

static int check_daemon(struct run *r)
{
	struct sockaddr_un u = { .sun_family = AF_UNIX };
	int fd, err = 0;

	if (!abi_stack_name_ok(r->stack))
		return fail(2, "'%s' is no name of a stack: letters, digits, '-', '_', '.'",
			    r->stack);
	if (!abi_dir(r->dir, getenv, geteuid()) || !abi_socket_path(u.sun_path, r->dir, r->stack))
		return fail(2, "the control socket's path is too long: %s/%s.sock", r->dir,
			    r->stack);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&u, sizeof(u)))
		err = -errno;
	else
		err = hello(r, fd);
	if (fd >= 0)
		close(fd);
	if (err == -ENOENT || err == -ECONNREFUSED)
		return fail(NO_DAEMON, "no stack '%s' is running (%s: %s). Type: glass up%s%s",
			    r->stack, u.sun_path, strerror(-err),
			    strcmp(r->stack, ABI_DEFAULT_STACK) ? " --stack " : "",
			    strcmp(r->stack, ABI_DEFAULT_STACK) ? r->stack : "");
	if (err == -EPROTO)
		return fail(NO_DAEMON, "glassd is of another version. Type: glass down; glass up");
	if (err)
		return fail(NO_DAEMON, "stack '%s' does not let us in (%s: %s)", r->stack,
			    u.sun_path, strerror(-err));
	return 0;
}

/* ---- the program -------------------------------------------------------------------------------
 */

/* As execvp(3) searches. 0 or an exit status. */
static int find_program(const char *name, char out[PATH_MAX])
{
	const char *path = getenv("PATH");
	int error = ENOENT;

	if (strchr(name, '/')) {
		snprintf(out, PATH_MAX, "%s", name);
		return access(out, F_OK) ? fail(NOT_FOUND, "%s: %s", name, strerror(errno)) : 0;
	}
	for (path = path ? path : "/usr/local/bin:/usr/bin:/bin"; path; path = strchr(path, ':')) {
		struct stat st;

		path += *path == ':';
		snprintf(out, PATH_MAX, "%.*s/%s", (int)strcspn(path, ":"),
			 *path == ':' || !*path ? "." : path, name);
		if (stat(out, &st) || !S_ISREG(st.st_mode))
			continue;
		if (!access(out, X_OK))
			return 0;
		error = EACCES;
	}
	return fail(error == EACCES ? CANNOT_RUN : NOT_FOUND, "%s: %s", name,
		    error == EACCES ? "not executable" : "no such program in $PATH");
}

/* Does it name a dynamic linker (PT_INTERP)? */
static bool elf_is_dynamic(int fd, const Elf64_Ehdr *h)
{
	for (unsigned i = 0; i < h->e_phnum; i++) {
		Elf64_Phdr p;

		if (pread(fd, &p, sizeof(p), (off_t)(h->e_phoff + i * sizeof(p))) != sizeof(p))
			return false;
		if (p.p_type == PT_INTERP)
			return true;
	}
	return false;
}

static int check_elf(int fd, const char *path, const Elf64_Ehdr *h)
{
	if (h->e_ident[EI_CLASS] != ELFCLASS64)
		return fail(CANNOT_RUN, "%s is a 32-bit program, " LIBRARY " is for 64-bit ones",
			    path);
	if (!elf_is_dynamic(fd, h))
		return fail(CANNOT_RUN,
			    "%s is statically linked: LD_PRELOAD cannot reach it, it would use the "
			    "kernel's stack. "
			    "Use a dynamically linked build of it",
			    path);
	return 0;
}

static int check_privileged(const char *path, const struct stat *st)
{
	bool setid = (st->st_mode & S_ISUID && st->st_uid != geteuid()) ||
		     (st->st_mode & S_ISGID && st->st_gid != getegid());

	if (setid || (geteuid() && getxattr(path, "security.capability", NULL, 0) > 0))
		return fail(CANNOT_RUN,
			    "%s is setuid, setgid or has capabilities: the dynamic linker ignores "
			    "LD_PRELOAD for it. "
			    "Run it as the user it becomes",
			    path);
	return 0;
}

static int check_file(const char *path, int depth);

/* #! interpreter. */
static int check_script(const char *path, char *line, int depth)
{
	char *interpreter = line + 2 + strspn(line + 2, " \t");

	interpreter[strcspn(interpreter, " \t\n")] = 0;
	if (depth == SCRIPT_DEPTH_MAX)
		return fail(CANNOT_RUN, "%s: its interpreters are scripts themselves, too deep",
			    path);
	return *interpreter ? check_file(interpreter, depth + 1) : 0;
}

/* Can the library get into that file? 0 or an exit status after a message. */
static int check_file(const char *path, int depth)
{
	union {
		Elf64_Ehdr elf;
		char line[256];
	} head = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int status = 0;

	if (fd < 0) /* not readable, perhaps executable: the kernel will tell */
		return errno == ENOENT ? fail(NOT_FOUND, "%s: no such file", path) : 0;
	if (fstat(fd, &st) || pread(fd, &head, sizeof(head) - 1, 0) < 2)
		status = 0;
	else if (!memcmp(head.elf.e_ident, ELFMAG, SELFMAG))
		status = check_elf(fd, path, &head.elf);
	else if (head.line[0] == '#' && head.line[1] == '!')
		status = check_script(path, head.line, depth);
	if (!status)
		status = check_privileged(path, &st);
	close(fd);
	return status;
}

/* ---- the namespace -----------------------------------------------------------------------------
 */

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Without root: inside a user namespace in which we are who we are. */
static int unshare_as_user(void)
{
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return -errno;
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	if (!write_file("/proc/self/uid_map", map))
		return -errno;
	snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	if (!write_file("/proc/self/setgroups", "deny") || !write_file("/proc/self/gid_map", map))
		return -errno;
	return 0;
}

/*
 * lo is up and has the stack's address too: programs that ask "does this host have IPv4?"
 * (getaddrinfo with AI_ADDRCONFIG) look for an address that is not 127.0.0.1.
 */
static void loopback_up(const struct abi_end *addr)
{
	struct ifreq r = { .ifr_name = "lo" };
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&r.ifr_addr;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (!ioctl(fd, SIOCGIFFLAGS, &r)) {
		r.ifr_flags |= IFF_UP;
		ioctl(fd, SIOCSIFFLAGS, &r);
	}
	if (addr->family == 4) {
		strcpy(r.ifr_name, "lo:1");
		*in = (struct sockaddr_in){ .sin_family = AF_INET };
		memcpy(&in->sin_addr, addr->addr, 4);
		ioctl(fd, SIOCSIFADDR, &r);
		in->sin_addr.s_addr = INADDR_BROADCAST; /* a netmask of 32 bits */
		ioctl(fd, SIOCSIFNETMASK, &r);
	}
	close(fd);
}

static void enter_empty_net(const struct run *r)
{
	int err = unshare(CLONE_NEWNET) ? -errno : 0;

	if (err == -EPERM && geteuid())
		err = unshare_as_user();
	if (!err)
		loopback_up(&r->stack_addr);
	else if (r->verbose)
		fail(0,
		     "no network namespace (%s): what is not TCP passes through the kernel's stack",
		     strerror(-err));
}

/* ---- start -------------------------------------------------------------------------------------
 */

static int set_environment(const struct run *r)
{
	const char *old = getenv("LD_PRELOAD");
	char *value;
	int err = asprintf(&value, "%s%s%s", r->library, old && *old ? ":" : "", old ? old : "");

	if (err < 0)
		return fail(CANNOT_RUN, "out of memory");
	err = setenv("LD_PRELOAD", value, 1) || setenv(ABI_ENV_STACK, r->stack, 1) ||
	      setenv(ABI_ENV_DIR, r->dir, 1);
	free(value);
	return err ? fail(CANNOT_RUN, "out of memory") : 0;
}

int glass_run(int argc, char **argv)
{
	static struct run r;
	const char *stack = getenv(ABI_ENV_STACK);
	int status;

	r.stack = stack && *stack ? stack : ABI_DEFAULT_STACK;
	if ((status = parse(&r, argc, argv)))
		return status - 1;
	if (!find_library(r.library))
		return fail(CANNOT_RUN,
			    LIBRARY " was not found beside this command nor in " GLASS_LIBDIR
				    ". Type: make install");
	if ((status = check_daemon(&r)) || (status = find_program(r.argv[0], r.program)) ||
	    (status = check_file(r.program, 0)) || (status = set_environment(&r)))
		return status;
	if (!r.keep_net)
		enter_empty_net(&r);
	if (r.verbose)
		fail(0, "%s with %s on stack '%s'", r.program, r.library, r.stack);
	execv(r.program, r.argv);
	return fail(errno == ENOENT ? NOT_FOUND : CANNOT_RUN, "%s: %s", r.program, strerror(errno));
}
