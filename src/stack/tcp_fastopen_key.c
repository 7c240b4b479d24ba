/* SPDX-License-Identifier: MIT */
/*
 * The keys of fast-open cookies, and what is made with them: RFC 7413 4.1.2.
 *
 * A cookie is SipHash of the client's address and the server's, in network order, under a key: the
 * same as Linux makes. So machines that share a key, of whatever kind, know each other's cookies: a
 * farm behind one address needs that (RFC 7413 6.3.4), and a restart with the key of before too.
 *
 * There may be two keys: cookies are made with the first, and those made with the second are good
 * still. So a key is changed without a client being refused. The stack has its keys, by chance
 * until it is told some; a listener may have its own. Those of a socket that does not listen yet
 * wait in a list, so that all other sockets do not pay for them.
 *
 * In: tcp_fastopen.c, the owner through glass.h.  Out: siphash.
 */
#include "keep.h"
#include "tcp.h"
#include "tcp_input.h"
#include "tcp_listen.h"

#include <string.h>

static struct tcp_fastopen_keys *keys_of(const struct glass *g, const struct tcp_listener *l)
{
	return l && l->fastopen_keys ? l->fastopen_keys : &g->tcp->fastopen_keys;
}

static void make(const struct hash_key *key, ip4_t client, ip4_t server,
		 uint8_t cookie[TCP_FASTOPEN_KEYED_BYTES])
{
	const struct be32 path[2] = { be32_of(client), be32_of(server) };
	uint64_t hash = siphash(key, path, sizeof(path));

	for (unsigned i = 0; i < TCP_FASTOPEN_KEYED_BYTES; i++)
		cookie[i] = (uint8_t)(hash >> 8 * i);
}

void tcp_fastopen_make(const struct glass *g, const struct tcp_listener *l, ip4_t client,
		       ip4_t server, uint8_t cookie[TCP_FASTOPEN_KEYED_BYTES])
{
	make(&keys_of(g, l)->key[0], client, server, cookie);
}

unsigned tcp_fastopen_made_with(const struct glass *g, const struct tcp_listener *l,
				const struct tcp_seg *seg)
{
	const struct tcp_fastopen_keys *keys = keys_of(g, l);
	uint8_t cookie[TCP_FASTOPEN_KEYED_BYTES];

	for (unsigned i = 0; seg->opt.cookie_len == sizeof(cookie) && i < keys->n; i++) {
		make(&keys->key[i], seg->src, seg->dst, cookie);
		if (!memcmp(cookie, seg->opt.cookie, sizeof(cookie)))
			return i + 1;
	}
	return 0;
}

/* ---- setting and asking ---------------------------------------------------------------------- */

static uint64_t get64(const uint8_t *b)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 8; i++)
		v |= (uint64_t)b[i] << 8 * i;
	return v;
}

int tcp_fastopen_keys_read(struct tcp_fastopen_keys *keys, const void *bytes, size_t length)
{
	const uint8_t *b = bytes;

	if (length != GLASS_FASTOPEN_KEY_BYTES && length != 2 * GLASS_FASTOPEN_KEY_BYTES)
		return -EINVAL;
	keys->n = (uint8_t)(length / GLASS_FASTOPEN_KEY_BYTES);
	for (unsigned i = 0; i < keys->n; i++, b += GLASS_FASTOPEN_KEY_BYTES)
		keys->key[i] = (struct hash_key){ { get64(b), get64(b + 8) } };
	return 0;
}

size_t tcp_fastopen_keys_write(const struct glass *g, const struct tcp_fastopen_keys *own,
			       uint8_t bytes[2 * GLASS_FASTOPEN_KEY_BYTES])
{
	const struct tcp_fastopen_keys *keys = own ? own : &g->tcp->fastopen_keys;

	for (unsigned i = 0; i < keys->n * GLASS_FASTOPEN_KEY_BYTES; i++)
		bytes[i] = (uint8_t)(keys->key[i / 16].k[i / 8 % 2] >> i % 8 * 8);
	return keys->n * GLASS_FASTOPEN_KEY_BYTES;
}

