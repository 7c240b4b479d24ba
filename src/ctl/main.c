/* SPDX-License-Identifier: MIT */
/*
 * glass(1): the command. main() finds the command's name and leaves the rest to its function; every
 * command has a row in the table below, from which --help and the suggestions come.
 */
#include "ctl.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ctl ctl = { .stack = ABI_DEFAULT_STACK };

const struct command commands[] = {
	{ "up", "[GLASSD OPTIONS]", "start the stack (glassd), and wait until it is ready", cmd_up,
	  "All other options are those of glassd(8): glassd --help" },
	{ "down", "", "end the stack: connections are closed, peers get FIN or RST", cmd_down,
	  NULL },
	{ "status", "", "is the stack running, and what does it hold", cmd_status, NULL },
	{ "run", "PROGRAM [ARGUMENTS]", "run a program on the stack: see glass-run(1)", cmd_run,
	  NULL },
	{ "host", "PROGRAM [ARGUMENTS]",
	  "run a program on the kernel's side of the device, also of a rootless stack", cmd_host,
	  NULL },
	{ "ss", "[FILTER]", "sockets and connections, as ss(8)", cmd_ss,
	  "FILTER, as ss(8): [state STATE | exclude STATE]... [EXPRESSION]\n"
	  "STATE: all, connected, synchronized, bucket, big, established, listening, ...\n"
	  "EXPRESSION: src|dst [OP] ADDR[/BITS][:PORT], sport|dport OP PORT, conn OP N, with the\n"
	  "comparisons = != < <= > >=, joined by and, or, not, parentheses." },
	{ "stat", "[PATTERN...]",
	  "counters that are not zero, and drops with their reasons, as nstat(8)", cmd_stat, NULL },
	{ "check", "", "do the stack's accounts agree? nothing is lost without a reason", cmd_check,
	  NULL },
	{ "trace", "[CONN | HOST[:PORT] | last | FILTER]",
	  "what happened, from the flight recorder: by connection, step by step", cmd_trace,
	  "CONN is the number of a connection (see glass ss), HOST:PORT the last one with that "
	  "end, "
	  "last the\nlast of all; without it all are told, long ones in short.\nFILTER, as "
	  "pcap-filter(7): host, net, port, portrange, src, dst, less, "
	  "greater; ip, arp,\ntcp, udp, icmp, inbound, outbound; and conn N, syn, fin, rst, data, "
	  "ack, rtx, drop;\njoined by and, or, not, parentheses." },
	{ "why", "[CONN | HOST[:PORT] | last]",
	  "why a connection failed, how it ended, or why it is slow, in a few lines", cmd_why,
	  "Without an operand: the last connection." },
	{ "top", "[FILTER]", "connections, rates, limiters and drops, again and again, as top(1)",
	  cmd_top, "FILTER, as glass ss has it. Keys on the screen: h tells them." },
	{ "step", "", "hold the stack, or a simulated one, and let it go on step by step", cmd_step,
	  "Commands: next [N], packet [N], until FILTER, break [FILTER], delete [N], continue "
	  "[TIME],\nprint [CONN], save FILE, help, quit; FILTER as glass trace has it.\n"
	  "Scenes: fetch, nobody, loss, recovery, window.\n"
	  "Example: glass step --scene loss -e 'until rtx; print'" },
	{ "report", "[CONN | HOST[:PORT] | last]",
	  "a connection as a page for a browser: what happened, pictures, its trace", cmd_report,
	  "Without an operand: the last connection." },
	{ "explain", "[NAME...]",
	  "what a drop reason, event, counter, tunable, TCP state or option, or limiter means",
	  cmd_explain, "Without an operand: the list of all." },
	{ "ping", "HOST", "echo requests through the stack, as ping(8)", cmd_ping, NULL },
	{ "addr", "[show]", "the stack's addresses, as ip-address(8)", cmd_addr, NULL },
	{ "link", "[show]", "the stack's devices, as ip-link(8)", cmd_link, NULL },
	{ "maddr", "[show]", "multicast groups that the devices hear, as ip-maddress(8)", cmd_maddr,
	  NULL },
	{ "neigh", "[show]", "neighbours and their hardware addresses, as ip-neighbour(8)",
	  cmd_neigh, NULL },
	{ "route", "[show]", "routes, as ip-route(8)", cmd_route, NULL },
	{ "net", "set [in|out] WORDS | del [in|out] | blackhole ADDR | clear [ADDR] | show",
	  "make the network bad on purpose, in tc-netem(8)'s words", cmd_net,
	  "WORDS, each with what may follow it:\n"
	  "  delay TIME [JITTER [CORR]] [distribution uniform|normal]\n"
	  "  loss P [CORR] | loss gemodel P [R [1-H [1-K]]] | loss state P13 [P31 [P32 [P23 "
	  "P14]]]\n"
	  "  ecn                      what loss meets is marked instead, where it may be\n"
	  "  duplicate P [CORR]       corrupt P [CORR]       reorder P [CORR] [gap N] [by TIME]\n"
	  "  rate RATE [OVERHEAD [CELL [CELLOVERHEAD]]] [limit FRAMES|SIZE]\n"
	  "  trace FILE [limit FRAMES|SIZE]   a recorded link: a time in ms per line, as "
	  "mahimahi's\n"
	  "  drop nth|every N [syn|fin|rst|data|ack] [FILTER]       FILTER: see pcap-filter(7)\n"
	  "  profile lte|3g|dsl|wifi|satellite       seed N\n"
	  "Without in or out both directions are set, each by itself: delay 40ms makes a round\n"
	  "trip 80 ms longer. What is not said is off. A black hole answers ARP and swallows\n"
	  "everything else. clear ends all of it.\n"
	  "Example: glass net set rate 20mbit limit 100 delay 40ms 10ms loss 1% 25%" },
	{ "pcap", "[-w FILE] [FILTER]",
	  "capture what passes the devices, with what the stack thinks of it, for Wireshark and "
	  "tcpdump",
	  cmd_pcap,
	  "The file is pcapng. Each packet is there once, with its fate, process and cause in "
	  "comments;\nglass wireshark makes fields of them. FILTER: see pcap-filter(7).\n"
	  "Example: glass pcap -w - tcp port 80 | tshark -i -" },
	{ "wireshark", "", "teach Wireshark the fields of a capture, and the stacks as interfaces",
	  cmd_wireshark,
	  "Installs a Lua file (fields as glass.cwnd, glass.drop: see glass(1)) and an extcap." },
	{ "tunables", "[PATTERN...]", "limits and constants: value, range, meaning", cmd_tunables,
	  NULL },
	{ "set", "NAME=VALUE...", "change a tunable of the running stack", cmd_set, NULL },
	{ "doctor", "", "what this machine can do for Glass, and what to type where it cannot",
	  cmd_doctor, NULL },
	{ "completion", "bash | zsh", "the shell's completion of this command, as a script",
	  cmd_completion, "As in: source <(glass completion bash)" },
	{ "help", "[COMMAND]", "this list, or the help of a command", cmd_help, NULL },
};
const unsigned command_count = COUNT(commands);

