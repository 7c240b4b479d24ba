/* SPDX-License-Identifier: MIT */
/*
 * What the daemon, the preload library and the command agree on. How they use it: name.h, path.h,
 *op.def.
 *
 * The control socket is a SOCK_SEQPACKET socket at DIR/STACK.sock: one request, one reply (some
 *with a file descriptor), except for operations of kind QUIET, which are not answered. Every
 *message starts with the same eight bytes, so that two versions can tell each other so.
 *
 * A program's TCP socket is one end of an AF_UNIX stream pair. What is not bytes of the stream is
 *said so:
 *
 *	canary	the oldest byte that waits at the daemon's end is one that the daemon has seen
 *		already (the first is put there at birth). If the connection breaks, the daemon
 *		closes with it unread, and the kernel shows the program what TCP shows: data, then
 *		ECONNRESET, then end of file.
 *	plug	zeros in the pair during a connect that does not wait, so many that poll(2) does
 *		not call the end writable. The daemon reads them when the connection stands, or
 *		closes with them unread.
 *
 * A program's datagram socket is an AF_UNIX datagram socket that the daemon has bound. Connected,
 *it and a socket of the daemon's are each other's peers, and payloads go both ways as they are.
 * Otherwise each datagram comes from a socket that is named after its origin (name.h, kind r), and
 * is sent by operation SENDTO, whose answer is exact. An error of a connected one is shown as
 * ECONNRESET by the kernel; ERROR tells which it is. One that is not connected, and wants to hear
 *of errors (IP_RECVERR), is sent an empty datagram by a socket of kind x.
 */
#ifndef GLASS_ABI_ABI_H
#define GLASS_ABI_ABI_H

#include <stdint.h>

#define ABI_MAGIC 0x53534c47u /* "GLSS" */
#define ABI_VERSION 2
#define ABI_DATA_MAX 65536 /* bytes after the fixed part: any datagram fits */

/*
 * SO_SNDBUF of a program's end (the kernel doubles it). An end is writable while at most a quarter
 * of it is in use; the largest buffer that one sendfile(2) makes (17 pages and its head) stays
 * whole until its last byte, the canary, is read. So a quarter must hold more than that: 71,680
 * bytes.
 */
#define ABI_END_SNDBUF 143360
/* More than that quarter. */
#define ABI_PLUG_BYTES 77824

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

/* One message on a listening end per established connection, with the connection's end as
 * SCM_RIGHTS. */
struct abi_accept {
	uint32_t magic;
	uint8_t family; /* of the listening socket: 4 or 6 */
	uint8_t pad[3];
	struct abi_end local, remote;
	uint64_t token;
};

/* Options beside enum glass_opt, for SETOPT and GETOPT. */
enum { ABI_OPT_V6ONLY = 1000, ABI_OPT_TELL, ABI_OPT_DEVICE, ABI_OPT_FASTOPEN_KEY };
/* SENDTO, arg[3]. */
enum { ABI_SENDTO_DEVICE = 0xff, ABI_SENDTO_MORE = 0x100, ABI_SENDTO_SEGMENT_SHIFT = 16 };
/* GROUP beside enum glass_group_do: the whole filter. */
enum { ABI_GROUP_SET = 100, ABI_GROUP_GET };
/* Of ABI_OPT_DEVICE: the name of the device, padded with zeros: in arg[1] and arg[2], and in
 * value[0] and value[1]. */
#define ABI_DEVICE_NAME_BYTES 16
/* The name of a congestion control, padded with zeros: SETOPT has it in arg[1] and arg[2]. */
#define ABI_CC_NAME_BYTES 16

/*
 * What ancillary data a datagram socket wants (ABI_OPT_TELL: a set of these bits). Those with a 6
 * are options of IPPROTO_IPV6; HOPLIMIT6 and TCLASS6 speak of
 * packets that there are none of yet.
 */
enum abi_tell {
	ABI_TELL_PKTINFO = 1,
	ABI_TELL_TTL = 2,
	ABI_TELL_TOS = 4,
	ABI_TELL_ERRORS = 8,
	ABI_TELL_PKTINFO6 = 16,
	ABI_TELL_HOPLIMIT6 = 32,
	ABI_TELL_TCLASS6 = 64,
	ABI_TELL_ORIGDST = 128,
	ABI_TELL_DROPS = 256,
};

/* STEP, arg[0]. */
enum abi_step_do { ABI_STEP_FREEZE, ABI_STEP_ONE, ABI_STEP_RUN };
/* What happened: nothing; a frame left, or came; a timer was due, or a frame that "glass net" held;
 * a program did something, or the host changed the device. */
enum abi_step {
	ABI_STEP_NOTHING,
	ABI_STEP_SENT,
	ABI_STEP_FRAME,
	ABI_STEP_TIMER,
	ABI_STEP_NET,
	ABI_STEP_OTHER
};

enum abi_op {
#define OP(ID, name, kind, doc) ABI_##ID,
#include "op.def"
#undef OP
	ABI_OP_COUNT
};

#endif
