/* SPDX-License-Identifier: MIT */
/*
 * Filters as pcap-filter(7) has them, compiled by libpcap. Here and not in the daemon, which would
 * have to read a stranger's language with its rights.
 *
 * In: cmd_pcap.c, cmd_net.c.  Out: libpcap, where it was there at build time.
 */
#include "capture.h"

bool capture_has_filters(void)
{
#ifdef HAVE_LIBPCAP
	return true;
#else
	return false;
#endif
}

#ifdef HAVE_LIBPCAP

#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

struct capture_filter {
	struct bpf_program program;
};

static bool compile(struct capture_filter *f, const char *text, bool raw_ip, char *why, size_t size)
{
	pcap_t *p = pcap_open_dead(raw_ip ? DLT_RAW : DLT_EN10MB, ABI_CAPTURED_BYTES_MAX);
	bool ok = p && !pcap_compile(p, &f->program, text, 1, PCAP_NETMASK_UNKNOWN);

	snprintf(why, size, "%s", !p ? "out of memory" : ok ? "" : pcap_geterr(p));
	if (p)
		pcap_close(p);
	return ok;
}

struct capture_filter *capture_filter_new(const struct command *self, const char *text, bool raw_ip)
{
	struct capture_filter *f = calloc(1, sizeof(*f));
	char why[256] = "out of memory";

	if (f && compile(f, text, raw_ip, why, sizeof(why)))
		return f;
	free(f);
	usage(self,
	      "'%s' is no filter (%s)\nType for example: tcp port 80 and host 10.0.0.5: see "
	      "pcap-filter(7)",
	      text, why);
	return NULL;
}

bool capture_filter_takes(const struct capture_filter *f, const struct abi_captured *h,
			  const uint8_t *bytes)
{
	struct pcap_pkthdr head = { .caplen = h->kept_bytes, .len = h->full_bytes };

	return pcap_offline_filter(&f->program, &head, bytes);
}

const void *capture_filter_program(const struct capture_filter *f, unsigned *count)
{
	*count = f->program.bf_len;
	return f->program.bf_insns;
}

void capture_filter_free(struct capture_filter *f)
{
	if (f)
		pcap_freecode(&f->program);
	free(f);
}

#else

struct capture_filter *capture_filter_new(const struct command *self, const char *text, bool raw_ip)
{
	(void)raw_ip;
	usage(self,
	      "'%s': this glass was built without libpcap, which reads filters\nType: "
	      "apt install libpcap-dev; make",
	      text);
	return NULL;
}

bool capture_filter_takes(const struct capture_filter *f, const struct abi_captured *h,
			  const uint8_t *bytes)
{
	(void)f;
	(void)h;
	(void)bytes;
	return true;
}

const void *capture_filter_program(const struct capture_filter *f, unsigned *count)
{
	(void)f;
	*count = 0;
	return NULL;
}

void capture_filter_free(struct capture_filter *f)
{
	(void)f;
}

#endif
