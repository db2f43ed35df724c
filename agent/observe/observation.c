/* SPDX-License-Identifier: Apache-2.0 */
#include "observe/observation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "observe/condition.h"
#include "observe/internal.h"

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

static void entry_free(struct observations *o, struct entry *e)
{
	backlog_free(o, e);
	list_remove(&e->list);
	for (unsigned i = 0; i < e->public.n_paths; i++)
		part_done(&e->parts[i]);
	free(e->own);
	free(e);
}

void entry_remove(struct observations *o, struct entry *e)
{
	if (!e->detached) {
		o->n--;
		o->n_paths -= e->public.n_paths;
	}
	if (o->looking)
		e->dead = true;
	else
		entry_free(o, e);
}

static void sweep(struct observations *o)
{
	struct entry *e;

	list_for_each(e, &o->entries, list)
		if (e->dead)
			entry_free(o, e);
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

static bool overlaps(const struct entry *e, const struct path *path)
{
	for each_part(p, e)
		if (part_overlaps(p, path))
			return true;
	return false;
}

bool observations_touch(const struct observations *o, const struct path *path)
{
	const struct entry *e;

	if (!o)
		return false;
	list_for_each(e, &o->entries, list)
		if (!e->dead && !e->detached && overlaps(e, path))
			return true;
	return false;
}

static struct entry *entry_find(struct observations *o, const uint8_t *token, unsigned size)
{
	struct entry *e;

	if (!o)
		return NULL;
	list_for_each(e, &o->entries, list)
		if (!e->dead && !e->detached && e->public.token_size == size &&
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

struct observation *observations_find(struct observations *o, const uint8_t *token, unsigned token_size)
{
	struct entry *e = entry_find(o, token, token_size);

	return e ? &e->public : NULL;
}

const struct observed *observation_path(struct observation *o, unsigned i)
{
	return &container_of(o, struct entry, public)->parts[i].at;
}

/* ---- deciding ---- */

static void entry_sent(struct entry *e)
{
	e->sent_usec = clock_monotonic_usec();
	e->retry_usec = 0;
	e->recovered = false;
	for (unsigned i = 0; i < e->public.n_paths; i++)
		part_sent(&e->parts[i]);
}

static struct attributes with_defaults(const struct observations *o, struct attributes a)
{
	attributes_inherit(&a, &o->defaults);
	return a;
}

/* What is in force for all of it. */
static struct attributes effective(const struct observations *o, const struct entry *e)
{
	struct attributes all = { 0 };

	if (e->own)
		return with_defaults(o, *e->own);
	if (!e->public.composite)
		return with_defaults(o, attribute_set_effective(o->config.attributes, &e->parts->at.path));
	for each_part(p, e) {
		struct attributes one =
			with_defaults(o, attribute_set_effective(o->config.attributes, &p->at.path));

		attributes_unite(&all, &one);
	}
	return all;
}

/* What judges the values of one part; all: effective(). */
static struct attributes effective_of_part(const struct observations *o, const struct entry *e,
					   const struct part *p, const struct attributes *all)
{
	return e->public.composite ? attribute_set_effective(o->config.attributes, &p->at.path) : *all;
}

static bool is_triggered(const struct observations *o, const struct entry *e, const struct attributes *all)
{
	for each_part(p, e) {
		struct attributes a = effective_of_part(o, e, p, all);

		if (part_triggers(p, &a))
			return true;
	}
	return false;
}

static bool is_good(const struct entry *e)
{
	return e->public.composite || part_is_good(e->parts);
}

/* All that there was went bad: there is nothing to repeat. */
static bool is_empty(const struct entry *e)
{
	unsigned bad = 0;

	if (!e->public.composite && e->parts->at.path.depth >= PATH_RESOURCE)
		return false;
	for each_part(p, e) {
		unsigned left_out;
		size_t good;

		part_count(p, &good, &left_out);
		if (good > 0)
			return false;
		bad += left_out;
	}
	return bad > 0;
}

/* Of what is good, whatever is on its way. */
static bool is_owed(const struct observations *o, struct entry *e, const struct attributes *a, uint64_t now,
		    uint64_t *ret_next)
{
	struct condition c = {
		.attributes = a,
		.sent_usec = e->sent_usec,
		.triggered = is_triggered(o, e, a),
		.good = true,
	};

	if (e->retry_usec > now) {
		*ret_next = e->retry_usec;
		return false;
	}
	if (!e->recovered && !condition_due(&c, now, ret_next))
		return false;
	e->recovered = is_empty(e);
	return !e->recovered;
}

static bool is_due(const struct observations *o, struct entry *e, const struct attributes *a, uint64_t now,
		   uint64_t *ret_next)
{
	*ret_next = USEC_INFINITY;
	if (!is_good(e)) {
		e->recovered = true;
		return false;
	}
	return !e->public.in_flight && is_owed(o, e, a, now, ret_next);
}

void observations_each(const struct observations *o, const struct path *path,
		       void (*f)(void *userdata, const struct observation *observation,
				 const struct path *observed, uint64_t sent_usec,
				 const struct attributes *effective),
		       void *userdata)
{
	const struct entry *e;
	struct attributes a;

	if (!o)
		return;
	list_for_each(e, &o->entries, list) {
		if (e->dead || e->detached || !overlaps(e, path))
			continue;
		a = effective(o, e);
		for each_part(p, e)
			if (part_overlaps(p, path))
				f(userdata, &e->public, &p->at.path, e->sent_usec, &a);
	}
}

static void notify_due(struct observations *o, struct entry *e, const struct attributes *a, uint64_t now)
{
	if (!is_due(o, e, a, now, &e->next_usec))
		return;
	o->config.notify(o->config.userdata, &e->public);
	/* Neither sent nor failed: not again in this turn. */
	if (!e->dead && is_due(o, e, a, now, &e->next_usec))
		e->next_usec = usec_add(now, 1);
}

/* Sampled at least every epmax; for this observation alone not within epmin. */
static void sample(struct entry *e, const struct attributes *a, uint64_t now)
{
	uint64_t period = condition_sampling_usec(a), due = usec_add(e->sampled_usec, period);

	if (due <= now) {
		e->sampled_usec = now;
		due = usec_add(now, period);
		for each_part(p, e)
			store_sample(p->at.store, &p->at.path, period);
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

/* The server is there, and has not observed it again. */
static bool is_resting(const struct observations *o, const struct entry *e)
{
	return e->detached && !o->away;
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
		if (is_resting(o, e))
			continue;
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
	if (!o || list_is_empty(&o->entries))
		return;
	stir_all(o);
	look(o);
}

void observations_hasten(struct observations *o)
{
	struct entry *e;

	if (!o)
		return;
	o->away = false;
	list_for_each(e, &o->entries, list) {
		e->retry_usec = 0;
		e->recovered |= e->backlog != NULL;
	}
	observations_reconsider(o);
}

static struct entry *entry_new(const struct observation *observation, const struct observed *paths)
{
	struct entry *e = calloc(1, sizeof(*e) + observation->n_paths * sizeof(*e->parts));

	if (!e)
		return NULL;
	e->public = *observation;
	if (observation->attributes) {
		e->own = malloc(sizeof(*e->own));
		if (!e->own) {
			free(e);
			return NULL;
		}
		*e->own = *observation->attributes;
	}
	e->public.attributes = e->own;
	for (unsigned i = 0; i < observation->n_paths; i++)
		e->parts[i].at = paths[i];
	return e;
}

int observations_add(struct observations *o, const struct observation *observation,
		     const struct observed *paths)
{
	struct entry *e;

	observations_remove(o, observation->token, observation->token_size);
	if (o->n == OBSERVATIONS_MAX || observation->n_paths > OBSERVED_PATHS_MAX - o->n_paths)
		return -ENOSPC;
	e = entry_new(observation, paths);
	if (!e)
		return -ENOMEM;
	e->stirred = true;
	e->sampled_usec = clock_monotonic_usec();
	list_append(&o->entries, &e->list);
	o->n++;
	o->n_paths += e->public.n_paths;
	entry_sent(e);
	backlog_adopt(o, e);
	if (e->backlog) {
		/* Behind the answer to the Observe. */
		e->recovered = true;
		e->retry_usec = usec_add(e->sent_usec, USEC_PER_SEC);
	}
	look(o);
	return 0;
}

bool observation_confirms(const struct observations *o, struct observation *observation, bool initial)
{
	const struct entry *e = container_of(observation, struct entry, public);
	struct attributes a = effective(o, e);

	if (a.present & ATTRIBUTE_CON && a.con)
		return true;
	for each_part(p, e)
		if (!e->own && attribute_set_confirms_below(o->config.attributes, &p->at.path))
			return true;
	return initial && !(a.present & ATTRIBUTE_CON);
}

int64_t observation_max_age(const struct observations *o, struct observation *observation)
{
	struct attributes a = effective(o, container_of(observation, struct entry, public));
	uint64_t repeat = condition_repeat_usec(&a);

	return repeat == USEC_INFINITY ? -1 : (int64_t)(repeat / USEC_PER_SEC);
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

bool observation_is_superseded(const struct observations *o, struct observation *observation)
{
	struct entry *e = container_of(observation, struct entry, public);
	const struct attributes a = effective(o, e);
	const bool recovered = e->recovered;
	uint64_t next;
	bool owed = is_good(e) && is_owed(o, e, &a, clock_monotonic_usec(), &next);

	e->recovered = recovered;
	return owed;
}

void observation_superseded(struct observation *observation)
{
	entry_sent(container_of(observation, struct entry, public));
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

void entry_owe(struct entry *e)
{
	for (unsigned i = 0; i < e->public.n_paths; i++)
		e->parts[i].changed = true;
	e->stirred = true;
}

void observation_failed(struct observations *o, struct observation *observation, uint64_t delay_usec)
{
	struct entry *e = container_of(observation, struct entry, public);

	entry_owe(e);
	e->retry_usec = usec_add(clock_monotonic_usec(), delay_usec);
	stir(o, e);
}

/* ---- changes ---- */

static void mark_part(const struct observations *o, struct entry *e, struct part *p, enum store_change change,
		      const struct path *path)
{
	struct attributes a;

	e->stirred = true;
	part_changed(p, change, path);
	if (p->at.path.depth < PATH_RESOURCE)
		return;
	a = e->own && !e->public.composite ? *e->own : attribute_set_effective(o->config.attributes, &p->at.path);
	part_note_side(p, &a);
}

static void mark(struct observations *o, enum store_change change, const struct path *paths, size_t n)
{
	struct entry *e;

	list_for_each(e, &o->entries, list)
		for (unsigned k = 0; k < e->public.n_paths && !e->dead; k++)
			for (size_t i = 0; i < n; i++)
				if (part_overlaps(&e->parts[k], &paths[i]))
					mark_part(o, e, &e->parts[k], change, &paths[i]);
}

static bool is_gone(const struct entry *e)
{
	return !e->public.composite && !store_exists(e->parts->at.store, &e->parts->at.path);
}

static void end_gone(struct observations *o)
{
	bool looking = o->looking;
	struct entry *e;

	o->looking = true;
	list_for_each(e, &o->entries, list) {
		if (e->dead || !e->stirred || !is_gone(e))
			continue;
		if (!e->detached)
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
	if (!o || list_is_empty(&o->entries))
		return;
	mark(o, change, paths, n);
	end_gone(o);
	look(o);
}
