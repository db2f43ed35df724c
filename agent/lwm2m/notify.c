/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "lwm2m/client_internal.h"
#include "lwm2m/composite_read.h"
#include "lwm2m/queue.h"
#include "lwm2m/status.h"

/* Observe, Notify and Cancel (Core 6.4). */

#define SERVER_OBJECT 1
enum {
	SERVER_PMIN = 2,
	SERVER_PMAX = 3,
	SERVER_NOTIFY_CON = 26, /* /1/x/26, 1.1: confirmable by default */
};
/* RFC 7641 4.5: a confirmable notification at least once a day. */
#define CONFIRM_USEC USEC_PER_DAY
/* What could not be sent is tried again after this. */
#define RESEND_USEC (5 * USEC_PER_SEC)
#define OBSERVE_MASK 0xffffffu

/* An Observe of a resource that was never read: answered at its first value, or 5.03. */
struct waiting_observe {
	struct list list; /* client.waiting */
	struct client *client;
	struct exchange *exchange;
	struct target target;
	struct timer timer;
	struct wish wish;
};

static const struct notify_settings *settings(struct client *c)
{
	if (!c->notify.known)
		c->notify = (struct notify_settings){
			.known = true,
			.confirmable = client_setting(c, SERVER_NOTIFY_CON, 0) == 1,
			.pmin_s = client_setting(c, SERVER_PMIN, -1),
			.pmax_s = client_setting(c, SERVER_PMAX, -1),
		};
	return &c->notify;
}

struct attributes client_default_attributes(struct client *c)
{
	const struct notify_settings *s = settings(c);
	struct attributes a = { 0 };

	if (s->pmin_s >= 0 && s->pmin_s <= UINT32_MAX) {
		a.present |= ATTRIBUTE_PMIN;
		a.pmin_s = s->pmin_s;
	}
	if (s->pmax_s >= 0 && s->pmax_s <= UINT32_MAX) {
		a.present |= ATTRIBUTE_PMAX;
		a.pmax_s = s->pmax_s;
	}
	return a;
}

static struct attributes defaults(void *userdata)
{
	return client_default_attributes(userdata);
}

/* ---- Notify ---- */

struct notification {
	struct list list; /* client.notifications */
	struct client *client;
	struct call *call;
	uint8_t token[TOKEN_MAX];
	uint8_t token_size;
};

static void notification_free(struct notification *n)
{
	list_remove(&n->list);
	free(n);
}

static void notification_done(void *userdata, int error, const struct message *response)
{
	struct notification *n = userdata;
	struct client *c = n->client;

	(void)response;
	if (error == -ECONNRESET)
		observations_remove(c->observations, n->token, n->token_size);
	else if (error < 0)
		observations_lost(c->observations, n->token, n->token_size, RESEND_USEC);
	else
		observations_landed(c->observations, n->token, n->token_size);
	/* A server that refuses or does not answer is asked whether it still knows us. */
	if (error < 0 && error != -ECANCELED)
		client_update(c);
	notification_free(n);
}

static bool is_confirmable(struct client *c, struct observation *o, uint64_t now)
{
	return observation_confirms(c->observations, o, settings(c)->confirmable) ||
	       now - o->confirmed_usec >= CONFIRM_USEC;
}

static void fill_notification(struct client *c, const struct observation *o, struct message *m, uint8_t code)
{
	message_init(m, MESSAGE_NON, code);
	memcpy(m->token, o->token, o->token_size);
	m->token_size = o->token_size;
	if (code_class(code) == 2)
		m->observe = ++c->observe_number & OBSERVE_MASK;
}

static int send_confirmable(struct client *c, struct observation *o, const struct message *m)
{
	struct notification *n = calloc(1, sizeof(*n));
	int r;

	if (!n)
		return -ENOMEM;
	n->client = c;
	memcpy(n->token, o->token, o->token_size);
	n->token_size = o->token_size;
	list_append(&c->notifications, &n->list);
	r = session_notify(c->session, m, true, notification_done, n, &n->call);
	if (r < 0) {
		notification_free(n);
		return r;
	}
	o->in_flight = true;
	o->confirmed_usec = clock_monotonic_usec();
	return 0;
}

static int read_one(struct client *c, struct observation *o, struct buf *ret)
{
	const struct observed *at = observation_path(o, 0);
	const struct target target = { .store = at->store, .path = at->path };
	char reason[REASON_MAX];
	int32_t format;

	return read_content(c, &target, o->format, true, ret, &format, reason);
}

static int read_composite(struct client *c, struct observation *o, struct buf *ret)
{
	_cleanup_composite_content_ struct composite_content content = { .client = c };
	int r = 0;

	for (unsigned i = 0; i < o->n_paths && r >= 0; i++)
		r = composite_content_add(&content, observation_path(o, i));
	return r < 0 ? r : composite_content_encode(&content, o->format, true, ret);
}

static int notify_value(struct client *c, struct observation *o)
{
	_cleanup_buf_ struct buf content = { 0 };
	struct message m;
	int r;

	r = o->composite ? read_composite(c, o, &content) : read_one(c, o, &content);
	if (r < 0)
		return r;
	fill_notification(c, o, &m, CODE(2, 05));
	m.content_format = o->format;
	m.payload = span_of(content.data, content.size);
	if (is_confirmable(c, o, clock_monotonic_usec()))
		return send_confirmable(c, o, &m);
	return session_notify(c->session, &m, false, NULL, NULL, NULL);
}

/* A server that may not read it any more observes it no more (RFC 7641 3.2: an error ends it). */
static void refuse(struct client *c, struct observation *o)
{
	struct message m;

	fill_notification(c, o, &m, CODE(4, 01));
	session_notify(c->session, &m, false, NULL, NULL, NULL);
	observations_remove(c->observations, o->token, o->token_size);
}

