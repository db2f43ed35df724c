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

static uint16_t find(const struct store *s, const struct backing *backing)
{
	/* Neighbours were set last. */
	for (uint16_t i = s->n_backings; i > 0; i--)
		if (s->backings[i - 1].ops == backing->ops &&
		    s->backings[i - 1].userdata == backing->userdata)
			return i;
	return 0;
}

int resource_set_backing(struct store *s, struct resource *r, const struct backing *backing)
{
	uint16_t number = backing ? find(s, backing) : 0;
	struct backing *grown;

	if (backing && number == 0) {
		if (s->n_backings == STORE_BACKINGS_MAX)
			return -ENOSPC;
		grown = reallocarray(s->backings, s->n_backings + 1u, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		s->backings = grown;
		grown[s->n_backings] = *backing;
		number = ++s->n_backings;
	}
	r->backing = number;
	return 0;
}
