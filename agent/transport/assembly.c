/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "transport/internal.h"

struct assembly {
	struct list node;
	struct session *session;
	struct timer timer;
	uint64_t key;
	struct buf body;
};

static struct assembly *assembly_free(struct assembly *a)
{
	if (!a)
		return NULL;
	a->session->transport->assembling -= a->body.size;
	timer_disarm(&a->timer);
	list_remove(&a->node);
	buf_done(&a->body);
	free(a);
	return NULL;
}

void assembly_forget_all(struct session *s)
{
	struct assembly *a;

	list_for_each(a, &s->assemblies, node)
		assembly_free(a);
}

static void on_timer(struct timer *timer, void *userdata)
{
	assembly_free(userdata);
}

static struct assembly *find(struct session *s, uint64_t key)
{
	struct assembly *a;

	list_for_each(a, &s->assemblies, node)
		if (a->key == key)
			return a;
	return NULL;
}

static void make_room(struct session *s)
{
	struct assembly *a;
	unsigned n = 0;

	list_for_each(a, &s->assemblies, node)
		n++;
	if (n >= ASSEMBLIES_MAX)
		assembly_free(list_entry(s->assemblies.next, struct assembly, node));
}

static struct assembly *assembly_new(struct session *s, uint64_t key)
{
	struct assembly *a;

	make_room(s);
	if (timers_reserve(s->transport->timers, 1) < 0)
		return NULL;
	a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->session = s;
	a->key = key;
	a->body.limit = ASSEMBLY_SIZE_MAX;
	timer_init(&a->timer, s->transport->timers, on_timer, a);
	list_append(&s->assemblies, &a->node);
	return a;
}

static void refuse_size(struct exchange *e)
{
	struct message m;

	/* RFC 7959 2.9.3: says what would do. */
	message_init(&m, MESSAGE_ACK, CODE(4, 13));
	m.size1 = ASSEMBLY_SIZE_MAX;
	exchange_respond(e, &m, NULL, NULL);
}

static int append(struct assembly *a, struct span payload)
{
	struct transport *t = a->session->transport;
	int r;

	if (t->assembling + payload.n > ASSEMBLY_TOTAL_MAX)
		return -EFBIG;
	r = buf_append(&a->body, payload.p, payload.n);
	if (r >= 0)
		t->assembling += payload.n;
	return r;
}

/* Where the block belongs, or NULL when one before it is missing. */
static struct assembly *place(struct exchange *e, const struct message *m, uint64_t key)
{
	struct assembly *a = find(e->session, key);

	if (m->block1.number > 0)
		return a;
	assembly_free(a);
	return assembly_new(e->session, key);
}

static int take_block(struct exchange *e, struct assembly *a, const struct message *m)
{
	size_t offset = (size_t)m->block1.number * m->block1.size;
	int r;

	/* One that is here already changes nothing, its sender missed our answer. */
	if (m->block1.more && offset + m->payload.n <= a->body.size) {
		exchange_respond_code(e, CODE(2, 31));
		return 0;
	}
	if (offset != a->body.size) {
		assembly_free(a);
		exchange_respond_code(e, CODE(4, 8));
		return 0;
	}
	r = append(a, m->payload);
	if (r < 0) {
		assembly_free(a);
		refuse_size(e);
		return 0;
	}
	if (!m->block1.more)
		return 1;
	timer_arm_in(&a->timer, EXCHANGE_LIFETIME_USEC);
	exchange_respond_code(e, CODE(2, 31));
	return 0;
}

static uint64_t assembly_key(const struct exchange *e, const struct message *m)
{
	return hash_bytes(e->key, m->request_tag.p, m->request_tag.n);
}

int assembly_take(struct exchange *e, struct message *m, struct buf *ret_body)
{
	struct assembly *a;
	int r;

	if (!m->block1.present)
		return 1;
	if (m->block1.more && m->payload.n != m->block1.size) {
		exchange_respond_code(e, CODE(4, 0));
		return 0;
	}
	if (m->size1 > (int64_t)ASSEMBLY_SIZE_MAX) {
		refuse_size(e);
		return 0;
	}
	a = place(e, m, assembly_key(e, m));
	if (!a) {
		exchange_respond_code(e, m->block1.number > 0 ? CODE(4, 8) : CODE(5, 3));
		return 0;
	}
	r = take_block(e, a, m);
	if (r > 0) {
		e->session->transport->assembling -= a->body.size;
		*ret_body = a->body;
		a->body = (struct buf){ 0 };
		assembly_free(a);
		m->payload = span_of(ret_body->data, ret_body->size);
		m->block1 = (struct message_block){ 0 };
	}
	return r;
}
