/* SPDX-License-Identifier: MIT */
/* The options of glassd: one table yields the parser and --help. */
#include "start.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MTU_MIN_BYTES 68    /* RFC 791 */
#define MTU_MAX_BYTES 65521 /* what tun allows */
#define SPIN_MAX_US 1000000
#define SPIN_US 30

/* Takes the option's value. false: told. */
typedef bool option_fn(struct options *o, const char *value);

static option_fn set_help, set_version, set_foreground, set_stack, set_dev, set_tap, set_tun,
	set_no_offload, set_address, set_host_address, set_gateway, set_mtu, set_trace_records,
	set_tunable, set_seed, set_spin, set_no_host_setup, set_allow_user, set_allow_group,
	set_user, set_publish, set_rootless, set_takeover;

static const struct option_row {
	const char *name;
	char letter;	   /* 0: none */
	const char *value; /* what it is called in --help; NULL: it has none */
	option_fn *take;
	const char *doc;
} rows[] = {
	{ "foreground", 'f', NULL, set_foreground,
	  "stay in the foreground; messages go to stderr" },
	{ "stack", 's', "NAME", set_stack,
	  "name of the stack (default: $GLASS_STACK, else 'default')" },
	{ "dev", 'd', "NAME", set_dev,
	  "device to make or take (default glass0; with --user: user0)" },
	{ "tap", 0, NULL, set_tap, "Ethernet device (default)" },
	{ "tun", 0, NULL, set_tun, "IP device: no Ethernet, no ARP" },
	{ "rootless", 0, NULL, set_rootless,
	  "in namespaces of its own: needs no rights; 'glass host' leads to the host's side" },
	{ "user", 0, NULL, set_user,
	  "a network in user space instead of a device: needs no rights, leads everywhere" },
	{ "publish", 0, "[ADDR:]PORT:PORT[/udp]", set_publish,
	  "with --user: a port of this machine leads to one of the stack; may be repeated" },
	{ "takeover", 0, NULL, set_takeover,
	  "go on where the running glassd is, which ends: programs and connections notice "
	  "nothing" },
	{ "no-offload", 0, NULL, set_no_offload, "cut and checksum every packet ourselves" },
	{ "address", 'a', "ADDR/BITS", set_address,
	  "the stack's address (default 10.0.0.4/24; with --user: 10.0.2.15/24)" },
	{ "host-address", 0, "ADDR/BITS", set_host_address,
	  "the host's side (default 10.0.0.5/24; with --user: 10.0.2.2/24)" },
	{ "gateway", 'g', "ADDR", set_gateway,
	  "next hop for everything beyond the network (default: none)" },
	{ "mtu", 'm', "BYTES", set_mtu, "largest packet (default: the device's, 1500)" },
	{ "no-host-setup", 0, NULL, set_no_host_setup,
	  "leave the host's side of the device alone" },
	{ "allow-user", 0, "USER", set_allow_user,
	  "programs of this user may use the stack too; may be repeated" },
	{ "allow-group", 0, "GROUP", set_allow_group,
	  "programs of this group likewise; may be repeated" },
	{ "trace-records", 0, "N", set_trace_records,
	  "size of the flight recorder (default 262144, 64 bytes each; 0: none)" },
	{ "set", 0, "NAME=VALUE", set_tunable,
	  "a tunable, as in 'glass tunables'; may be repeated" },
	{ "seed", 0, "N", set_seed,
	  "for tests: all randomness follows from N. Never on a real network" },
	{ "spin", 0, "US", set_spin,
	  "wait this long without sleeping while traffic is recent (default 30)" },
	{ "help", 'h', NULL, set_help, "this text" },
	{ "version", 'V', NULL, set_version, "the version" },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* ---- values ---- */

static bool number(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 0);
	if (*text && *text != '-' && !*end && !errno && *out >= min && *out <= max)
		return true;
	notice("--%s '%s' is not a number from %llu to %llu", what, text, (unsigned long long)min,
	       (unsigned long long)max);
	return false;
}

static bool address(const char *what, const char *text, struct glass_addr *out)
{
	*out = (struct glass_addr){ .family = GLASS_IP4 };
	if (inet_pton(AF_INET, text, out->byte) == 1)
		return true;
	notice("--%s '%s' is no IPv4 address, such as 10.0.0.4", what, text);
	return false;
}

static bool cidr(const char *what, const char *text, struct cidr *out)
{
	char copy[64], *slash;
	uint64_t bits = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	slash = strchr(copy, '/');
	if (!slash) {
		notice("--%s '%s' lacks the length of the network. Type for example: --%s %s/24",
		       what, text, what, text);
		return false;
	}
	*slash = '\0';
	if (!address(what, copy, &out->addr) || !number(what, slash + 1, 1, 32, &bits))
		return false;
	out->prefix_bits = (unsigned)bits;
	return true;
}

/* ---- one function per option ---- */

