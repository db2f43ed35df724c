/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "lwm2m/client_internal.h"

/* Observe and Cancel (Core 6.4.1, 6.4.3). */

/* An Observe of a resource that was never read: answered at its first value, or 5.03. */
struct waiting_observe {
	struct list list; /* client.waiting */
	struct client *client;
	struct exchange *exchange;
	struct target target;
	struct timer timer;
	struct wish wish;
};

/* What is to be stored with its times needs a format that has them. */
static int32_t accept_of(const struct client *c, const struct path *path, const struct wish *wish)
{
	struct attributes a =
		wish->has_attributes ? wish->attributes : attribute_set_effective(c->attributes, path);

	if (wish->accept >= 0 || c->version < LWM2M_1_1 || !(a.present & ATTRIBUTE_HQMAX) || a.hqmax == 0)
		return wish->accept;
	return client_timed_codec(c)->format;
}

/* The first value and the observation, or an error. */
static void answer_observe(struct request *q, const struct wish *wish)
{
	_cleanup_buf_ struct buf content = { 0 };
	const struct observed at = { .path = q->target.path, .store = q->target.store };
	struct client *c = q->client;
	char reason[REASON_MAX];
	struct message m;
	int32_t format;
	int r;

	r = read_content(c, &q->target, accept_of(c, &q->target.path, wish), false, &content, &format, reason);
	if (r < 0) {
		respond_error(q, r, reason);
		return;
	}
	message_init(&m, MESSAGE_ACK, CODE(2, 05));
	m.content_format = format;
	m.payload = span_of(content.data, content.size);
	/* Without a place for it the answer is a plain Read: no Observe option (RFC 7641 4.1). */
	notify_start(c, &at, 1, false, wish, format, &m);
	exchange_respond(q->exchange, &m, NULL, NULL);
}

static void waiting_free(struct waiting_observe *w)
{
	timer_disarm(&w->timer);
	list_remove(&w->list);
	free(w);
}

static void waiting_answer(struct waiting_observe *w)
{
	struct request q = { .client = w->client, .exchange = w->exchange, .target = w->target };

	q.view = client_view(w->client, w->target.store);
	answer_observe(&q, &w->wish);
	waiting_free(w);
}

/* register.at_most is over: answered with what there is, 5.03. */
static void waiting_over(struct timer *timer, void *userdata)
{
	(void)timer;
	waiting_answer(userdata);
}

static bool is_unread(const struct target *target)
{
	struct path resource = path_cut(&target->path, PATH_RESOURCE);

	return target->path.depth >= PATH_RESOURCE && store_is_unread(target->store, &resource);
}

static void wait_for_value(struct request *q, const struct wish *wish)
{
	struct waiting_observe *w = calloc(1, sizeof(*w));

	if (!w) {
		respond_error(q, -ENOMEM, NULL);
		return;
	}
	w->client = q->client;
	w->exchange = q->exchange;
	w->target = q->target;
	w->wish = *wish;
	timer_init(&w->timer, q->client->config.timers, waiting_over, w);
	list_append(&q->client->waiting, &w->list);
	exchange_acknowledge(q->exchange);
	timer_arm_in(&w->timer, q->client->config.first_value_usec);
}

/* Parameters of an Observe came with 1.2 (Core 6.4.1); they are attributes of this observation alone. */
int wish_read(const struct request *q, struct wish *ret)
{
	const struct message *m = q->message;

	*ret = (struct wish){ .accept = m->accept, .token_size = m->token_size };
	memcpy(ret->token, m->token, m->token_size);
	if (q->client->version < LWM2M_1_2 || m->n_query == 0)
		return 0;
	ret->has_attributes = true;
	return request_attributes(q, &ret->attributes);
}

void dm_observe(struct request *q)
{
	int r = read_check(q->client, &q->target, q->message->accept);
	struct wish wish;

	if (r >= 0)
		r = wish_read(q, &wish);
	if (r < 0)
		respond_error(q, r, NULL);
	else if (is_unread(&q->target))
		wait_for_value(q, &wish);
	else
		answer_observe(q, &wish);
	/* What is only read when somebody asks is asked for now. */
	if (r >= 0)
		store_refresh(q->target.store, &q->target.path, NULL, NULL);
}

/* Cancelled before its first value: there is none to answer with. */
static void waiting_cancel(struct client *c, const uint8_t *token, uint8_t token_size)
{
	struct waiting_observe *w;

	list_for_each(w, &c->waiting, list) {
		struct request q = { .client = c, .exchange = w->exchange };

		if (w->wish.token_size != token_size || memcmp(w->wish.token, token, token_size) != 0)
			continue;
		respond_error(&q, -ENODATA, NULL);
		waiting_free(w);
	}
}

void dm_cancel(struct request *q)
{
	waiting_cancel(q->client, q->message->token, q->message->token_size);
	observations_remove(q->client->observations, q->message->token, q->message->token_size);
	dm_read(q);
}

void waiting_look(struct client *c)
{
	struct waiting_observe *w;

	list_for_each(w, &c->waiting, list)
		if (!is_unread(&w->target))
			waiting_answer(w);
}

void waiting_drop(struct client *c)
{
	struct waiting_observe *w;

	list_for_each(w, &c->waiting, list) {
		exchange_ignore(w->exchange);
		waiting_free(w);
	}
}