struct tcp_fastopen_keys *tcp_fastopen_keys_find(const struct glass *g, const void *owner)
{
	list_for_each(keys, &g->tcp->fastopen_own, struct tcp_fastopen_keys, node)
		if (keys->owner == owner)
			return keys;
	return NULL;
}

struct tcp_fastopen_keys *tcp_fastopen_keys_take(struct glass *g, const void *owner)
{
	struct tcp_fastopen_keys *keys = tcp_fastopen_keys_find(g, owner);

	if (keys)
		list_remove(&keys->node);
	return keys;
}

void tcp_fastopen_keys_free(struct glass *g, struct tcp_fastopen_keys *keys)
{
	pool_free(&g->pool, keys, sizeof(*keys));
}

void tcp_fastopen_keys_init(struct glass *g)
{
	struct tcp_table *t = g->tcp;

	list_init(&t->fastopen_own);
	for (uint64_t i = 0; i < 2; i++)
		t->fastopen_keys.key[0].k[i] = siphash_u64(&t->cookie_key, 7413, i);
	t->fastopen_keys.n = 1;
}

int glass_fastopen_key_set(struct glass *g, const void *bytes, size_t length)
{
	return tcp_fastopen_keys_read(&g->tcp->fastopen_keys, bytes, length);
}

size_t glass_fastopen_key_get(const struct glass *g, uint8_t bytes[2 * GLASS_FASTOPEN_KEY_BYTES])
{
	return tcp_fastopen_keys_write(g, NULL, bytes);
}

/* Up to eight digits. NULL: there are none, or more. */
static const char *read_word(const char *at, uint32_t *word)
{
	unsigned n = 0;

	for (*word = 0; n <= 8; n++, at++) {
		const char *digits = "0123456789abcdef0123456789ABCDEF", *digit;

		digit = *at ? strchr(digits, *at) : NULL;
		if (!digit)
			return n ? at : NULL;
		*word = *word << 4 | (uint32_t)(digit - digits) % 16;
	}
	return NULL;
}

/* Four words with '-' between them; a word's lowest byte is its first. */
static const char *read_key(const char *at, uint8_t bytes[GLASS_FASTOPEN_KEY_BYTES])
{
	uint32_t word = 0;

	for (unsigned i = 0; i < GLASS_FASTOPEN_KEY_BYTES; i++) {
		if (i % 4 == 0 && i && *at++ != '-')
			return NULL;
		if (i % 4 == 0 && !(at = read_word(at, &word)))
			return NULL;
		bytes[i] = (uint8_t)(word >> i % 4 * 8);
	}
	return at;
}

int glass_fastopen_key_read(const char *text, uint8_t bytes[2 * GLASS_FASTOPEN_KEY_BYTES])
{
	const char *at = read_key(text, bytes);

	if (at && !*at)
		return GLASS_FASTOPEN_KEY_BYTES;
	if (!at || *at != ',')
		return -EINVAL;
	at = read_key(at + 1, bytes + GLASS_FASTOPEN_KEY_BYTES);
	return at && !*at ? 2 * GLASS_FASTOPEN_KEY_BYTES : -EINVAL;
}

/* ---- taken along to another stack ------------------------------------------------------------ */

void tcp_fastopen_keys_keep(struct save *s, struct tcp_fastopen_keys *keys)
{
	save_array(s, "fastopen_keys", keys->key, sizeof(keys->key));
	SAVE_AS(s, "fastopen_n", keys->n);
	save_check(s, keys->n && keys->n <= 2, "fast-open keys are damaged");
}

void tcp_fastopen_own_keep(struct save *s, struct glass *g, struct tcp_fastopen_keys **keys)
{
	if ((!save_reading(s) && !*keys) || !save_begin(s, "fastopen.keys"))
		return;
	if (save_reading(s))
		*keys = pool_alloc(&g->pool, sizeof(**keys));
	if (save_reading(s) && *keys)
		list_init(&(*keys)->node);
	if (save_check(s, *keys, "out of memory"))
		tcp_fastopen_keys_keep(s, *keys);
	save_end(s);
}
