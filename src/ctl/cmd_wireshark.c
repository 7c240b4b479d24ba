/* SPDX-License-Identifier: MIT */
/*
 * glass wireshark: teaches Wireshark and tshark what Glass knows: the fields of a capture, and the
 * running stacks as interfaces.
 *
 * In: main.c.  Out: wireshark_lua.c, wireshark_extcap.c; two files in Wireshark's folders.
 */
#include "ctl.h"
#include "wireshark.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LUA_NAME "glass.lua"

static bool print, uninstall;

static const struct opt options[] = {
	{ 0, "print", OPT_FLAG, NULL, "print the Lua file instead of installing anything", &print },
	{ 0, "uninstall", OPT_FLAG, NULL, "remove what was installed", &uninstall },
};

/* ---- folders ---- */

/* Where Wireshark 4 looks for this user's Lua files. */
static void find_lua(char out[PATH_MAX])
{
	const char *home = getenv("HOME");

	snprintf(out, PATH_MAX, "%s/.local/lib/wireshark/plugins", home ? home : "");
}

/* "Extcap path:	/usr/lib/x86_64-linux-gnu/wireshark/extcap". */
static void learn_folder(const char *line, const char *what, char out[PATH_MAX])
{
	size_t n = strlen(what);

	if (!strncmp(line, what, n)) {
		line += n + strspn(line + n, " \t");
		snprintf(out, PATH_MAX, "%.*s", (int)strcspn(line, "\n"), line);
	}
}

/* As tshark tells it, from 4.2 on one of the user's; "": it does not. The environment goes first.
 */
static void find_extcap(char out[PATH_MAX])
{
	const char *given = getenv("WIRESHARK_EXTCAP_DIR");
	char line[PATH_MAX + 64];
	FILE *tshark = NULL;

	snprintf(out, PATH_MAX, "%s", given ? given : "");
	if (!*out)
		tshark = popen("tshark -G folders 2>/dev/null", "re"); /* NOLINT(cert-env33-c) */
	while (tshark && fgets(line, sizeof(line), tshark)) {
		learn_folder(line, "Extcap path:", out);
		learn_folder(line, "Personal Extcap path:", out);
	}
	if (tshark)
		pclose(tshark);
}

/* With all folders above it. */
static bool make_folder(const char *path)
{
	char part[PATH_MAX];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		mkdir(part, 0755);
	}
	return !mkdir(path, 0755) || errno == EEXIST;
}

/* ---- files ---- */

static void write_lua(FILE *to)
{
	wireshark_lua(to);
}

static void write_extcap(FILE *to)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = '\0';
	fprintf(to,
		"#!/bin/sh\n# Running Glass stacks as interfaces of Wireshark. Written by: glass "
		"wireshark\nexec '%s' wireshark --extcap \"$@\"\n",
		self);
}

/* 0 or an exit code after a message. */
static int install(const char *dir, const char *name, void (*write)(FILE *to), mode_t mode,
		   const char *what)
{
	char path[PATH_MAX + 32];
	FILE *to;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	to = make_folder(dir) ? fopen(path, "we") : NULL;
	if (!to)
		return failed("%s: %s", path, strerror(errno));
	write(to);
	ok = !fchmod(fileno(to), mode);
	if (fclose(to) || !ok)
		return failed("%s: %s", path, strerror(errno));
	if (ctl.json)
		json_string(what, path);
	else
		printf("%s: %s\n", what, path);
	return EXIT_OK;
}

static int uninstall_file(const char *dir, const char *name, const char *what)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (unlink(path))
		return errno == ENOENT ? EXIT_OK : failed("%s: %s", path, strerror(errno));
	if (ctl.json)
		json_string(what, path);
	else
		printf("removed %s: %s\n", what, path);
	return EXIT_OK;
}

static int install_extcap(const char *dir)
{
	if (*dir && !make_folder(dir))
		return failed("%s: %s", dir, strerror(errno));
	if (*dir && !access(dir, W_OK))
		return install(dir, "glass", write_extcap, 0755, "interfaces");
	fprintf(stderr,
		"glass: no interfaces in Wireshark: %s%s\ntype: sudo glass wireshark, or set "
		"WIRESHARK_EXTCAP_DIR, also for Wireshark\n",
		*dir ? "may not write to " : "it tells no folder for an extcap", dir);
	return EXIT_OK; /* the fields are what matters */
}

bool wireshark_installed(void)
{
	char dir[PATH_MAX], path[PATH_MAX + 32];

	find_lua(dir);
	snprintf(path, sizeof(path), "%s/" LUA_NAME, dir);
	return !access(path, R_OK);
}

static int install_all(const char *lua, const char *extcap)
{
	int err = install(lua, LUA_NAME, write_lua, 0644, "fields");

	if (!err)
		err = install_extcap(extcap);
	if (!err && !ctl.json)
		printf("Wireshark and tshark know them when they start next, as in: tshark -r FILE "
		       "-Y "
		       "glass.drop\n");
	return err;
}

static int uninstall_all(const char *lua, const char *extcap)
{
	int err = uninstall_file(lua, LUA_NAME, "fields");

	return err || !*extcap ? err : uninstall_file(extcap, "glass", "interfaces");
}

int cmd_wireshark(const struct command *self, int argc, char **argv)
{
	char lua[PATH_MAX], extcap[PATH_MAX];
	int n, err;

	if (argc > 1 && !strcmp(argv[1], "--extcap"))
		return wireshark_extcap(argc - 2, argv + 2);
	n = opt_parse(self, options, COUNT(options), argc, argv);
	if (n < 0)
		return EXIT_USAGE;
	if (n)
		return usage(self, "'%s' is too much", argv[1]);
	if (print) {
		wireshark_lua(stdout);
		return EXIT_OK;
	}
	find_lua(lua);
	find_extcap(extcap);
	if (ctl.json)
		json_begin_object(NULL);
	err = (uninstall ? uninstall_all : install_all)(lua, extcap);
	if (ctl.json)
		json_end();
	return err;
}
