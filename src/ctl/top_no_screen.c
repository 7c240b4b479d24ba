/* SPDX-License-Identifier: MIT */
/* glass top where it was built without curses: there is the batch mode. */
#include "top.h"

int top_screen(struct top_view *v, int64_t interval_ns, int64_t looks)
{
	(void)v;
	(void)interval_ns;
	(void)looks;
	return failed("this build has no curses, so top has no screen\ntype: glass top -b");
}
