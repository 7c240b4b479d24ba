/* SPDX-License-Identifier: MIT */
/* What the files of the command `glass` share. */
#ifndef GLASS_CTL_CTL_H
#define GLASS_CTL_CTL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <glass/glass.h>

#include "../abi/abi.h"
#include "../abi/path.h"
#include "../abi/table.h"

/* Exit codes, as glass(1) documents them. */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NO_DAEMON = 3 };

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What holds for every command: filled in by main() and opt_parse(). */
struct ctl {
	const char *stack; /* its name */
	bool json, pretty;
	bool color;
	char *self; /* argv[0] */
};
extern struct ctl ctl;

struct command {
	const char *name;
	const char *synopsis; /* operands, after the options */
	const char *summary;  /* one line */
	int (*run)(const struct command *self, int argc, char **argv);
	const char *detail; /* more for --help; NULL: none */
};
extern const struct command commands[];
extern const unsigned command_count;

int cmd_up(const struct command *self, int argc, char **argv);
int cmd_down(const struct command *self, int argc, char **argv);
int cmd_run(const struct command *self, int argc, char **argv);
int cmd_status(const struct command *self, int argc, char **argv);
int cmd_set(const struct command *self, int argc, char **argv);
int cmd_tunables(const struct command *self, int argc, char **argv);
int cmd_host(const struct command *self, int argc, char **argv);
int cmd_ss(const struct command *self, int argc, char **argv);
int cmd_stat(const struct command *self, int argc, char **argv);
int cmd_top(const struct command *self, int argc, char **argv);
int cmd_step(const struct command *self, int argc, char **argv);
int cmd_check(const struct command *self, int argc, char **argv);
int cmd_completion(const struct command *self, int argc, char **argv);
int cmd_doctor(const struct command *self, int argc, char **argv);
int cmd_trace(const struct command *self, int argc, char **argv);
int cmd_report(const struct command *self, int argc, char **argv);
int cmd_why(const struct command *self, int argc, char **argv);
int cmd_ping(const struct command *self, int argc, char **argv);
int cmd_maddr(const struct command *self, int argc, char **argv);
int cmd_neigh(const struct command *self, int argc, char **argv);
int cmd_route(const struct command *self, int argc, char **argv);
int cmd_addr(const struct command *self, int argc, char **argv);
int cmd_link(const struct command *self, int argc, char **argv);
int cmd_net(const struct command *self, int argc, char **argv);
int cmd_pcap(const struct command *self, int argc, char **argv);
int cmd_wireshark(const struct command *self, int argc, char **argv);
int cmd_explain(const struct command *self, int argc, char **argv);
int cmd_help(const struct command *self, int argc, char **argv);

/* ---- opt.c: options ---- */

enum opt_kind {
	OPT_FLAG,    /* bool */
	OPT_STRING,  /* const char * */
	OPT_NUMBER,  /* int64_t, not negative */
	OPT_MAYBE,   /* const char *: "" without =VALUE */
	OPT_SECONDS, /* int64_t nanoseconds, may be negative and have a fraction */
};

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): its rows read best in this order. */
struct opt {
	char letter;	  /* 0: none */
	const char *name; /* long; NULL: none */
	enum opt_kind kind;
	const char *arg; /* as --help shows it; NULL for flags */
	const char *help;
	void *to;
};

/*
 * Reads options, the global ones too, and moves the operands to the front of argv[1..]. Answers
 * their number, or -1 after a message: the caller returns EXIT_USAGE. --help prints and ends the
 * program.
 */
int opt_parse(const struct command *cmd, const struct opt *opt, unsigned nopt, int argc,
	      char **argv);
/* The same, but the first operand ends the options, and what follows is left as it is. */
int opt_parse_until_operand(const struct command *cmd, const struct opt *opt, unsigned nopt,
			    int argc, char **argv);
