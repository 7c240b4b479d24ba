/* SPDX-License-Identifier: MIT */
/*
 * glass trace --functions: every function of the stack that is called, without another build.
 *
 * While somebody asks for it, the five idle bytes at the begin of each function (glass_trace.h) are
 * a call of our hook, which makes a record of it; afterwards they are idle again. How deep a call
 * is follows from where the stack stands: whoever stood further down has ended. With the time that
 * each took, the hook also replaces the return address by one of its own.
 *
 * In: control.c (the operation), and function_hook.S from within any function of the stack.
 * Out: glass_function_begins(), glass_function_ends().
 *
 * This is the only state of the daemon that is not in struct daemon: a hook gets no argument.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <glass/glass_trace.h>

#include "daemon.h"

#define IDLE_BYTES 5
#define DEPTH_MAX 200

struct call {
	uintptr_t at;	  /* where the caller's address stands on the stack */
	uintptr_t caller; /* what stood there; 0: it still does */
	int64_t begin_ns;
	uint32_t function, depth;
};

static struct {
	struct glass *g;
	void *const *entry; /* where each function begins */
	size_t count;
	uint8_t *idle;	    /* the bytes that stood there */
	uint16_t *index_of; /* of a function by (entry - lowest) >> shift */
	uintptr_t lowest;
	size_t places; /* in index_of */
	unsigned shift;
	bool timed, named;
	struct call call[DEPTH_MAX];
	unsigned calls;
} f;

#ifdef __x86_64__

void function_begin_hook(void), function_end_hook(void);
void function_begins(uintptr_t behind, uintptr_t *caller);
uintptr_t function_ends(void);

/* ---- in the middle of a function ---- */

static int64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/*
 * A function that ended by jumping to another one left it its place on the stack: it counts as
 * ended unless its end will be seen.
 */
static unsigned depth_at(uintptr_t at)
{
	while (f.calls && (f.call[f.calls - 1].at < at ||
			   (f.call[f.calls - 1].at == at && !f.call[f.calls - 1].caller)))
		f.calls--;
	if (!f.calls)
		return 0;
	return f.call[f.calls - 1].depth + (f.call[f.calls - 1].at != at);
}

void function_begins(uintptr_t behind, uintptr_t *caller)
{
	uint32_t function = f.index_of[(behind - IDLE_BYTES - f.lowest) >> f.shift];
	unsigned depth = depth_at((uintptr_t)caller);
	struct call *c;

	glass_function_begins(f.g, function, depth);
	if (f.calls == DEPTH_MAX)
		return;
	c = &f.call[f.calls++];
	*c = (struct call){ .at = (uintptr_t)caller, .function = function, .depth = depth };
	if (!f.timed)
		return;
	c->caller = *caller;
	*caller = (uintptr_t)function_end_hook;
	c->begin_ns = clock_ns();
}

uintptr_t function_ends(void)
{
	int64_t now_ns = clock_ns();
	struct call *c = &f.call[--f.calls];

	glass_function_ends(f.g, c->function, c->depth, now_ns - c->begin_ns);
	return c->caller;
}

/* ---- on and off ---- */

