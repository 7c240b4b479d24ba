/* SPDX-License-Identifier: MIT */
/*
 * glass doctor: what this machine can do, and what to type where it cannot. Changes nothing; needs
 * no daemon.
 */
#include "capture.h"
#include "ctl.h"
#include "wireshark.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CAP_NET_ADMIN_BIT 12
#define WMEM_BYTES 212992 /* what a program's end asks for (src/abi/abi.h) */

struct finding {
	bool ok;
	char why[160]; /* what was seen, when it is not */
};

/* ---- looking --------------------------------------------------------------------------------- */

static void cannot(struct finding *f, const char *what, int error)
{
	snprintf(f->why, sizeof(f->why), "%s: %s", what, strerror(error));
}

static void see_tun(struct finding *f)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	f->ok = fd >= 0;
	if (f->ok)
		close(fd);
	else
		cannot(f, "/dev/net/tun", errno);
}

/* A line "NAME value" of a file of /proc; false: it is not there. */
static bool proc_value(const char *path, const char *name, char *out, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n = strlen(name);
	char line[256];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		found = !strncmp(line, name, n);
		snprintf(out, size, "%s", line + n + strspn(line + n, " \t"));
		out[strcspn(out, "\n")] = '\0';
	}
	if (f)
		fclose(f);
	return found;
}

static void see_rights(struct finding *f)
{
	char caps[64];

	f->ok = proc_value("/proc/self/status", "CapEff:", caps, sizeof(caps)) &&
		strtoull(caps, NULL, 16) >> CAP_NET_ADMIN_BIT & 1;
	snprintf(f->why, sizeof(f->why), "no CAP_NET_ADMIN");
}

/* Tried in a child: the namespace ends with it. */
static void see_user_namespaces(struct finding *f)
{
	pid_t pid = fork();
	int status = 0;

	if (!pid)
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWNET) ? errno : 0);
	f->ok = pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
		!WEXITSTATUS(status);
	cannot(f, "unshare(CLONE_NEWUSER)", pid < 0 ? errno : WEXITSTATUS(status));
}

static void see_seccomp(struct finding *f)
{
	uint32_t action = SECCOMP_RET_USER_NOTIF;

	f->ok = !syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
	cannot(f, "SECCOMP_RET_USER_NOTIF", errno);
}

static void see_wmem(struct finding *f)
{
	char value[64] = "0";

	f->ok = proc_value("/proc/sys/net/core/wmem_max", "", value, sizeof(value)) &&
		strtol(value, NULL, 10) >= WMEM_BYTES;
	snprintf(f->why, sizeof(f->why), "net.core.wmem_max is %.32s", value);
}

static void see_uprobes(struct finding *f)
{
	static const char path[] = "/sys/bus/event_source/devices/uprobe/type";

	f->ok = !access(path, R_OK) && !geteuid();
	cannot(f, path, access(path, R_OK) ? errno : EACCES);
}

/* Is there a program of that name? */
static bool in_path(const char *name)
{
	const char *path = getenv("PATH");
	char file[512];
	size_t n;

	for (; path && *path; path += n + (path[n] == ':')) {
		n = strcspn(path, ":");
		snprintf(file, sizeof(file), "%.*s/%s", (int)n, path, name);
		if (!access(file, X_OK))
			return true;
	}
	return false;
}

static void see_filters(struct finding *f)
{
	f->ok = capture_has_filters();
	snprintf(f->why, sizeof(f->why), "this glass was built without libpcap");
}

static void see_wireshark(struct finding *f)
{
	f->ok = wireshark_installed();
	snprintf(f->why, sizeof(f->why), "glass.lua is not among Wireshark's plugins");
}

static void see_stack(struct finding *f)
{
	int err = client_try_open();

	f->ok = !err;
	cannot(f, ctl.stack, -err);
}

/* ---- what is looked at ----------------------------------------------------------------------- */

