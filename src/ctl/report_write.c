/* SPDX-License-Identifier: MIT */
/*
 * The page of "glass report": what report/bundle.py made of its parts when Glass was built, with
 * the data in the middle.
 *
 * In: cmd_report.c.  Out: report_data.c, report_pack.c.
 */
#include "report.h"

#include <stdlib.h>

const char *report_missing(void)
{
	return NULL;
}

int report_write(const struct report *r, FILE *f)
{
	char *data = NULL;
	size_t bytes = 0;
	FILE *memory = open_memstream(&data, &bytes);
	int code;

	if (!memory)
		return failed("out of memory");
	json_to(memory);
	code = report_data(r);
	json_to(NULL);
	if (fclose(memory))
		code = failed("out of memory");
	if (!code) {
		fwrite(report_head, 1, report_head_bytes, f);
		if (!report_pack(data, bytes, f))
			code = failed("out of memory");
		fwrite(report_tail, 1, report_tail_bytes, f);
	}
	free(data);
	return code;
}