/* From now on --help prints the options' names only, on one line: for completion. */
void opt_list_only(void);
/* A message with the way to the help. Answers EXIT_USAGE. */
int usage(const struct command *cmd, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A message on stderr: "glass: ...". Answers EXIT_FAILED. */
int failed(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The word most like s, or NULL when none is. */
const char *nearest(const char *s, const char *(*word)(unsigned i));
bool parse_number(const char *s, int64_t *out);
bool parse_seconds(const char *s, int64_t *ns);

/* ---- client.c: the control socket ---- */

/* 0, or an exit code after a message. */
int client_open(void);
/* The same, but without a message and with -errno when there is no daemon. */
int client_try_open(void);
/* The same, if it is not open already. */
int client_stay_open(void);
/* The daemon has closed the connection. */
bool client_hung_up(void);
void client_close(void);
struct reply {
	struct abi_reply head;
	char data[ABI_DATA_MAX + 1]; /* terminated */
	int fd;			     /* that came along, the caller's; -1: none */
};
/*
 * One operation. fd: descriptor to send along, or -1. 0, a positive errno that the daemon answered,
 * or -errno when it went away.
 */
int client_call(enum abi_op op, struct abi_request *req, const char *data, int fd,
		struct reply *out);
/* Set by a signal's handler: a call that waits answers -EINTR, and the connection is of no more
 * use. */
extern volatile sig_atomic_t client_interrupted;
/* A message that says what of the operation failed. Answers an exit code. */
int client_failed(const char *what, int error, const struct reply *rep);
/* Where the control socket lies. */
void client_socket_path(char *out, size_t size);

/* ---- table.c: rows that the daemon answers ---- */

struct table {
	void *map;
	size_t bytes;
	char *rows; /* private: pointers are valid */
	uint64_t count;
};
/*
 * Asks for a table (see struct abi_table) whose rows are row_bytes long and have strings at these
 * offsets. 0 or an exit code after a message.
 */
int table_get(struct table *t, const char *what, size_t row_bytes, const size_t *strings,
	      unsigned nstrings);
void table_free(struct table *t);
/* The counter of this name, as glass stat shows it; false: there is none, or nobody answers. */
bool stat_value(const char *name, int64_t *value);
#define TABLE_ROW(t, type, i) ((const type *)(const void *)((t)->rows + (i) * sizeof(type)))

/* The device that leads out. 0 or an exit code after a message. */
int first_device(struct glass_dev_info *out);
/* Names of the stack's devices for printing; NULL past the end. Loaded by the first call, if there
 * is a daemon. */
const char *const *device_names(unsigned *count);

/* ---- column.c: text in columns ---- */

struct columns {
	unsigned n;
	const char *align; /* one of "<>" per column */
	char **cell;
	size_t cells, cap;
	bool no_heading, one_line; /* one_line: what extra prints goes on in the row's line */
};
void columns_begin(struct columns *c, const char *align);
/* Adds the next cell of the row. */
void columns_add(struct columns *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints rows as they are; extra, when it is not NULL, prints what follows row i (0: the first
 * after the heading). */
void columns_end(struct columns *c, void (*extra)(uint64_t row, void *arg), void *arg);

/* ---- json.c: JSON ---- */

void json_to(FILE *f); /* from now on; NULL: stdout again */
void json_begin_object(const char *key);
void json_begin_array(const char *key);
void json_end(void); /* of the innermost; a line end after the outermost */
void json_string(const char *key, const char *value);
/* A value that is JSON already. */
void json_raw(const char *key, const char *json);
void json_number(const char *key, int64_t value);
void json_unsigned(const char *key, uint64_t value);
void json_double(const char *key, double value, int digits);
void json_bool(const char *key, bool value);
void json_format(const char *key, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- text.c: addresses, durations, colours ---- */

enum color { C_NONE, C_BOLD, C_DIM, C_RED, C_GREEN, C_YELLOW, C_CYAN };
const char *color(enum color c); /* "" unless the output is a terminal */
const char *addr_text(const struct glass_addr *a, char out[64]);
const char *end_text(const struct glass_end *e, char out[80]);
const char *mac_text(const uint8_t mac[6], char out[18]);
/* "10.0.0.5" or a name of /etc/hosts. false: neither. */
bool addr_parse(const char *s, struct glass_addr *out);
const char *error_text(int error); /* "EHOSTUNREACH (No route to host)" */
int screen_width(void);

/* src/preload/run.c */
int glass_run(int argc, char **argv);

#endif
