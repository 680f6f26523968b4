/* SPDX-License-Identifier: MIT */
/* Doubly linked circular lists, the head being a node itself. */
#ifndef OSTLER_LIB_LIST_H
#define OSTLER_LIB_LIST_H

#include "lib/types.h"

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name)                                                        \
	{                                                                      \
		&(name), &(name)                                               \
	}

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}
static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}
static inline void list_insert(struct list *n, struct list *prev,
			       struct list *next)
{
	n->next = next;
	n->prev = prev;
	prev->next = next->prev = n;
}
static inline void list_add(struct list *n, struct list *head)
{
	list_insert(n, head, head->next);
}
static inline void list_add_tail(struct list *n, struct list *head)
{
	list_insert(n, head->prev, head);
}
/* Removes a node and leaves it a list of its own, so list_empty(n) holds. */
static inline void list_del(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}

#define list_entry(ptr, type, member)  container_of(ptr, type, member)
#define list_first(head, type, member) list_entry((head)->next, type, member)
#define list_for_each_entry(pos, head, member)                                 \
	for (pos = list_entry((head)->next, __typeof__(*pos), member);         \
	     &pos->member != (head);                                           \
	     pos = list_entry(pos->member.next, __typeof__(*pos), member))
#define list_for_each_entry_safe(pos, tmp, head, member)                       \
	for (pos = list_entry((head)->next, __typeof__(*pos), member),         \
	    tmp = list_entry(pos->member.next, __typeof__(*pos), member);      \
	     &pos->member != (head); pos = tmp,                                \
	    tmp = list_entry(tmp->member.next, __typeof__(*pos), member))

#endif
