/* SPDX-License-Identifier: Apache-2.0 */
#include "model/record.h"

#include <errno.h>
#include <stdlib.h>

static int records_grow(struct records *r)
{
	size_t allocated = r->allocated ? r->allocated * 2 : 8;
	struct record *items;

	if (r->n >= RECORDS_MAX)
		return -E2BIG;
	if (r->n < r->allocated)
		return 0;
	items = reallocarray(r->items, allocated, sizeof(*items));
	if (!items)
		return -ENOMEM;
	r->items = items;
	r->allocated = allocated;
	return 0;
}

int records_add(struct records *r, const struct path *path, struct value *value, uint64_t boottime_usec)
{
	int error = records_grow(r);

	if (error < 0) {
		value_done(value);
		return error;
	}
	r->items[r->n++] =
		(struct record){ .path = *path, .value = *value, .boottime_usec = boottime_usec };
	*value = (struct value){ 0 };
	return 0;
}

int records_add_copy(struct records *r, const struct path *path, const struct value *value,
		     uint64_t boottime_usec)
{
	struct value copy;
	int error = value_copy(value, &copy);

	return error < 0 ? error : records_add(r, path, &copy, boottime_usec);
}

void records_done(struct records *r)
{
	for (size_t i = 0; i < r->n; i++)
		value_done(&r->items[i].value);
	free(r->items);
	*r = (struct records){ 0 };
}

const struct record *records_find(const struct records *r, const struct path *path)
{
	for (size_t i = 0; i < r->n; i++)
		if (path_equal(&r->items[i].path, path))
			return &r->items[i];
	return NULL;
}
