/* SPDX-License-Identifier: MIT */
/*
 * What the daemon, the preload library and the command agree on.
 *
 * The control socket is a SOCK_SEQPACKET socket at DIR/STACK.sock: one request, one reply (some with a file
 * descriptor), except for operations of kind QUIET, which are not answered. Every message starts with the same
 * eight bytes, so that two versions can tell each other so.
 *
 * Names of the ends. A program's socket is one end of an AF_UNIX pair, and its kernel names tell what it is,
 * after fork, exec and SCM_RIGHTS too (all are abstract; fields are separated by blanks):
 *
 *	the program's end	"glass p TOKEN FAMILY TYPE"	TOKEN 16 hex digits; FAMILY 4 or 6; TYPE tcp udp
 *	the daemon's end	none while not connected
 *				"glass c TOKEN LOCAL REMOTE"	connected: ends as HEXADDR:PORT
 *				"glass e TOKEN ERRNO"		the connect failed
 */
#ifndef GLASS_ABI_ABI_H
#define GLASS_ABI_ABI_H

#include <stdint.h>

#define ABI_MAGIC 0x53534c47u /* "GLSS" */
#define ABI_VERSION 1
#define ABI_DATA_MAX 61440    /* bytes after the fixed part */
#define ABI_STACK_NAME_MAX 32

/* Directory of the control sockets: environment GLASS_DIR, else /run/glass for root, else $XDG_RUNTIME_DIR/glass,
 * else /tmp/glass-UID. Environment GLASS_STACK names the stack; else "default". */
#define ABI_ENV_DIR "GLASS_DIR"
#define ABI_ENV_STACK "GLASS_STACK"
#define ABI_DEFAULT_STACK "default"

/* Bytes that plug a program's end while its connect is in progress: see DESIGN in ARCHITECTURE.md. More than
 * SO_SNDBUF / 4, so that it is not writable. */
#define ABI_END_SNDBUF 212992
#define ABI_PLUG_BYTES 61440

struct abi_head {
	uint32_t magic;
	uint16_t version;
	uint16_t op; /* enum abi_op; a reply repeats it */
};

struct abi_end {
	uint8_t family; /* 4, 6, 0 none */
	uint8_t addr[16];
	uint8_t pad;
	uint16_t port; /* host order */
};

struct abi_request {
	struct abi_head head;
	uint64_t token; /* of the socket; 0: none */
	int64_t arg[4];
	struct abi_end end;
	uint32_t length; /* data bytes that follow */
};

struct abi_reply {
	struct abi_head head;
	int32_t error; /* 0 or a positive errno */
	uint32_t length;
	uint64_t token;
	int64_t value[4];
	struct abi_end local, remote;
};

/* One message on a listening end per established connection, with the connection's end as SCM_RIGHTS. */
struct abi_accept {
	uint32_t magic;
	struct abi_end local, remote;
	uint64_t token;
};

enum abi_op {
#define OP(ID, name, kind, doc) ABI_##ID,
#include "op.def"
#undef OP
	ABI_OP_COUNT
};

#endif
