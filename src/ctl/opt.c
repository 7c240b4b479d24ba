/* SPDX-License-Identifier: MIT */
/*
 * Options of the command, from one table per command: parsing, --help and the check against the
 * manual page all read the same rows.
 */
#include "ctl.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static bool help_wanted;
static bool list_only; /* help is a list of words, for completion */

static const struct opt global[] = {
	{ 0, "stack", OPT_STRING, "NAME",
	  "the stack to speak to (default: $GLASS_STACK, else \"default\")", &ctl.stack },
	{ 'j', "json", OPT_FLAG, NULL, "answer in JSON", &ctl.json },
	{ 'p', "pretty", OPT_FLAG, NULL, "with --json: indented", &ctl.pretty },
	{ 'h', "help", OPT_FLAG, NULL, "show this help", &help_wanted },
};

/* What is being parsed. */
struct parse {
	const struct command *cmd;
	const struct opt *opt;
	unsigned nopt;
	int argc, at; /* at: the argument that is looked at */
	char **argv;
};

int usage(const struct command *cmd, const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "glass %s: ", cmd->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\ntype: glass %s --help\n", cmd->name);
	return EXIT_USAGE;
}

int failed(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("glass: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_FAILED;
}

bool parse_number(const char *s, int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(s, &end, 0);
	return !errno && end != s && !*end;
}

bool parse_seconds(const char *s, int64_t *ns)
{
	char *end;
	double v = strtod(s, &end);

	if (end == s || v != v || v > 1e9 || v < -1e9)
		return false;
	if (!strcmp(end, "ms"))
		v /= 1e3;
	else if (!strcmp(end, "us"))
		v /= 1e6;
	else if (*end && strcmp(end, "s") != 0)
		return false;
	*ns = (int64_t)(v * 1e9);
	return true;
}

/* ---- help ---- */

static void print_option(const struct opt *o)
{
	char left[48];

	snprintf(left, sizeof(left), "%s%c%s%s%s%s%s%s", o->letter ? "-" : "  ",
		 o->letter ? o->letter : ' ', o->letter && o->name ? ", " : " ",
		 o->name ? "--" : "", o->name ? o->name : "",
		 !o->arg		? ""
		 : o->kind == OPT_MAYBE ? "[="
					: " ",
		 o->arg ? o->arg : "", o->kind == OPT_MAYBE ? "]" : "");
	printf("  %-22s %s\n", left, o->help);
}

static void print_words(const struct opt *o, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (o[i].letter)
			printf(" -%c", o[i].letter);
		if (o[i].name)
			printf(" --%s", o[i].name);
	}
}

void opt_list_only(void)
{
	list_only = true;
}

static void print_help(const struct parse *p)
{
	if (list_only) {
		print_words(p->opt, p->nopt);
		print_words(global, COUNT(global));
		return;
	}
	printf("%s\n\nusage: glass %s [OPTIONS]%s%s\n\n", p->cmd->summary, p->cmd->name,
	       *p->cmd->synopsis ? " " : "", p->cmd->synopsis);
	if (p->cmd->detail)
		printf("%s\n\n", p->cmd->detail);
	for (unsigned i = 0; i < p->nopt; i++)
		print_option(&p->opt[i]);
	for (unsigned i = 0; i < COUNT(global); i++)
		print_option(&global[i]);
	printf("\nSee glass(1).\n");
}

/* ---- parsing ---- */

static const struct opt *find(const struct opt *opt, unsigned n, char letter, const char *name,
			      size_t length)
{
	for (unsigned i = 0; i < n; i++) {
		if (letter && opt[i].letter == letter)
			return &opt[i];
		if (name && opt[i].name && strlen(opt[i].name) == length &&
		    !strncmp(opt[i].name, name, length))
			return &opt[i];
	}
	return NULL;
}

static const struct opt *lookup(const struct parse *p, char letter, const char *name, size_t length)
{
	const struct opt *o = find(p->opt, p->nopt, letter, name, length);

	return o ? o : find(global, COUNT(global), letter, name, length);
}

static int store(const struct parse *p, const struct opt *o, const char *value)
{
	int64_t n;

	switch (o->kind) {
	case OPT_FLAG:
		*(bool *)o->to = true;
		return 0;
	case OPT_STRING:
	case OPT_MAYBE:
		*(const char **)o->to = value;
		return 0;
	case OPT_NUMBER:
		if (!parse_number(value, &n) || n < 0)
			return usage(p->cmd, "%s is a number, not '%s'", o->arg, value);
		*(int64_t *)o->to = n;
		return 0;
	case OPT_SECONDS:
		if (!parse_seconds(value, &n))
			return usage(p->cmd, "%s is a time in seconds, as 1.5 or 200ms, not '%s'",
				     o->arg, value);
		*(int64_t *)o->to = n;
		return 0;
	}
	return 0;
}

