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
	struct body_sink *sink; /* its body goes there instead */
	size_t size;		/* that has come */
};

static struct assembly *assembly_free(struct assembly *a)
{
	if (!a)
		return NULL;
	a->session->transport->assembling -= a->body.size;
	timer_disarm(&a->timer);
	list_remove(&a->node);
	buf_done(&a->body);
	if (a->sink)
		a->sink->lost(a->sink);
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

/* 0, -EBUSY, or the code of a refusal. */
static int append(struct assembly *a, struct span payload)
{
	struct transport *t = a->session->transport;
	int r;

	if (a->sink) {
		r = a->sink->take(a->sink, payload);
	} else if (t->assembling + payload.n > ASSEMBLY_TOTAL_MAX ||
		   buf_append(&a->body, payload.p, payload.n) < 0) {
		r = CODE(4, 13);
	} else {
		t->assembling += payload.n;
		r = 0;
	}
	if (r == 0)
		a->size += payload.n;
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

static void refuse(struct exchange *e, const struct assembly *a, uint8_t code)
{
	if (code == CODE(4, 13) && !a->sink)
		refuse_size(e);
	else
		exchange_respond_code(e, code);
}

static int take_block(struct exchange *e, struct assembly *a, const struct message *m)
{
	size_t offset = (size_t)m->block1.number * m->block1.size;
	int r;

	/* One that is here already changes nothing, its sender missed our answer. */
	if (m->block1.more && offset + m->payload.n <= a->size) {
		exchange_respond_code(e, CODE(2, 31));
		return 0;
	}
	if (offset != a->size) {
		assembly_free(a);
		exchange_respond_code(e, CODE(4, 8));
		return 0;
	}
	r = append(a, m->payload);
	/* Its sender repeats it, more and more slowly. */
	if (r == -EBUSY) {
		timer_arm_in(&a->timer, EXCHANGE_LIFETIME_USEC);
		exchange_ignore(e);
		return 0;
	}
	if (r != 0) {
		refuse(e, a, r > 0 ? (uint8_t)r : CODE(5, 0));
		assembly_free(a);
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
	const uint8_t tagged = m->request_tag.p != NULL;

	/* RFC 9175 3.3: an empty tag is another one than none. */
	return hash_bytes(hash_bytes(e->key, &tagged, sizeof(tagged)), m->request_tag.p, m->request_tag.n);
}

/* A body that begins, and how it will be kept. False: it was refused, and answered. */
static bool open_sink(struct exchange *e, struct assembly *a, const struct message *m)
{
	struct session *s = e->session;
	uint8_t code = s->ops->body ? s->ops->body(s->userdata, m, &a->sink) : 0;

	if (code == 0 && (a->sink || m->size1 <= (int64_t)ASSEMBLY_SIZE_MAX))
		return true;
	if (code == 0)
		refuse_size(e);
	else
		exchange_respond_code(e, code);
	assembly_free(a);
	return false;
}

/* The whole of it. */
static void hand_out(struct assembly *a, struct message *m, struct buf *ret_body)
{
	a->session->transport->assembling -= a->body.size;
	*ret_body = a->body;
	a->body = (struct buf){ 0 };
	m->payload = span_of(ret_body->data, ret_body->size);
	m->block1 = (struct message_block){ 0 };
	m->streamed = TAKE_PTR(a->sink);
	assembly_free(a);
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
	a = place(e, m, assembly_key(e, m));
	if (!a) {
		exchange_respond_code(e, m->block1.number > 0 ? CODE(4, 8) : CODE(5, 3));
		return 0;
	}
	if (m->block1.number == 0 && m->block1.more && !open_sink(e, a, m))
		return 0;
	r = take_block(e, a, m);
	if (r > 0)
		hand_out(a, m, ret_body);
	return r;
}
