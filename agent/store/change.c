/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "store/internal.h"

/* What watchers see: one change for all that happened inside the outermost bracket. */

void changed_value(struct store *s, const struct path *path)
{
	struct path *grown;

	if (!s->watch)
		return;
	if (s->n_changed == s->changed_allocated) {
		uint32_t n = s->changed_allocated ? 2 * s->changed_allocated : 8;

		grown = reallocarray(s->changed, n, sizeof(*grown));
		/* Without memory for the note the whole instance list is looked at again. */
		if (!grown) {
			s->instances_changed = true;
			return;
		}
		s->changed = grown;
		s->changed_allocated = n;
	}
	s->changed[s->n_changed++] = path_cut(path, PATH_RESOURCE);
}

void changed_instances(struct store *s)
{
	s->instances_changed = true;
}

void store_set_watch(struct store *s, store_watch watch, void *userdata)
{
	s->watch = watch;
	s->watch_userdata = userdata;
}

static int by_path(const void *a, const void *b)
{
	return path_compare(a, b);
}

static size_t sort_and_unite(struct path *paths, size_t n)
{
	size_t kept = 0;

	qsort(paths, n, sizeof(*paths), by_path);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || !path_equal(&paths[kept - 1], &paths[i]))
			paths[kept++] = paths[i];
	return kept;
}

void store_begin(struct store *s)
{
	s->brackets++;
}

/* A watch may change the store again: its changes are a change of their own. */
void store_end(struct store *s)
{
	if (--s->brackets > 0)
		return;
	while (s->watch && (s->instances_changed || s->n_changed > 0)) {
		struct path *paths = s->changed;
		size_t n = sort_and_unite(paths, s->n_changed);
		bool instances = s->instances_changed;

		s->changed = NULL;
		s->n_changed = s->changed_allocated = 0;
		s->instances_changed = false;
		if (instances)
			s->watch(s->watch_userdata, STORE_CHANGE_INSTANCES, NULL, 0);
		if (n > 0 && s->watch)
			s->watch(s->watch_userdata, STORE_CHANGE_VALUES, paths, n);
		free(paths);
	}
}

void store_set_demand(struct store *s, store_demand demand, void *userdata)
{
	s->demand = demand;
	s->demand_userdata = userdata;
}

void store_want(struct store *s, const struct path *path, uint64_t period_usec)
{
	if (s->demand)
		s->demand(s->demand_userdata, path, period_usec);
}
