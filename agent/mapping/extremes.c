/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "mapping/internal.h"

/*
 * Minimum and maximum measured values and their reset, kept by the agent
 * wherever the object has them and nothing maps them (configuration.md "Given
 * without asking"). The running extremes are the resources themselves.
 */
static const struct extreme extremes[] = {
	{ 3305, 5800, 5801, 5802, 5605 },
	{ 3305, 5810, 5811, 5812, 5605 },
	{ 3202, 5600, 5601, 5602, 5605 },
	{ 3332, 5705, 5601, 5602, 5605 },
	{ 3337, 5536, 5601, 5602, 5605 },
	{ ID_NONE, 5700, 5601, 5602, 5605 },
};

const struct extreme *extreme_find(const struct path *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(extremes); i++)
		if ((extremes[i].object == ID_NONE || extremes[i].object == value->object) &&
		    extremes[i].value == value->resource)
			return &extremes[i];
	return NULL;
}

static struct path sibling(const struct path *path, uint16_t resource)
{
	return path_of_resource(path->object, path->instance, resource);
}

static bool is_kept(const struct mapped_endpoint *e, const struct path *path)
{
	return store_resource(e->store, path) && !map_covers(e->config, path);
}

/* Execute 5605: both become the value of now, or go away when there is none. */
static void reset_one(struct mapped_endpoint *e, const struct path *any, const struct extreme *x)
{
	struct path value_path = sibling(any, x->value);
	const struct path bounds[] = { sibling(any, x->minimum), sibling(any, x->maximum) };
	_cleanup_value_ struct value value = { 0 };

	if (store_read(e->store, &value_path, true, &value, NULL) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(bounds); i++)
		if (is_kept(e, &bounds[i]) && store_exists(e->store, &bounds[i]))
			store_update_one(e->store, &bounds[i], &value);
}

static void reset_execute(void *userdata, const struct path *path, const char *argument,
			  backing_done done, void *done_userdata)
{
	struct mapped_endpoint *e = userdata;

	(void)argument;
	done(done_userdata, 0, NULL);
	if (!e->store)
		return;
	store_begin(e->store);
	for (size_t i = 0; i < ARRAY_SIZE(extremes); i++)
		if (extremes[i].object == ID_NONE || extremes[i].object == path->object)
			reset_one(e, path, &extremes[i]);
	store_end(e->store);
}

static const struct backing_ops reset_backing = { .execute = reset_execute };

int extremes_add_reset(struct mapped_endpoint *e, const struct mapped_row *row)
{
	const struct backing backing = { .ops = &reset_backing, .userdata = e };
	const struct path *value = &row_map(row)->path;
	struct path reset;

	if (!row_plan(row)->resets)
		return 0;
	reset = sibling(value, extreme_find(value)->reset);
	return store_exists(e->store, &reset) ? 0 : store_add_resource(e->store, &reset, &backing);
}

static int widen(struct mapped_endpoint *e, const struct path *bound, double number, int direction,
		 const struct value *value, struct records *out)
{
	_cleanup_value_ struct value old = { 0 };
	double reached;

	if (store_read(e->store, bound, true, &old, NULL) >= 0 && value_to_double(&old, &reached) >= 0 &&
	    (number - reached) * direction <= 0)
		return 0;
	return records_add_copy(out, bound, value, 0);
}

int extremes_update(struct mapped_row *row, const struct value *value, struct records *out)
{
	const struct row_plan *plan = row_plan(row);
	const struct path *resource = &row_map(row)->path;
	const struct extreme *x = extreme_find(resource);
	struct path bound;
	double number;
	int r = 0;

	if (!x || (!plan->minimum && !plan->maximum) || value_to_double(value, &number) < 0)
		return 0;
	if (plan->minimum) {
		bound = sibling(resource, x->minimum);
		r = widen(row->endpoint, &bound, number, -1, value, out);
	}
	if (plan->maximum && r >= 0) {
		bound = sibling(resource, x->maximum);
		r = widen(row->endpoint, &bound, number, 1, value, out);
	}
	return r;
}
