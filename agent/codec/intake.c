/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/intake.h"

#include <errno.h>
#include <stdlib.h>

int intake_fail(struct intake *in, const char *reason)
{
	if (!in->reason)
		in->reason = reason;
	return -EINVAL;
}

const struct resource_definition *intake_definition(const struct intake *in,
						    const struct path *path)
{
	return in->lookup && path->depth >= PATH_RESOURCE ? in->lookup(in->userdata, path) : NULL;
}

int intake_add(struct intake *in, const struct path *path, struct value *value,
	       uint64_t boottime_usec)
{
	int r;

	if (!path_contains(in->base, path)) {
		value_done(value);
		return intake_fail(in, "path outside the target");
	}
	r = records_add(in->records, path, value, boottime_usec);
	return r == -E2BIG ? intake_fail(in, "too many values") : r;
}

int intake_add_wire(struct intake *in, const struct path *path, const struct wire *w,
		    uint64_t boottime_usec)
{
	const struct resource_definition *definition = intake_definition(in, path);
	_cleanup_value_ struct value value = { 0 };
	int r;

	r = wire_to_value(w, definition ? definition->type : VALUE_NONE, &value);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return intake_fail(in, wire_reason(r));
	return intake_add(in, path, &value, boottime_usec);
}

int intake_check_single(struct intake *in)
{
	const struct resource_definition *definition;

	if (in->base->depth < PATH_RESOURCE)
		return intake_fail(in, "format carries one value only");
	definition = intake_definition(in, in->base);
	if (in->base->depth == PATH_RESOURCE && definition && definition->multiple)
		return intake_fail(in, "format carries one instance only");
	return 0;
}

/* By path, then by time. */
static int compare(const struct record *a, const struct record *b)
{
	int order = path_compare(&a->path, &b->path);

	if (order != 0)
		return order;
	return (a->boottime_usec > b->boottime_usec) - (a->boottime_usec < b->boottime_usec);
}

/* Of two in order: the same value twice, or a resource beside its own instances. */
static bool collide(const struct record *a, const struct record *b)
{
	return path_contains(&a->path, &b->path) &&
	       (a->path.depth < b->path.depth || a->boottime_usec == b->boottime_usec);
}

static int compare_items(const void *a, const void *b)
{
	return compare(*(const struct record *const *)a, *(const struct record *const *)b);
}

static bool is_ascending(const struct record *items, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (compare(&items[i - 1], &items[i]) >= 0)
			return false;
	return true;
}

/* Sorting keeps this from being quadratic in what a peer sends. */
static int check_duplicates(struct intake *in)
{
	size_t n = in->records->n - in->first;
	_cleanup_free_ const struct record **sorted = NULL;
	const struct record *items;

	if (n < 2)
		return 0;
	items = in->records->items + in->first;
	if (!is_ascending(items, n)) {
		sorted = reallocarray(NULL, n, sizeof(*sorted));
		if (!sorted)
			return -ENOMEM;
		for (size_t i = 0; i < n; i++)
			sorted[i] = &items[i];
		qsort(sorted, n, sizeof(*sorted), compare_items);
	}
	for (size_t i = 1; i < n; i++)
		if (collide(sorted ? sorted[i - 1] : &items[i - 1], sorted ? sorted[i] : &items[i]))
			return intake_fail(in, "path occurs twice");
	return 0;
}

int intake_end(struct intake *in, int r, const char **ret_reason)
{
	if (r >= 0)
		r = check_duplicates(in);
	if (r >= 0)
		return 0;
	while (in->records->n > in->first)
		value_done(&in->records->items[--in->records->n].value);
	if (r == -ENOMEM)
		return r;
	if (ret_reason)
		*ret_reason = in->reason ? in->reason : "content cannot be read";
	return -EINVAL;
}