static bool set_help(struct options *o, const char *value)
{
	char left[48];

	(void)o;
	(void)value;
	printf("usage: glassd [OPTION...]\n\nA TCP/IP stack on a TAP or TUN device, for programs "
	       "that 'glass run' or "
	       "libglass-preload.so\nlead to it. 'glass up' starts it with the same options. "
	       "Returns when the stack is "
	       "ready.\n\n");
	for (size_t i = 0; i < ROWS; i++) {
		const struct option_row *r = &rows[i];
		char letter[4] = { '-', r->letter, ',', 0 };

		snprintf(left, sizeof(left), "--%s%s%s", r->name, r->value ? " " : "",
			 r->value ? r->value : "");
		printf("  %3s %-26s  %s\n", r->letter ? letter : "", left, r->doc);
	}
	exit(EXIT_SUCCESS);
}

static bool set_version(struct options *o, const char *value)
{
	(void)o;
	(void)value;
	printf("glassd " GLASS_VERSION "\n");
	exit(EXIT_SUCCESS);
}

static bool set_foreground(struct options *o, const char *value)
{
	(void)value;
	o->foreground = true;
	return true;
}

static bool set_stack(struct options *o, const char *value)
{
	o->stack = value;
	return true;
}

static bool set_dev(struct options *o, const char *value)
{
	o->dev = value;
	return true;
}

static bool set_tap(struct options *o, const char *value)
{
	(void)value;
	o->kind = DEV_TAP;
	return true;
}

static bool set_tun(struct options *o, const char *value)
{
	(void)value;
	o->kind = DEV_TUN;
	return true;
}

static bool set_takeover(struct options *o, const char *value)
{
	(void)value;
	o->takeover = true;
	return true;
}

static bool set_rootless(struct options *o, const char *value)
{
	(void)value;
	o->rootless = true;
	return true;
}

static bool set_user(struct options *o, const char *value)
{
	(void)value;
	o->kind = DEV_USER;
	return true;
}

static bool set_publish(struct options *o, const char *value)
{
	if (o->npublish == USER_PUBLISH_MAX) {
		notice("--publish: more than %d of them", USER_PUBLISH_MAX);
		return false;
	}
	o->publish[o->npublish++] = value;
	return true;
}

static bool set_no_offload(struct options *o, const char *value)
{
	(void)value;
	o->no_offload = true;
	return true;
}

static bool set_address(struct options *o, const char *value)
{
	return cidr("address", value, &o->address);
}

static bool set_host_address(struct options *o, const char *value)
{
	return cidr("host-address", value, &o->host_address);
}

static bool set_gateway(struct options *o, const char *value)
{
	return address("gateway", value, &o->gateway);
}

static bool set_mtu(struct options *o, const char *value)
{
	uint64_t n;

	if (!number("mtu", value, MTU_MIN_BYTES, MTU_MAX_BYTES, &n))
		return false;
	o->mtu_bytes = (uint32_t)n;
	return true;
}

static bool set_no_host_setup(struct options *o, const char *value)
{
	(void)value;
	o->no_host_setup = true;
	return true;
}

/* A name, or a number that need not have one. */
static bool set_allow_user(struct options *o, const char *value)
{
	struct allowed *a = &o->allowed;
	const struct passwd *user = getpwnam(value);
	uint64_t n = 0;

	if (a->uids == ALLOWED_MAX) {
		notice("--allow-user: more than %d of them. Make a group: --allow-group GROUP",
		       ALLOWED_MAX);
		return false;
	}
	if (!user && (*value < '0' || *value > '9')) {
		notice("--allow-user '%s': there is no such user", value);
		return false;
	}
	if (!user && !number("allow-user", value, 0, UINT32_MAX - 1, &n))
		return false;
	a->uid[a->uids++] = user ? user->pw_uid : (uid_t)n;
	return true;
}

static bool set_allow_group(struct options *o, const char *value)
{
	struct allowed *a = &o->allowed;
	const struct group *group = getgrnam(value);
	uint64_t n = 0;

	if (a->gids == ALLOWED_MAX) {
		notice("--allow-group: more than %d of them", ALLOWED_MAX);
		return false;
	}
	if (!group && (*value < '0' || *value > '9')) {
		notice("--allow-group '%s': there is no such group", value);
		return false;
	}
	if (!group && !number("allow-group", value, 0, UINT32_MAX - 1, &n))
		return false;
	a->gid[a->gids++] = group ? group->gr_gid : (gid_t)n;
	return true;
}

static bool set_trace_records(struct options *o, const char *value)
{
	uint64_t n;

	if (!number("trace-records", value, 0, TRACE_RECORDS_MAX, &n))
		return false;
	o->trace_records = n;
	o->trace_records_given = true;
	return true;
}

