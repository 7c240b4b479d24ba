/* SPDX-License-Identifier: MIT */
/*
 * The device that the options ask for: TAP or TUN with the host's side of it, or a network in user
 * space, which brings a gateway and a name server along.
 *
 * In: main.c.	Out: src/dev.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "start.h"

#define WHY_BYTES 256
#define USER_MTU_BYTES 1500

/* Locally administered, and the same for the same seed. */
static void mac_of_seed(uint8_t mac[6], uint64_t seed)
{
	mac[0] = 0x02;
	for (unsigned i = 1; i < 6; i++)
		mac[i] = (uint8_t)(seed >> 8 * (5 - i));
}

/* The host's side: address, MTU, up. */
static bool host_side(const struct options *o, struct dev_io *io)
{
	char why[WHY_BYTES];
	struct host_link link;
	int rc;

	if (!o->no_host_setup &&
	    host_setup(io->setup.name, o->host_address.addr, o->host_address.prefix_bits,
		       o->mtu_bytes, why, sizeof(why))) {
		notice("%s", why);
		return false;
	}
	rc = host_link_get(io->setup.name, &link);
	if (rc) {
		notice("%s: %s", io->setup.name, strerror(-rc));
		return false;
	}
	io->setup.mtu_bytes =
		o->mtu_bytes && o->mtu_bytes < link.mtu_bytes ? o->mtu_bytes : link.mtu_bytes;
	return true;
}

static struct user_setup user_setup(const struct options *o)
{
	struct user_setup setup = { .address = o->address.addr,
				    .host_address = o->host_address.addr,
				    .prefix_bits = o->address.prefix_bits,
				    .mtu_bytes = o->mtu_bytes ? o->mtu_bytes : USER_MTU_BYTES,
				    .npublish = o->npublish };

	memcpy(setup.publish, o->publish, sizeof(setup.publish));
	return setup;
}

static struct dev_io *user_device(const struct options *o, char *why, size_t why_size)
{
	struct user_setup setup = user_setup(o);

	return user_open(o->dev, &setup, why, why_size);
}

struct dev_io *device_open(const struct options *o)
{
	char why[WHY_BYTES];
	struct dev_io *io = o->kind == DEV_USER
				    ? user_device(o, why, sizeof(why))
				    : tap_open(o->kind, o->dev, o->no_offload, why, sizeof(why));

	if (!io) {
		notice("%s", why);
		return NULL;
	}
	if (o->seed_given)
		mac_of_seed(io->setup.mac, o->seed);
	if (!io->on_host || host_side(o, io))
		return io;
	io->ops->close(io);
	return NULL;
}

/* ---- names ---- */

static void resolver_path(const struct options *o, const char *dir, char *out, size_t size)
{
	snprintf(out, size, "%s/%s.resolv.conf", dir, o->stack);
}

/* One that the user put there stays. */
void device_resolver_make(const struct options *o, const char *dir)
{
	struct user_setup setup = user_setup(o);
	struct glass_addr ns = user_nameserver(&setup);
	char path[ABI_PATH_MAX + 40];
	int fd;

	if (o->kind != DEV_USER)
		return;
	resolver_path(o, dir, path, sizeof(path));
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return;
	dprintf(fd, "# made by glassd for the device %s\nnameserver %u.%u.%u.%u\n", o->dev,
		ns.byte[0], ns.byte[1], ns.byte[2], ns.byte[3]);
	close(fd);
}

void device_resolver_remove(const struct options *o, const char *dir)
{
	char path[ABI_PATH_MAX + 40], text[64] = "";
	FILE *f;

	if (o->kind != DEV_USER)
		return;
	resolver_path(o, dir, path, sizeof(path));
	f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(text, sizeof(text), f) && !strncmp(text, "# made by glassd", 16))
		unlink(path);
	fclose(f);
}
