/* SPDX-License-Identifier: Apache-2.0 */
#include "model/definition.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "model/definition_internal.h"

int definitions_new(struct definitions **ret)
{
	struct definitions *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	*ret = d;
	return 0;
}

struct object_definition *object_definition_free(struct object_definition *o)
{
	if (!o)
		return NULL;
	for (size_t i = 0; i < o->n_resources; i++) {
		free(o->resources[i].name);
		free(o->resources[i].unit);
		free(o->resources[i].range.values);
	}
	free(o->resources);
	free(o->name);
	free(o);
	return NULL;
}

struct definitions *definitions_free(struct definitions *d)
{
	if (!d)
		return NULL;
	for (size_t i = 0; i < d->n; i++)
		object_definition_free(d->objects[i]);
	for (size_t i = 0; i < d->n_replaced; i++)
		object_definition_free(d->replaced[i]);
	free(d->objects);
	free(d->replaced);
	free(d);
	return NULL;
}

static int compare(const struct object_definition *o, uint16_t id, uint16_t version)
{
	if (o->id != id)
		return o->id < id ? -1 : 1;
	return (int)o->version - (int)version;
}

/* Position of the first definition that is not before (id, version). */
static size_t position(const struct definitions *d, uint16_t id, uint16_t version)
{
	size_t low = 0, high = d->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare(d->objects[middle], id, version) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int push(struct object_definition ***items, size_t *n, struct object_definition *o)
{
	struct object_definition **grown = reallocarray(*items, *n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	*items = grown;
	grown[(*n)++] = o;
	return 0;
}

int definitions_add(struct definitions *d, struct object_definition *o)
{
	size_t at = position(d, o->id, o->version);
	int r;

	/* Objects never move and never go away: a replaced one is kept aside. */
	if (at < d->n && compare(d->objects[at], o->id, o->version) == 0) {
		r = push(&d->replaced, &d->n_replaced, d->objects[at]);
		if (r >= 0)
			d->objects[at] = o;
		return r;
	}
	r = push(&d->objects, &d->n, o);
	if (r < 0)
		return r;
	memmove(&d->objects[at + 1], &d->objects[at], (d->n - 1 - at) * sizeof(*d->objects));
	d->objects[at] = o;
	return 0;
}

const struct object_definition *definitions_find(const struct definitions *d, uint16_t id, uint16_t version)
{
	size_t at = position(d, id, version);

	return at < d->n && compare(d->objects[at], id, version) == 0 ? d->objects[at] : NULL;
}

const struct object_definition *definitions_newest(const struct definitions *d, uint16_t id)
{
	size_t at = position(d, id + 1, 0);

	return at > 0 && d->objects[at - 1]->id == id ? d->objects[at - 1] : NULL;
}

/* Core 7.2.3: what a link without ver means; 0 where the object did not exist. */
static const struct implied {
	uint16_t id, in_1_1, in_1_2;
} implied[] = {
	{ 0, VERSION(1, 1), VERSION(1, 2) }, { 1, VERSION(1, 1), VERSION(1, 2) },
	{ 2, VERSION(1, 0), VERSION(1, 1) }, { 3, VERSION(1, 1), VERSION(1, 2) },
	{ 4, VERSION(1, 2), VERSION(1, 3) }, { 5, VERSION(1, 0), VERSION(1, 1) },
	{ 6, VERSION(1, 0), VERSION(1, 0) }, { 7, VERSION(1, 0), VERSION(1, 0) },
	{ 21, VERSION(1, 0), VERSION(2, 0) },
};

uint16_t object_version_implied(uint16_t id, enum lwm2m_version lwm2m)
{
	for (size_t i = 0; i < ARRAY_SIZE(implied) && lwm2m > LWM2M_1_0; i++)
		if (implied[i].id == id)
			return lwm2m == LWM2M_1_1 ? implied[i].in_1_1 : implied[i].in_1_2;
	return VERSION(1, 0);
}

static bool is_of_standard(uint16_t id)
{
	for (size_t i = 0; i < ARRAY_SIZE(implied); i++)
		if (implied[i].id == id)
			return true;
	return false;
}

const struct object_definition *definitions_for(const struct definitions *d,
						const struct object_definition *own,
						enum lwm2m_version lwm2m)
{
	uint16_t version;

	/* Our Firmware Update is 1.2 and says so by ver=1.2 (lwm2m.md). */
	if (own->id == 5 && lwm2m == LWM2M_1_2)
		version = VERSION(1, 2);
	else if (is_of_standard(own->id))
		version = object_version_implied(own->id, lwm2m);
	else
		return own;
	return version == own->version ? own : definitions_find(d, own->id, version) ?: own;
}

const struct resource_definition *object_resource(const struct object_definition *o, uint16_t id)
{
	size_t low = 0, high = o->n_resources;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (o->resources[middle].id == id)
			return &o->resources[middle];
		if (o->resources[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

bool definitions_equal(const struct definitions *a, const struct definitions *b)
{
	bool equal = a->n == b->n;

	for (size_t i = 0; i < a->n && equal; i++)
		equal = object_definition_equal(a->objects[i], b->objects[i]);
	return equal;
}

static bool range_equal(const struct range *a, const struct range *b)
{
	return a->present == b->present && a->minimum == b->minimum && a->maximum == b->maximum &&
	       a->n == b->n && (a->n == 0 || memcmp(a->values, b->values, a->n * sizeof(*a->values)) == 0);
}

static bool resource_equal(const struct resource_definition *a, const struct resource_definition *b)
{
	return a->id == b->id && a->operations == b->operations && a->multiple == b->multiple &&
	       a->mandatory == b->mandatory && a->type == b->type && streq_null(a->name, b->name) &&
	       streq_null(a->unit, b->unit) && range_equal(&a->range, &b->range);
}

bool object_definition_equal(const struct object_definition *a, const struct object_definition *b)
{
	bool equal = a->id == b->id && a->version == b->version && a->multiple == b->multiple &&
		     a->mandatory == b->mandatory && streq_null(a->name, b->name) &&
		     a->n_resources == b->n_resources;

	for (size_t i = 0; i < a->n_resources && equal; i++)
		equal = resource_equal(&a->resources[i], &b->resources[i]);
	return equal;
}

int range_check(const struct range *range, const struct value *v)
{
	double number;

	if (!range->present)
		return 0;
	if (v->type == VALUE_STRING || v->type == VALUE_OPAQUE || v->type == VALUE_CORELNK)
		number = v->size;
	else if (value_to_double(v, &number) < 0)
		return 0;
	for (uint16_t i = 0; i < range->n; i++)
		if (number == (double)range->values[i])
			return 0;
	if (range->n > 0)
		return -ERANGE;
	return number >= range->minimum && number <= range->maximum ? 0 : -ERANGE;
}
