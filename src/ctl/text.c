/* SPDX-License-Identifier: MIT */
/* Addresses, errors and colours as text. */
#include "ctl.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

const char *color(enum color c)
{
	static const char *const codes[] = {
		[C_NONE] = "\033[0m",	[C_BOLD] = "\033[1m",	[C_DIM] = "\033[2m",
		[C_RED] = "\033[1;31m", [C_GREEN] = "\033[32m", [C_YELLOW] = "\033[33m",
		[C_CYAN] = "\033[36m",
	};

	return ctl.color ? codes[c] : "";
}

const char *addr_text(const struct glass_addr *a, char out[64])
{
	if (a->family == GLASS_UNSPEC ||
	    !inet_ntop(a->family == GLASS_IP6 ? AF_INET6 : AF_INET, a->byte, out, 64))
		snprintf(out, 64, "*");
	return out;
}

static bool is_any(const struct glass_addr *a)
{
	static const uint8_t zero[sizeof(a->byte)];

	return !memcmp(a->byte, zero, a->family == GLASS_IP6 ? 16 : 4);
}

const char *end_text(const struct glass_end *e, char out[80])
{
	char addr[64], port[8] = "*";

	addr_text(&e->addr, addr);
	if (e->addr.family == GLASS_UNSPEC || (is_any(&e->addr) && !e->port))
		snprintf(addr, sizeof(addr), "0.0.0.0");
	if (e->port)
		snprintf(port, sizeof(port), "%u", e->port);
	snprintf(out, 80, e->addr.family == GLASS_IP6 ? "[%s]:%s" : "%s:%s", addr, port);
	return out;
}

const char *mac_text(const uint8_t mac[6], char out[18])
{
	snprintf(out, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		 mac[5]);
	return out;
}

bool addr_parse(const char *s, struct glass_addr *out)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_DGRAM }, *found;

	*out = (struct glass_addr){ .family = GLASS_IP4 };
	if (inet_pton(AF_INET, s, out->byte) == 1)
		return true;
	if (getaddrinfo(s, NULL, &hints, &found))
		return false;
	memcpy(out->byte, &((const struct sockaddr_in *)(const void *)found->ai_addr)->sin_addr, 4);
	freeaddrinfo(found);
	return true;
}

const char *error_text(int error)
{
	static char text[96];
	const char *name = strerrorname_np(error);

	snprintf(text, sizeof(text), "%s (%s)", name ? name : "?", strerror(error));
	return text;
}

int screen_width(void)
{
	struct winsize w;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) || w.ws_col < 40)
		return 100;
	return w.ws_col;
}
