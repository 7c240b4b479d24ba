/* SPDX-License-Identifier: MIT */
/*
 * A program that makes up the environment of its children (nginx for a new binary, sshd for a
 * session) would leave the stack there: LD_PRELOAD and our own variables are put back where they
 * are missing, as they were when this process began. LD_PRELOAD= says that nothing is to be put
 * back. Children of vfork come here: what is needed is made on the stack.
 *
 * Which file it is that PATH means, and what posix_spawn does, is left to the C library.
 *
 * In: the program.   Out: execve(2); the C library's execvpe, posix_spawn, posix_spawnp.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <sys/types.h>

#include "../abi/path.h"
#include "raw.h"

#define KEPT 5
#define KEPT_BYTES 4096	   /* of a longer variable nothing is put back */
#define NEXT ((void *)-1l) /* RTLD_NEXT */

typedef char *const *words;

WRAP(int, execve, const char *path, words argv, words envp);
WRAP(int, execveat, int dir, const char *path, words argv, words envp, int flags);
WRAP(int, fexecve, int fd, words argv, words envp);
WRAP(int, execv, const char *path, words argv);
WRAP(int, execvp, const char *file, words argv);
WRAP(int, execvpe, const char *file, words argv, words envp);
WRAP(int, execl, const char *path, const char *arg, ...);
WRAP(int, execlp, const char *file, const char *arg, ...);
WRAP(int, execle, const char *path, const char *arg, ...);
WRAP(int, posix_spawn, pid_t *pid, const char *path, const void *actions, const void *attr,
     words argv, words envp);
WRAP(int, posix_spawnp, pid_t *pid, const char *file, const void *actions, const void *attr,
     words argv, words envp);

extern char **environ __attribute__((weak));
extern void *dlsym(void *handle, const char *name) __attribute__((weak));

static const char *const kept_name[KEPT] = { "LD_PRELOAD", ABI_ENV_STACK, ABI_ENV_DIR,
					     ABI_ENV_RESOLVER, ABI_ENV_LOOPBACK };
static char kept[KEPT][KEPT_BYTES]; /* NAME=VALUE; empty: it was not there */

static struct {
	int (*execvpe)(const char *, words, words);
	int (*posix_spawn)(pid_t *, const char *, const void *, const void *, words, words);
	int (*posix_spawnp)(pid_t *, const char *, const void *, const void *, words, words);
} next;

/* ---- at the beginning ---------------------------------------------------------------------- */

static void find_next(void)
{
	if (!dlsym || next.posix_spawnp)
		return;
	*(void **)&next.execvpe = dlsym(NEXT, "execvpe");
	*(void **)&next.posix_spawn = dlsym(NEXT, "posix_spawn");
	*(void **)&next.posix_spawnp = dlsym(NEXT, "posix_spawnp");
}

static void __attribute__((constructor)) begin(void)
{
	find_next();
	for (int i = 0; i < KEPT; i++) {
		const char *name = kept_name[i], *value = env_get(name);
		size_t n = 0;

		while (value && *name)
			kept[i][n++] = *name++;
		if (value)
			kept[i][n++] = '=';
		while (value && *value && n < KEPT_BYTES)
			kept[i][n++] = *value++;
		if (n == KEPT_BYTES)
			kept[i][0] = 0;
	}
}

/* ---- the environment ----------------------------------------------------------------------- */

static bool is_named(const char *variable, const char *name)
{
	while (*name && *variable == *name) {
		variable++;
		name++;
	}
	return !*name && *variable == '=';
}

static bool has(words envp, const char *name)
{
	for (; *envp; envp++)
		if (is_named(*envp, name))
			return true;
	return false;
}

