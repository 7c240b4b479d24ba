/* SPDX-License-Identifier: MIT */
/* glass addr, link, maddr, neigh, route: what ip(8) shows of the kernel's stack, in its words, of
 * ours. */
#include "ctl.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

/* Only "show", however short, and "list" are verbs here. */
static bool verb_ok(const struct command *self, int n, char **argv)
{
	if (n < 0)
		return false;
	if (!n ||
	    (n == 1 && (!strncmp("show", argv[1], strlen(argv[1])) ||
			!strncmp("list", argv[1], strlen(argv[1])) || !strcmp("ls", argv[1]))))
		return true;
	usage(self, "'%s' is not known here: it only shows", argv[1]);
	return false;
}

static const char *device_name(unsigned dev)
{
	unsigned count;
	const char *const *names = device_names(&count);

	return dev < count && names[dev] ? names[dev] : "?";
}

static const char *link_flags(const struct glass_dev_info *d)
{
	if (d->setup.link == GLASS_RAW_IP)
		return d->up ? "POINTOPOINT,UP" : "POINTOPOINT";
	return d->up ? "BROADCAST,UP" : "BROADCAST";
}

static void link_json(const struct glass_dev_info *d, unsigned index)
{
	char mac[18];

	json_begin_object(NULL);
	json_unsigned("ifindex", index);
	json_string("ifname", d->setup.name);
	json_string("link_type", d->setup.link == GLASS_RAW_IP ? "none" : "ether");
	if (d->setup.link == GLASS_ETHERNET)
		json_string("address", mac_text(d->setup.mac, mac));
	json_unsigned("mtu", d->setup.mtu_bytes);
	json_string("operstate", d->up ? "UP" : "DOWN");
	json_bool("offload_csum", d->setup.offload & GLASS_OFFLOAD_CSUM);
	json_bool("offload_tso", d->setup.offload & GLASS_OFFLOAD_TSO);
	json_unsigned("rx_packets", d->rx_packets);
	json_unsigned("rx_bytes", d->rx_bytes);
	json_unsigned("rx_dropped", d->rx_dropped);
	json_unsigned("tx_packets", d->tx_packets);
	json_unsigned("tx_bytes", d->tx_bytes);
	json_unsigned("tx_dropped", d->tx_dropped);
	json_end();
}

static void link_text(const struct glass_dev_info *d, unsigned index)
{
	char mac[18];

	printf("%u: %s%s%s: <%s> mtu %u%s%s\n", index, color(C_CYAN), d->setup.name, color(C_NONE),
	       link_flags(d), d->setup.mtu_bytes,
	       d->setup.offload & GLASS_OFFLOAD_CSUM ? " csum" : "",
	       d->setup.offload & GLASS_OFFLOAD_TSO ? " tso" : "");
	if (d->setup.link == GLASS_ETHERNET)
		printf("    link/ether %s\n", mac_text(d->setup.mac, mac));
	else
		printf("    link/none\n");
	printf("    RX: %" PRIu64 " bytes %" PRIu64 " packets %" PRIu64 " dropped\n", d->rx_bytes,
	       d->rx_packets, d->rx_dropped);
	printf("    TX: %" PRIu64 " bytes %" PRIu64 " packets %" PRIu64 " dropped\n", d->tx_bytes,
	       d->tx_packets, d->tx_dropped);
}

int cmd_link(const struct command *self, int argc, char **argv)
{
	struct table t;
	int err;

	if (!verb_ok(self, opt_parse(self, NULL, 0, argc, argv), argv))
		return EXIT_USAGE;
	err = table_get(&t, "link", sizeof(struct glass_dev_info), NULL, 0);
	if (err)
		return err;
	if (ctl.json)
		json_begin_array(NULL);
	for (unsigned i = 0; i < t.count; i++)
		(ctl.json ? link_json : link_text)(TABLE_ROW(&t, struct glass_dev_info, i), i);
	if (ctl.json)
		json_end();
	table_free(&t);
	return EXIT_OK;
}

/* The addresses of device dev. */
static void addr_rows(const struct table *addrs, unsigned dev)
{
	const struct glass_addr_info *a;
	char text[64];

	for (uint64_t i = 0; i < addrs->count; i++) {
		a = TABLE_ROW(addrs, struct glass_addr_info, i);
		if (a->dev != dev)
			continue;
		addr_text(&a->addr, text);
		if (!ctl.json) {
			printf("    inet %s%s%s/%u\n", color(C_GREEN), text, color(C_NONE),
			       a->prefix_bits);
			continue;
		}
		json_begin_object(NULL);
		json_string("family", a->addr.family == GLASS_IP6 ? "inet6" : "inet");
		json_string("local", text);
		json_unsigned("prefixlen", a->prefix_bits);
		json_end();
	}
}

