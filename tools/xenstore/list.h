/* SPDX-License-Identifier: MIT */
/* Intrusive doubly linked lists: a head is a link that points at itself. */
#ifndef OSTLER_XENSTORE_LIST_H
#define OSTLER_XENSTORE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

#define container_of(ptr, type, member)                                        \
	((type *)((char *)(ptr)-offsetof(type, member)))

#define LIST_INIT(head)                                                        \
	{                                                                      \
		&(head), &(head)                                               \
	}

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_add_tail(struct list *head, struct list *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

/* Leaves @l pointing at itself, so that a second removal does no harm. */
static inline void list_del(struct list *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	list_init(l);
}

/* Moves all of @from to the tail of @to. */
static inline void list_splice(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#define list_first(head, type, member) container_of((head)->next, type, member)

#define list_for_each(pos, head)                                               \
	for (struct list *pos = (head)->next; pos != (head); pos = pos->next)

/* @pos may be removed in the body. */
#define list_for_each_safe(pos, head)                                          \
	for (struct list *pos = (head)->next, *pos##_n = pos->next;            \
	     pos != (head); pos = pos##_n, pos##_n = pos->next)

#endif
