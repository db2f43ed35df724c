/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transport/internal.h"

#define ETAG_SIZE 4u

struct snapshot {
	struct list node;
	struct transport *transport;
	struct timer timer;
	uint64_t key, body_hash;
	size_t size;
	int32_t content_format;
	uint8_t code, etag_size;
	uint8_t etag[SNAPSHOT_ETAG_MAX];
	uint8_t data[];
};

/* Which request the notifications of an observation answer, so that its later blocks find them. */
struct observation {
	uint64_t key, body_hash;
	uint16_t block_size;
	uint8_t token_size;
	uint8_t token[8];
};

struct observations {
	unsigned n, allocated;
	struct observation items[];
};

static struct snapshot *snapshot_free(struct snapshot *snapshot)
{
	if (!snapshot)
		return NULL;
	snapshot->transport->snapshot_bytes -= snapshot->size;
	timer_disarm(&snapshot->timer);
	list_remove(&snapshot->node);
	free(snapshot);
	return NULL;
}

static void on_timer(struct timer *timer, void *userdata)
{
	snapshot_free(userdata);
}

void snapshot_forget_all(struct session *s)
{
	struct snapshot *snapshot;

	list_for_each(snapshot, &s->snapshots, node)
		snapshot_free(snapshot);
}

/* body_hash: of the request; 0: it has no body, and the newest of any is meant. */
static struct snapshot *find(struct session *s, uint64_t key, uint64_t body_hash)
{
	struct snapshot *snapshot, *found = NULL;

	list_for_each(snapshot, &s->snapshots, node)
		if (snapshot->key == key && (body_hash == 0 || snapshot->body_hash == body_hash))
			found = snapshot;
	return found;
}

/* FETCHes of one path have as many answers as they have bodies (RFC 8132 section 2.1). */
static void make_room(struct session *s, uint64_t key, uint64_t body_hash)
{
	struct snapshot *snapshot;
	unsigned n = 0;

	snapshot_free(find(s, key, body_hash));
	list_for_each(snapshot, &s->snapshots, node)
		n++;
	if (n >= SNAPSHOTS_MAX)
		snapshot_free(list_entry(s->snapshots.next, struct snapshot, node));
}

/* The ETag that ties the blocks together (RFC 7959 2.4), made from the content if there is none. */
static void set_etag(struct message *m, uint8_t etag[SNAPSHOT_ETAG_MAX])
{
	uint64_t hash;

	if (m->etag.n > 0)
		return;
	hash = hash_bytes(0, m->payload.p, m->payload.n);
	memcpy(etag, &hash, ETAG_SIZE);
	m->etag = span_of(etag, ETAG_SIZE);
}

static int keep(struct session *s, uint64_t key, uint64_t body_hash, const struct message *m)
{
	struct transport *t = s->transport;
	struct snapshot *snapshot;
	int r;

	make_room(s, key, body_hash);
	if (t->snapshot_bytes + m->payload.n > SNAPSHOT_TOTAL_MAX)
		return -ENOBUFS;
	r = timers_reserve(t->timers, 1);
	if (r < 0)
		return r;
	snapshot = calloc(1, sizeof(*snapshot) + m->payload.n);
	if (!snapshot)
		return -ENOMEM;
	snapshot->key = key;
	snapshot->body_hash = body_hash;
	snapshot->code = m->code;
	snapshot->content_format = m->content_format;
	snapshot->etag_size = (uint8_t)MIN(m->etag.n, SNAPSHOT_ETAG_MAX);
	memcpy(snapshot->etag, m->etag.p, snapshot->etag_size);
	snapshot->transport = t;
	snapshot->size = m->payload.n;
	t->snapshot_bytes += snapshot->size;
	memcpy(snapshot->data, m->payload.p, m->payload.n);
	timer_init(&snapshot->timer, t->timers, on_timer, snapshot);
	timer_arm_in(&snapshot->timer, EXCHANGE_LIFETIME_USEC);
	list_append(&s->snapshots, &snapshot->node);
	return 0;
}

static void cut(struct message *m, uint32_t number, uint16_t size)
{
	struct span body = m->payload;

	if (block_cut(body, number, size, &m->block2, &m->payload)) {
		if (number == 0 && m->block2.more)
			m->size2 = (int64_t)body.n;
		return;
	}
	/* RFC 7959 2.2: a block behind the end. */
	m->code = CODE(4, 0);
	m->content_format = -1;
	m->etag = m->payload = span_of(NULL, 0);
}

