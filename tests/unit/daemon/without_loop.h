/* SPDX-License-Identifier: MIT */
/* What the bad network needs of the daemon around it: frames go straight into the stack, and no
 * capture runs. */
#ifndef TESTS_UNIT_DAEMON_WITHOUT_LOOP_H
#define TESTS_UNIT_DAEMON_WITHOUT_LOOP_H

#include "../../../src/daemon/daemon.h"

void loop_receive(struct daemon *daemon, unsigned from, struct pkt *p, int64_t now_ns,
		  const struct glass_fate *fate)
{
	if (fate)
		glass_input_impaired(daemon->g, from, p, now_ns, fate);
	else
		glass_input(daemon->g, from, p, now_ns);
}

void capture_hold(struct daemon *daemon, const struct glass_frame *frame, bool out,
		  uint32_t part_at)
{
	(void)daemon;
	(void)frame;
	(void)out;
	(void)part_at;
}

void capture_tell(struct daemon *daemon)
{
	(void)daemon;
}

#endif