static void addr_device(const struct glass_dev_info *d, unsigned index, const struct table *addrs)
{
	if (!ctl.json) {
		printf("%u: %s%s%s: <%s> mtu %u\n", index, color(C_CYAN), d->setup.name,
		       color(C_NONE), link_flags(d), d->setup.mtu_bytes);
		addr_rows(addrs, index);
		return;
	}
	json_begin_object(NULL);
	json_unsigned("ifindex", index);
	json_string("ifname", d->setup.name);
	json_unsigned("mtu", d->setup.mtu_bytes);
	json_string("operstate", d->up ? "UP" : "DOWN");
	json_begin_array("addr_info");
	addr_rows(addrs, index);
	json_end();
	json_end();
}

/* A device at a time, and what of the rows of one more table is its own. */
static int per_device(const struct command *self, int argc, char **argv, const char *name,
		      size_t row_bytes,
		      void (*show)(const struct glass_dev_info *, unsigned, const struct table *))
{
	struct table links, rows;
	int err;

	if (!verb_ok(self, opt_parse(self, NULL, 0, argc, argv), argv))
		return EXIT_USAGE;
	err = table_get(&links, "link", sizeof(struct glass_dev_info), NULL, 0);
	if (err)
		return err;
	err = table_get(&rows, name, row_bytes, NULL, 0);
	if (ctl.json && !err)
		json_begin_array(NULL);
	for (unsigned i = 0; !err && i < links.count; i++)
		show(TABLE_ROW(&links, struct glass_dev_info, i), i, &rows);
	if (ctl.json && !err)
		json_end();
	table_free(&links);
	table_free(&rows);
	return err;
}

int cmd_addr(const struct command *self, int argc, char **argv)
{
	return per_device(self, argc, argv, "addr", sizeof(struct glass_addr_info), addr_device);
}

static void neigh_json(const struct glass_neigh_info *n, const char *addr, const char *mac)
{
	json_begin_object(NULL);
	json_string("dst", addr);
	json_string("dev", device_name(n->dev));
	if (mac)
		json_string("lladdr", mac);
	json_begin_array("state");
	json_string(NULL, n->state ? n->state : "?");
	json_end();
	json_unsigned("probes", n->probes);
	json_unsigned("queued", n->queued);
	if (n->confirmed_ns >= 0)
		json_double("confirmed", (double)n->confirmed_ns / 1e9, 3);
	json_end();
}

static void neigh_row(const struct glass_neigh_info *n)
{
	static const uint8_t none[6];
	char addr[64], mac[18];
	bool known = memcmp(n->mac, none, sizeof(none)) != 0;

	addr_text(&n->addr, addr);
	mac_text(n->mac, mac);
	if (ctl.json) {
		neigh_json(n, addr, known ? mac : NULL);
		return;
	}
	printf("%s%s%s dev %s", color(C_GREEN), addr, color(C_NONE), device_name(n->dev));
	if (known)
		printf(" lladdr %s", mac);
	if (n->probes)
		printf(" probes %u", n->probes);
	if (n->queued)
		printf(" queued %u", n->queued);
	printf(" %s", n->state ? n->state : "?");
	if (n->confirmed_ns >= 0)
		printf(" confirmed %.1f s ago", (double)n->confirmed_ns / 1e9);
	putchar('\n');
}

int cmd_neigh(const struct command *self, int argc, char **argv)
{
	static const size_t strings[] = { offsetof(struct glass_neigh_info, state) };
	struct table t;
	int err;

	if (!verb_ok(self, opt_parse(self, NULL, 0, argc, argv), argv))
		return EXIT_USAGE;
	err = table_get(&t, "neigh", sizeof(struct glass_neigh_info), strings, COUNT(strings));
	if (err)
		return err;
	if (ctl.json)
		json_begin_array(NULL);
	for (uint64_t i = 0; i < t.count; i++)
		neigh_row(TABLE_ROW(&t, struct glass_neigh_info, i));
	if (ctl.json)
		json_end();
	table_free(&t);
	return EXIT_OK;
}