static void notify(void *userdata, struct observation *o)
{
	struct client *c = userdata;
	int r;

	if (!client_is_awake(c)) {
		observation_failed(c->observations, o, QUEUE_AWAKE_USEC);
		return;
	}
	r = notify_value(c, o);

	if (r == -EACCES) {
		refuse(c, o);
		return;
	}
	if (r >= 0) {
		observation_sent(c->observations, o);
		return;
	}
	observation_failed(c->observations, o, RESEND_USEC);
	/* A lost connection is made again by an Update, which brings the server back or tells that it forgot us. */
	if (r == -ENOTCONN)
		client_update(c);
}

static void gone(void *userdata, struct observation *o)
{
	struct client *c = userdata;
	struct message m;

	fill_notification(c, o, &m, CODE(4, 04));
	session_notify(c->session, &m, false, NULL, NULL, NULL);
}

/* ---- Observe ---- */

/* Most accounts are never observed: they have none of it. */
static int make_observations(struct client *c)
{
	const struct observations_config config = {
		.timers = c->config.timers,
		.attributes = c->attributes,
		.defaults = defaults,
		.notify = notify,
		.gone = gone,
		.userdata = c,
	};

	return c->observations ? 0 : observations_new(&config, &c->observations);
}

int notify_start(struct client *c, const struct observed *paths, unsigned n, bool composite,
		 const struct wish *wish, int32_t format, int32_t *ret_number)
{
	struct observation o = {
		.token_size = wish->token_size,
		.composite = composite,
		.n_paths = n,
		.format = format,
		.attributes = wish->has_attributes ? &wish->attributes : NULL,
		.confirmed_usec = clock_monotonic_usec(),
	};
	int r;

	memcpy(o.token, wish->token, wish->token_size);
	r = make_observations(c);
	if (r >= 0)
		r = observations_add(c->observations, &o, paths);
	if (r >= 0)
		*ret_number = ++c->observe_number & OBSERVE_MASK;
	return r;
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

	r = read_content(c, &q->target, wish->accept, false, &content, &format, reason);
	if (r < 0) {
		respond_error(q, r, reason);
		return;
	}
	message_init(&m, MESSAGE_ACK, CODE(2, 05));
	m.content_format = format;
	m.payload = span_of(content.data, content.size);
	/* Without a place for it the answer is a plain Read: no Observe option (RFC 7641 4.1). */
	notify_start(c, &at, 1, false, wish, format, &m.observe);
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

	return target->path.depth >= PATH_RESOURCE && store_exists(target->store, &resource) &&
	       store_quality(target->store, &resource) == STORE_NEVER;
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

/* ---- life ---- */

int notify_new(struct client *c)
{
	return attribute_set_new(&c->attributes);
}

void notify_drop(struct client *c)
{
	struct waiting_observe *w;
	struct notification *n;

	list_for_each(n, &c->notifications, list) {
		n->call = call_drop(n->call);
		notification_free(n);
	}
	list_for_each(w, &c->waiting, list) {
		exchange_ignore(w->exchange);
		waiting_free(w);
	}
	observations_clear(c->observations);
	if (c->session)
		session_forget_observations(c->session);
}

void notify_done(struct client *c)
{
	notify_drop(c);
	c->observations = observations_free(c->observations);
	c->attributes = attribute_set_free(c->attributes);
}

/* What was attached to an instance goes with it, and does not come back with its id. */
static void forget_attributes(struct client *c, const struct path *paths, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++)
		if (!store_exists(c->config.store, &paths[i]))
			any |= attribute_set_remove(c->attributes, &paths[i]);
	if (any)
		c->ops->attributes(c->userdata);
}

static void forget_settings(struct client *c, const struct path *paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (paths[i].depth == PATH_ROOT || paths[i].object == SERVER_OBJECT)
			c->notify.known = false;
}

void notify_changed(struct client *c, enum store_change change, const struct path *paths, size_t n)
{
	struct waiting_observe *w;

	if (change == STORE_CHANGE_INSTANCES)
		forget_attributes(c, paths, n);
	forget_settings(c, paths, n);
	observations_changed(c->observations, change, paths, n);
	/* Behind it: the first value is no change to the observation that it starts. */
	list_for_each(w, &c->waiting, list)
		if (!is_unread(&w->target))
			waiting_answer(w);
}

void notify_reset(void *userdata, const uint8_t *token, uint8_t token_size)
{
	struct client *c = userdata;

	observations_remove(c->observations, token, token_size);
}

bool client_observes(const struct client *c, const struct path *path)
{
	return observations_touch(c->observations, path);
}

struct each {
	void (*f)(void *userdata, const struct client_observation *o);
	void *userdata;
};

static void tell_observation(void *userdata, const struct observation *o, const struct path *observed,
			     uint64_t sent_usec, const struct attributes *a)
{
	const struct each *each = userdata;
	const struct client_observation told = {
		.path = *observed,
		.sent_usec = sent_usec,
		.in_flight = o->in_flight,
		.has_pmin = a->present & ATTRIBUTE_PMIN,
		.has_pmax = a->present & ATTRIBUTE_PMAX,
		.pmin_s = a->pmin_s,
		.pmax_s = a->pmax_s,
	};

	each->f(each->userdata, &told);
}

void client_each_observation(const struct client *c, const struct path *path,
			     void (*f)(void *userdata, const struct client_observation *o), void *userdata)
{
	observations_each(c->observations, path, tell_observation, &(struct each){ f, userdata });
}

int client_save_attributes(const struct client *c, struct buf *ret)
{
	return attribute_set_format(c->attributes, ret);
}

int client_load_attributes(struct client *c, struct span text)
{
	return attribute_set_parse(c->attributes, text);
}