enum need { NEEDED, ONE_OF, USEFUL };

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): its rows read best in this order. */
static const struct {
	const char *name;
	enum need need;
	void (*see)(struct finding *f); /* NULL: a program of that name */
	const char *for_what, *fix;
} points[] = {
	{ "tun", NEEDED, see_tun, "devices of the stack",
	  "modprobe tun; in a container: --device /dev/net/tun; or glass up --user" },
	{ "rights", ONE_OF, see_rights, "making a device",
	  "be root, or use user namespaces: glass up --rootless" },
	{ "user namespaces", ONE_OF, see_user_namespaces, "a lab without root: make demo",
	  "sysctl -w user.max_user_namespaces=10000 kernel.unprivileged_userns_clone=1 "
	  "kernel.apparmor_restrict_unprivileged_userns=0" },
	{ "seccomp", USEFUL, see_seccomp, "static programs, Go and the resolver: glass run",
	  "a kernel from 5.9 on, and a container that lets seccomp be used" },
	{ "socket buffers", USEFUL, see_wmem, "sendfile on programs' sockets without a stall",
	  "sysctl -w net.core.wmem_max=212992" },
	{ "stack", USEFUL, see_stack, "the stack runs", "glass up" },
	{ "uprobes", USEFUL, see_uprobes, "function traces from outside",
	  "be root, with a kernel with CONFIG_UPROBES; glass trace --functions needs none" },
	{ "bpftrace", USEFUL, NULL, "function traces from outside: tools/functrace.bt",
	  "apt install bpftrace" },
	{ "uftrace", USEFUL, NULL, "function traces from outside: tools/functrace.uftrace",
	  "apt install uftrace" },
	{ "stap", USEFUL, NULL, "function traces from outside: tools/functrace.stp",
	  "apt install systemtap, then stap-prep for the kernel's headers and symbols" },
	{ "filters", USEFUL, see_filters, "pcap-filter's language in glass pcap and net",
	  "apt install libpcap-dev; make" },
	{ "tcpdump", USEFUL, NULL, "reading glass pcap", "apt install tcpdump" },
	{ "tshark", USEFUL, NULL, "reading captures in Wireshark's words", "apt install tshark" },
	{ "wireshark fields", USEFUL, see_wireshark, "Glass's fields in Wireshark and tshark",
	  "glass wireshark" },
	{ "jq", USEFUL, NULL, "working with the output of -j", "apt install jq" },
};

static void look(unsigned i, struct finding *f)
{
	*f = (struct finding){ 0 };
	if (points[i].see) {
		points[i].see(f);
		return;
	}
	f->ok = in_path(points[i].name);
	snprintf(f->why, sizeof(f->why), "it is not in PATH");
}

static void tell_text(unsigned i, const struct finding *f)
{
	printf("%s%-5s%s %-16s %s\n",
	       color(f->ok	      ? C_GREEN
		     : points[i].need ? C_YELLOW
				      : C_RED),
	       f->ok ? "ok" : "no", color(C_NONE), points[i].name, points[i].for_what);
	if (!f->ok)
		printf("      %-16s %s\n      %-16s type: %s\n", "", f->why, "", points[i].fix);
}

static void tell_json(unsigned i, const struct finding *f)
{
	json_begin_object(NULL);
	json_string("name", points[i].name);
	json_bool("ok", f->ok);
	json_string("for", points[i].for_what);
	if (!f->ok) {
		json_string("why", f->why);
		json_string("fix", points[i].fix);
	}
	json_end();
}

int cmd_doctor(const struct command *self, int argc, char **argv)
{
	int n = opt_parse(self, NULL, 0, argc, argv);
	bool needed = true, one_of = false;
	struct finding f;

	if (n < 0)
		return EXIT_USAGE;
	if (n)
		return usage(self, "'%s' is too much", argv[1]);
	if (ctl.json)
		json_begin_array(NULL);
	fflush(stdout);
	for (unsigned i = 0; i < COUNT(points); i++) {
		look(i, &f);
		needed = needed && (f.ok || points[i].need != NEEDED);
		one_of = one_of || (f.ok && points[i].need == ONE_OF);
		(ctl.json ? tell_json : tell_text)(i, &f);
	}
	if (ctl.json)
		json_end();
	else if (!needed || !one_of)
		printf("Glass cannot make a device here. Without one: glass up --user, and the "
		       "library (glass.h).\n");
	return needed && one_of ? EXIT_OK : EXIT_FAILED;
}
