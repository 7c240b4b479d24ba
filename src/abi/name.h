/* SPDX-License-Identifier: MIT */
/*
 * The names of the ends: an AF_UNIX socket of Glass tells what it is by its kernel names, after
 * fork, exec and SCM_RIGHTS too. All are abstract; fields are separated by blanks and have fixed
 * widths, but for the last:
 *
 *	the program's end:
 *	"glass p TOKEN FAMILY TYPE"	TOKEN 16 hex digits; FAMILY 4 or 6; TYPE tcp, udp, icmp or
 *raw the daemon's end: none				neither listening nor connected yet "glass l
 *TOKEN LOCAL"		listening "glass c TOKEN LOCAL REMOTE"	connected, also when the connection
 *is over "glass e TOKEN ERRNO"		the connect failed; ERRNO 4 hex digits
 *	"glass x TOKEN"			an empty datagram from it says: an error waits, ask ERROR
 *	"glass r TOKEN LOCAL REMOTE TELL TTL TOS DEV SPEC DROPS"
 *					whom a datagram of a socket without connect comes from, and
 *					what else the program wants to know (TELL, enum abi_tell, 4
 *					hex digits, then 2 each); of a connected one it comes along.
 *DEV counts from 1. SPEC, our own address, and DROPS, datagrams lost, are 8 hex digits each
 *
 * LOCAL and REMOTE are ADDRESS:PORT, 8 and 4 hex digits. Needs no library: it serves the preload
 * library too.
 *
 * In: src/daemon writes them, src/preload reads them.
 */
#ifndef GLASS_ABI_NAME_H
#define GLASS_ABI_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "abi.h"

#define ABI_NAME_MAX 88 /* of kind r: 85 */
#define ABI_NAME_PREFIX "glass "

struct abi_name {
	char kind;     /* p l c e r x */
	uint8_t proto; /* p: 6 TCP, 17 UDP, 1 ICMP echo, 255 raw, as enum glass_proto */
	uint8_t family;
	uint8_t ttl, tos, dev; /* r */
	uint16_t tell;	       /* r */
	uint32_t spec, drops;  /* r */
	int error;
	uint64_t token;
	struct abi_end local, remote;
};

#define ABI_TCP 6
#define ABI_UDP 17
#define ABI_PING 1
#define ABI_RAW 255

/* A name being written or read; at NULL: it does not fit the form. */
struct abi_text {
	char *at;
	const char *end;
};

static inline void abi_put_hex(struct abi_text *t, uint64_t v, int digits)
{
	while (digits--)
		*t->at++ = "0123456789abcdef"[v >> (4 * digits) & 15];
}

static inline void abi_put_str(struct abi_text *t, const char *s)
{
	while (*s)
		*t->at++ = *s++;
}

static inline uint32_t abi_end_ip4(const struct abi_end *e)
{
	return (uint32_t)e->addr[0] << 24 | (uint32_t)e->addr[1] << 16 | (uint32_t)e->addr[2] << 8 |
	       e->addr[3];
}

static inline struct abi_end abi_end_of_ip4(uint32_t a, uint16_t port)
{
	return (struct abi_end){ .family = 4,
				 .addr = { (uint8_t)(a >> 24), (uint8_t)(a >> 16),
					   (uint8_t)(a >> 8), (uint8_t)a },
				 .port = port };
}

static inline void abi_put_end(struct abi_text *t, const struct abi_end *e)
{
	abi_put_str(t, " ");
	abi_put_hex(t, abi_end_ip4(e), 8);
	abi_put_str(t, ":");
	abi_put_hex(t, e->port, 4);
}

static inline void abi_put_byte(struct abi_text *t, uint8_t v)
{
	abi_put_str(t, " ");
	abi_put_hex(t, v, 2);
}

static inline void abi_put_origin(struct abi_text *t, const struct abi_name *n)
{
	abi_put_str(t, " ");
	abi_put_hex(t, n->tell, 4);
	abi_put_byte(t, n->ttl);
	abi_put_byte(t, n->tos);
	abi_put_byte(t, n->dev);
	abi_put_str(t, " ");
	abi_put_hex(t, n->spec, 8);
	abi_put_str(t, " ");
	abi_put_hex(t, n->drops, 8);
}

static inline const char *abi_proto_name(uint8_t proto)
{
	return proto == ABI_UDP	   ? "udp"
	       : proto == ABI_PING ? "icmp"
	       : proto == ABI_RAW  ? "raw"
				   : "tcp";
}

