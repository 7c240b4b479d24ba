/* SPDX-License-Identifier: MIT */
/*
 * glass trace --functions: every function of the stack that is called, without another build. Their
 * names come from our own file; one client at a time.
 *
 * In: control.c (the operation).  Out: function_calls.c, glass_function_name().
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <glass/glass_trace.h>

#include "daemon.h"
#include "function_calls.h"

#define ENDBR_BYTES 4

/* ---- names ---- */

/*
 * "tcp_input.part.0" is a piece of tcp_input. With -fcf-protection, which Ubuntu's gcc has on, the
 * idle bytes stand behind the instruction that says that one may jump here.
 */
static void name_symbol(struct daemon *d, const char *name, uintptr_t at)
{
	char plain[64];
	size_t i;

	if (!name || (!function_calls_at(at, &i) && !function_calls_at(at + ENDBR_BYTES, &i)))
		return;
	snprintf(plain, sizeof(plain), "%.*s", (int)strcspn(name, "."), name);
	glass_function_name(d->g, i, plain);
	d->functions_named = true;
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

static void name_section(struct daemon *d, Elf *elf, Elf_Scn *section, const GElf_Shdr *sh,
			 uintptr_t bias)
{
	Elf_Data *data = elf_getdata(section, NULL);
	GElf_Sym sym;

	for (int i = 0; data && gelf_getsym(data, i, &sym); i++)
		if (GELF_ST_TYPE(sym.st_info) == STT_FUNC && sym.st_value)
			name_symbol(d, elf_strptr(elf, sh->sh_link, sym.st_name),
				    bias + sym.st_value);
}

static int read_names(struct daemon *d, int fd)
{
	Elf_Scn *section = NULL;
	GElf_Shdr sh;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	while (elf && (section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &sh) && sh.sh_type == SHT_SYMTAB)
			name_section(d, elf, section, &sh, load_bias(elf));
	elf_end(elf);
	return d->functions_named ? 0 : -ENOEXEC;
}

int functions_name(struct daemon *d)
{
	size_t count;
	int fd, rc;

	if (d->functions_named)
		return 0;
	rc = function_calls_find(&count);
	if (rc)
		return rc;
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = read_names(d, fd);
	close(fd);
	return rc;
}

/* ---- the operation ---- */

static int switch_on(struct daemon *d, bool timed, size_t *count, const char **what)
{
	int rc;

	*what = "this build has no idle bytes at the begin of functions: x86-64, gcc or clang";
	rc = function_calls_find(count);
	if (rc == -EBUSY)
		*what = "a tracer outside has probes on functions (uprobes): one at a time";
	if (rc)
		return rc;
	*what = "glassd was stripped: its functions have no names";
	rc = functions_name(d);
	if (rc)
		return rc;
	*what = "cannot write to the functions' begins";
	return function_calls_on(d->g, timed);
}

static void switch_off(struct daemon *d, struct client *c, void *arg)
{
	(void)d;
	(void)c;
	(void)arg;
	if (function_calls_off())
		notice("functions: cannot write to /proc/self/mem: they go on being recorded");
}

void op_functions(struct daemon *d, struct client *c, const struct abi_request *req,
		  const char *data, int *fd)
{
	struct abi_reply rep = { 0 };
	const char *what = "";
	size_t count = 0;

	(void)data;
	(void)fd;
	if (!d->ring) {
		what = "the daemon runs without a flight recorder";
		rep.error = ENODATA;
	} else if (function_calls_are_on() || !client_gone_is(c, NULL)) {
		what = "somebody else does so: one at a time";
		rep.error = EBUSY;
	} else {
		rep.error = -switch_on(d, req->arg[0], &count, &what);
	}
	if (!rep.error)
		client_on_gone(c, switch_off, NULL);
	rep.value[0] = (int64_t)count;
	control_reply(d, c, req, &rep, what, rep.error ? strlen(what) : 0, -1);
}
