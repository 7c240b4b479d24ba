/* SPDX-License-Identifier: MIT */
/*
 * glass completion: scripts for bash and zsh, made of the table of commands, of each command's own
 * options and of the names that its operands may have. `make install` puts them in place.
 *
 * In: main.c, the build.  Out: the commands, for their options (opt.c).
 */
#include "ctl.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glass/glass_trace.h>

#include "glossary.h"

/* These end in a program's own arguments. */
static bool runs_a_program(const char *name)
{
	return !strcmp(name, "run") || !strcmp(name, "host");
}

/* The command prints its options and ends: so it is a child that does. */
static void put_options(const struct command *c)
{
	char name[32], help[] = "--help";
	char *argv[] = { name, help, NULL };
	pid_t pid;

	fflush(stdout);
	pid = strcmp(c->name, "up") && strcmp(c->name, "run") ? fork() : 1;
	if (!pid) {
		snprintf(name, sizeof(name), "%s", c->name);
		opt_list_only();
		c->run(c, 2, argv);
		fflush(stdout);
		_exit(0);
	}
	if (pid > 1)
		waitpid(pid, NULL, 0);
}

static void put_names_of_explain(void)
{
	const struct glass_event_desc *e;
	const struct glass_drop_desc *d;
	const struct term *t;

	for (unsigned i = 1; (d = glass_drop_desc(i)); i++)
		printf(" %s", d->name);
	for (unsigned i = 0; (e = glass_event_desc(i)); i++)
		printf(" %s", e->name);
	for (unsigned i = 0; (t = glossary_term(i)); i++)
		printf(" %s", t->name);
}

static void put_tunables(const char *after)
{
	const struct term *t;

	for (unsigned i = 0; (t = glossary_term(i)); i++)
		if (!strcmp(t->kind, "tunable"))
			printf(" %s%s", t->name, after);
}

/* What may stand where an operand does. */
static void put_operands(const struct command *c)
{
	static const struct {
		const char *command, *words;
	} fixed[] = {
		{ "net", " set del show blackhole clear in out delay loss duplicate corrupt "
			 "reorder rate limit drop profile seed gemodel" },
		{ "ss", " state exclude src dst sport dport conn and or not" },
		{ "top", " state exclude src dst sport dport conn and or not" },
		{ "trace", " host net port portrange src dst less greater ip arp tcp udp icmp "
			   "inbound outbound conn syn fin rst data ack rtx drop and or not" },
		{ "why", " last" },
		{ "report", " last" },
		{ "completion", " bash zsh" },
	};

	for (unsigned i = 0; i < COUNT(fixed); i++)
		if (!strcmp(c->name, fixed[i].command))
			fputs(fixed[i].words, stdout);
	if (!strcmp(c->name, "explain"))
		put_names_of_explain();
	if (!strcmp(c->name, "set"))
		put_tunables("=");
	if (!strcmp(c->name, "tunables"))
		put_tunables("");
	for (unsigned i = 0; !strcmp(c->name, "help") && i < command_count; i++)
		printf(" %s", commands[i].name);
}

static void put_words(const struct command *c)
{
	put_options(c);
	put_operands(c);
}

static void bash(void)
{
	printf("# bash completion of glass(1): made by `glass completion bash`\n"
	       "_glass()\n{\n"
	       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} command= i words=\n\n"
	       "\tCOMPREPLY=()\n"
	       "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	       "\t\tcase ${COMP_WORDS[i]} in\n"
	       "\t\t--stack) ((i++)) ;;\n"
	       "\t\t-*) ;;\n"
	       "\t\t*) command=${COMP_WORDS[i]} && break ;;\n"
	       "\t\tesac\n\tdone\n"
	       "\tcase $command in\n\t'') words='--stack --json --pretty --help --version");
	for (unsigned i = 0; i < command_count; i++)
		printf(" %s", commands[i].name);
	printf("' ;;\n");
	for (unsigned i = 0; i < command_count; i++) {
		if (runs_a_program(commands[i].name)) {
			printf("\t%s)\n\t\tCOMPREPLY=($(compgen -c -- \"$cur\"))\n\t\treturn ;;\n",
			       commands[i].name);
			continue;
		}
		printf("\t%s) words='", commands[i].name);
		put_words(&commands[i]);
		printf("' ;;\n");
	}
	printf("\tesac\n"
	       "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	       "\t[[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace "
	       "2>/dev/null\n"
	       "\treturn 0\n}\ncomplete -o bashdefault -o default -F _glass glass\n");
}

/* In single quotes. */
static void put_quoted(const char *s)
{
	for (; *s; s++) {
		if (*s == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*s);
	}
}

static void zsh(void)
{
	printf("#compdef glass\n# zsh completion of glass(1): made by `glass completion zsh`\n"
	       "local -a commands\nlocal command= i\ncommands=(\n");
	for (unsigned i = 0; i < command_count; i++) {
		printf("\t'%s:", commands[i].name);
		put_quoted(commands[i].summary);
		printf("'\n");
	}
	printf(")\nfor ((i = 2; i < CURRENT; i++)); do\n"
	       "\tcase ${words[i]} in\n\t--stack) ((i++)) ;;\n\t-*) ;;\n"
	       "\t*) command=${words[i]}; break ;;\n\tesac\ndone\n"
	       "case $command in\n"
	       "'') _describe command commands; compadd -- --stack --json --pretty --help "
	       "--version ;;\n");
	for (unsigned i = 0; i < command_count; i++) {
		if (runs_a_program(commands[i].name)) {
			printf("%s) shift $((i - 1)) words; ((CURRENT -= i - 1)); _normal ;;\n",
			       commands[i].name);
			continue;
		}
		printf("%s) compadd --", commands[i].name);
		put_words(&commands[i]);
		printf("; _default ;;\n");
	}
	printf("esac\n");
}

int cmd_completion(const struct command *self, int argc, char **argv)
{
	int n = opt_parse(self, NULL, 0, argc, argv);

	if (n < 0)
		return EXIT_USAGE;
	if (n != 1 || (strcmp(argv[1], "bash") != 0 && strcmp(argv[1], "zsh") != 0))
		return usage(self, "for which shell: bash or zsh?");
	(*argv[1] == 'b' ? bash : zsh)();
	return EXIT_OK;
}
