/* SPDX-License-Identifier: MIT */
/*
 * glass run [OPTION...] PROGRAM [ARGUMENT...]: PROGRAM with libglass-preload.so, and with a
 * supervisor for what the library cannot reach, in a network namespace of its own that is empty, so
 * that nothing passes by the stack by accident. What cannot work (no daemon, a setuid program) is
 * said here, since the dynamic linker would ignore the library without a word.
 *
 * In: src/ctl.   Out: run_around.c, supervise.c; execv; the exit status is the program's. 126, 127:
 * it could not be started, as in sh.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../abi/abi.h"
#include "../abi/path.h"
#include "run.h"
#include "run_net.h"
#include "run_program.h"
#include "supervise.h"

#ifndef GLASS_LIBDIR
#define GLASS_LIBDIR "/usr/local/lib"
#endif

int run_fail(int status, const char *format, ...)
{
	va_list ap;

	fputs("glass run: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return status;
}

/* ---- options --------------------------------------------------------------------------------- */

static void help(void)
{
	puts("usage: glass run [OPTION...] PROGRAM [ARGUMENT...]\n"
	     "\n"
	     "Runs PROGRAM on the stack: its TCP, UDP and ping sockets are Glass's, everything "
	     "else "
	     "is as ever.\n"
	     "\n"
	     "  --stack NAME  the stack to use (default: $GLASS_STACK, else \"default\")\n"
	     "  --mode MODE   how calls are caught: preload (by libglass-preload.so: fast, dynamic "
	     "programs),\n"
	     "                seccomp (every program, static ones and Go too), both (default)\n"
	     "  --dns ADDR    resolve names by this server: PROGRAM's own /etc/resolv.conf\n"
	     "  --env N=V     set a variable of PROGRAM's environment\n"
	     "  --net WORDS   on a stack of its own, with a bad network in the words of 'glass net "
	     "set';\n"
	     "                $GLASS_HOST tells PROGRAM the host's address\n"
	     "  --dev KIND    on a stack of its own, on a device of this kind: tap, tun, or user, "
	     "which needs no\n"
	     "                rights and leads to the real network\n"
	     "  --rootless    on a stack of its own, in namespaces of its own: glass host --stack "
	     "run-PID leads there\n"
	     "  --pcap FILE   what passes the wire meanwhile, as glass pcap writes it, for "
	     "Wireshark and tcpdump\n"
	     "  --trace FILE  the flight recorder afterwards, for glass trace --ring FILE\n"
	     "  --report      say at the end how many sockets reached the kernel\n"
	     "  --loopback=kernel  127.0.0.0/8 is the kernel's, not the stack's; as --keep-net "
	     "else\n"
	     "  --keep-net    stay in this network namespace: what is not the stack's passes "
	     "through the kernel\n"
	     "  --verbose     say what is done\n"
	     "  --help        this text\n"
	     "\n"
	     "Exit status: PROGRAM's; 126 or 127 when it could not be started; 3 without a running "
	     "stack.");
}

static int set_mode(struct run *r, const char *word)
{
	static const char *const words[] = {
		[MODE_BOTH] = "both", [MODE_PRELOAD] = "preload", [MODE_SECCOMP] = "seccomp"
	};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(word, words[i])) {
			r->mode = (enum mode)i;
			return 0;
		}
	return run_fail(2, "no such mode: %s. Type: --mode preload, --mode seccomp or --mode both",
			word);
}

static int set_dev(struct run *r, const char *kind)
{
	static const char *const kinds[] = { "tap", "tun", "user" };

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kind, kinds[i]))
			r->dev = kinds[i];
	r->own_stack = true;
	return r->dev ? 0 : run_fail(2, "--dev takes tap, tun or user, not '%s'", kind);
}

static int set_loopback(struct run *r, const char *word)
{
	bool kernel = !strcmp(word, "kernel");

	if (!kernel && strcmp(word, "stack") != 0)
		return run_fail(2, "--loopback takes stack or kernel, not '%s'", word);
	r->keep_net |= kernel;
	return setenv(ABI_ENV_LOOPBACK, word, 1) ? run_fail(CANNOT_RUN, "out of memory") : 0;
}

static int set_variable(const char *word)
{
	const char *equals = strchr(word, '=');
	char *name;
	int err;

	if (!equals || equals == word)
		return run_fail(2, "--env takes NAME=VALUE, not '%s'", word);
	if (!(name = strndup(word, (size_t)(equals - word))))
		return run_fail(CANNOT_RUN, "out of memory");
	err = setenv(name, equals + 1, 1);
	free(name);
	return err ? run_fail(CANNOT_RUN, "out of memory") : 0;
}

/* The value of option name at argv[*i], as "--name VALUE" or "--name=VALUE"; NULL: another one. */
static const char *value_of(const char *name, int argc, char **argv, int *i)
{
	size_t n = strlen(name);

	if (strncmp(argv[*i], name, n) != 0)
		return NULL;
	if (argv[*i][n] == '=')
		return argv[*i] + n + 1;
	return argv[*i][n] || *i + 1 >= argc ? NULL : argv[++*i];
}

