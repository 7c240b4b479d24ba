/* SPDX-License-Identifier: MIT */
/* Instead of report_write.c, where d3 or zlib was not there when Glass was built. */
#include "report.h"

const char *report_missing(void)
{
	return "this glass was built without pages: install node-d3-axis, node-d3-scale, "
	       "node-d3-zoom and zlib1g-dev (by their Debian names) and build it anew\n"
	       "type: tools/setup build && make clean && make";
}

int report_write(const struct report *r, FILE *f)
{
	(void)r;
	(void)f;
	return failed("%s", report_missing());
}
