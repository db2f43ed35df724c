/* SPDX-License-Identifier: Apache-2.0 */
#include "observe/attributes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

/* What attributes_each() writes can be read again, be it 1e300. */
#define NUMBER_MAX (FORMAT_DOUBLE_MAX - 1u)

static const struct attribute_row {
	const char *name;
	enum attribute attribute;
	size_t offset;
	uint32_t max; /* of a uint32_t; 0: it is a double */
} rows[] = {
	{ "pmin", ATTRIBUTE_PMIN, offsetof(struct attributes, pmin_s), UINT32_MAX },
	{ "pmax", ATTRIBUTE_PMAX, offsetof(struct attributes, pmax_s), UINT32_MAX },
	{ "gt", ATTRIBUTE_GT, offsetof(struct attributes, gt), 0 },
	{ "lt", ATTRIBUTE_LT, offsetof(struct attributes, lt), 0 },
	{ "st", ATTRIBUTE_ST, offsetof(struct attributes, st), 0 },
	{ "epmin", ATTRIBUTE_EPMIN, offsetof(struct attributes, epmin_s), UINT32_MAX },
	{ "epmax", ATTRIBUTE_EPMAX, offsetof(struct attributes, epmax_s), UINT32_MAX },
	{ "edge", ATTRIBUTE_EDGE, offsetof(struct attributes, edge), 1 },
	{ "con", ATTRIBUTE_CON, offsetof(struct attributes, con), 1 },
	{ "hqmax", ATTRIBUTE_HQMAX, offsetof(struct attributes, hqmax), UINT32_MAX },
};

static const struct attribute_row *row_find(const char *name, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strlen(rows[i].name) == size && memcmp(rows[i].name, name, size) == 0)
			return &rows[i];
	return NULL;
}

static int set_value(struct attributes *a, const struct attribute_row *row, const char *text)
{
	uint64_t number;
	int r;

	if (row->max == 0)
		return parse_double(text, (double *)((char *)a + row->offset));
	/* Hexadecimal is for YAML, not for the wire. */
	r = strpbrk(text, "xX") ? -EINVAL : parse_u64(text, &number);
	if (r < 0 || number > row->max)
		return -EINVAL;
	memcpy((char *)a + row->offset, &(uint32_t){ number }, sizeof(uint32_t));
	return 0;
}

static int apply_one(struct attributes *a, const struct span *query, unsigned depth)
{
	const char *text = (const char *)query->p, *equals = memchr(text, '=', query->n);
	size_t name_size = equals ? (size_t)(equals - text) : query->n;
	size_t value_size = equals ? query->n - name_size - 1 : 0;
	const struct attribute_row *row = row_find(text, name_size);
	char value[NUMBER_MAX + 1];

	if (!row || value_size > NUMBER_MAX || (value_size > 0 && memchr(equals + 1, 0, value_size)) ||
	    (row->attribute & ATTRIBUTES_OF_VALUES && depth < PATH_RESOURCE))
		return -EINVAL;
	if (value_size == 0) {
		a->present &= ~row->attribute;
		return 0;
	}
	memcpy(value, equals + 1, value_size);
	value[value_size] = 0;
	if (set_value(a, row, value) < 0)
		return -EINVAL;
	a->present |= row->attribute;
	return 0;
}

/* Core 7.3.2: the bounds must leave room between them. pmin over pmax is legal: pmax is then ignored. */
static bool is_consistent(const struct attributes *a)
{
	bool gt = a->present & ATTRIBUTE_GT, lt = a->present & ATTRIBUTE_LT, st = a->present & ATTRIBUTE_ST;
	bool epmin = a->present & ATTRIBUTE_EPMIN, epmax = a->present & ATTRIBUTE_EPMAX;

	if (epmin && epmax && a->epmin_s >= a->epmax_s)
		return false;
	if (st && !(a->st > 0))
		return false;
	if (!gt || !lt)
		return true;
	return a->lt < a->gt && (!st || a->lt + 2 * a->st < a->gt);
}

int attributes_apply(struct attributes *attributes, const struct span *queries, unsigned n, unsigned depth)
{
	struct attributes changed = *attributes;

	for (unsigned i = 0; i < n; i++)
		if (apply_one(&changed, &queries[i], depth) < 0)
			return -EINVAL;
	if (!is_consistent(&changed))
		return -EINVAL;
	*attributes = changed;
	return 0;
}

void attributes_inherit(struct attributes *lower, const struct attributes *upper)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t size = rows[i].max ? sizeof(uint32_t) : sizeof(double);

		if (!(upper->present & rows[i].attribute) || lower->present & rows[i].attribute)
			continue;
		memcpy((char *)lower + rows[i].offset, (const char *)upper + rows[i].offset, size);
		lower->present |= rows[i].attribute;
	}
}

enum choice { LARGEST, SMALLEST };

static void unite_one(struct attributes *all, const struct attributes *one, enum attribute attribute,
		      uint32_t *value, uint32_t other, enum choice choice)
{
	if (!(one->present & attribute) || (choice == SMALLEST && other == 0))
		return;
	if (!(all->present & attribute) || (choice == LARGEST ? other > *value : other < *value))
		*value = other;
	all->present |= attribute;
}

/* A pmax below the pmin of its own path is none (Core table 7.3.2-1), and hides no other. */
static uint32_t pmax_in_force(const struct attributes *a)
{
	return a->present & ATTRIBUTE_PMIN && a->pmax_s < a->pmin_s ? 0 : a->pmax_s;
}

void attributes_unite(struct attributes *all, const struct attributes *one)
{
	unite_one(all, one, ATTRIBUTE_PMIN, &all->pmin_s, one->pmin_s, LARGEST);
	unite_one(all, one, ATTRIBUTE_PMAX, &all->pmax_s, pmax_in_force(one), SMALLEST);
	unite_one(all, one, ATTRIBUTE_EPMIN, &all->epmin_s, one->epmin_s, LARGEST);
	unite_one(all, one, ATTRIBUTE_EPMAX, &all->epmax_s, one->epmax_s, SMALLEST);
	unite_one(all, one, ATTRIBUTE_CON, &all->con, one->con, LARGEST);
	unite_one(all, one, ATTRIBUTE_HQMAX, &all->hqmax, one->hqmax, LARGEST);
}

int attributes_each(const struct attributes *a, int (*f)(void *userdata, const char *name, const char *value),
		    void *userdata)
{
	char text[FORMAT_DOUBLE_MAX];
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows) && r == 0; i++) {
		const char *place = (const char *)a + rows[i].offset;
		uint32_t whole;
		double number;

		if (!(a->present & rows[i].attribute))
			continue;
		memcpy(&whole, place, sizeof(whole));
		if (rows[i].max) {
			snprintf(text, sizeof(text), "%" PRIu32, whole);
		} else {
			memcpy(&number, place, sizeof(number));
			format_double(number, text);
		}
		r = f(userdata, rows[i].name, text);
	}
	return r;
}
