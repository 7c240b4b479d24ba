/* SPDX-License-Identifier: MIT */
/* A doubly linked list whose links lie in its members. An unlinked member points at itself. */
#ifndef GLASS_BASE_LIST_H
#define GLASS_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}

/* True of an empty list, and of a member that is in none. */
static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_insert_before(struct list *at, struct list *node)
{
	node->prev = at->prev;
	node->next = at;
	at->prev->next = node;
	at->prev = node;
}

static inline void list_append(struct list *l, struct list *node)
{
	list_insert_before(l, node);
}

static inline void list_prepend(struct list *l, struct list *node)
{
	list_insert_before(l->next, node);
}

static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* The first member, unlinked; NULL when the list is empty. */
static inline struct list *list_take(struct list *l)
{
	struct list *node = l->next;

	if (node == l)
		return NULL;
	list_remove(node);
	return node;
}

#define list_first(l, type, member) container_of((l)->next, type, member)
#define list_last(l, type, member) container_of((l)->prev, type, member)

#define list_for_each(pos, l, type, member)                                          \
	for (type *pos = container_of((l)->next, type, member); &pos->member != (l); \
	     pos = container_of(pos->member.next, type, member))

/* The current member may be removed. */
#define list_for_each_safe(pos, l, type, member)                              \
	for (type *pos = container_of((l)->next, type, member),               \
		  *pos##_next = container_of(pos->member.next, type, member); \
	     &pos->member != (l);                                             \
	     pos = pos##_next, pos##_next = container_of(pos->member.next, type, member))

#endif