static void print_overview(FILE *out)
{
	fprintf(out, "usage: glass [OPTIONS] COMMAND [ARGUMENTS]\n\n"
		     "A TCP/IP stack that you can run any program on, and see through.\n\n");
	for (unsigned i = 0; i < command_count; i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
	fprintf(out,
		"\n  --stack NAME, -j (JSON), -p (indented) and --help hold for every command.\n"
		"  --version shows the version.\n"
		"\nFirst steps: glass up; glass run curl http://10.0.0.5:8080/; glass trace\n");
}

static void overview_json(void)
{
	json_begin_array(NULL);
	for (unsigned i = 0; i < command_count; i++) {
		json_begin_object(NULL);
		json_string("name", commands[i].name);
		json_string("arguments", commands[i].synopsis);
		json_string("summary", commands[i].summary);
		json_end();
	}
	json_end();
}

static const char *command_word(unsigned i)
{
	return i < command_count ? commands[i].name : NULL;
}

/* ip(8) lets its objects be abbreviated, down to one letter; so do these. */
static bool is_short_for(const char *name, const char *word)
{
	static const char *const objects[] = { "addr", "link", "maddr", "neigh", "route" };
	static const char *const longer[] = { "address", "maddress", "neighbor", "neighbour" };

	for (unsigned i = 0; i < COUNT(objects); i++)
		if (!strcmp(name, objects[i]) && !strncmp(name, word, strlen(word)))
			return true;
	for (unsigned i = 0; i < COUNT(longer); i++)
		if (!strncmp(longer[i], name, 4) && !strncmp(longer[i], word, strlen(word)) &&
		    strlen(word) >= 4)
			return true;
	return false;
}

static const struct command *find_command(const char *word)
{
	for (unsigned i = 0; i < command_count; i++)
		if (!strcmp(commands[i].name, word))
			return &commands[i];
	for (unsigned i = 0; i < command_count; i++)
		if (is_short_for(commands[i].name, word))
			return &commands[i];
	return NULL;
}

static int unknown(const char *word)
{
	const char *meant = nearest(word, command_word);

	fprintf(stderr, "glass: there is no command '%s'\n", word);
	if (meant)
		fprintf(stderr, "did you mean: glass %s\n", meant);
	else
		fprintf(stderr, "type: glass help\n");
	return EXIT_USAGE;
}

int cmd_help(const struct command *self, int argc, char **argv)
{
	const struct command *cmd;
	char *help[] = { NULL, NULL, NULL };
	char flag[] = "--help";
	int n = opt_parse(self, NULL, 0, argc, argv);

	if (n < 0)
		return EXIT_USAGE;
	if (!n && ctl.json)
		overview_json();
	else if (!n)
		print_overview(stdout);
	if (!n)
		return EXIT_OK;
	cmd = find_command(argv[1]);
	if (!cmd)
		return unknown(argv[1]);
	help[0] = argv[1];
	help[1] = flag;
	return cmd->run(cmd, 2, help);
}

/* Options before the command. Answers the index of the command's name; 0: the program is to end
 * with *code. */
static int leading_options(int argc, char **argv, int *code)
{
	static const struct command glass = { "", "COMMAND", "", NULL, NULL };
	int i;

	*code = EXIT_OK;
	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help")) {
			print_overview(stdout);
			return 0;
		}
		if (!strcmp(argv[i], "-V") || !strcmp(argv[i], "--version")) {
			puts("glass " GLASS_VERSION);
			return 0;
		}
		i += !strcmp(argv[i], "--stack");
	}
	if (i > 1 && opt_parse_until_operand(&glass, NULL, 0, i < argc ? i : argc, argv) < 0) {
		*code = EXIT_USAGE;
		return 0;
	}
	if (i < argc)
		return i;
	print_overview(stderr);
	*code = EXIT_USAGE;
	return 0;
}

static void set_defaults(char *self)
{
	const char *stack = getenv(ABI_ENV_STACK), *no_color = getenv("NO_COLOR");

	if (stack && *stack)
		ctl.stack = stack;
	ctl.color = isatty(STDOUT_FILENO) && !(no_color && *no_color);
	ctl.self = self;
	signal(SIGPIPE, SIG_DFL);
}

int main(int argc, char **argv)
{
	const struct command *cmd;
	int at, code;

	set_defaults(argv[0]);
	at = leading_options(argc, argv, &code);
	if (!at)
		return code;
	cmd = find_command(argv[at]);
	if (!cmd)
		return unknown(argv[at]);
	code = cmd->run(cmd, argc - at, argv + at);
	if (fflush(stdout) || ferror(stdout))
		return failed("cannot write the output: %s", strerror(errno));
	return code;
}
