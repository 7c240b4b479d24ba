/* SPDX-License-Identifier: MIT */
/*
 * TCP_FASTOPEN_KEY: the keys of one listener. Those of a socket that is to be one wait until then.
 *
 * In: the owner, through glass.h.  Out: tcp_fastopen_key.c.
 */
#include "sock.h"

static struct tcp_fastopen_keys *keys_of(const struct glass *g, const struct glass_sock *s)
{
	return s->listener ? s->listener->fastopen_keys : tcp_fastopen_keys_find(g, s);
}

/* NULL: no memory. */
static struct tcp_fastopen_keys *keys_new(struct glass *g, struct glass_sock *s)
{
	struct tcp_fastopen_keys *keys = pool_alloc(&g->pool, sizeof(*keys));

	if (!keys)
		return NULL;
	keys->owner = s;
	if (s->listener)
		s->listener->fastopen_keys = keys;
	else
		list_append(&g->tcp->fastopen_own, &keys->node);
	return keys;
}

int glass_sock_fastopen_key_set(struct glass *g, struct glass_sock *s, const void *bytes,
				size_t length)
{
	struct tcp_fastopen_keys read = { .n = 0 }, *keys = keys_of(g, s);
	int err = tcp_fastopen_keys_read(&read, bytes, length);

	if (s->proto != GLASS_TCP)
		return -ENOPROTOOPT;
	if (err || s->conn)
		return -EINVAL;
	if (!keys)
		keys = keys_new(g, s);
	if (!keys)
		return -ENOBUFS;
	return tcp_fastopen_keys_read(keys, bytes, length);
}

size_t glass_sock_fastopen_key_get(const struct glass *g, const struct glass_sock *s,
				   uint8_t bytes[2 * GLASS_FASTOPEN_KEY_BYTES])
{
	return tcp_fastopen_keys_write(g, keys_of(g, s), bytes);
}
