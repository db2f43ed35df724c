/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/macro.h"

/* An intrusive doubly linked ring; the head is a node without an item. */
struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *head)
{
	head->next = head->prev = head;
}

static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_append(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

static inline void list_prepend(struct list *head, struct list *node)
{
	list_append(head->next, node);
}

/* Takes a node out; harmless on a node that is initialised and in no list. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* All items of one list become the last ones of another. */
static inline void list_move(struct list *from, struct list *to)
{
	struct list *first = from->next, *last = from->prev;

	if (list_is_empty(from))
		return;
	first->prev = to->prev;
	to->prev->next = first;
	last->next = to;
	to->prev = last;
	list_init(from);
}

#define list_entry(node, type, member) container_of(node, type, member)
/* Walks the items; the current one may be removed and freed. */
#define list_for_each(item, head, member)                                              \
	for (__typeof__(item) item##_next_,                                            \
	     *item##_once_ = (item = list_entry((head)->next, __typeof__(*item), member), &item##_next_); \
	     item##_once_ && &item->member != (head) &&                                \
	     (item##_next_ = list_entry(item->member.next, __typeof__(*item), member), true); \
	     item = item##_next_)
