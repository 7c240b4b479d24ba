/* SPDX-License-Identifier: MIT */
/* Asking glassd: over a control connection of this process (op.def lists the operations). */
#ifndef GLASS_PRELOAD_CALL_H
#define GLASS_PRELOAD_CALL_H

#include <sys/uio.h>

#include "../abi/abi.h"
#include "raw.h"

#define CALL_IOV_MAX 1023 /* sendmsg(2) takes 1024, one is the request */

struct call {
	struct abi_request req;	 /* head and length are filled in */
	const int *send_fd;	 /* goes along; NULL: none */
	const struct iovec *iov; /* data of the request; niov of them */
	size_t niov;
	bool cloexec; /* the descriptor that comes back is closed on exec */
	/*
	 * For an answer that may take long: what is asked when a signal comes first, or patience_ms
	 * (-1: no limit) are over. Both are answered then, or only this. NULL: signals wait.
	 */
	struct call *later;
	int patience_ms;
	struct abi_reply rep;
	int fd;	    /* that came with the reply; -1: none */
	void *data; /* where data of the reply goes; NULL: nowhere */
	size_t data_max;
};

/* 0 or a negative errno: the daemon's answer, or ENETDOWN when there is no daemon (a line on stderr
 * says so). With later: EINTR, or EINPROGRESS when the patience was over. */
int call_daemon(struct call *c);
/* For operations of kind QUIET. */
int call_quiet(struct call *c);

#endif