/* Our text is written like a file: it never is writable and executable at once. */
static int write_entries(bool on)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC), rc = fd < 0 ? -errno : 0;
	uint8_t bytes[IDLE_BYTES] = { 0xe8 }; /* call */
	int32_t distance;

	for (size_t i = 0; i < f.count && !rc; i++) {
		distance = (int32_t)((uintptr_t)function_begin_hook - (uintptr_t)f.entry[i] -
				     IDLE_BYTES);
		memcpy(bytes + 1, &distance, sizeof(distance));
		if (pwrite(fd, on ? bytes : f.idle + i * IDLE_BYTES, IDLE_BYTES,
			   (off_t)(uintptr_t)f.entry[i]) != IDLE_BYTES)
			rc = -errno;
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

static bool is_idle(const uint8_t *bytes)
{
	static const uint8_t nops[IDLE_BYTES] = { 0x90, 0x90, 0x90, 0x90, 0x90 };
	static const uint8_t nopl[2] = { 0x0f, 0x1f }; /* one long instruction */

	return !memcmp(bytes, nops, sizeof(nops)) || !memcmp(bytes, nopl, sizeof(nopl));
}

/* Functions lie at multiples of 16 or so: the table has a row per place, not per address. */
static int make_index(void)
{
	uintptr_t highest = 0, differ = 0, at;

	f.lowest = UINTPTR_MAX;
	for (size_t i = 0; i < f.count; i++) {
		at = (uintptr_t)f.entry[i];
		f.lowest = at < f.lowest ? at : f.lowest;
		highest = at > highest ? at : highest;
		differ |= at ^ (uintptr_t)f.entry[0];
	}
	f.shift = differ ? (unsigned)__builtin_ctzl(differ) : 0;
	f.places = ((highest - f.lowest) >> f.shift) + 1;
	f.index_of = calloc(f.places, sizeof(*f.index_of));
	f.idle = calloc(f.count, IDLE_BYTES);
	if (!f.index_of || !f.idle)
		return -ENOMEM;
	for (size_t i = 0; i < f.count; i++) {
		f.index_of[((uintptr_t)f.entry[i] - f.lowest) >> f.shift] = (uint16_t)i;
		memcpy(f.idle + i * IDLE_BYTES, f.entry[i], IDLE_BYTES);
		if (!is_idle(f.idle + i * IDLE_BYTES))
			return -ENOEXEC;
	}
	return 0;
}

static int find_entries(void)
{
	f.entry = glass_functions(&f.count);
	if (!f.count || f.count > UINT16_MAX)
		return -EOPNOTSUPP;
	return f.index_of ? 0 : make_index();
}

#else

static int write_entries(bool on)
{
	(void)on;
	return -EOPNOTSUPP;
}

static int find_entries(void)
{
	return -EOPNOTSUPP;
}

#endif

/* ---- names ---- */

/* "tcp_input.part.0" is a piece of tcp_input. */
static void name_symbol(struct glass *g, const char *name, uintptr_t at)
{
	char plain[64];
	size_t i;

	if (!name || at < f.lowest || (at - f.lowest) >> f.shift >= f.places)
		return;
	i = f.index_of[(at - f.lowest) >> f.shift];
	if ((uintptr_t)f.entry[i] != at)
		return;
	snprintf(plain, sizeof(plain), "%.*s", (int)strcspn(name, "."), name);
	glass_function_name(g, i, plain);
	f.named = true;
}

/* How far from where the file says we are. */
static uintptr_t load_bias(Elf *elf)
{
	extern const char __ehdr_start[] __attribute__((visibility("hidden")));
	size_t n = 0;
	GElf_Phdr ph;

	elf_getphdrnum(elf, &n);
	for (size_t i = 0; i < n; i++)
		if (gelf_getphdr(elf, (int)i, &ph) && ph.p_type == PT_LOAD && !ph.p_offset)
			return (uintptr_t)__ehdr_start - ph.p_vaddr;
	return (uintptr_t)__ehdr_start;
}

static void name_section(struct glass *g, Elf *elf, Elf_Scn *section, const GElf_Shdr *sh,
			 uintptr_t bias)
{
	Elf_Data *data = elf_getdata(section, NULL);
	GElf_Sym sym;

	for (int i = 0; data && gelf_getsym(data, i, &sym); i++)
		if (GELF_ST_TYPE(sym.st_info) == STT_FUNC && sym.st_value)
			name_symbol(g, elf_strptr(elf, sh->sh_link, sym.st_name),
				    bias + sym.st_value);
}

static int read_names(struct glass *g, int fd)
{
	Elf_Scn *section = NULL;
	GElf_Shdr sh;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	while (elf && (section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &sh) && sh.sh_type == SHT_SYMTAB)
			name_section(g, elf, section, &sh, load_bias(elf));
	elf_end(elf);
	return f.named ? 0 : -ENOEXEC;
}

static int find_names(struct glass *g)
{
	int fd, rc;

	if (f.named)
		return 0;
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = read_names(g, fd);
	close(fd);
	return rc;
}

/* ---- the operation ---- */

static int switch_on(struct daemon *d, bool timed, const char **what)
{
	int rc;

	*what = "this build has no idle bytes at the begin of functions: x86-64, gcc or clang";
	rc = find_entries();
	if (rc)
		return rc;
	*what = "glassd was stripped: its functions have no names";
	rc = find_names(d->g);
	if (rc)
		return rc;
	f.timed = timed;
	f.calls = 0;
	*what = "cannot write to /proc/self/mem";
	rc = write_entries(true);
	if (rc)
		write_entries(false);
	return rc;
}

static void switch_off(struct daemon *d, struct client *c, void *arg)
{
	(void)d;
	(void)c;
	(void)arg;
	if (write_entries(false))
		notice("functions: cannot write to /proc/self/mem: they go on being recorded");
	else
		f.g = NULL;
}

void op_functions(struct daemon *d, struct client *c, const struct abi_request *req,
		  const char *data, int *fd)
{
	struct abi_reply rep = { 0 };
	const char *what = "";

	(void)data;
	(void)fd;
	if (!d->ring) {
		what = "the daemon runs without a flight recorder";
		rep.error = ENODATA;
	} else if (f.g || !client_gone_is(c, NULL)) {
		what = "somebody else does so: one at a time";
		rep.error = EBUSY;
	} else {
		rep.error = -switch_on(d, req->arg[0], &what);
	}
	if (!rep.error) {
		f.g = d->g;
		client_on_gone(c, switch_off, NULL);
	}
	rep.value[0] = (int64_t)f.count;
	control_reply(d, c, req, &rep, what, rep.error ? strlen(what) : 0, -1);
}
