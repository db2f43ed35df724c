/* SPDX-License-Identifier: Apache-2.0 */
#include "observe/observation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/timer.h"
#include "observe/condition.h"

struct entry {
	struct list list;
	struct observation public;
	uint64_t sent_usec, retry_usec;
	uint64_t next_usec;  /* when it may be due without any event */
	bool stirred;	     /* there was an event: next_usec says nothing */
	bool dead; /* removed while all are looked at; freed behind that */
	bool changed;
	bool recovered;	     /* was not good at the last look: the first good value goes at once */
	uint64_t sampled_usec; /* when a sample was last asked for, as epmax has it */
	struct records last; /* notified values of a resource, for gt, lt, st and edge */
};

struct observations {
	struct observations_config config;
	struct list entries;
	unsigned n;
	struct timer timer; /* the earliest moment at which any may be due */
	struct attributes defaults; /* as they were at the last look */
	bool looking, again; /* asked for another look while looking */
};

static void look(struct observations *o);

static void timer_fired(struct timer *timer, void *userdata)
{
	(void)timer;
	look(userdata);
}

int observations_new(const struct observations_config *config, struct observations **ret)
{
	struct observations *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	o->config = *config;
	list_init(&o->entries);
	timer_init(&o->timer, config->timers, timer_fired, o);
	*ret = o;
	return 0;
}

static void entry_free(struct entry *e)
{
	list_remove(&e->list);
	records_done(&e->last);
	free(e);
}

/* A callback may remove any of the entries that are being walked. */
static void entry_remove(struct observations *o, struct entry *e)
{
	o->n--;
	if (o->looking)
		e->dead = true;
	else
		entry_free(e);
}

static void sweep(struct observations *o)
{
	struct entry *e;

	list_for_each(e, &o->entries, list)
		if (e->dead)
			entry_free(e);
}

void observations_clear(struct observations *o)
{
	struct entry *e;

	if (!o)
		return;
	list_for_each(e, &o->entries, list)
		if (!e->dead)
			entry_remove(o, e);
	timer_disarm(&o->timer);
}

struct observations *observations_free(struct observations *o)
{
	observations_clear(o);
	free(o);
	return NULL;
}

unsigned observations_count(const struct observations *o)
{
	return o ? o->n : 0;
}

bool observations_touch(const struct observations *o, const struct path *path)
{
	const struct entry *e;

	if (!o)
		return false;
	list_for_each(e, &o->entries, list)
		if (!e->dead && (path_contains(&e->public.path, path) || path_contains(path, &e->public.path)))
			return true;
	return false;
}

static struct entry *entry_find(struct observations *o, const uint8_t *token, unsigned size)
{
	struct entry *e;

	if (!o)
		return NULL;
	list_for_each(e, &o->entries, list)
		if (!e->dead && e->public.token_size == size &&
		    memcmp(e->public.token, token, size) == 0)
			return e;
	return NULL;
}

bool observations_remove(struct observations *o, const uint8_t *token, unsigned token_size)
{
	struct entry *e = entry_find(o, token, token_size);

	if (!e)
		return false;
	entry_remove(o, e);
	return true;
}

/* ---- what was notified, and what is there now ---- */

static bool is_of_resource(const struct entry *e)
{
	return e->public.path.depth >= PATH_RESOURCE;
}

static int current(const struct entry *e, struct records *ret)
{
	return store_collect(e->public.store, &e->public.path, false, ret, NULL);
}

static bool has_crossed(const struct entry *e, const struct attributes *a)
{
	_cleanup_records_ struct records now = { 0 };

	if (!(a->present & ATTRIBUTES_OF_VALUES) || !is_of_resource(e) || current(e, &now) < 0)
		return false;
	/* A resource instance that came or went is a change of its own. */
	if (now.n != e->last.n)
		return true;
	for (size_t i = 0; i < now.n; i++) {
		const struct record *before = records_find(&e->last, &now.items[i].path);
		double last, value;

		if (!before || value_to_double(&before->value, &last) < 0 ||
		    value_to_double(&now.items[i].value, &value) < 0)
			return e->changed;
		if (condition_crossed(a, last, value))
			return true;
	}
	return false;
}

/* All that there was went bad: there is nothing to repeat. */
static bool is_empty(const struct entry *e)
{
	_cleanup_records_ struct records now = { 0 };
	unsigned left_out = 0;

	return !is_of_resource(e) &&
	       store_collect(e->public.store, &e->public.path, false, &now, &left_out) >= 0 &&
	       now.n == 0 && left_out > 0;
}

static bool is_good(const struct entry *e)
{
	struct path resource = path_cut(&e->public.path, PATH_RESOURCE);

	return !is_of_resource(e) || store_quality(e->public.store, &resource) == STORE_GOOD;
}