static bool set_tunable(struct options *o, const char *value)
{
	if (o->nset == TUNABLES_GIVEN_MAX) {
		notice("--set: more than %d of them", TUNABLES_GIVEN_MAX);
		return false;
	}
	o->set[o->nset++] = value;
	return true;
}

static bool set_seed(struct options *o, const char *value)
{
	o->seed_given = true;
	return number("seed", value, 0, UINT64_MAX, &o->seed);
}

static bool set_spin(struct options *o, const char *value)
{
	uint64_t n;

	if (!number("spin", value, 0, SPIN_MAX_US, &n))
		return false;
	o->spin_us = (int64_t)n;
	return true;
}

/* ---- all of them ---- */

static void getopt_tables(struct option *longs, char *letters)
{
	for (size_t i = 0; i < ROWS; i++) {
		longs[i] = (struct option){ rows[i].name,
					    rows[i].value ? required_argument : no_argument, NULL,
					    256 + (int)i };
		if (!rows[i].letter)
			continue;
		*letters++ = rows[i].letter;
		if (rows[i].value)
			*letters++ = ':';
	}
	longs[ROWS] = (struct option){ 0 };
	*letters = '\0';
}

/* With --takeover; everything else is as the running glassd has it. */
static bool goes_with_takeover(const struct option_row *row)
{
	return row->take == set_takeover || row->take == set_foreground || row->take == set_stack ||
	       row->take == set_trace_records || row->take == set_tunable || row->take == set_spin;
}

static const struct option_row *row_of(int c)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (c == 256 + (int)i || c == rows[i].letter)
			return &rows[i];
	}
	return NULL;
}

static bool same_network(const struct cidr *net, const struct glass_addr *addr)
{
	for (unsigned bit = 0; bit < net->prefix_bits; bit++) {
		uint8_t mask = (uint8_t)(0x80 >> bit % 8);

		if ((net->addr.byte[bit / 8] ^ addr->byte[bit / 8]) & mask)
			return false;
	}
	return true;
}

/* -1: the options make sense together; else the exit status. */
static int options_check(const struct options *o)
{
	if (o->rootless && o->kind == DEV_USER) {
		notice("--rootless and --user are two ways to do without rights: take one");
		return EXIT_FAILURE;
	}
	if (o->npublish && o->kind != DEV_USER) {
		notice("--publish is for --user: the host reaches a TAP or TUN stack by its "
		       "address");
		return EXIT_FAILURE;
	}
	if (o->no_host_setup && o->kind != DEV_USER)
		return -1;
	if (!memcmp(o->address.addr.byte, o->host_address.addr.byte, 4)) {
		notice("--address and --host-address are the same: the stack and the host are two "
		       "hosts in "
		       "one network");
		return EXIT_FAILURE;
	}
	if ((o->gateway.family && o->kind != DEV_USER) ||
	    same_network(&o->address, &o->host_address.addr))
		return -1;
	notice("the host's address is not in the network of --address, so the two could not talk. "
	       "Give "
	       "--host-address an address of that network");
	return EXIT_FAILURE;
}

/* What was not given follows from the kind of device. */
static void set_defaults(struct options *o)
{
	bool user = o->kind == DEV_USER;

	if (o->spin_us < 0 && !o->takeover)
		o->spin_us = SPIN_US;
	if (!o->dev)
		o->dev = user ? "user0" : "glass0";
	if (!o->address.addr.family)
		o->address = (struct cidr){ user ? glass_ip4(10, 0, 2, 15) : glass_ip4(10, 0, 0, 4),
					    24 };
	if (!o->host_address.addr.family)
		o->host_address =
			(struct cidr){ user ? glass_ip4(10, 0, 2, 2) : glass_ip4(10, 0, 0, 5), 24 };
	if (user && !o->gateway.family)
		o->gateway = o->host_address.addr;
}

int options_parse(struct options *o, int argc, char **argv)
{
	struct option longs[ROWS + 1];
	char letters[ROWS * 2 + 1];
	const char *stack = getenv(ABI_ENV_STACK);
	const struct option_row *row, *beside = NULL;
	int c;

	*o = (struct options){
		.stack = stack && *stack ? stack : ABI_DEFAULT_STACK,
		.kind = DEV_TAP,
		.trace_records = 262144,
		.spin_us = -1,
	};
	getopt_tables(longs, letters);
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		row = row_of(c);
		if (!row) {
			fprintf(stderr, "Type: glassd --help\n");
			return EXIT_FAILURE;
		}
		if (!row->take(o, optarg))
			return EXIT_FAILURE;
		if (!goes_with_takeover(row))
			beside = row;
	}
	if (o->takeover && beside) {
		notice("--takeover goes on with everything that the running glassd has: leave out "
		       "--%s",
		       beside->name);
		return EXIT_FAILURE;
	}
	set_defaults(o);
	if (optind == argc)
		return options_check(o);
	notice("what is '%s'? Type: glassd --help", argv[optind]);
	return EXIT_FAILURE;
}
