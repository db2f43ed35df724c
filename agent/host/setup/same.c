/* SPDX-License-Identifier: Apache-2.0 */
#include "host/setup/same.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* ---- what a configuration says ---- */

static bool same_double(double a, double b)
{
	/* Not by value: NaN is the same as itself here. */
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static bool same_value(const struct fieldway_value *a, const struct fieldway_value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case FIELDWAY_NONE:
		return true;
	case FIELDWAY_BOOL:
		return a->boolean == b->boolean;
	case FIELDWAY_INT:
		return a->integer == b->integer;
	case FIELDWAY_UINT:
		return a->unsignd == b->unsignd;
	case FIELDWAY_FLOAT:
		return same_double(a->real, b->real);
	case FIELDWAY_STRING:
	case FIELDWAY_BYTES:
		return a->size == b->size &&
		       (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
	}
	return false;
}

static bool same_values(const struct fieldway_value *a, size_t n_a, const struct fieldway_value *b,
			size_t n_b)
{
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++)
		if (!same_value(&a[i], &b[i]))
			return false;
	return true;
}

static bool same_settings(const struct fieldway_settings *a, const struct fieldway_settings *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!streq(a->items[i].key, b->items[i].key) ||
		    !same_value(&a->items[i].value, &b->items[i].value))
			return false;
	return true;
}

static bool same_verify(const struct link_verify *a, const struct link_verify *b)
{
	return a->enabled == b->enabled && a->within_usec == b->within_usec &&
	       same_double(a->tolerance, b->tolerance) && a->point == b->point;
}

static bool same_point(const struct link_point *a, const struct link_point *b)
{
	return streq(a->name, b->name) && a->access == b->access &&
	       same_double(a->scale, b->scale) && same_double(a->offset, b->offset) &&
	       same_double(a->factor, b->factor) &&
	       same_values(a->invalid, a->n_invalid, b->invalid, b->n_invalid) &&
	       a->inexact_reject == b->inexact_reject && same_verify(&a->verify, &b->verify) &&
	       a->period_usec == b->period_usec && same_double(a->deadband, b->deadband) &&
	       a->sample_usec == b->sample_usec && a->sample_keep == b->sample_keep &&
	       a->silence_usec == b->silence_usec && a->scale10 == b->scale10 &&
	       same_settings(&a->settings, &b->settings);
}

static bool same_type(const struct link_type *a, const struct link_type *b)
{
	if (a->n_points != b->n_points || a->identify.point != b->identify.point ||
	    !same_values(a->identify.values, a->identify.n_values, b->identify.values,
			 b->identify.n_values) ||
	    !same_settings(&a->settings, &b->settings))
		return false;
	for (size_t i = 0; i < a->n_points; i++)
		if (!same_point(&a->points[i], &b->points[i]))
			return false;
	return true;
}

bool setup_same_bus(const struct setup *a, const struct setup *b)
{
	const struct link_configuration *x = a->configuration, *y = b->configuration;

	return a->plugin == b->plugin && streq(x->bus.name, y->bus.name) &&
	       same_settings(&x->bus.settings, &y->bus.settings) &&
	       x->bus.timeout_usec == y->bus.timeout_usec && x->retries == y->retries &&
	       x->offline_after == y->offline_after &&
	       x->offline_first_usec == y->offline_first_usec &&
	       x->offline_last_usec == y->offline_last_usec;
}

/* ---- types, of which many devices have the same ---- */

struct same_types {
	const struct setup *before, *after;
	struct compared {
		uint32_t with; /* index among those of before, plus one; 0: none yet */
		bool same;
	} types[];
};

int same_types_new(const struct setup *before, const struct setup *after, struct same_types **ret)
{
	struct same_types *s =
		calloc(1, sizeof(*s) + (after->configuration->n_types + 1) * sizeof(*s->types));

	if (!s)
		return -ENOMEM;
	s->before = before;
	s->after = after;
	*ret = s;
	return 0;
}

struct same_types *same_types_free(struct same_types *s)
{
	free(s);
	return NULL;
}

static bool same_types_of(struct same_types *s, uint32_t before, uint32_t after)
{
	struct compared *c = &s->types[after];

	if (c->with != before + 1)
		*c = (struct compared){ before + 1,
					same_type(&s->before->configuration->types[before],
						  &s->after->configuration->types[after]) };
	return c->same;
}

/* ---- what a plugin makes of it ---- */

static bool same_request(const struct fieldway_request *a, const struct fieldway_request *b)
{
	return a->n_points == b->n_points && a->token == b->token && streq(a->text, b->text) &&
	       memcmp(a->points, b->points, a->n_points * sizeof(*a->points)) == 0;
}

static bool same_requests(const struct setup_device *a, const struct setup_device *b)
{
	if (a->n_polls != b->n_polls || !a->identify != !b->identify)
		return false;
	for (size_t i = 0; i < a->n_polls; i++)
		if (a->polls[i].period_usec != b->polls[i].period_usec ||
		    !same_request(a->polls[i].request, b->polls[i].request))
			return false;
	return !a->identify || same_request(a->identify, b->identify);
}

bool setup_same_device(struct same_types *s, const struct setup_device *a,
		       const struct setup_device *b)
{
	return a->link->id == b->link->id && streq(a->link->name, b->link->name) &&
	       a->io == b->io && streq(a->line, b->line) &&
	       same_settings(&a->link->address, &b->link->address) &&
	       same_types_of(s, a->link->type, b->link->type) && same_requests(a, b);
}