static void entry_sent(struct entry *e)
{
	e->sent_usec = clock_monotonic_usec();
	e->retry_usec = 0;
	e->changed = e->recovered = false;
	if (!is_of_resource(e))
		return;
	records_done(&e->last);
	current(e, &e->last);
}

static bool overlaps(const struct entry *e, const struct path *path)
{
	return path_contains(&e->public.path, path) || path_contains(path, &e->public.path);
}

/* ---- deciding ---- */

static struct attributes effective(const struct observations *o, const struct entry *e)
{
	struct attributes a = e->public.has_attributes ?
				      e->public.attributes :
				      attribute_set_effective(o->config.attributes, &e->public.path);

	attributes_inherit(&a, &o->defaults);
	return a;
}

static bool is_due(struct entry *e, const struct attributes *a, uint64_t now, uint64_t *ret_next)
{
	struct condition c = {
		.attributes = a,
		.sent_usec = e->sent_usec,
		.changed = e->changed,
		.crossed = has_crossed(e, a),
		.good = is_good(e),
	};

	*ret_next = USEC_INFINITY;
	if (!c.good) {
		e->recovered = true;
		return false;
	}
	if (e->public.in_flight)
		return false;
	if (e->retry_usec > now) {
		*ret_next = e->retry_usec;
		return false;
	}
	if (!e->recovered && !condition_due(&c, now, ret_next))
		return false;
	e->recovered = is_empty(e);
	return !e->recovered;
}

void observations_each(const struct observations *o, const struct path *path,
		       void (*f)(void *userdata, const struct observation *observation, uint64_t sent_usec,
				 const struct attributes *effective),
		       void *userdata)
{
	const struct entry *e;
	struct attributes a;

	if (!o)
		return;
	list_for_each(e, &o->entries, list) {
		if (e->dead || !overlaps(e, path))
			continue;
		a = effective(o, e);
		f(userdata, &e->public, e->sent_usec, &a);
	}
}

static void notify_due(struct observations *o, struct entry *e, const struct attributes *a, uint64_t now)
{
	if (!is_due(e, a, now, &e->next_usec))
		return;
	o->config.notify(o->config.userdata, &e->public);
	/* Neither sent nor failed: not again in this turn. */
	if (!e->dead && is_due(e, a, now, &e->next_usec))
		e->next_usec = usec_add(now, 1);
}

/* Sampled at least every epmax; for this observation alone not within epmin. */
static void sample(struct entry *e, const struct attributes *a, uint64_t now)
{
	uint64_t period = condition_sampling_usec(a), due = usec_add(e->sampled_usec, period);

	if (due <= now) {
		e->sampled_usec = now;
		due = usec_add(now, period);
		store_sample(e->public.store, &e->public.path, period);
	}
	e->next_usec = MIN(e->next_usec, due);
}

/* Notifies it if it is due, and notes when to look at it again. */
static void look_at(struct observations *o, struct entry *e, uint64_t now)
{
	struct attributes a = effective(o, e);

	e->stirred = false;
	notify_due(o, e, &a, now);
	if (!e->dead)
		sample(e, &a, now);
}

static void stir_all(struct observations *o)
{
	struct entry *e;

	list_for_each(e, &o->entries, list)
		e->stirred = true;
}

static void take_defaults(struct observations *o)
{
	struct attributes a = o->config.defaults(o->config.userdata);

	if (a.present != o->defaults.present || a.pmin_s != o->defaults.pmin_s ||
	    a.pmax_s != o->defaults.pmax_s)
		stir_all(o);
	o->defaults = a;
}

/* Notifies what is due and arms the timer for the rest. */
static void look(struct observations *o)
{
	uint64_t now = clock_monotonic_usec(), next = USEC_INFINITY;
	struct entry *e;

	o->again = o->looking;
	if (o->looking)
		return;
	o->looking = true;
	take_defaults(o);
	list_for_each(e, &o->entries, list) {
		if (!e->dead && (e->stirred || e->next_usec <= now))
			look_at(o, e, now);
		if (!e->dead)
			next = MIN(next, e->next_usec);
	}
	o->looking = false;
	sweep(o);
	if (o->again)
		next = MIN(next, usec_add(now, 1));
	if (next == USEC_INFINITY)
		timer_disarm(&o->timer);
	else
		timer_arm(&o->timer, next);
}

void observations_reconsider(struct observations *o)
{
	if (!o || o->n == 0)
		return;
	stir_all(o);
	look(o);
}

int observations_add(struct observations *o, const struct observation *observation)
{
	struct entry *e;

	observations_remove(o, observation->token, observation->token_size);
	if (o->n == OBSERVATIONS_MAX)
		return -ENOSPC;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->public = *observation;
	e->stirred = true;
	e->sampled_usec = clock_monotonic_usec();
	list_append(&o->entries, &e->list);
	o->n++;
	entry_sent(e);
	look(o);
	return 0;
}

