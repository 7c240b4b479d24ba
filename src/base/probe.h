/* SPDX-License-Identifier: MIT */
/*
 * Places that tracers outside find in the program: USDT, the static probes of SystemTap, bpftrace
 * and perf. A probe is one idle instruction and a note in the file, which says where it stands,
 * what it is called and where its values are at that moment. Nobody looks: it costs the
 * instruction.
 *
 * The note is written here and not taken from <sys/sdt.h>: that header takes the values of a probe
 * as they come, so that each has to be in a register or on the stack at the same time. Ours all
 * stand in the record that was just written, so one register is enough, and no probe can tell
 * anything but what the recorder has. Its idle instruction is the one of five bytes that Linux
 * calls a uprobe from without a trap (6.18), not that of one byte.
 *
 * The note's layout: https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation
 *
 * In: trace.h.  Out: the linker.
 */
#ifndef GLASS_BASE_PROBE_H
#define GLASS_BASE_PROBE_H

#include <glass/glass_trace.h>

#if defined(__x86_64__) && defined(__ELF__)

/*
 * Every probe tells: the room's name, the record (struct glass_record: bpftrace knows no more than
 * six arguments), its pkt and conn; then its values.
 */
#define PROBE_0 "8@(%[room]) 8@%[rec] 4@16(%[rec]) 4@12(%[rec])"
#define PROBE_1 PROBE_0 " 8@24(%[rec])"
#define PROBE_2 PROBE_1 " 8@32(%[rec])"
#define PROBE_3 PROBE_2 " 8@40(%[rec])"
#define PROBE_4 PROBE_3 " 8@48(%[rec])"
#define PROBE_5 PROBE_4 " 8@56(%[rec])"
_Static_assert(offsetof(struct glass_record, conn) == 12, "PROBE_0");
_Static_assert(offsetof(struct glass_record, pkt) == 16, "PROBE_0");
_Static_assert(offsetof(struct glass_record, v) == 24, "PROBE_1");
_Static_assert(GLASS_TRACE_VALUES == 5, "PROBE_5");

/*
 * room_: where the room's name is pointed at; rec_: the record, which must have been written by
 * now, therefore the third operand. The base section is what a prelinked program's addresses are
 * measured against: tools expect it.
 */
#define PROBE(name, values, room_, rec_)                                       \
	__asm__ volatile("990:	.byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n"           \
			 "	.pushsection .note.stapsdt, \"?\", \"note\"\n"      \
			 "	.balign 4\n"                                        \
			 "	.4byte 992f - 991f, 994f - 993f, 3\n"               \
			 "991:	.asciz \"stapsdt\"\n"                           \
			 "992:	.balign 4\n"                                    \
			 "993:	.8byte 990b, _.stapsdt.base, 0\n"               \
			 "	.asciz \"glass\"\n"                                 \
			 "	.asciz \"" name "\"\n"                         \
			 "	.asciz \"" values "\"\n"                       \
			 "994:	.balign 4\n"                                    \
			 "	.popsection\n"                                      \
			 "	.ifndef _.stapsdt.base\n"                           \
			 "	.pushsection .stapsdt.base, \"aG\", \"progbits\", " \
			 ".stapsdt.base, comdat\n"                             \
			 "	.weak _.stapsdt.base\n"                             \
			 "	.hidden _.stapsdt.base\n"                           \
			 "_.stapsdt.base: .space 1\n"                          \
			 "	.size _.stapsdt.base, 1\n"                          \
			 "	.popsection\n"                                      \
			 "	.endif\n"                                           \
			 :                                                     \
			 : [room] "r"(room_), [rec] "r"(rec_), "m"(*(rec_)))

#else

#define PROBE_0 ""
#define PROBE_1 ""
#define PROBE_2 ""
#define PROBE_3 ""
#define PROBE_4 ""
#define PROBE_5 ""
#define PROBE(name, values, room_, rec_) ((void)(room_), (void)(rec_))

#endif

/* Of a list of one zero and one more for each value. */
#define PROBE_VALUES(...) \
	PROBE_PICK(__VA_ARGS__, PROBE_5, PROBE_4, PROBE_3, PROBE_2, PROBE_1, PROBE_0, 0)
#define PROBE_PICK(zero, v0, v1, v2, v3, v4, values, ...) values

#endif
