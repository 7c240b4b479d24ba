/* SPDX-License-Identifier: MIT */
/*
 * A stack of one program's own: `glass run --net`, --dev, --rootless. glassd is our child, in the
 * foreground, and is told to end when we do, however that happens: the stack goes with the run.
 *
 * In: run_around.c.   Out: glass up --foreground; glass net set.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "run_program.h"

#define READY_TRIES 1000
#define READY_PAUSE_NS 10000000
#define NUMBERS 250 /* of devices, and of networks 10.0.N.0/24 */
#define ATTEMPTS 4  /* somebody else may take the same number at the same time */

static char name[ABI_STACK_NAME_MAX + 1];
static char host[16], where[64]; /* the other side; what to say of it */

/* The first from which neither a device nor a network is there. */
static int number_free(int from)
{
	char path[64];

	for (int n = from; n < NUMBERS; n++) {
		snprintf(path, sizeof(path), "/sys/class/net/glass%d", n);
		if (access(path, F_OK))
			return n;
	}
	return -1;
}

static bool is_user(const struct run *r)
{
	return r->dev && !strcmp(r->dev, "user");
}

static _Noreturn void glassd(const struct run *r, int number, int output, pid_t parent)
{
	char dev[16], own[24], its[24];
	char *argv[14] = { "glass", "up", "--foreground", "--stack", name };
	char *on_device[] = { "--dev", dev, "--address", own, "--host-address", its };
	int n = 5;

	snprintf(dev, sizeof(dev), "glass%d", number);
	snprintf(own, sizeof(own), "10.0.%d.4/24", number);
	snprintf(its, sizeof(its), "10.0.%d.5/24", number);
	if (!is_user(r)) {
		memcpy(argv + n, on_device, sizeof(on_device));
		n += 6;
	}
	if (r->rootless)
		argv[n++] = "--rootless";
	if (r->dev)
		argv[n++] = is_user(r) ? "--user" : !strcmp(r->dev, "tun") ? "--tun" : "--tap";
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	setpgid(0, 0); /* Ctrl-C is for the program */
	dup2(output, 1);
	dup2(output, 2);
	if (getppid() == parent)
		execv("/proc/self/exe", argv);
	_exit(127);
}

/* It answers, or has ended, or takes too long. */
static int wait_ready(struct run *r, pid_t pid)
{
	const struct timespec pause = { 0, READY_PAUSE_NS };
	char path[ABI_PATH_MAX];
	int fd;

	for (int i = 0; i < READY_TRIES; i++) {
		if ((fd = run_connect(r, path)) >= 0) {
			close(fd);
			return 0;
		}
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return -ECHILD;
		nanosleep(&pause, NULL);
	}
	return -ETIMEDOUT;
}

/* What it had to say, when it did not come. */
static void tell_output(int output)
{
	char text[1024];
	ssize_t n = pread(output, text, sizeof(text), 0);

	if (n > 0)
		fwrite(text, 1, (size_t)n, stderr);
}

static int start(struct run *r, int number, int output)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid)
		glassd(r, number, output, parent);
	r->private_pid = pid;
	return wait_ready(r, pid);
}

/* "glass net set", which can read filters and files. What it prints is not the program's. */
static _Noreturn void be_net(const struct run *r, int errors)
{
	dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
	dup2(errors, STDERR_FILENO);
	setenv(ABI_ENV_STACK, r->stack, 1);
	execl("/proc/self/exe", "glass", "net", "set", r->net, NULL);
	_exit(NOT_FOUND);
}

static int set_net(const struct run *r)
{
	int status = 0, said[2];
	char text[512] = "";
	ssize_t n;
	pid_t pid;

	if (!r->net || !*r->net)
		return 0;
	if (pipe2(said, O_CLOEXEC))
		return run_fail(CANNOT_RUN, "--net: %s", strerror(errno));
	pid = fork();
	if (!pid)
		be_net(r, said[1]);
	close(said[1]);
	n = read(said[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	close(said[0]);
	if (pid > 0 && waitpid(pid, &status, 0) == pid && !status)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return run_fail(2, "--net '%s': %s", r->net,
			!strncmp(text, "glass: ", 7) ? text + 7 : text);
}

static void say_where(const struct run *r, uint8_t number)
{
	if (is_user(r)) {
		snprintf(host, sizeof(host), "10.0.2.2");
		snprintf(where, sizeof(where), "10.0.2.15 on user0");
		return;
	}
	snprintf(host, sizeof(host), "10.0.%u.5", number);
	snprintf(where, sizeof(where), "10.0.%u.4 on glass%u", number, number);
}

int run_private(struct run *r)
{
	int output = memfd_create("glassd", MFD_CLOEXEC), number = -1, err = -ENODEV;

	snprintf(name, sizeof(name), "run-%d", (int)getpid());
	r->stack = name;
	if (output < 0 || !abi_dir(r->dir, getenv, geteuid()))
		return run_fail(CANNOT_RUN, "no folder for a private stack");
	for (int i = 0; err && i < ATTEMPTS; i++) {
		if ((number = number_free(number + 1)) < 0)
			break;
		err = start(r, number, output);
	}
	if (err) {
		tell_output(output);
		return run_fail(CANNOT_RUN, "the private stack does not start: %s", strerror(-err));
	}
	close(output);
	say_where(r, (uint8_t)number);
	if (setenv("GLASS_HOST", host, 1))
		return run_fail(CANNOT_RUN, "out of memory");
	if (r->verbose)
		run_fail(0, "private stack '%s': %s, the host is %s", name, where, host);
	return set_net(r);
}
