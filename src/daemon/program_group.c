/* SPDX-License-Identifier: MIT */
/*
 * Multicast memberships of a program's sockets, and the device that one is bound to, by name.
 *
 * In: control_request.c (GROUP), program_option.c.   Out: glass_group() and its kin.
 */
#include <errno.h>
#include <string.h>

#include "program.h"

#define SOURCES_MAX 512

static struct glass_addr addr_of(uint32_t a)
{
	return glass_ip4(a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

/* 0 stands for no address where one may be missing. */
static struct glass_addr addr_or_none(int64_t a)
{
	return a ? addr_of((uint32_t)a) : (struct glass_addr){ .family = GLASS_UNSPEC };
}

static struct glass_group group_of(const struct abi_request *req)
{
	return (struct glass_group){
		.group = addr_of(abi_end_ip4(&req->end)),
		.via = addr_or_none(req->arg[2]),
		.source = addr_of((uint32_t)req->arg[3]),
		.ifindex = req->arg[1] < 0 || req->arg[1] > 255 ? 256 : (unsigned)req->arg[1],
	};
}

static int group_set(struct daemon *d, struct end *e, const struct abi_request *req,
		     const char *data)
{
	struct glass_group group = group_of(req);
	struct glass_addr source[SOURCES_MAX];
	uint32_t n = req->length / 4;

	if (n > SOURCES_MAX)
		return -ENOBUFS;
	for (uint32_t i = 0; i < n; i++) {
		source[i] = (struct glass_addr){ .family = GLASS_IP4 };
		memcpy(source[i].byte, data + i * 4, 4);
	}
	return glass_group_set(d->g, e->sock, &group, req->arg[3] != 0, source, n);
}

static void group_get(struct daemon *d, struct client *c, const struct abi_request *req,
		      const struct end *e)
{
	struct glass_group group = group_of(req);
	struct glass_addr source[SOURCES_MAX];
	struct abi_reply rep = { 0 };
	uint8_t bytes[SOURCES_MAX * 4];
	bool exclude = false;
	int n = glass_group_get(d->g, e->sock, &group, &exclude, source, SOURCES_MAX);

	if (n < 0) {
		reply_errno(d, c, req, -n);
		return;
	}
	n = n < SOURCES_MAX ? n : SOURCES_MAX;
	for (int i = 0; i < n; i++)
		memcpy(bytes + i * 4, source[i].byte, 4);
	rep.value[0] = exclude;
	control_reply(d, c, req, &rep, bytes, (size_t)n * 4, -1);
}

void op_group(struct daemon *d, struct client *c, const struct abi_request *req, const char *data,
	      int *fd)
{
	struct glass_group group = group_of(req);
	struct end *e = end_find(d, c, req);
	int err = -EINVAL;

	(void)fd;
	if (!e)
		return;
	if (req->arg[0] == ABI_GROUP_GET) {
		group_get(d, c, req, e);
		return;
	}
	if (req->arg[0] == ABI_GROUP_SET)
		err = group_set(d, e, req, data);
	else if (req->arg[0] >= 0 && req->arg[0] < GLASS_GROUP_DO_COUNT)
		err = glass_group(d->g, e->sock, (enum glass_group_do)req->arg[0], &group);
	reply_errno(d, c, req, -err);
}

/* ---- the device, by name ----------------------------------------------------------------------
 */

int device_set(struct daemon *d, const struct end *e, const char name[ABI_DEVICE_NAME_BYTES])
{
	struct glass_dev_info info;

	if (!name[0])
		return glass_setopt(d->g, e->sock, GLASS_OPT_BINDTODEVICE, 0);
	for (unsigned i = 0; glass_dev_at(d->g, i, &info); i++)
		if (!strncmp(info.setup.name, name, ABI_DEVICE_NAME_BYTES))
			return glass_setopt(d->g, e->sock, GLASS_OPT_BINDTODEVICE, i + 1);
	return -ENODEV;
}

int device_get(struct daemon *d, const struct end *e, char name[ABI_DEVICE_NAME_BYTES])
{
	struct glass_dev_info info;
	int64_t ifindex;
	int err = glass_getopt(d->g, e->sock, GLASS_OPT_BINDTODEVICE, &ifindex);

	if (!err && ifindex && glass_dev_at(d->g, (unsigned)ifindex - 1, &info))
		memcpy(name, info.setup.name, ABI_DEVICE_NAME_BYTES);
	return err;
}
