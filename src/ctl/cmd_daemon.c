/* SPDX-License-Identifier: MIT */
/* glass up, down, status, run: the life of the daemon, and of programs on it. */
#include "ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DOWN_WAIT_MS 10000
#define DOWN_POLL_MS 10

/* ---- up ---- */

/* Beside the command as in the build tree, where both are installed, or in PATH. */
static void find_glassd(char out[PATH_MAX])
{
	static const char *const places[] = { "glassd", "../daemon/glassd", "../sbin/glassd" };
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	for (unsigned i = 0; slash && i < COUNT(places); i++) {
		*slash = '\0';
		if (snprintf(out, PATH_MAX, "%s/%s", self, places[i]) < PATH_MAX &&
		    !access(out, X_OK))
			return;
	}
	snprintf(out, PATH_MAX, "glassd");
}

/* What of glassd's options matters here too. */
struct up {
	bool help, foreground, takeover;
};

static struct up scan_options(int argc, char **argv)
{
	struct up up = { 0 };

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			up.help = true;
		else if (!strcmp(argv[i], "--foreground") || !strcmp(argv[i], "-f"))
			up.foreground = true;
		else if (!strcmp(argv[i], "--takeover"))
			up.takeover = true;
		else if ((!strcmp(argv[i], "--stack") || !strcmp(argv[i], "-s")) && i + 1 < argc)
			ctl.stack = argv[++i];
		else if (!strncmp(argv[i], "--stack=", 8))
			ctl.stack = argv[i] + 8;
	}
	return up;
}

static int exec_glassd(int argc, char **argv)
{
	char path[PATH_MAX], **args = calloc((size_t)argc + 1, sizeof(*args));

	if (!args)
		return failed("out of memory");
	find_glassd(path);
	args[0] = path;
	for (int i = 1; i < argc; i++)
		args[i] = argv[i];
	setenv(ABI_ENV_STACK, ctl.stack, 1);
	execvp(path, args);
	failed("cannot start %s: %s\nis glassd installed, beside glass or in PATH?", path,
	       strerror(errno));
	free(args);
	return EXIT_FAILED;
}

/* glassd ends its foreground half when the stack is ready, with status 0, or after telling why it
 * is not. */
static int start_glassd(int argc, char **argv)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return failed("fork: %s", strerror(errno));
	if (!pid)
		_exit(exec_glassd(argc, argv));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return failed("waitpid: %s", strerror(errno));
	if (WIFEXITED(status))
		return WEXITSTATUS(status) ? EXIT_FAILED : EXIT_OK;
	return failed("glassd died of signal %d while it started", WTERMSIG(status));
}

static int running_pid(void)
{
	struct reply rep;
	int pid = 0;

	if (!client_try_open() && !client_call(ABI_HELLO, NULL, "glass", -1, &rep))
		pid = (int)rep.head.value[0];
	return pid;
}

static void say_up(int pid)
{
	struct table addrs;
	char text[64];

	if (ctl.json) {
		json_begin_object(NULL);
		json_string("stack", ctl.stack);
		json_number("pid", pid);
		json_end();
		return;
	}
	printf("stack %s is up, pid %d", ctl.stack, pid);
	if (!table_get(&addrs, "addr", sizeof(struct glass_addr_info), NULL, 0)) {
		unsigned count;
		const char *const *names = device_names(&count);
		const struct glass_addr_info *a;

		for (uint64_t i = 0; i < addrs.count; i++) {
			a = TABLE_ROW(&addrs, struct glass_addr_info, i);
			if (a->dev && a->dev < count && names[a->dev])
				printf(", %s/%u on %s", addr_text(&a->addr, text), a->prefix_bits,
				       names[a->dev]);
		}
		table_free(&addrs);
	}
	putchar('\n');
}