bool observation_confirms(const struct observations *o, struct observation *observation, bool initial)
{
	const struct entry *e = container_of(observation, struct entry, public);
	struct attributes a = effective(o, e);

	if (a.present & ATTRIBUTE_CON && a.con)
		return true;
	if (!observation->has_attributes &&
	    attribute_set_confirms_below(o->config.attributes, &observation->path))
		return true;
	return initial && !(a.present & ATTRIBUTE_CON);
}

/* From notify() the look that called it goes on. */
static void stir(struct observations *o, struct entry *e)
{
	if (o->looking)
		return;
	e->stirred = true;
	look(o);
}

void observation_sent(struct observations *o, struct observation *observation)
{
	struct entry *e = container_of(observation, struct entry, public);

	entry_sent(e);
	stir(o, e);
}

void observations_landed(struct observations *o, const uint8_t *token, unsigned token_size)
{
	struct entry *e = entry_find(o, token, token_size);

	if (!e)
		return;
	e->public.in_flight = false;
	e->stirred = true;
	look(o);
}

void observations_lost(struct observations *o, const uint8_t *token, unsigned token_size,
		       uint64_t delay_usec)
{
	struct entry *e = entry_find(o, token, token_size);

	if (!e)
		return;
	e->public.in_flight = false;
	e->recovered = true;
	observation_failed(o, &e->public, delay_usec);
}

void observation_failed(struct observations *o, struct observation *observation, uint64_t delay_usec)
{
	struct entry *e = container_of(observation, struct entry, public);

	e->changed = true;
	e->retry_usec = usec_add(clock_monotonic_usec(), delay_usec);
	stir(o, e);
}

/* ---- changes ---- */

/* Time stamps and quality never trigger by themselves (configuration.md "Staleness"). */
static bool is_quiet(uint16_t resource)
{
	return resource == 5518 || resource == 6050 || resource == 6042 || resource == 6049;
}

static bool differs(const struct entry *e)
{
	_cleanup_records_ struct records now = { 0 };

	if (current(e, &now) < 0 || now.n != e->last.n)
		return true;
	return now.n > 0 && !value_equal(&now.items[0].value, &e->last.items[0].value);
}

/* Is a change at a path that overlaps news for its server? */
static bool touches(const struct entry *e, const struct path *path)
{
	/* Observed by itself, even a time stamp is news. */
	if (is_quiet(path->resource) && e->public.path.depth < PATH_RESOURCE)
		return false;
	/* A value that went bad is nothing to send. */
	if (store_quality(e->public.store, path) != STORE_GOOD &&
	    store_exists(e->public.store, path))
		return false;
	/* The store names the resource; which of its instances changed shows only here. */
	return e->public.path.depth < PATH_RESOURCE_INSTANCE || differs(e);
}

/* edge goes by where the value was before: also on the side that is not told of. */
static void note_side(const struct observations *o, struct entry *e)
{
	_cleanup_records_ struct records now = { 0 };
	struct attributes a;

	if (!is_of_resource(e) || e->last.n == 0 || e->last.items[0].value.type != VALUE_BOOLEAN)
		return;
	a = effective(o, e);
	if (!(a.present & ATTRIBUTE_EDGE) || current(e, &now) < 0)
		return;
	for (size_t i = 0; i < e->last.n; i++) {
		const struct record *r = records_find(&now, &e->last.items[i].path);

		if (r && r->value.boolean != a.edge)
			e->last.items[i].value.boolean = r->value.boolean;
	}
}

static void mark(struct observations *o, enum store_change change, const struct path *paths, size_t n)
{
	struct entry *e;

	list_for_each(e, &o->entries, list) {
		for (size_t i = 0; i < n && !e->dead; i++) {
			if (!overlaps(e, &paths[i]))
				continue;
			e->stirred = true;
			if (!e->changed)
				e->changed = change == STORE_CHANGE_INSTANCES || touches(e, &paths[i]);
			note_side(o, e);
		}
	}
}

static void end_gone(struct observations *o)
{
	bool looking = o->looking;
	struct entry *e;

	o->looking = true;
	list_for_each(e, &o->entries, list) {
		if (e->dead || !e->stirred || store_exists(e->public.store, &e->public.path))
			continue;
		o->config.gone(o->config.userdata, &e->public);
		if (!e->dead)
			entry_remove(o, e);
	}
	o->looking = looking;
	if (!looking)
		sweep(o);
}

void observations_changed(struct observations *o, enum store_change change, const struct path *paths, size_t n)
{
	if (!o || o->n == 0)
		return;
	mark(o, change, paths, n);
	end_gone(o);
	look(o);
}
