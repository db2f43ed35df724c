/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "store/internal.h"

/*
 * Of the two dozen resources of an idle endpoint few are backed, by two or
 * three owners: each has the number of its backing rather than a copy.
 */

const struct backing *resource_backing(const struct store *s, const struct resource *r)
{
	return r->backing > 0 ? &s->backings[r->backing - 1] : NULL;
}

/* A place that is free is like a backing without ops. */
static uint16_t find(const struct store *s, const struct backing *backing)
{
	/* Neighbours were set last. */
	for (uint16_t i = s->n_backings; i > 0; i--)
		if (s->backings[i - 1].ops == backing->ops &&
		    s->backings[i - 1].userdata == backing->userdata)
			return i;
	return 0;
}

static void mark_used(const struct object *o, bool *used)
{
	for (uint16_t i = 0; i < o->n; i++)
		for (uint16_t k = 0; k < o->instances[i].n; k++)
			used[o->instances[i].resources[k].backing] = true;
}

/* Frees the places of those that back nothing any more; without memory they stay until the next time. */
static void sweep(struct store *s)
{
	bool *used = calloc(s->n_backings + 1u, sizeof(*used));

	if (!used)
		return;
	for (uint16_t o = 0; o < s->n; o++)
		mark_used(&s->objects[o], used);
	for (uint16_t i = 0; i < s->n_backings; i++)
		if (!used[i + 1u])
			s->backings[i] = (struct backing){ 0 };
	free(used);
	s->left = false;
}

/* Number of a free place, 0: none. */
static uint16_t find_room(struct store *s)
{
	static const struct backing none;

	if (s->left)
		sweep(s);
	return find(s, &none);
}

static int add(struct store *s, const struct backing *backing, uint16_t *ret)
{
	uint16_t number = find_room(s);
	struct backing *grown;

	if (number == 0) {
		if (s->n_backings == STORE_BACKINGS_MAX)
			return -ENOSPC;
		grown = reallocarray(s->backings, s->n_backings + 1u, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		s->backings = grown;
		number = ++s->n_backings;
	}
	s->backings[number - 1] = *backing;
	*ret = number;
	return 0;
}

int resource_set_backing(struct store *s, struct resource *r, const struct backing *backing)
{
	uint16_t number = backing ? find(s, backing) : 0;
	int error = backing && number == 0 ? add(s, backing, &number) : 0;

	if (error < 0)
		return error;
	s->left |= r->backing > 0 && r->backing != number;
	r->backing = number;
	return 0;
}

void resource_leave_backing(struct store *s, struct resource *r)
{
	s->left |= r->backing > 0;
	r->backing = 0;
}

int store_hand_over(struct store *s, const struct path *resource, const struct backing *to)
{
	const struct path path = path_cut(resource, PATH_RESOURCE);
	const struct resource *r = resource_find(s, &path);

	if (!r || r->backing == 0)
		return -ENOENT;
	s->backings[r->backing - 1] = *to;
	return 0;
}

const struct backing *store_backing(const struct store *s, const struct path *resource)
{
	const struct path path = path_cut(resource, PATH_RESOURCE);
	const struct resource *r = resource_find(s, &path);

	return r ? resource_backing(s, r) : NULL;
}

uint8_t store_operations(const struct store *s, const struct path *resource)
{
	const struct path path = path_cut(resource, PATH_RESOURCE);
	const struct resource_definition *definition = store_resource(s, &path);
	const struct backing *backing = store_backing(s, &path);
	uint8_t operations;

	if (!definition || !store_exists(s, &path))
		return 0;
	operations = definition->operations;
	if (backing && backing->ops->is_writable && !backing->ops->is_writable(backing->userdata, &path))
		operations &= (uint8_t)~OPERATION_WRITE;
	return operations;
}