/* The name's bytes (the first is 0: abstract) into out; returns how many. */
static inline unsigned abi_name_write(char out[ABI_NAME_MAX], const struct abi_name *n)
{
	struct abi_text t = { out, out + ABI_NAME_MAX };
	char kind[3] = { n->kind, ' ', 0 };

	*t.at++ = 0;
	abi_put_str(&t, ABI_NAME_PREFIX);
	abi_put_str(&t, kind);
	abi_put_hex(&t, n->token, 16);
	if (n->kind == 'p') {
		abi_put_str(&t, n->family == 6 ? " 6 " : " 4 ");
		abi_put_str(&t, abi_proto_name(n->proto));
	}
	if (n->kind == 'l' || n->kind == 'c' || n->kind == 'r')
		abi_put_end(&t, &n->local);
	if (n->kind == 'c' || n->kind == 'r')
		abi_put_end(&t, &n->remote);
	if (n->kind == 'r')
		abi_put_origin(&t, n);
	if (n->kind == 'e') {
		abi_put_str(&t, " ");
		abi_put_hex(&t, (uint64_t)n->error, 4);
	}
	return (unsigned)(t.at - out);
}

static inline uint64_t abi_get_hex(struct abi_text *t, int digits)
{
	uint64_t v = 0;

	if (!t->at || t->end - t->at < digits) {
		t->at = 0;
		return 0;
	}
	while (digits--) {
		char c = *t->at++;

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint64_t)(c - 'a' + 10);
		else {
			t->at = 0;
			return 0;
		}
	}
	return v;
}

static inline void abi_get_str(struct abi_text *t, const char *s)
{
	for (; t->at && *s; s++) {
		if (t->at == t->end || *t->at != *s)
			t->at = 0;
		else
			t->at++;
	}
}

static inline char abi_get_char(struct abi_text *t)
{
	if (!t->at || t->at == t->end) {
		t->at = 0;
		return 0;
	}
	return *t->at++;
}

static inline struct abi_end abi_get_end(struct abi_text *t)
{
	uint32_t addr;

	abi_get_str(t, " ");
	addr = (uint32_t)abi_get_hex(t, 8);
	abi_get_str(t, ":");
	return abi_end_of_ip4(addr, (uint16_t)abi_get_hex(t, 4));
}

static inline uint8_t abi_proto_of(char initial)
{
	return initial == 'u'	? ABI_UDP
	       : initial == 'i' ? ABI_PING
	       : initial == 'r' ? ABI_RAW
				: ABI_TCP;
}

static inline void abi_get_program(struct abi_text *t, struct abi_name *n)
{
	abi_get_str(t, " ");
	n->family = (uint8_t)(abi_get_char(t) - '0');
	abi_get_str(t, " ");
	n->proto = abi_proto_of(t->at && t->at < t->end ? *t->at : 0);
	abi_get_str(t, abi_proto_name(n->proto));
	if (n->family != 4 && n->family != 6)
		t->at = 0;
}

static inline uint8_t abi_get_byte(struct abi_text *t)
{
	abi_get_str(t, " ");
	return (uint8_t)abi_get_hex(t, 2);
}

static inline void abi_get_origin(struct abi_text *t, struct abi_name *n)
{
	abi_get_str(t, " ");
	n->tell = (uint16_t)abi_get_hex(t, 4);
	n->ttl = abi_get_byte(t);
	n->tos = abi_get_byte(t);
	n->dev = abi_get_byte(t);
	abi_get_str(t, " ");
	n->spec = (uint32_t)abi_get_hex(t, 8);
	abi_get_str(t, " ");
	n->drops = (uint32_t)abi_get_hex(t, 8);
}

/* Reads a name of that many bytes (sun_path's); false: it is not one of ours. */
static inline bool abi_name_read(char *bytes, unsigned length, struct abi_name *n)
{
	struct abi_text t = { bytes + 1, bytes + length };

	*n = (struct abi_name){ 0 };
	if (length < 2 || bytes[0])
		return false;
	abi_get_str(&t, ABI_NAME_PREFIX);
	n->kind = abi_get_char(&t);
	abi_get_str(&t, " ");
	n->token = abi_get_hex(&t, 16);
	if (n->kind == 'p')
		abi_get_program(&t, n);
	else if (n->kind == 'l' || n->kind == 'c' || n->kind == 'r')
		n->local = abi_get_end(&t);
	else if (n->kind == 'e') {
		abi_get_str(&t, " ");
		n->error = (int)abi_get_hex(&t, 4);
	} else if (n->kind != 'x')
		return false;
	if (n->kind == 'c' || n->kind == 'r')
		n->remote = abi_get_end(&t);
	if (n->kind == 'r')
		abi_get_origin(&t, n);
	return t.at == t.end;
}

#endif
