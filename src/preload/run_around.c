/* SPDX-License-Identifier: MIT */
/*
 * What is to be done before the program and after it: a stack of its own (--net), a file of what
 * passed the wire (--pcap), the flight recorder (--trace), a report. Then `glass run` is not the
 * program but its parent: signals go on to it, and its end is ours, status or signal.
 *
 * In: run.c.   Out: run_private.c, run_daemon.c; glass pcap, glass trace --save.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run_program.h"
#include "supervise.h"

static volatile sig_atomic_t program;

/* ---- before ---------------------------------------------------------------------------------- */

/*
 * "glass pcap" in a process of its own, which Ctrl-C does not reach: it ends after the program. It
 * says when it captures; if it ends before, it has said why.
 */
static _Noreturn void be_pcap(const struct run *r, int said)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	setpgid(0, 0);
	dup2(said, STDOUT_FILENO);
	setenv(ABI_ENV_STACK, r->stack, 1);
	execl("/proc/self/exe", "glass", "pcap", "-w", r->pcap, NULL);
	_exit(NOT_FOUND);
}

static int begin_pcap(struct run *r)
{
	int said[2];
	char byte;

	if (!strcmp(r->pcap, "-"))
		return run_fail(2, "--pcap takes a file: the standard output is the program's");
	if (pipe2(said, O_CLOEXEC))
		return run_fail(CANNOT_RUN, "--pcap: %s", strerror(errno));
	r->pcap_pid = fork();
	if (!r->pcap_pid)
		be_pcap(r, said[1]);
	close(said[1]);
	if (r->pcap_pid > 0 && read(said[0], &byte, 1) == 1) {
		r->pcap_said = said[0];
		return 0;
	}
	close(said[0]);
	return run_fail(CANNOT_RUN, "--pcap %s: there is no capture", r->pcap);
}

/* Counters that the supervisor shares with us. */
static int begin_report(struct run *r)
{
	struct run_counts *c;

	if (r->mode == MODE_PRELOAD)
		return run_fail(2, "--report counts what the supervisor sees: not with --mode "
				   "preload");
	c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (c == MAP_FAILED)
		return run_fail(CANNOT_RUN, "out of memory");
	run_counts = c;
	return 0;
}

/* ---- after ----------------------------------------------------------------------------------- */

static void end_pcap(const struct run *r)
{
	int status = 0;

	kill(r->pcap_pid, SIGTERM);
	if (waitpid(r->pcap_pid, &status, 0) != r->pcap_pid || status)
		run_fail(0, "--pcap: the capture has ended before");
}

static void save_trace(const struct run *r)
{
	pid_t pid = fork();
	int status = 0;

	if (!pid) {
		setenv(ABI_ENV_STACK, r->stack, 1);
		execl("/proc/self/exe", "glass", "trace", "--save", r->trace, NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		run_fail(0, "--trace: the recorder was not saved");
}

static void report(void)
{
	fprintf(stderr, "glass run: sockets that reached the kernel: %u of IPv4, %u of IPv6\n",
		run_counts->ip4, run_counts->ip6);
}

static void end_private(const struct run *r)
{
	kill(r->private_pid, SIGTERM);
	waitpid(r->private_pid, NULL, 0);
}

/* ---- meanwhile ------------------------------------------------------------------------------- */

static void pass_on(int signal)
{
	int saved = errno;

	if (program)
		kill(program, signal);
	errno = saved;
}

/* The terminal's signals reach the program by themselves; others are sent to us. */
static void signals_begin(void)
{
	static const int ours[] = { SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 };
	struct sigaction act = { .sa_handler = pass_on, .sa_flags = SA_RESTART };

	for (unsigned i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		sigaction(ours[i], &act, NULL);
	act.sa_handler = SIG_IGN;
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGQUIT, &act, NULL);
}

/* As the program ended. */
static _Noreturn void end_like(int status)
{
	const struct rlimit none = { 0 };

	if (WIFSIGNALED(status)) {
		setrlimit(RLIMIT_CORE, &none);
		signal(WTERMSIG(status), SIG_DFL);
		raise(WTERMSIG(status));
	}
	exit(WEXITSTATUS(status));
}

static _Noreturn void look_after(const struct run *r, pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r->pcap)
		end_pcap(r);
	if (r->trace)
		save_trace(r);
	if (r->private_pid)
		end_private(r);
	if (r->report)
		report();
	end_like(status);
}

/* ---- all of it ------------------------------------------------------------------------------- */

int run_around(struct run *r)
{
	sigset_t all, old;
	int status = 0;
	pid_t pid;

	if (r->report)
		status = begin_report(r);
	if (!status && r->pcap)
		status = begin_pcap(r);
	if (status || !(r->report || r->pcap || r->trace || r->private_pid))
		return status;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old); /* until it is known whom to pass them on to */
	pid = fork();
	if (pid < 0)
		return run_fail(CANNOT_RUN, "no process for the program: %s", strerror(errno));
	if (pid) {
		program = pid;
		signals_begin();
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid)
		look_after(r, pid);
	if (r->pcap)
		close(r->pcap_said);
	return 0;
}
