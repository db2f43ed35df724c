/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "lwm2m/client_internal.h"
#include "lwm2m/dm/composite_read.h"
#include "lwm2m/status.h"
#include "model/account.h"

/* Notify (Core 6.4.2), and what is kept of it while the server is away. */

/* RFC 7641 4.5: a confirmable notification at least once a day. */
#define CONFIRM_USEC USEC_PER_DAY
/* What could not be sent is tried again after this. */
#define RESEND_USEC (5 * USEC_PER_SEC)
/* While the server is away: it is looked at again when it is back. */
#define AWAY_USEC USEC_PER_DAY
#define OBSERVE_MASK 0xffffffu

static const struct notify_settings *settings(struct client *c)
{
	if (!c->notify.known)
		c->notify = (struct notify_settings){
			.known = true,
			.confirmable = client_setting(c, SERVER_NOTIFICATION_MODE, 0) == 1,
			.storing = client_setting(c, SERVER_STORING, 1) != 0,
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
	bool stored;		/* it tells what was stored */
	struct records records; /* to be stored if nobody acknowledges it */
};

static void notification_free(struct notification *n)
{
	list_remove(&n->list);
	records_done(&n->records);
	free(n);
}

/* Nobody acknowledged it: the server is away. */
static void notification_lost(struct notification *n)
{
	struct client *c = n->client;
	struct observation *o = observations_find(c->observations, n->token, n->token_size);

	c->offline = true;
	if (o && n->records.n > 0 && observation_store(c->observations, o, &n->records) >= 0)
		observations_landed(c->observations, n->token, n->token_size);
	else if (n->stored || !settings(c)->storing)
		observations_landed(c->observations, n->token, n->token_size);
	else
		observations_lost(c->observations, n->token, n->token_size, AWAY_USEC);
}

static void notification_landed(struct notification *n)
{
	struct observations *all = n->client->observations;
	struct observation *o = observations_find(all, n->token, n->token_size);

	if (o && n->stored)
		observation_forget_stored(all, o);
	observations_landed(all, n->token, n->token_size);
}

static void notification_done(void *userdata, int error, const struct message *response)
{
	struct notification *n = userdata;
	struct client *c = n->client;

	(void)response;
	if (error == -ECONNRESET)
		observations_remove(c->observations, n->token, n->token_size);
	else if (error == -ECANCELED)
		observations_lost(c->observations, n->token, n->token_size, RESEND_USEC);
	else if (error < 0)
		notification_lost(n);
	else
		notification_landed(n);
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

static void fill_notification(struct client *c, struct observation *o, struct message *m, uint8_t code)
{
	message_init(m, MESSAGE_NON, code);
	memcpy(m->token, o->token, o->token_size);
	m->token_size = o->token_size;
	if (code_class(code) != 2)
		return;
	m->observe = ++c->observe_number & OBSERVE_MASK;
	m->max_age = observation_max_age(c->observations, o);
}

static int take_records(struct client *c, struct observation *o, struct records *ret)
{
	_cleanup_composite_content_ struct composite_content content = { .client = c };
	int r = 0;

	for (unsigned i = 0; i < o->n_paths && r >= 0; i++)
		r = composite_content_add(&content, observation_path(o, i));
	if (r < 0)
		return r;
	*ret = content.records;
	content.records = (struct records){ 0 };
	records_set_common_time(ret);
	for (size_t i = 0; i < ret->n; i++)
		if (ret->items[i].boottime_usec == 0)
			ret->items[i].boottime_usec = clock_boottime_usec();
	return 0;
}

/* Has its format times, by which the server tells what was from what is? */
static bool is_stored(struct client *c, struct observation *o)
{
	const struct codec *codec = codec_find(o->format);

	return settings(c)->storing && codec && codec->timed && observation_stores(c->observations, o);
}

static int send_confirmable(struct client *c, struct observation *o, const struct message *m, bool stored)
{
	struct notification *n = calloc(1, sizeof(*n));
	int r;

	if (!n)
		return -ENOMEM;
	n->client = c;
	n->stored = stored;
	if (!stored && is_stored(c, o))
		take_records(c, o, &n->records);
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

/* content: empty; m is of it. */
static int make_value(struct client *c, struct observation *o, struct buf *content, struct message *m)
{
	int r;

	r = o->composite ? read_composite(c, o, content) : read_one(c, o, content);
	if (r < 0)
		return r;
	fill_notification(c, o, m, CODE(2, 05));
	m->content_format = o->format;
	m->payload = span_of(content->data, content->size);
	return 0;
}

static int notify_value(struct client *c, struct observation *o)
{
	_cleanup_buf_ struct buf content = { 0 };
	struct message m;
	int r;

	r = make_value(c, o, &content, &m);
	if (r < 0)
		return r;
	if (is_confirmable(c, o, clock_monotonic_usec()))
		return send_confirmable(c, o, &m, false);
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

/* What was stored, as one pack with the times of then (hqmax). */
static int encode_stored(struct observation *o, const struct record *records, size_t n, struct buf *ret)
{
	const struct path root = { .depth = PATH_ROOT };

	ret->limit = CONTENT_MAX;
	return codec_find(o->format)->encode(o->composite ? &root : &observation_path(o, 0)->path, records, n,
					     true, ret);
}

static int notify_stored(struct client *c, struct observation *o, const struct buf *content)
{
	struct message m;

	fill_notification(c, o, &m, CODE(2, 05));
	m.content_format = o->format;
	m.payload = span_of(content->data, content->size);
	return send_confirmable(c, o, &m, true);
}

/* It would not go the next time either. */
static void log_unsent(const struct client *c, struct observation *o, size_t n, int error)
{
	char path[PATH_TEXT_MAX];
	const struct log_about about = client_about(c, path_format(&observation_path(o, 0)->path, path));

	log_warning(&about, "%s: server %s: %zu values of %s%s, stored while it was away, cannot be sent: %s",
		    c->config.endpoint, c->config.server_name, n, path, o->composite ? " and others" : "",
		    error == -EMSGSIZE ? "too large for one message" : "its format cannot carry them");
}

/* The rights of now count (Core 8.2.4), not those of then. */
static size_t keep_readable(struct client *c, struct record *records, size_t n)
{
	const struct access *access = client_access(c, c->config.store);
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (access_rights(access, records[i].path.object, records[i].path.instance) & ACCESS_READ)
			records[kept++] = records[i];
	return kept;
}

static int notify_now(struct client *c, struct observation *o)
{
	_cleanup_free_ struct record *records = NULL;
	_cleanup_buf_ struct buf content = { 0 };
	size_t n;
	int r = observation_stored(o, &records, &n);

	n = keep_readable(c, records, n);
	if (r >= 0 && n > 0 && is_stored(c, o)) {
		r = encode_stored(o, records, n, &content);
		if (r >= 0)
			return notify_stored(c, o, &content);
		if (r == -ENOMEM)
			return r;
		log_unsent(c, o, n, r);
		r = 0;
	}
	if (r >= 0)
		observation_forget_stored(c->observations, o);
	return notify_value(c, o);
}

/* The server is away (/1/x/6): its notification is stored, or is owed as the newest value, or is none. */
static void keep_for_later(struct client *c, struct observation *o)
{
	_cleanup_records_ struct records records = { 0 };

	if (is_stored(c, o) && take_records(c, o, &records) >= 0)
		observation_store(c->observations, o, &records);
	else if (settings(c)->storing) {
		observation_failed(c->observations, o, AWAY_USEC);
		return;
	}
	observation_sent(c->observations, o);
}

static bool is_away(const struct client *c)
{
	return c->offline || !client_is_registered(c);
}

static void notify(void *userdata, struct observation *o)
{
	struct client *c = userdata;
	int r;

	if (is_away(c)) {
		keep_for_later(c, o);
		return;
	}
	if (!client_is_awake(c)) {
		observation_failed(c->observations, o, AWAY_USEC);
		return;
	}
	r = notify_now(c, o);
	if (r >= 0) {
		observation_sent(c->observations, o);
	} else if (r == -EACCES) {
		refuse(c, o);
	} else if (r == -ENOTCONN) {
		/* A lost connection is made again by an Update, which brings the server back or tells that it forgot us. */
		c->offline = true;
		keep_for_later(c, o);
		client_update(c);
	} else {
		observation_failed(c->observations, o, RESEND_USEC);
	}
}

/* The notification of a call; NULL where a newer one of the same token waits behind it. */
static struct notification *find_notification(struct client *c, const struct call *call)
{
	struct notification *n, *found = NULL;

	list_for_each(n, &c->notifications, list)
		if (n->call == call)
			found = n;
		else if (found && n->token_size == found->token_size &&
			 memcmp(n->token, found->token, n->token_size) == 0)
			return NULL;
	return found;
}

/* What would be stored if nobody acknowledged it (hqmax) is to be told as it was, as what was stored is. */
static bool may_be_superseded(struct client *c, const struct notification *n, struct observation *o)
{
	return !n->stored && n->records.n == 0 && !is_stored(c, o) &&
	       observation_is_superseded(c->observations, o);
}

/* Nobody acknowledged it in time: what is due by now goes in its place (RFC 7641 4.5.2). */
void notify_repeat(void *userdata, struct call *call)
{
	_cleanup_buf_ struct buf content = { 0 };
	struct client *c = userdata;
	struct notification *n = find_notification(c, call);
	struct observation *o = n ? observations_find(c->observations, n->token, n->token_size) : NULL;
	struct message m;

	if (!o || !o->in_flight || !may_be_superseded(c, n, o) || make_value(c, o, &content, &m) < 0 ||
	    call_supersede(call, &m) < 0)
		return;
	o->confirmed_usec = clock_monotonic_usec();
	observation_superseded(o);
}

void notify_online(struct client *c)
{
	if (!c->waking && !c->offline)
		return;
	c->waking = c->offline = false;
	observations_hasten(c->observations);
}

static void gone(void *userdata, struct observation *o)
{
	struct client *c = userdata;
	struct message m;

	fill_notification(c, o, &m, CODE(4, 04));
	session_notify(c->session, &m, false, NULL, NULL, NULL);
}

/* ---- observations ---- */

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
		 const struct wish *wish, int32_t format, struct message *answer)
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
	if (r < 0)
		return r;
	answer->observe = ++c->observe_number & OBSERVE_MASK;
	answer->max_age = observation_max_age(c->observations,
					      observations_find(c->observations, o.token, o.token_size));
	return 0;
}

/* ---- life ---- */

int notify_new(struct client *c)
{
	return attribute_set_new(&c->attributes);
}

void notify_drop(struct client *c, bool comes_back)
{
	struct notification *n;

	list_for_each(n, &c->notifications, list) {
		n->call = call_drop(n->call);
		notification_free(n);
	}
	waiting_drop(c);
	if (comes_back && settings(c)->storing) {
		c->offline = true;
		observations_detach(c->observations);
	} else {
		observations_clear(c->observations);
	}
	if (c->session)
		session_forget_observations(c->session);
}

void notify_done(struct client *c)
{
	notify_drop(c, false);
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
	if (change == STORE_CHANGE_INSTANCES)
		forget_attributes(c, paths, n);
	forget_settings(c, paths, n);
	observations_changed(c->observations, change, paths, n);
	/* Behind it: the first value is no change to the observation that it starts. */
	waiting_look(c);
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
