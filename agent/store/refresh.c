/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

/* What a server is about to read, or wants to be told of, brought up to date. */
struct refresh {
	struct store *store;
	uint64_t period_usec;
	unsigned waiting; /* and one more while it begins */
	int error;
	char *reason;
	backing_done done;
	void *userdata;
};

static void refresh_one_done(void *userdata, int error, const char *reason)
{
	struct refresh *f = userdata;

	if (error < 0 && f->error >= 0) {
		f->error = error;
		f->reason = reason ? strdup(reason) : NULL;
	}
	if (--f->waiting > 0)
		return;
	if (f->done)
		f->done(f->userdata, f->error, f->reason);
	free(f->reason);
	free(f);
}

static int refresh_below(void *userdata, const struct path *path)
{
	struct refresh *f = userdata;
	const struct path resource = path_cut(path, PATH_RESOURCE);
	const struct resource *r;
	const struct backing *backing;

	if (path->depth < PATH_RESOURCE)
		return store_children(f->store, path, refresh_below, f);
	r = resource_find(f->store, &resource);
	backing = r ? resource_backing(f->store, r) : NULL;
	if (!backing || !backing->ops->refresh)
		return 0;
	f->waiting++;
	backing->ops->refresh(backing->userdata, &resource, f->period_usec, refresh_one_done, f);
	return 0;
}

static void refresh_all(struct store *s, const struct path *path, uint64_t period_usec, backing_done done,
			void *userdata)
{
	struct refresh *f = calloc(1, sizeof(*f));

	if (!f) {
		if (done)
			done(userdata, -ENOMEM, NULL);
		return;
	}
	*f = (struct refresh){ .store = s,
			       .period_usec = period_usec,
			       .waiting = 1,
			       .done = done,
			       .userdata = userdata };
	refresh_below(f, path);
	refresh_one_done(f, 0, NULL);
}

void store_refresh(struct store *s, const struct path *path, backing_done done, void *userdata)
{
	refresh_all(s, path, UINT64_MAX, done, userdata);
}

void store_sample(struct store *s, const struct path *path, uint64_t period_usec)
{
	refresh_all(s, path, period_usec, NULL, NULL);
}
