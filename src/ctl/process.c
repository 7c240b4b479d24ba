/* SPDX-License-Identifier: MIT */
/*
 * Who holds which socket: /proc/PID/fd of every process. Others' are seen by root only.
 *
 * In: cmd_ss.c, capture_conn.c.  Out: /proc.
 */
#include "ctl.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process.h"

static struct holder *holder;
static unsigned nholder, cap;

static void add(const struct holder *h)
{
	if (nholder == cap) {
		cap = cap ? 2 * cap : 256;
		holder = realloc(holder, cap * sizeof(*holder));
		if (!holder) {
			failed("out of memory");
			exit(EXIT_FAILED);
		}
	}
	holder[nholder++] = *h;
}

/* Its name, without what could steer a terminal. */
static void read_name(int dir, char out[20])
{
	int fd = openat(dir, "comm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, 19);

	if (fd >= 0)
		close(fd);
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	for (char *c = out; *c; c++)
		if (*c < 0x20 || *c == '"' || *c >= 0x7f)
			*c = '?';
}

/* One descriptor: "socket:[4711]" is what we look for. */
static void look_at_fd(int dir, const char *name, struct holder *h, int process)
{
	char link[64];
	ssize_t n = readlinkat(dir, name, link, sizeof(link) - 1);
	unsigned long long inode;

	if (n <= 0)
		return;
	link[n] = '\0';
	if (sscanf(link, "socket:[%llu]", &inode) != 1) /* NOLINT(cert-err34-c): the kernel's */
		return;
	if (!*h->name)
		read_name(process, h->name);
	h->inode = inode;
	h->fd = atoi(name); /* NOLINT(cert-err34-c) */
	add(h);
}

static void look_at_process(int proc, const char *pid)
{
	int process = openat(proc, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fds = process < 0 ? -1 : openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct holder h = { .pid = atoi(pid) }; /* NOLINT(cert-err34-c) */
	DIR *d = fds < 0 ? NULL : fdopendir(fds);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (isdigit((unsigned char)e->d_name[0]))
			look_at_fd(fds, e->d_name, &h, process);
	if (d)
		closedir(d);
	else if (fds >= 0)
		close(fds);
	if (process >= 0)
		close(process);
}

static int compare(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->fd < y->fd ? -1 : x->fd > y->fd;
}

void holders_find(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;

	nholder = 0;
	while (proc && (e = readdir(proc)))
		if (isdigit((unsigned char)e->d_name[0]))
			look_at_process(dirfd(proc), e->d_name);
	if (proc)
		closedir(proc);
	if (nholder)
		qsort(holder, nholder, sizeof(*holder), compare);
}

const struct holder *holders_of(uint64_t inode, unsigned *count)
{
	unsigned low = 0, high = nholder, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (holder[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	*count = 0;
	while (inode && low + *count < nholder && holder[low + *count].inode == inode)
		++*count;
	return *count ? &holder[low] : NULL;
}
