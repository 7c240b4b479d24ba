/* SPDX-License-Identifier: MIT */
/*
 * Each running stack is an interface in Wireshark: what an extcap is asked, and how it answers
 * (extcap(4)). The file that Wireshark finds is a line of shell that comes here. A capture is
 * "glass pcap" into Wireshark's pipe, which ends with SIGTERM.
 *
 * In: cmd_wireshark.c.  Out: the folder of control sockets, glass pcap.
 */
#include "ctl.h"
#include "wireshark.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "glass-" /* of an interface's name; the stack's follows */

/* The value of "--NAME=VALUE" or "--NAME VALUE"; NULL: not asked. "" for one without. */
static const char *asked(const char *name, int argc, char **argv)
{
	size_t n = strlen(name);

	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) != 0 || strncmp(argv[i] + 2, name, n) != 0)
			continue;
		if (argv[i][2 + n] == '=')
			return argv[i] + 2 + n + 1;
		if (!argv[i][2 + n])
			return i + 1 < argc ? argv[i + 1] : "";
	}
	return NULL;
}

static bool runs(const char *stack)
{
	ctl.stack = stack;
	if (client_try_open())
		return false;
	client_close();
	return true;
}

static int list(void)
{
	char dir[ABI_PATH_MAX], name[ABI_STACK_NAME_MAX + 1];
	DIR *d = abi_dir(dir, getenv, (unsigned)geteuid()) ? opendir(dir) : NULL;
	struct dirent *e;

	printf("extcap {version=" GLASS_VERSION "}{help=man:glass}\n");
	while (d && (e = readdir(d))) {
		size_t n = strlen(e->d_name);

		if (n <= 5 || n - 5 >= sizeof(name) || strcmp(e->d_name + n - 5, ".sock") != 0)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(n - 5), e->d_name);
		if (abi_stack_name_ok(name) && runs(name))
			printf("interface {value=" PREFIX "%s}{display=Glass stack %s}\n", name,
			       name);
	}
	if (d)
		closedir(d);
	return EXIT_OK;
}

static int dlts(void)
{
	struct glass_dev_info dev;
	int err = first_device(&dev);

	if (err)
		return err;
	if (dev.setup.link == GLASS_RAW_IP)
		printf("dlt {number=101}{name=RAW}{display=Raw IP}\n");
	else
		printf("dlt {number=1}{name=EN10MB}{display=Ethernet}\n");
	return EXIT_OK;
}

static int be_pcap(const char *fifo, const char *filter)
{
	if (!fifo || !*fifo)
		return failed("an extcap captures into a --fifo");
	execl("/proc/self/exe", "glass", "--stack", ctl.stack, "pcap", "-U", "-w", fifo,
	      filter && *filter ? filter : NULL, NULL);
	return failed("glass pcap: %s", strerror(errno));
}

int wireshark_extcap(int argc, char **argv)
{
	const char *interface = asked("extcap-interface", argc, argv);
	const char *filter = asked("extcap-capture-filter", argc, argv);

	if (asked("extcap-interfaces", argc, argv))
		return list();
	if (!interface || strncmp(interface, PREFIX, strlen(PREFIX)) != 0)
		return failed("an extcap is asked by Wireshark: glass wireshark installs it");
	ctl.stack = interface + strlen(PREFIX);
	if (asked("extcap-dlts", argc, argv))
		return dlts();
	if (asked("capture", argc, argv))
		return be_pcap(asked("fifo", argc, argv), filter);
	return EXIT_OK; /* nothing is to be configured; every filter is checked when it starts */
}
