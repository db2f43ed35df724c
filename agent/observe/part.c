/* SPDX-License-Identifier: Apache-2.0 */
#include "observe/part.h"

#include "base/macro.h"
#include "observe/condition.h"

void part_done(struct part *p)
{
	records_done(&p->last);
}

static bool is_of_resource(const struct part *p)
{
	return p->at.path.depth >= PATH_RESOURCE;
}

static int current(const struct part *p, struct records *ret)
{
	return store_collect(p->at.store, &p->at.path, false, ret, NULL);
}

void part_sent(struct part *p)
{
	p->changed = false;
	if (!is_of_resource(p))
		return;
	records_done(&p->last);
	current(p, &p->last);
}

bool part_overlaps(const struct part *p, const struct path *path)
{
	return path_contains(&p->at.path, path) || path_contains(path, &p->at.path);
}

static bool has_crossed(const struct part *p, const struct attributes *a)
{
	_cleanup_records_ struct records now = { 0 };

	/* What is not there has no values. */
	if (!is_of_resource(p) || (current(p, &now) < 0 && p->last.n == 0))
		return false;
	/* A resource instance that came or went is a change of its own. */
	if (now.n != p->last.n)
		return true;
	for (size_t i = 0; i < now.n; i++) {
		const struct record *before = records_find(&p->last, &now.items[i].path);
		double last, value;

		if (!before || value_to_double(&before->value, &last) < 0 ||
		    value_to_double(&now.items[i].value, &value) < 0)
			return p->changed;
		if (condition_crossed(a, last, value))
			return true;
	}
	return false;
}

bool part_is_good(const struct part *p)
{
	struct path resource = path_cut(&p->at.path, PATH_RESOURCE);

	return !is_of_resource(p) || store_quality(p->at.store, &resource) == STORE_GOOD;
}

/* What went bad is nothing to send. */
static bool is_bad(const struct part *p)
{
	return !part_is_good(p) && store_exists(p->at.store, &p->at.path);
}

bool part_triggers(const struct part *p, const struct attributes *a)
{
	if (is_bad(p))
		return false;
	return a->present & ATTRIBUTES_OF_VALUES ? has_crossed(p, a) : p->changed;
}

void part_count(const struct part *p, size_t *ret_good, unsigned *ret_left_out)
{
	_cleanup_records_ struct records now = { 0 };

	*ret_good = 0;
	*ret_left_out = 0;
	if (store_collect(p->at.store, &p->at.path, false, &now, ret_left_out) >= 0)
		*ret_good = now.n;
}

/* ---- changes ---- */

/* Time stamps and quality never trigger by themselves (configuration.md "Staleness"). */
static bool is_quiet(uint16_t resource)
{
	return resource == 5518 || resource == 6050 || resource == 6042 || resource == 6049;
}

static bool differs(const struct part *p)
{
	_cleanup_records_ struct records now = { 0 };

	if (current(p, &now) < 0 || now.n != p->last.n)
		return true;
	return now.n > 0 && !value_equal(&now.items[0].value, &p->last.items[0].value);
}

static bool is_news(const struct part *p, const struct path *path)
{
	/* Observed by itself, even a time stamp is news. */
	if (is_quiet(path->resource) && p->at.path.depth < PATH_RESOURCE)
		return false;
	/* A value that went bad is nothing to send. */
	if (store_quality(p->at.store, path) != STORE_GOOD && store_exists(p->at.store, path))
		return false;
	/* The store names the resource; which of its instances changed shows only here. */
	return p->at.path.depth < PATH_RESOURCE_INSTANCE || differs(p);
}

void part_changed(struct part *p, enum store_change change, const struct path *path)
{
	/* Absent as it was. */
	if (is_of_resource(p) && p->last.n == 0 && !store_exists(p->at.store, &p->at.path))
		return;
	if (!p->changed)
		p->changed = change == STORE_CHANGE_INSTANCES || is_news(p, path);
}

void part_note_side(struct part *p, const struct attributes *a)
{
	_cleanup_records_ struct records now = { 0 };

	if (!(a->present & ATTRIBUTE_EDGE) || !is_of_resource(p) || current(p, &now) < 0)
		return;
	for (size_t i = 0; i < p->last.n; i++) {
		struct value *last = &p->last.items[i].value;
		const struct record *r = records_find(&now, &p->last.items[i].path);

		if (r && last->type == VALUE_BOOLEAN && r->value.boolean != a->edge)
			last->boolean = r->value.boolean;
	}
}
