/* SPDX-License-Identifier: MIT */
/* What a network card and a wire do to frames. link_bytes: 14 on Ethernet, 0 where frames are IP.
 */
#ifndef GLASS_WIRE_CUT_H
#define GLASS_WIRE_CUT_H

#include <glass/glass.h>

/* Completes a partial checksum. */
void wire_complete_csum(uint8_t *frame, size_t length, struct glass_offload *off);
/*
 * Calls emit for every segment of a super-packet, checksums complete. What cannot be cut is
 * emitted as it is. A segment is emit's to change.
 */
void wire_cut(uint8_t *frame, size_t length, size_t link_bytes, const struct glass_offload *off,
	      void (*emit)(void *arg, uint8_t *frame, size_t length), void *arg);
/* Its enum impair_kind. */
unsigned wire_kind(uint8_t *frame, size_t length, size_t link_bytes);
/* Congestion experienced (RFC 3168). */
void wire_mark(uint8_t *frame, size_t length, size_t link_bytes);

#endif
