/* SPDX-License-Identifier: MIT */
/*
 * Capture files: pcapng (draft-ietf-opsawg-pcapng) with what the stack knows as comments, or the
 * classic pcap without. Both with times in nanoseconds and in this machine's byte order, which
 * both formats allow.
 *
 * A pcapng file is blocks: one of the section, one of the device, one of each packet, and at the
 * end what was left out. A super-packet is one packet, and a checksum that the device completes is
 * incomplete, as tcpdump shows them.
 *
 * In: cmd_pcap.c.  Out: a stream.
 */
#include <string.h>
#include <sys/utsname.h>

#include "capture.h"

#define BYTES_MAX 262144u
#define LINKTYPE_ETHERNET 1
#define LINKTYPE_RAW 101
#define BLOCK_BYTES 8192 /* of everything but a packet's bytes */

enum { BLOCK_INTERFACE = 1, BLOCK_STATISTICS = 5, BLOCK_PACKET = 6, BLOCK_SECTION = 0x0a0d0d0a };
enum { OPT_END = 0, OPT_COMMENT = 1 };
enum { OPT_SHB_HARDWARE = 2, OPT_SHB_OS = 3, OPT_SHB_APPLICATION = 4 };
enum {
	OPT_IF_NAME = 2,
	OPT_IF_DESCRIPTION = 3,
	OPT_IF_MAC = 6,
	OPT_IF_TSRESOL = 9,
	OPT_IF_FILTER = 11
};
enum { OPT_EPB_FLAGS = 2, OPT_EPB_DROPCOUNT = 4, OPT_EPB_PACKETID = 5 };
enum { OPT_ISB_RECEIVED = 4, OPT_ISB_DROPPED = 5, OPT_ISB_ACCEPTED = 6 };

/* A block while it is put together; of a packet the bytes come between head and tail. */
struct block {
	uint8_t byte[BLOCK_BYTES];
	size_t n;
};

static void add(struct block *b, const void *bytes, size_t n)
{
	if (b->n + n > sizeof(b->byte))
		n = sizeof(b->byte) - b->n; /* cannot be: labels and names are shorter */
	memcpy(b->byte + b->n, bytes, n);
	b->n += n;
}

static void add16(struct block *b, uint16_t v)
{
	add(b, &v, sizeof(v));
}

static void add32(struct block *b, uint32_t v)
{
	add(b, &v, sizeof(v));
}

/* The higher half first, whatever the byte order. */
static void add_time(struct block *b, int64_t ns)
{
	add32(b, (uint32_t)((uint64_t)ns >> 32));
	add32(b, (uint32_t)ns);
}

static size_t padding(size_t n)
{
	return (4 - n % 4) % 4;
}

static void add_option(struct block *b, uint16_t code, const void *value, size_t n)
{
	add16(b, code);
	add16(b, (uint16_t)n);
	add(b, value, n);
	add(b, "\0\0\0", padding(n));
}

static void add_text(struct block *b, uint16_t code, const char *text)
{
	if (*text)
		add_option(b, code, text, strlen(text));
}

/* type, head, bytes, options; its length stands at both ends. */
static void put_block(FILE *to, uint32_t type, const struct block *head, const void *bytes,
		      size_t n, const struct block *options)
{
	uint32_t total = (uint32_t)(12 + head->n + n + padding(n) + options->n);

	fwrite(&type, 4, 1, to);
	fwrite(&total, 4, 1, to);
	fwrite(head->byte, 1, head->n, to);
	fwrite(bytes, 1, n, to);
	fwrite("\0\0\0", 1, padding(n), to);
	fwrite(options->byte, 1, options->n, to);
	fwrite(&total, 4, 1, to);
}

/* ---- the head ---- */

static void put_section(FILE *to)
{
	struct block head = { .n = 0 }, options = { .n = 0 };
	struct utsname u;
	char os[300];

	add32(&head, 0x1a2b3c4d);
	add16(&head, 1);
	add16(&head, 0);
	add32(&head, UINT32_MAX); /* the section's length is not known: 64 bits of -1 */
	add32(&head, UINT32_MAX);
	if (!uname(&u)) {
		snprintf(os, sizeof(os), "%s %s", u.sysname, u.release);
		add_text(&options, OPT_SHB_HARDWARE, u.machine);
		add_text(&options, OPT_SHB_OS, os);
	}
	add_text(&options, OPT_SHB_APPLICATION, "glass " GLASS_VERSION);
	add_option(&options, OPT_END, "", 0);
	put_block(to, BLOCK_SECTION, &head, "", 0, &options);
}

