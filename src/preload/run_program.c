/* SPDX-License-Identifier: MIT */
/*
 * The program of `glass run`: where it is, and whether its calls can be caught. What the dynamic
 * linker or the kernel would pass over without a word (static, 32-bit, setuid) is said here.
 *
 * In: run.c.   Out: exit statuses, after a message.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "run_program.h"

#define SCRIPT_DEPTH_MAX 4 /* as the kernel */

int run_find_program(const char *name, char out[PATH_MAX])
{
	const char *path = getenv("PATH");
	int error = ENOENT;

	if (strchr(name, '/')) {
		snprintf(out, PATH_MAX, "%s", name);
		return access(out, F_OK) ? run_fail(NOT_FOUND, "%s: %s", name, strerror(errno)) : 0;
	}
	for (path = path ? path : "/usr/local/bin:/usr/bin:/bin"; path; path = strchr(path, ':')) {
		struct stat st;

		path += *path == ':';
		snprintf(out, PATH_MAX, "%.*s/%s", (int)strcspn(path, ":"),
			 *path == ':' || !*path ? "." : path, name);
		if (stat(out, &st) || !S_ISREG(st.st_mode))
			continue;
		if (!access(out, X_OK))
			return 0;
		error = EACCES;
	}
	return run_fail(error == EACCES ? CANNOT_RUN : NOT_FOUND, "%s: %s", name,
			error == EACCES ? "not executable" : "no such program in $PATH");
}

/* Does it name a dynamic linker (PT_INTERP)? */
static bool elf_is_dynamic(int fd, const Elf64_Ehdr *h)
{
	for (unsigned i = 0; i < h->e_phnum; i++) {
		Elf64_Phdr p;

		if (pread(fd, &p, sizeof(p), (off_t)(h->e_phoff + i * sizeof(p))) != sizeof(p))
			return false;
		if (p.p_type == PT_INTERP)
			return true;
	}
	return false;
}

static int check_elf(const struct run *r, int fd, const char *path, const Elf64_Ehdr *h)
{
	if (h->e_ident[EI_CLASS] != ELFCLASS64)
		return run_fail(CANNOT_RUN,
				"%s is a 32-bit program, " LIBRARY " is for 64-bit ones", path);
	if (r->mode == MODE_PRELOAD && !elf_is_dynamic(fd, h))
		return run_fail(
			CANNOT_RUN,
			"%s is statically linked: LD_PRELOAD cannot reach it, it would use the "
			"kernel's stack. Type: glass run --mode seccomp %s",
			path, path);
	return 0;
}

static int check_privileged(const char *path, const struct stat *st)
{
	bool setid = (st->st_mode & S_ISUID && st->st_uid != geteuid()) ||
		     (st->st_mode & S_ISGID && st->st_gid != getegid());

	if (setid || (geteuid() && getxattr(path, "security.capability", NULL, 0) > 0))
		return run_fail(
			CANNOT_RUN,
			"%s is setuid, setgid or has capabilities: the dynamic linker ignores "
			"LD_PRELOAD for it, and with seccomp it does not get its rights. "
			"Run it as the user it becomes",
			path);
	return 0;
}

static int check_file(const struct run *r, const char *path, int depth);

/* #! interpreter. */
static int check_script(const struct run *r, const char *path, char *line, int depth)
{
	char *interpreter = line + 2 + strspn(line + 2, " \t");

	interpreter[strcspn(interpreter, " \t\n")] = 0;
	if (depth == SCRIPT_DEPTH_MAX)
		return run_fail(CANNOT_RUN, "%s: its interpreters are scripts themselves, too deep",
				path);
	return *interpreter ? check_file(r, interpreter, depth + 1) : 0;
}

/* Can the library get into that file? 0 or an exit status after a message. */
static int check_file(const struct run *r, const char *path, int depth)
{
	union {
		Elf64_Ehdr elf;
		char line[256];
	} head = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int status = 0;

	if (fd < 0) /* not readable, perhaps executable: the kernel will tell */
		return errno == ENOENT ? run_fail(NOT_FOUND, "%s: no such file", path) : 0;
	if (fstat(fd, &st) || pread(fd, &head, sizeof(head) - 1, 0) < 2)
		status = 0;
	else if (!memcmp(head.elf.e_ident, ELFMAG, SELFMAG))
		status = check_elf(r, fd, path, &head.elf);
	else if (head.line[0] == '#' && head.line[1] == '!')
		status = check_script(r, path, head.line, depth);
	if (!status)
		status = check_privileged(path, &st);
	close(fd);
	return status;
}

int run_check_program(const struct run *r)
{
	return check_file(r, r->program, 0);
}
