/* SPDX-License-Identifier: MIT */
/*
 * What recvmsg(2) tells beside bytes: the error queue, which has the notes of MSG_ZEROCOPY and
 * SO_TIMESTAMPING, and how many bytes are left to read (TCP_INQ).
 *
 * In:  data_in.c, data_out.c, option.c.   Out: glass_send_flags(), glass_note_take().
 */
#include <time.h>

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "drill.h"

#ifndef TCP_CM_INQ
#define TCP_CM_INQ 36
#endif

/* One more piece of ancillary data, if it fits into room. */
static void cmsg_add(struct msghdr *msg, size_t room, int level, int type, const void *data,
		     size_t length)
{
	struct cmsghdr head = { CMSG_LEN(length), level, type };
	uint8_t *at = (uint8_t *)msg->msg_control + msg->msg_controllen;

	if (!msg->msg_control || room < msg->msg_controllen + CMSG_SPACE(length)) {
		msg->msg_flags |= MSG_CTRUNC;
		return;
	}
	memset(at, 0, CMSG_SPACE(length));
	memcpy(at, &head, sizeof(head));
	memcpy(at + CMSG_LEN(0), data, length);
	msg->msg_controllen += CMSG_SPACE(length);
}

/* As Linux: numbers begin when they are asked for, and so on a connection only. */
int drill_set_stamps(struct drill_fd *f, uint32_t flags)
{
	if (flags & SOF_TIMESTAMPING_OPT_ID && !(f->stamps & SOF_TIMESTAMPING_OPT_ID))
		f->stamps_from = f->written;
	f->stamps = flags;
	return 0;
}

void drill_told_written(struct drill *d, struct drill_fd *f, int64_t n, int flags)
{
	unsigned kinds = flags & MSG_ZEROCOPY && f->zerocopy ? GLASS_TELL_COPIED : 0;

	f->written += (uint32_t)n;
	if (f->stamps & SOF_TIMESTAMPING_TX_SCHED)
		kinds |= GLASS_TELL_QUEUED;
	if (f->stamps & SOF_TIMESTAMPING_TX_SOFTWARE)
		kinds |= GLASS_TELL_SENT;
	if (f->stamps & SOF_TIMESTAMPING_TX_ACK)
		kinds |= GLASS_TELL_ACKED;
	if (kinds)
		glass_send_flags(d->g, f->sock, NULL, 0, kinds);
}

struct told {
	struct sock_extended_err ee;
	struct sockaddr_in offender;
};

static void tell_copied(struct msghdr *msg, size_t room, const struct glass_note *note)
{
	struct told t = { .ee = { .ee_origin = SO_EE_ORIGIN_ZEROCOPY,
				  .ee_code = SO_EE_CODE_ZEROCOPY_COPIED,
				  .ee_info = note->first,
				  .ee_data = note->last } };

	cmsg_add(msg, room, IPPROTO_IP, IP_RECVERR, &t, sizeof(t));
}

/* Linux gives the segment's bytes along, unless OPT_TSONLY is set; here they are always cut off. */
static void tell_time(const struct drill_fd *f, struct msghdr *msg, size_t room,
		      const struct glass_note *note)
{
	struct told t = { .ee = { .ee_errno = ENOMSG, .ee_origin = SO_EE_ORIGIN_TIMESTAMPING } };
	struct scm_timestamping times = { 0 };

	times.ts[0].tv_sec = note->time_ns / DRILL_NS_PER_S;
	times.ts[0].tv_nsec = note->time_ns % DRILL_NS_PER_S;
	t.ee.ee_info = note->kind == GLASS_TELL_QUEUED ? SCM_TSTAMP_SCHED
		       : note->kind == GLASS_TELL_SENT ? SCM_TSTAMP_SND
						       : SCM_TSTAMP_ACK;
	if (f->stamps & SOF_TIMESTAMPING_OPT_ID)
		t.ee.ee_data = note->last - f->stamps_from;
	if (!(f->stamps & SOF_TIMESTAMPING_OPT_TSONLY))
		msg->msg_flags |= MSG_TRUNC;
	if (f->stamps & SOF_TIMESTAMPING_SOFTWARE)
		cmsg_add(msg, room, SOL_SOCKET, SCM_TIMESTAMPING, &times, sizeof(times));
	cmsg_add(msg, room, IPPROTO_IP, IP_RECVERR, &t, sizeof(t));
}

int64_t drill_told_take(struct drill *d, struct drill_fd *f, struct msghdr *msg, size_t room)
{
	struct glass_note note;

	if (!glass_note_take(d->g, f->sock, &note))
		return -EAGAIN;
	msg->msg_flags = MSG_ERRQUEUE;
	msg->msg_controllen = 0;
	if (note.kind == GLASS_TELL_COPIED)
		tell_copied(msg, room, &note);
	else
		tell_time(f, msg, room, &note);
	return 0;
}

/* As Linux: one more, when all is read and the end is there to be read. */
void drill_told_read(struct drill *d, struct drill_fd *f, struct msghdr *msg, size_t room)
{
	struct glass_conn_info info;
	int left;

	if (!f->inq)
		return;
	glass_sock_info(d->g, f->sock, &info);
	left = (int)info.recv_q;
	if (!left && glass_ready(d->g, f->sock) & GLASS_RDHUP)
		left = 1;
	cmsg_add(msg, room, IPPROTO_TCP, TCP_CM_INQ, &left, sizeof(left));
}