/* Responses have few options; only a long Location-Path can make the block smaller. */
static uint16_t usable_size(const struct message *m, uint16_t limit)
{
	return m->n_path == 0 ? limit : block_size_fit(m, m->payload.n, limit);
}

void snapshot_cut_response(struct exchange *e, struct message *m, uint8_t etag[SNAPSHOT_ETAG_MAX])
{
	const struct message_block *asked = &e->block2;
	uint16_t size = usable_size(m, asked->present ? asked->size : BLOCK_SIZE_MAX);

	if (code_class(m->code) != 2 || size == 0)
		return;
	if (m->payload.n <= size && (!asked->present || m->payload.n == 0))
		return;
	if (m->payload.n > size) {
		set_etag(m, etag);
		keep(e->session, e->key, e->body_hash, m);
	}
	cut(m, asked->number, size);
}

bool snapshot_serve(struct exchange *e, const struct message *request)
{
	struct snapshot *snapshot;
	struct message m;

	if (!request->block2.present || request->block2.number == 0 || request->observe >= 0)
		return false;
	snapshot = find(e->session, e->key, request->payload.n > 0 ? e->body_hash : 0);
	if (!snapshot)
		return false;
	message_init(&m, MESSAGE_ACK, snapshot->code);
	m.content_format = snapshot->content_format;
	m.etag = span_of(snapshot->etag, snapshot->etag_size);
	m.payload = span_of(snapshot->data, snapshot->size);
	cut(&m, request->block2.number, request->block2.size);
	/* It is cut now and must not be taken for a whole. */
	e->block2.present = false;
	exchange_respond(e, &m, NULL, NULL);
	return true;
}

/* ---- observations ---- */

static struct observation *find_observation(struct session *s, const uint8_t *token, uint8_t size)
{
	for (unsigned i = 0; s->observations && i < s->observations->n; i++) {
		struct observation *o = &s->observations->items[i];

		if (o->token_size == size && memcmp(o->token, token, size) == 0)
			return o;
	}
	return NULL;
}

void observation_forget(struct session *s, const uint8_t *token, uint8_t size)
{
	struct observation *o = find_observation(s, token, size);

	if (!o)
		return;
	*o = s->observations->items[--s->observations->n];
	if (s->observations->n == 0) {
		free(s->observations);
		s->observations = NULL;
	}
}

void session_forget_observations(struct session *s)
{
	free(s->observations);
	s->observations = NULL;
}

static struct observation *add_observation(struct session *s)
{
	struct observations *old = s->observations, *grown;
	unsigned n = old ? old->n : 0;
	unsigned allocated = n > 0 ? n * 2 : 1;

	if (n >= SNAPSHOT_OBSERVATIONS_MAX)
		return NULL;
	if (!old || n == old->allocated) {
		grown = realloc(old, sizeof(*grown) + allocated * sizeof(grown->items[0]));
		if (!grown)
			return NULL;
		grown->n = n;
		grown->allocated = allocated;
		s->observations = grown;
	}
	return &s->observations->items[s->observations->n++];
}

static bool starts_observation(const struct exchange *e, const struct message *response)
{
	return e->observe == 0 && response->observe >= 0 && code_class(response->code) == 2;
}

void observation_note(struct exchange *e, const struct message *response)
{
	struct observation *o;

	if (e->observe < 0)
		return;
	if (!starts_observation(e, response)) {
		observation_forget(e->session, e->token, e->token_size);
		return;
	}
	o = find_observation(e->session, e->token, e->token_size);
	if (!o)
		o = add_observation(e->session);
	if (!o)
		return; /* its notifications still go, their later blocks are read anew */
	o->key = e->key;
	o->body_hash = e->body_hash;
	o->block_size = e->block2.present ? e->block2.size : BLOCK_SIZE_MAX;
	o->token_size = e->token_size;
	memcpy(o->token, e->token, sizeof(o->token));
}

void snapshot_cut_notification(struct session *s, struct message *m, uint8_t etag[SNAPSHOT_ETAG_MAX])
{
	struct observation *o;
	uint16_t size = BLOCK_SIZE_MAX;

	if (m->observe < 0 || code_class(m->code) != 2) {
		/* RFC 7641 4.2: it ends the observation. */
		observation_forget(s, m->token, m->token_size);
		return;
	}
	if (m->payload.n <= BLOCK_SIZE_MIN)
		return;
	o = find_observation(s, m->token, m->token_size);
	if (o)
		size = o->block_size;
	if (m->payload.n <= size)
		return;
	set_etag(m, etag);
	if (o)
		keep(s, o->key, o->body_hash, m);
	cut(m, 0, size);
}