int cmd_up(const struct command *self, int argc, char **argv)
{
	struct up up = scan_options(argc, argv);
	int pid, err;

	if (up.help) {
		printf("%s\n\nusage: glass %s %s\n\n%s\n\n", self->summary, self->name,
		       self->synopsis, self->detail);
		fflush(stdout);
		return exec_glassd(argc, argv);
	}
	pid = running_pid();
	if (pid && !up.takeover)
		return failed("stack %s is running already, pid %d\ntype: glass down, or use "
			      "another --stack NAME; a new version goes on in its place by: glass "
			      "up --takeover",
			      ctl.stack, pid);
	client_close();
	if (up.foreground)
		return exec_glassd(argc, argv);
	err = start_glassd(argc, argv);
	if (err)
		return err;
	pid = running_pid();
	if (!pid)
		return failed("glassd said it was ready, but does not answer\ntype: glass up "
			      "--foreground");
	say_up(pid);
	return EXIT_OK;
}

/* ---- down ---- */

/* Success is silent, but JSON was asked for. */
static void say_done(const char *what)
{
	if (!ctl.json)
		return;
	json_begin_object(NULL);
	json_string("stack", ctl.stack);
	json_string("done", what);
	json_end();
}

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* The lock is the last thing that goes, after the device: with it everything is as before. */
static bool lock_exists(void)
{
	char dir[ABI_PATH_MAX], path[ABI_PATH_MAX + ABI_STACK_NAME_MAX + 8];

	if (!abi_dir(dir, getenv, geteuid()))
		return false;
	snprintf(path, sizeof(path), "%s/%s.lock", dir, ctl.stack);
	return !access(path, F_OK);
}

static bool is_down(void)
{
	client_close();
	return client_try_open() && !lock_exists();
}

int cmd_down(const struct command *self, int argc, char **argv)
{
	int n = opt_parse(self, NULL, 0, argc, argv), err;
	struct reply rep;

	if (n < 0)
		return EXIT_USAGE;
	if (n)
		return usage(self, "'%s' is too much", argv[1]);
	err = client_open();
	if (err)
		return err;
	err = client_call(ABI_STOP, NULL, NULL, -1, &rep);
	if (err)
		return client_failed("down", err, &rep);
	for (int waited = 0; waited < DOWN_WAIT_MS; waited += DOWN_POLL_MS) {
		if (is_down()) {
			say_done("down");
			return EXIT_OK;
		}
		sleep_ms(DOWN_POLL_MS);
	}
	return failed("stack %s was told to end, and still runs after %d s\ntype: glass status",
		      ctl.stack, DOWN_WAIT_MS / 1000);
}

/* ---- status ---- */

static bool is_plain_number(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n && n < 19 && !s[n] && (s[0] != '0' || n == 1);
}

int cmd_status(const struct command *self, int argc, char **argv)
{
	static const size_t strings[] = { offsetof(struct abi_pair, key),
					  offsetof(struct abi_pair, value) };
	int n = opt_parse(self, NULL, 0, argc, argv), err;
	const struct abi_pair *p;
	struct table t;

	if (n < 0)
		return EXIT_USAGE;
	if (n)
		return usage(self, "'%s' is too much", argv[1]);
	err = table_get(&t, "status", sizeof(struct abi_pair), strings, COUNT(strings));
	if (err)
		return err;
	if (ctl.json)
		json_begin_object(NULL);
	for (uint64_t i = 0; i < t.count; i++) {
		p = TABLE_ROW(&t, struct abi_pair, i);
		if (!p->key || !p->value)
			continue;
		if (!ctl.json)
			printf("%-20s %s\n", p->key, p->value);
		else if (is_plain_number(p->value))
			json_unsigned(p->key, strtoull(p->value, NULL, 10));
		else
			json_string(p->key, p->value);
	}
	if (ctl.json)
		json_end();
	table_free(&t);
	return EXIT_OK;
}

/* ---- run ---- */

int cmd_run(const struct command *self, int argc, char **argv)
{
	(void)self;
	setenv(ABI_ENV_STACK, ctl.stack, 1);
	return glass_run(argc, argv);
}
