/* SPDX-License-Identifier: MIT */
/* The daemon's voice: stderr while somebody sees it, then syslog. */
#include "start.h"

#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

static bool to_syslog; /* the process has one stderr */

void notice(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (to_syslog) {
		vsyslog(LOG_NOTICE, format, args);
	} else {
		fputs("glassd: ", stderr);
		vfprintf(stderr, format, args);
		fputc('\n', stderr);
	}
	va_end(args);
}

void notice_to_syslog(void)
{
	openlog("glassd", LOG_PID, LOG_DAEMON);
	to_syslog = true;
}
