/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "transport/internal.h"

/*
 * All answers live equally long, so one list of the transport, in the order
 * made, and one timer end them.
 */
struct answer {
	struct list node;    /* in the session's list */
	struct list all;     /* in the transport's */
	struct session *session;
	uint64_t end_usec;
	uint16_t id, size;
	uint8_t data[];
};

static void forget(struct answer *a)
{
	a->session->n_answers--;
	a->session->transport->n_answers--;
	list_remove(&a->node);
	list_remove(&a->all);
	free(a);
}

static void arm(struct transport *t)
{
	if (list_is_empty(&t->answers))
		timer_disarm(&t->answers_timer);
	else if (!timer_is_armed(&t->answers_timer))
		timer_arm(&t->answers_timer, list_entry(t->answers.next, struct answer, all)->end_usec);
}

void answer_expire(struct transport *t)
{
	uint64_t now_usec = clock_monotonic_usec();
	struct answer *a;

	list_for_each(a, &t->answers, all) {
		if (a->end_usec > now_usec)
			break;
		forget(a);
	}
	arm(t);
}

static void make_room(struct session *s)
{
	struct transport *t = s->transport;

	if (s->n_answers >= ANSWERS_MAX)
		forget(list_entry(s->answers.next, struct answer, node));
	if (t->n_answers >= ANSWERS_TOTAL_MAX)
		forget(list_entry(t->answers.next, struct answer, all));
}

void answer_keep(struct session *s, uint16_t id, const void *data, size_t size)
{
	struct transport *t = s->transport;
	struct answer *a;

	make_room(s);
	a = malloc(sizeof(*a) + size);
	if (!a)
		return;
	a->session = s;
	a->end_usec = clock_monotonic_usec() + EXCHANGE_LIFETIME_USEC;
	a->id = id;
	a->size = (uint16_t)size;
	if (size > 0)
		memcpy(a->data, data, size);
	list_append(&s->answers, &a->node);
	list_append(&t->answers, &a->all);
	s->n_answers++;
	t->n_answers++;
	arm(t);
}

const struct answer *answer_find(const struct session *s, uint16_t id)
{
	struct list *node;

	/* Duplicates come soon: the newest first. */
	for (node = s->answers.prev; node != &s->answers; node = node->prev) {
		const struct answer *a = list_entry(node, struct answer, node);

		if (a->id == id)
			return a;
	}
	return NULL;
}

struct span answer_datagram(const struct answer *a)
{
	return span_of(a->data, a->size);
}

void answer_forget_all(struct session *s)
{
	struct answer *a;

	list_for_each(a, &s->answers, node)
		forget(a);
}