static void put_interface(const struct capture_file *f, const struct glass_dev_info *dev)
{
	bool raw_ip = dev->setup.link == GLASS_RAW_IP;
	struct block head = { .n = 0 }, options = { .n = 0 };
	char text[512];

	add16(&head, raw_ip ? LINKTYPE_RAW : LINKTYPE_ETHERNET);
	add16(&head, 0);
	add32(&head, f->bytes_max ? f->bytes_max : BYTES_MAX);
	snprintf(text, sizeof(text), "%.*s", (int)sizeof(dev->setup.name), dev->setup.name);
	add_text(&options, OPT_IF_NAME, text);
	snprintf(text, sizeof(text), "Glass stack %s, %s device, mtu %u", ctl.stack,
		 raw_ip ? "TUN" : "TAP", dev->setup.mtu_bytes);
	add_text(&options, OPT_IF_DESCRIPTION, text);
	if (!raw_ip)
		add_option(&options, OPT_IF_MAC, dev->setup.mac, 6);
	add_option(&options, OPT_IF_TSRESOL, "\011", 1); /* 10 to the power of -9 */
	snprintf(text, sizeof(text), "%c%.500s", 0, f->filter ? f->filter : "");
	if (f->filter) /* 0: it is pcap-filter's language */
		add_option(&options, OPT_IF_FILTER, text, 1 + strlen(text + 1));
	add_option(&options, OPT_END, "", 0);
	put_block(f->to, BLOCK_INTERFACE, &head, "", 0, &options);
}

static void put_classic_head(const struct capture_file *f, bool raw_ip)
{
	struct block b = { .n = 0 };

	add32(&b, 0xa1b23c4d);
	add16(&b, 2);
	add16(&b, 4);
	add32(&b, 0);
	add32(&b, 0);
	add32(&b, f->bytes_max ? f->bytes_max : BYTES_MAX);
	add32(&b, raw_ip ? LINKTYPE_RAW : LINKTYPE_ETHERNET);
	fwrite(b.byte, 1, b.n, f->to);
}

void capture_write_head(struct capture_file *f, const struct glass_dev_info *dev)
{
	if (f->format == CAPTURE_PCAP) {
		put_classic_head(f, dev->setup.link == GLASS_RAW_IP);
		return;
	}
	put_section(f->to);
	put_interface(f, dev);
}

/* ---- packets ---- */

static uint32_t kept(const struct capture_file *f, const struct abi_captured *h)
{
	return f->bytes_max && f->bytes_max < h->kept_bytes ? f->bytes_max : h->kept_bytes;
}

static void put_classic(const struct capture_file *f, const struct abi_captured *h,
			const uint8_t *bytes)
{
	struct block b = { .n = 0 };

	add32(&b, (uint32_t)(h->realtime_ns / NS_PER_S));
	add32(&b, (uint32_t)(h->realtime_ns % NS_PER_S));
	add32(&b, kept(f, h));
	add32(&b, h->full_bytes);
	fwrite(b.byte, 1, b.n, f->to);
	fwrite(bytes, 1, kept(f, h), f->to);
}

static void packet_options(struct capture_file *f, const struct abi_captured *h,
			   const struct label *label, struct block *o)
{
	uint64_t left_out = h->left_out - f->left_out, id = label->act;
	uint32_t flags = h->out ? 2 : 1;

	add_text(o, OPT_COMMENT, label->text);
	add_text(o, OPT_COMMENT, label->words);
	add_option(o, OPT_EPB_FLAGS, &flags, sizeof(flags));
	if (left_out)
		add_option(o, OPT_EPB_DROPCOUNT, &left_out, sizeof(left_out));
	if (id)
		add_option(o, OPT_EPB_PACKETID, &id, sizeof(id));
	add_option(o, OPT_END, "", 0);
	f->left_out = h->left_out;
}

void capture_write_packet(struct capture_file *f, const struct abi_captured *h,
			  const uint8_t *bytes, const struct label *label)
{
	struct block head = { .n = 0 }, options = { .n = 0 };

	if (f->format == CAPTURE_PCAP) {
		put_classic(f, h, bytes);
		return;
	}
	add32(&head, 0); /* the one interface */
	add_time(&head, h->realtime_ns);
	add32(&head, kept(f, h));
	add32(&head, h->full_bytes);
	packet_options(f, h, label, &options);
	put_block(f->to, BLOCK_PACKET, &head, bytes, kept(f, h), &options);
}

void capture_write_end(struct capture_file *f, uint64_t received, uint64_t accepted,
		       uint64_t left_out, int64_t realtime_ns)
{
	struct block head = { .n = 0 }, options = { .n = 0 };

	if (f->format == CAPTURE_PCAP)
		return;
	add32(&head, 0);
	add_time(&head, realtime_ns);
	add_option(&options, OPT_ISB_RECEIVED, &received, sizeof(received));
	add_option(&options, OPT_ISB_DROPPED, &left_out, sizeof(left_out));
	add_option(&options, OPT_ISB_ACCEPTED, &accepted, sizeof(accepted));
	add_option(&options, OPT_END, "", 0);
	put_block(f->to, BLOCK_STATISTICS, &head, "", 0, &options);
}
