/* SPDX-License-Identifier: MIT */
/*
 * TCP options as broken and hostile peers send them: RFC 9293 MUST-4 to MUST-7, MUST-64, MUST-68.
 */
#include <string.h>

#include "dialogue.h"

/* A dialogue is laid out in columns. */
/* clang-format off */

/* A SYN of 10.0.0.5:sport with these option bytes. */
static void syn_with(struct dlg *d, uint16_t sport, const void *options, size_t n)
{
	struct seg s = { .kind = SEG_TCP, .src = 0x0a000005, .dst = 0x0a000004, .dport = 8080, .flags = SYN };
	uint8_t frame[SEG_FRAME_MAX];

	memcpy(s.src_mac, "\x02\0\0\0\0\x05", 6);
	memcpy(s.dst_mac, "\x02\0\0\0\0\x04", 6);
	s.sport = sport;
	s.seq = 0xfffffc00;	/* as dialogues' peers have it */
	s.win = 65535;
	s.opt_raw = options;
	s.opt_raw_len = n;
	wire_in_frame(frame, seg_build(frame, &s));
}

/* MUST-6: an unknown option is skipped by its length. */
DIALOGUE(unknown_option_is_skipped)
{
	T(0)	app_listen(l, 8080, 5);
		syn_with(d, 1001, "\xfd\x04\xab\xcd\x02\x04\x05\xb4", 8);
		wire_out(SYN|ACK, mss=1460);
}

/* MUST-64: options need not be aligned. */
DIALOGUE(options_need_no_alignment)
{
	T(0)	app_listen(l, 8080, 5);
		syn_with(d, 1001, "\x04\x02\x01\x03\x03\x05\x08\x0a\0\0\0\x09\0\0\0\0\x02\x04\x05\xb4", 20);
		wire_out(SYN|ACK, sackok, ws=7, tsecr=9);
}

/* MUST-7: a length of 0 or 1, or one beyond the header, ends the reading and harms nobody. */
DIALOGUE(illegal_lengths)
{
	T(0)	app_listen(l, 8080, 50);
		syn_with(d, 1001, "\x02\x00\x05\xb4", 4);		wire_out(SYN|ACK, nosackok);
		syn_with(d, 1002, "\x02\x01\x05\xb4", 4);		wire_out(SYN|ACK);
		syn_with(d, 1003, "\x02\xff\x05\xb4", 4);		wire_out(SYN|ACK);
		syn_with(d, 1004, "\x01\x01\x01\x02", 4);		wire_out(SYN|ACK);
		syn_with(d, 1005, "\x03\x02\x04\x03", 4);		wire_out(SYN|ACK, nows);
		syn_with(d, 1006, "\x08\x0a\0\0", 4);			wire_out(SYN|ACK, nots);
		syn_with(d, 1007, "\x04\x02\x08\x09\0\0\0\x09\0\0\0\0", 12);	wire_out(SYN|ACK, sackok, nots);
		syn_with(d, 1008, "\x00\x03\x03\x05", 4);		wire_out(SYN|ACK, nows);
}

/* Forty bytes of options, the most there can be. */
DIALOGUE(longest_header)
{
	uint8_t options[40];

	memset(options, 1, sizeof(options));
	memcpy(options + 36, "\x02\x04\x02\x00", 4);
	T(0)	app_listen(l, 8080, 5);
		syn_with(d, 1001, options, sizeof(options));
		wire_out(SYN|ACK);
	T(10)	wire_in(ACK, seq=1, ack=1);
		app_accept(l);
}

/* A data offset that lies. */
DIALOGUE(data_offset_lies)
{
	struct seg s = { .kind = SEG_TCP, .src = 0x0a000005, .dst = 0x0a000004, .dport = 8080, .sport = 99,
			 .flags = SYN };
	uint8_t frame[SEG_FRAME_MAX];
	size_t n;

	memcpy(s.src_mac, "\x02\0\0\0\0\x05", 6);
	memcpy(s.dst_mac, "\x02\0\0\0\0\x04", 6);
	n = seg_build(frame, &s);
	T(0)	frame[14 + 20 + 12] = 0x40;
		wire_in_frame(frame, n);
		frame[14 + 20 + 12] = 0xf0;
		wire_in_frame(frame, n);
		dropped(TCP_DATA_OFFSET, 2);
}

/* A segment that is shorter than any header. */
DIALOGUE(segment_is_cut)
{
	struct seg s = { .kind = SEG_ICMP, .src = 0x0a000005, .dst = 0x0a000004 };
	uint8_t frame[SEG_FRAME_MAX];
	uint16_t csum;
	size_t n;

	memcpy(s.src_mac, "\x02\0\0\0\0\x05", 6);
	memcpy(s.dst_mac, "\x02\0\0\0\0\x04", 6);
	n = seg_build(frame, &s);
	frame[14 + 9] = 6;			/* eight bytes of ICMP as TCP */
	frame[14 + 10] = frame[14 + 11] = 0;
	csum = seg_fold(seg_sum(0, frame + 14, 20));
	frame[14 + 10] = (uint8_t)(csum >> 8);
	frame[14 + 11] = (uint8_t)csum;
	T(0)	wire_in_frame(frame, n);
		dropped(TCP_SHORT, 1);
}