static void route_row(const struct glass_route_info *r)
{
	char net[64], dst[80], via[64], src[64];

	snprintf(dst, sizeof(dst), "%s/%u", addr_text(&r->dst, net), r->prefix_bits);
	if (!r->prefix_bits)
		snprintf(dst, sizeof(dst), "default");
	addr_text(&r->via, via);
	addr_text(&r->src, src);
	if (!ctl.json) {
		printf("%s%s%s", color(C_GREEN), dst, color(C_NONE));
		if (r->via.family != GLASS_UNSPEC)
			printf(" via %s", via);
		printf(" dev %s%s", device_name(r->dev),
		       r->via.family == GLASS_UNSPEC ? " scope link" : "");
		if (r->src.family != GLASS_UNSPEC)
			printf(" src %s", src);
		putchar('\n');
		return;
	}
	json_begin_object(NULL);
	json_string("dst", dst);
	if (r->via.family != GLASS_UNSPEC)
		json_string("gateway", via);
	json_string("dev", device_name(r->dev));
	if (r->src.family != GLASS_UNSPEC)
		json_string("prefsrc", src);
	json_end();
}

int cmd_route(const struct command *self, int argc, char **argv)
{
	struct table t;
	int err;

	if (!verb_ok(self, opt_parse(self, NULL, 0, argc, argv), argv))
		return EXIT_USAGE;
	err = table_get(&t, "route", sizeof(struct glass_route_info), NULL, 0);
	if (err)
		return err;
	if (ctl.json)
		json_begin_array(NULL);
	for (uint64_t i = 0; i < t.count; i++)
		route_row(TABLE_ROW(&t, struct glass_route_info, i));
	if (ctl.json)
		json_end();
	table_free(&t);
	return EXIT_OK;
}

/* As ip-maddress(8); and whom the group is heard from, when that is not everybody. */
static void maddr_row(const struct glass_maddr_info *m)
{
	unsigned shown = m->nsources < GLASS_MADDR_SOURCES ? m->nsources : GLASS_MADDR_SOURCES;
	char text[64];

	addr_text(&m->group, text);
	if (!ctl.json) {
		printf("\tinet  %s%s%s", color(C_GREEN), text, color(C_NONE));
		if (m->users > 1)
			printf(" users %u", m->users);
		if (m->nsources || !m->exclude)
			printf(m->exclude ? " exclude" : " include");
		for (unsigned i = 0; i < shown; i++)
			printf(" %s", addr_text(&m->source[i], text));
		puts(shown < m->nsources ? " ..." : "");
		return;
	}
	json_begin_object(NULL);
	json_string("family", "inet");
	json_string("address", text);
	if (m->users)
		json_unsigned("users", m->users);
	json_string("mode", m->exclude ? "exclude" : "include");
	json_begin_array("sources");
	for (unsigned i = 0; i < shown; i++)
		json_string(NULL, addr_text(&m->source[i], text));
	json_end();
	json_end();
}

static void maddr_link(const struct glass_maddr_info *m)
{
	char mac[18];

	mac_text(m->mac, mac);
	if (!ctl.json) {
		printf("\tlink  %s\n", mac);
		return;
	}
	json_begin_object(NULL);
	json_string("link", mac);
	json_end();
}

static void maddr_device(const struct glass_dev_info *d, unsigned index, const struct table *t)
{
	unsigned version = 0;

	for (uint64_t i = 0; i < t->count; i++) {
		const struct glass_maddr_info *m = TABLE_ROW(t, struct glass_maddr_info, i);

		version = m->dev == index ? m->version : version;
	}
	if (ctl.json) {
		json_begin_object(NULL);
		json_unsigned("ifindex", index + 1);
		json_string("ifname", d->setup.name);
		json_unsigned("igmp", version);
		json_begin_array("maddr");
	} else if (version) {
		printf("%u:\t%s%s%s\tigmp v%u\n", index + 1, color(C_CYAN), d->setup.name,
		       color(C_NONE), version);
	} else {
		printf("%u:\t%s%s%s\n", index + 1, color(C_CYAN), d->setup.name, color(C_NONE));
	}
	for (unsigned links = 2; links--;) {
		for (uint64_t i = 0; i < t->count; i++) {
			const struct glass_maddr_info *m = TABLE_ROW(t, struct glass_maddr_info, i);

			if (m->dev == index && links && d->setup.link == GLASS_ETHERNET)
				maddr_link(m);
			else if (m->dev == index && !links)
				maddr_row(m);
		}
	}
	if (ctl.json) {
		json_end();
		json_end();
	}
}

int cmd_maddr(const struct command *self, int argc, char **argv)
{
	return per_device(self, argc, argv, "maddr", sizeof(struct glass_maddr_info), maddr_device);
}