static size_t count(words list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

/* Room, for alloca, of what env_whole() makes. */
static size_t env_bytes(words envp)
{
	return (count(envp) + KEPT + 1) * sizeof(char *);
}

/* envp, and what is missing, in room. */
static words env_whole(words envp, char **room)
{
	size_t n = count(envp), given = n;

	for (size_t i = 0; i < n; i++)
		room[i] = envp[i];
	room[n] = NULL;
	for (int i = 0; i < KEPT; i++)
		if (kept[i][0] && !has(room, kept_name[i])) {
			room[n++] = kept[i];
			room[n] = NULL;
		}
	return n == given ? envp : room;
}

#define WHOLE(envp) env_whole(envp, __builtin_alloca(env_bytes(envp)))

/* ---- exec ---------------------------------------------------------------------------------- */

int wrap_execve(const char *path, words argv, words envp)
{
	return (int)result_of(raw3(SYS_execve, addr_of(path), addr_of(argv), addr_of(WHOLE(envp))));
}

int wrap_execveat(int dir, const char *path, words argv, words envp, int flags)
{
	return (int)result_of(
		raw5(SYS_execveat, dir, addr_of(path), addr_of(argv), addr_of(WHOLE(envp)), flags));
}

int wrap_fexecve(int fd, words argv, words envp)
{
	if (fd < 0 || !argv || !envp)
		return (int)result_of(-EINVAL);
	return wrap_execveat(fd, "", argv, envp, AT_EMPTY_PATH);
}

int wrap_execv(const char *path, words argv)
{
	return wrap_execve(path, argv, environ);
}

int wrap_execvpe(const char *file, words argv, words envp)
{
	find_next();
	return next.execvpe ? next.execvpe(file, argv, WHOLE(envp)) : (int)result_of(-ENOSYS);
}

int wrap_execvp(const char *file, words argv)
{
	return wrap_execvpe(file, argv, environ);
}

/* ---- exec with a list of arguments --------------------------------------------------------- */

/* Of the list that begins with arg; ap is behind its NULL then. */
static size_t list_bytes(const char *arg, va_list ap)
{
	size_t n = 1;

	for (; arg; arg = va_arg(ap, const char *))
		n++;
	return n * sizeof(char *);
}

static words list_fill(const char *arg, va_list ap, char **room)
{
	size_t n = 0;

	for (; arg; arg = va_arg(ap, const char *))
		room[n++] = (char *)(uintptr_t)arg;
	room[n] = NULL;
	return room;
}

int wrap_execl(const char *path, const char *arg, ...)
{
	va_list ap, again;
	words argv;

	va_start(ap, arg);
	va_copy(again, ap);
	argv = list_fill(arg, again, __builtin_alloca(list_bytes(arg, ap)));
	va_end(again);
	va_end(ap);
	return wrap_execve(path, argv, environ);
}

int wrap_execlp(const char *file, const char *arg, ...)
{
	va_list ap, again;
	words argv;

	va_start(ap, arg);
	va_copy(again, ap);
	argv = list_fill(arg, again, __builtin_alloca(list_bytes(arg, ap)));
	va_end(again);
	va_end(ap);
	return wrap_execvpe(file, argv, environ);
}

int wrap_execle(const char *path, const char *arg, ...)
{
	va_list ap, again;
	words argv, envp;

	va_start(ap, arg);
	va_copy(again, ap);
	argv = list_fill(arg, again, __builtin_alloca(list_bytes(arg, ap)));
	envp = va_arg(ap, words);
	va_end(again);
	va_end(ap);
	return wrap_execve(path, argv, envp);
}

/* ---- posix_spawn --------------------------------------------------------------------------- */

int wrap_posix_spawn(pid_t *pid, const char *path, const void *actions, const void *attr,
		     words argv, words envp)
{
	find_next();
	return next.posix_spawn ? next.posix_spawn(pid, path, actions, attr, argv, WHOLE(envp))
				: ENOSYS;
}

int wrap_posix_spawnp(pid_t *pid, const char *file, const void *actions, const void *attr,
		      words argv, words envp)
{
	find_next();
	return next.posix_spawnp ? next.posix_spawnp(pid, file, actions, attr, argv, WHOLE(envp))
				 : ENOSYS;
}
