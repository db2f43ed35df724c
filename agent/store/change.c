/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "store/internal.h"

/* What watchers see: one change for all that happened inside the outermost bracket. */

void change_note(struct store *s, const struct path *path)
{
	struct path *grown;

	if (!s->watch)
		return;
	if (s->n_changed == s->changed_allocated) {
		uint32_t n = s->changed_allocated ? 2 * s->changed_allocated : 8;

		grown = reallocarray(s->changed, n, sizeof(*grown));
		if (!grown) {
			s->overlooked = true;
			return;
		}
		s->changed = grown;
		s->changed_allocated = n;
	}
	s->changed[s->n_changed++] = path_cut(path, PATH_RESOURCE);
}

void store_set_watch(struct store *s, store_watch watch, void *userdata)
{
	s->watch = watch;
	s->watch_userdata = userdata;
}

static bool is_shape(const struct path *path)
{
	return path->depth < PATH_RESOURCE;
}

/* Objects and instances before values. */
static int by_kind_and_path(const void *a, const void *b)
{
	int order = (int)is_shape(b) - (int)is_shape(a);

	return order != 0 ? order : path_compare(a, b);
}

static size_t sort_and_unite(struct path *paths, size_t n)
{
	size_t kept = 0;

	if (n > 0)
		qsort(paths, n, sizeof(*paths), by_kind_and_path);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || !path_equal(&paths[kept - 1], &paths[i]))
			paths[kept++] = paths[i];
	return kept;
}

void store_begin(struct store *s)
{
	s->brackets++;
}

static void tell(struct store *s, enum store_change change, const struct path *paths, size_t n)
{
	if (n > 0 && s->watch)
		s->watch(s->watch_userdata, change, paths, n);
}

/* A watch may change the store again: its changes are a change of their own. */
void store_end(struct store *s)
{
	static const struct path root = { .depth = PATH_ROOT };

	if (--s->brackets > 0)
		return;
	while (s->watch && (s->overlooked || s->n_changed > 0)) {
		struct path *paths = s->changed;
		size_t n = sort_and_unite(paths, s->n_changed), shapes = 0;
		bool overlooked = s->overlooked;

		s->changed = NULL;
		s->n_changed = s->changed_allocated = 0;
		s->overlooked = false;
		while (shapes < n && is_shape(&paths[shapes]))
			shapes++;
		tell(s, STORE_CHANGE_INSTANCES, overlooked ? &root : paths,
		     overlooked ? 1 : shapes);
		tell(s, STORE_CHANGE_VALUES, n > shapes ? &paths[shapes] : NULL, n - shapes);
		free(paths);
	}
}