/* The value of an option: what follows in the same argument, or the next one. */
static int take_value(struct parse *p, const struct opt *o, const char *rest)
{
	if (o->kind == OPT_FLAG)
		return store(p, o, NULL);
	if (o->kind == OPT_MAYBE)
		return store(p, o, rest ? rest : "");
	if (rest && *rest)
		return store(p, o, rest);
	if (p->at + 1 >= p->argc)
		return p->argv[p->at][1] == '-' ? usage(p->cmd, "--%s needs %s", o->name, o->arg)
						: usage(p->cmd, "-%c needs %s", o->letter, o->arg);
	return store(p, o, p->argv[++p->at]);
}

static int parse_long(struct parse *p, const char *text)
{
	size_t length = strcspn(text, "=");
	const struct opt *o = lookup(p, 0, text, length);

	if (!o)
		return usage(p->cmd, "unknown option --%.*s", (int)length, text);
	if (text[length] && o->kind == OPT_FLAG)
		return usage(p->cmd, "--%s takes no value", o->name);
	return take_value(p, o, text[length] ? text + length + 1 : NULL);
}

static int parse_letters(struct parse *p, const char *letters)
{
	const struct opt *o;
	int err;

	for (; *letters; letters++) {
		o = lookup(p, *letters, NULL, 0);
		if (!o)
			return usage(p->cmd, "unknown option -%c", *letters);
		err = take_value(p, o, letters + 1);
		if (err || o->kind != OPT_FLAG)
			return err;
	}
	return 0;
}

static int parse(struct parse *p, bool until_operand)
{
	int operands = 0, err;
	char *arg;

	for (p->at = 1; p->at < p->argc; p->at++) {
		arg = p->argv[p->at];
		if (!strcmp(arg, "--")) {
			p->at++;
			break;
		}
		if (arg[0] != '-' || !arg[1]) {
			if (until_operand)
				break;
			p->argv[1 + operands++] = arg;
			continue;
		}
		err = arg[1] == '-' ? parse_long(p, arg + 2) : parse_letters(p, arg + 1);
		if (err)
			return -1;
	}
	while (p->at < p->argc)
		p->argv[1 + operands++] = p->argv[p->at++];
	p->argv[1 + operands] = NULL;
	if (help_wanted) {
		print_help(p);
		exit(EXIT_OK);
	}
	return operands;
}

int opt_parse(const struct command *cmd, const struct opt *opt, unsigned nopt, int argc,
	      char **argv)
{
	return parse(&(struct parse){ cmd, opt, nopt, argc, 0, argv }, false);
}

int opt_parse_until_operand(const struct command *cmd, const struct opt *opt, unsigned nopt,
			    int argc, char **argv)
{
	return parse(&(struct parse){ cmd, opt, nopt, argc, 0, argv }, true);
}

/* ---- what was meant ---- */

#define WORD_MAX 40

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Edits that turn a into b: insert, remove, replace, swap two neighbours. */
static unsigned distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned d[WORD_MAX + 1][WORD_MAX + 1], best;

	if (n > WORD_MAX || m > WORD_MAX)
		return UINT32_MAX;
	for (size_t i = 0; i <= n; i++) {
		for (size_t k = 0; k <= m; k++) {
			if (!i || !k) {
				d[i][k] = (unsigned)(i + k);
				continue;
			}
			best = d[i - 1][k - 1] + !same(a[i - 1], b[k - 1]);
			if (d[i - 1][k] + 1 < best)
				best = d[i - 1][k] + 1;
			if (d[i][k - 1] + 1 < best)
				best = d[i][k - 1] + 1;
			if (i > 1 && k > 1 && same(a[i - 1], b[k - 2]) &&
			    same(a[i - 2], b[k - 1]) && d[i - 2][k - 2] + 1 < best)
				best = d[i - 2][k - 2] + 1;
			d[i][k] = best;
		}
	}
	return d[n][m];
}

const char *nearest(const char *s, const char *(*word)(unsigned i))
{
	const char *best = NULL, *w;
	unsigned least = UINT32_MAX, n;

	for (unsigned i = 0; (w = word(i)); i++) {
		n = strncasecmp(w, s, strlen(s)) ? distance(s, w) : 1;
		if (n < least) {
			least = n;
			best = w;
		}
	}
	return least <= 1 + strlen(s) / 3 ? best : NULL;
}
