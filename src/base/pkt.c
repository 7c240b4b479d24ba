/* SPDX-License-Identifier: MIT */
/* Packets, buffers and the account of their memory: see pkt.h. */
#include "pkt.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void pool_init(struct pool *pool, uint64_t bytes_max)
{
	*pool = (struct pool){ .bytes_max = bytes_max };
	list_init(&pool->spare_pkts);
}

void pool_fini(struct pool *pool)
{
	struct list *node;
	struct buf *b;

	while ((node = list_take(&pool->spare_pkts)))
		free(container_of(node, struct pkt, node));
	while ((b = pool->spare_bufs)) {
		pool->spare_bufs = b->next_spare;
		free(b);
	}
	assert(!pool->pkts && !pool->bufs && !pool->bytes);
}

static bool pool_charge(struct pool *pool, size_t bytes)
{
	if (pool->fail_countdown && !--pool->fail_countdown)
		return false;
	if (pool->bytes > pool->bytes_max || bytes > pool->bytes_max - pool->bytes)
		return false;
	pool->bytes += bytes;
	return true;
}

void *pool_alloc(struct pool *pool, size_t bytes)
{
	void *mem;

	if (!pool_charge(pool, bytes))
		return NULL;
	mem = calloc(1, bytes);
	if (!mem)
		pool->bytes -= bytes;
	return mem;
}

void pool_free(struct pool *pool, void *mem, size_t bytes)
{
	if (!mem)
		return;
	assert(pool->bytes >= bytes);
	pool->bytes -= bytes;
	free(mem);
}

struct buf *buf_new(struct pool *pool, size_t cap)
{
	struct buf *b;

	assert(cap <= UINT32_MAX / 2);
	if (!pool_charge(pool, sizeof(*b) + cap))
		return NULL;
	b = cap == BUF_BIG_BYTES ? pool->spare_bufs : NULL;
	if (b) {
		pool->spare_bufs = b->next_spare;
		pool->spare_buf_count--;
	} else if (!(b = malloc(sizeof(*b) + cap))) {
		pool->bytes -= sizeof(*b) + cap;
		return NULL;
	}
	b->refs = 1;
	b->cap = (uint32_t)cap;
	b->next_spare = NULL;
	pool->bufs++;
	return b;
}

void buf_unref(struct pool *pool, struct buf *b)
{
	if (!b)
		return;
	assert(b->refs > 0);
	if (--b->refs)
		return;
	pool->bufs--;
	pool->bytes -= sizeof(*b) + b->cap;
	if (b->cap == BUF_BIG_BYTES && pool->spare_buf_count < POOL_SPARE_MAX) {
		b->next_spare = pool->spare_bufs;
		pool->spare_bufs = b;
		pool->spare_buf_count++;
		return;
	}
	free(b);
}

static struct pkt *pkt_get(struct pool *pool)
{
	struct list *node;
	struct pkt *p;

	if (!pool_charge(pool, sizeof(*p)))
		return NULL;
	if ((node = list_take(&pool->spare_pkts))) {
		pool->spare_pkt_count--;
		return container_of(node, struct pkt, node);
	}
	p = malloc(sizeof(*p));
	if (!p)
		pool->bytes -= sizeof(*p);
	return p;
}

static void pkt_put_back(struct pool *pool, struct pkt *p)
{
	pool->bytes -= sizeof(*p);
	if (pool->spare_pkt_count < POOL_SPARE_MAX) {
		list_prepend(&pool->spare_pkts, &p->node);
		pool->spare_pkt_count++;
		return;
	}
	free(p);
}

struct pkt *pkt_new(struct pool *pool, size_t headroom, size_t size)
{
	size_t total = headroom + size;
	struct buf *b = NULL;
	struct pkt *p;

	if (total > PKT_INLINE_BYTES) {
		b = buf_new(pool, total > BUF_BIG_BYTES / 2 && total < BUF_BIG_BYTES ? BUF_BIG_BYTES
										     : total);
		if (!b)
			return NULL;
	}
	p = pkt_get(pool);
	if (!p) {
		buf_unref(pool, b);
		return NULL;
	}
	/* Everything but the arrays, whose valid part nfrags and len tell. */
	memset(p, 0, offsetof(struct pkt, frag));
	list_init(&p->node);
	p->buf = b;
	p->base = b ? b->bytes : p->inline_bytes;
	p->end = b ? b->bytes + b->cap : p->inline_bytes + PKT_INLINE_BYTES;
	p->data = p->base + headroom;
	pool->pkts++;
	return p;
}

void pkt_free(struct pool *pool, struct pkt *p)
{
	if (!p)
		return;
	assert(list_empty(&p->node));
	for (unsigned i = 0; i < p->nfrags; i++)
		buf_unref(pool, p->frag[i].buf);
	buf_unref(pool, p->buf);
	pool->pkts--;
	pkt_put_back(pool, p);
}

void *pkt_push(struct pkt *p, size_t n)
{
	assert((size_t)(p->data - p->base) >= n);
	p->data -= n;
	p->len += (uint32_t)n;
	return p->data;
}

void *pkt_put(struct pkt *p, size_t n)
{
	uint8_t *at = p->data + p->len;

	if ((size_t)(p->end - at) < n)
		return NULL;
	p->len += (uint32_t)n;
	return at;
}

void pkt_trim(struct pkt *p, size_t len)
{
	if (p->len > len)
		p->len = (uint32_t)len;
}

bool pkt_add_frag(struct pkt *p, struct buf *b, uint32_t off, uint32_t len)
{
	struct frag *last = p->nfrags ? &p->frag[p->nfrags - 1] : NULL;

	assert(off <= b->cap && len <= b->cap - off);
	if (last && last->buf == b && last->off + last->len == off) {
		last->len += len;
	} else {
		if (p->nfrags == PKT_FRAGS_MAX)
			return false;
		p->frag[p->nfrags++] = (struct frag){ buf_ref(b), off, len };
	}
	p->frag_len += len;
	return true;
}

bool pkt_copy_out(const struct pkt *p, size_t off, void *out, size_t n)
{
	uint8_t *to = out;

	if (off > pkt_len(p) || n > pkt_len(p) - off)
		return false;
	for (unsigned i = 0; n && i <= p->nfrags; i++) {
		const uint8_t *from = i ? p->frag[i - 1].buf->bytes + p->frag[i - 1].off : p->data;
		size_t have = i ? p->frag[i - 1].len : p->len;
		size_t take;

		if (off >= have) {
			off -= have;
			continue;
		}
		take = have - off < n ? have - off : n;
		memcpy(to, from + off, take);
		to += take;
		n -= take;
		off = 0;
	}
	return true;
}

bool pkt_move(struct pool *pool, struct pkt *p, size_t cap)
{
	struct buf *b = buf_new(pool, cap);

	if (!b)
		return false;
	assert(p->len <= cap);
	memcpy(b->bytes, p->data, p->len);
	buf_unref(pool, p->buf);
	p->buf = b;
	p->base = p->data = b->bytes;
	p->end = b->bytes + b->cap;
	return true;
}

void pkt_compact(struct pool *pool, struct pkt *p)
{
	if (!p->buf || p->len > p->buf->cap / 2)
		return;
	if (p->len > PKT_INLINE_BYTES) {
		pkt_move(pool, p, p->len);
		return;
	}
	memcpy(p->inline_bytes, p->data, p->len);
	buf_unref(pool, p->buf);
	p->buf = NULL;
	p->base = p->data = p->inline_bytes;
	p->end = p->base + PKT_INLINE_BYTES;
}