static int parse_one(struct run *r, int argc, char **argv, int *i)
{
	const char *value;

	if (!strcmp(argv[*i], "--keep-net"))
		r->keep_net = true;
	else if (!strcmp(argv[*i], "--rootless"))
		r->rootless = r->own_stack = true;
	else if (!strcmp(argv[*i], "--report"))
		r->report = true;
	else if (!strcmp(argv[*i], "--verbose") || !strcmp(argv[*i], "-v"))
		r->verbose = true;
	else if ((value = value_of("--stack", argc, argv, i)) ||
		 (value = value_of("-s", argc, argv, i)))
		r->stack = value;
	else if ((value = value_of("--mode", argc, argv, i)))
		return set_mode(r, value);
	else if ((value = value_of("--env", argc, argv, i)))
		return set_variable(value);
	else if ((value = value_of("--dns", argc, argv, i)))
		r->dns = value;
	else if ((value = value_of("--net", argc, argv, i))) {
		r->net = value;
		r->own_stack = true;
	} else if ((value = value_of("--dev", argc, argv, i)))
		return set_dev(r, value);
	else if ((value = value_of("--pcap", argc, argv, i)))
		r->pcap = value;
	else if ((value = value_of("--trace", argc, argv, i)))
		r->trace = value;
	else if ((value = value_of("--loopback", argc, argv, i)))
		return set_loopback(r, value);
	else
		return run_fail(
			2, "no such option, or its value is missing: %s. Type: glass run --help",
			argv[*i]);
	return 0;
}

/* 0: go on; else the exit status plus one. */
static int parse(struct run *r, int argc, char **argv)
{
	int i = 1, status;

	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (!strcmp(argv[i], "--")) {
			i++;
			break;
		}
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			help();
			return 1;
		}
		if ((status = parse_one(r, argc, argv, &i)))
			return status + 1;
	}
	if (i >= argc)
		return 1 + run_fail(2, "which program? Type: glass run PROGRAM [ARGUMENT...]");
	r->argv = argv + i;
	return 0;
}

/* ---- the library ----------------------------------------------------------------------------- */

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

/* ---- start ----------------------------------------------------------------------------------- */

static int set_environment(const struct run *r)
{
	const char *old = getenv("LD_PRELOAD");
	char *value;
	int err = asprintf(&value, "%s%s%s", r->library, old && *old ? ":" : "", old ? old : "");

	if (err < 0)
		return run_fail(CANNOT_RUN, "out of memory");
	err = (r->mode != MODE_SECCOMP && setenv("LD_PRELOAD", value, 1)) ||
	      setenv(ABI_ENV_STACK, r->stack, 1) || setenv(ABI_ENV_DIR, r->dir, 1);
	free(value);
	return err ? run_fail(CANNOT_RUN, "out of memory") : 0;
}

/* --dns, or DIR/STACK.resolv.conf where there is one. */
static int set_resolver(const struct run *r)
{
	char text[128], path[ABI_PATH_MAX + sizeof(".resolv.conf")];
	struct in_addr addr;
	const char *why;
	int err;

	if (r->dns && !inet_aton(r->dns, &addr))
		return run_fail(2, "--dns takes an IPv4 address, not '%s'", r->dns);
	snprintf(path, sizeof(path), "%s/%s.resolv.conf", r->dir, r->stack);
	snprintf(text, sizeof(text), "nameserver %s\n", r->dns ? r->dns : "");
	if (!r->dns && access(path, R_OK))
		return 0;
	err = net_resolver(r->dir, r->dns ? text : NULL, path, &why);
	if (!err && setenv(ABI_ENV_RESOLVER, "/etc/resolv.conf", 1))
		err = -errno;
	return err ? run_fail(CANNOT_RUN, "%s: %s", why, strerror(-err)) : 0;
}

/*
 * EBUSY: there is a supervisor already, of a `glass run` around this one. Without one a dynamic
 * program has its library still.
 */
static int begin_supervision(const struct run *r)
{
	const char *why;
	int err = supervise(r->library, &why);

	if (!err || err == -EBUSY) /* the C library's resolver reaches the stack */
		return setenv(ABI_ENV_RESOLVER, "libc", 1) ? run_fail(CANNOT_RUN, "out of memory")
							   : 0;
	if (r->mode == MODE_SECCOMP || err > 0)
		return run_fail(CANNOT_RUN, "%s: %s. Type: glass run --mode preload", why,
				strerror(abs(err)));
	if (r->verbose)
		run_fail(0, "%s: %s: what the library cannot reach meets an empty network", why,
			 strerror(-err));
	return 0;
}

int glass_run(int argc, char **argv)
{
	static struct run r;
	const char *stack = getenv(ABI_ENV_STACK);
	int status, err;

	r.stack = stack && *stack ? stack : ABI_DEFAULT_STACK;
	if ((status = parse(&r, argc, argv)))
		return status - 1;
	if (!find_library(r.library))
		return run_fail(CANNOT_RUN,
				LIBRARY " was not found beside this command nor in " GLASS_LIBDIR
					". Type: make install");
	if ((status = run_find_program(r.argv[0], r.program)) || (status = run_check_program(&r)) ||
	    (r.own_stack && (status = run_private(&r))) || (status = run_check_daemon(&r)) ||
	    (status = run_around(&r)) || (status = set_environment(&r)))
		return status;
	if (!r.keep_net && (err = net_enter(r.iface, r.ifaces)) && r.verbose)
		run_fail(0,
			 "no network namespace (%s): what is not the stack's passes through the "
			 "kernel's",
			 strerror(-err));
	if ((status = set_resolver(&r)))
		return status;
	if (r.mode != MODE_PRELOAD && (status = begin_supervision(&r)))
		return status;
	if (r.verbose)
		run_fail(0, "%s with %s on stack '%s'", r.program, r.library, r.stack);
	execv(r.program, r.argv);
	return run_fail(errno == ENOENT ? NOT_FOUND : CANNOT_RUN, "%s: %s", r.program,
			strerror(errno));
}
