/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "mapping/internal.h"

/*
 * Points of the rate `on-demand` are read when a server reads what shows them, and
 * those that are polled less often than a server wants to hear of them in between.
 */

/* What was read so short a time ago is not read again: several servers, and the rows of an instance. */
#define FRESH_USEC USEC_PER_SEC

/* A resource that waits for its device. */
struct asking {
	struct list list; /* mapped_endpoint.asking */
	struct mapped_endpoint *endpoint;
	uint32_t device;
	struct path path;
	bool sampling; /* in between; nobody waits for it */
	backing_done done;
	void *userdata;
};

static bool row_is_asked(const struct mapped_row *row, const struct path *resource, uint64_t period_usec)
{
	const struct config *config = row->endpoint->mapping->config;
	const struct config_point *point = row_point(row);

	/* What has a silence comes by itself, as does what a program publishes. */
	return path_contains(resource, &row_map(row)->path) && row_map(row)->kind == CONFIG_MAP_POINT &&
	       point->access & CONFIG_ACCESS_READ &&
	       (point->period_usec == CONFIG_RATE_ON_DEMAND || point->period_usec > period_usec) &&
	       point->silence_usec == 0 &&
	       config->devices[row_device(row)].type->plugin != &config_plugin_local;
}

static bool row_is_fresh(const struct mapped_row *row, uint64_t period_usec)
{
	uint64_t fresh = MIN(FRESH_USEC, period_usec / 2);

	return row->sampled_usec > 0 && usec_add(row->sampled_usec, fresh) > clock_monotonic_usec();
}

static void answer(struct asking *a, int error, const char *reason)
{
	list_remove(&a->list);
	a->done(a->userdata, error, error < 0 ? reason : NULL);
	free(a);
}

static void asked(void *userdata, int error, const char *detail, const struct fieldway_sample *samples,
		  size_t n)
{
	struct asking *a = userdata;

	/* They come by themselves, too, but perhaps behind this answer. */
	if (n > 0)
		mapping_values(a->endpoint->mapping, a->device, samples, n);
	/* A question is silent where a write was not sent: it leaves nothing behind. */
	if (error < 0 && error != -ETIMEDOUT)
		error = outcome_error(FIELDWAY_NOT_SENT, error);
	answer(a, error, detail);
}

/* The points of one resource lie on one device but where its instances do not: then the first one's are read. */
static size_t collect(const struct mapped_row *first, const struct path *resource, uint64_t period_usec,
		      uint32_t *points)
{
	const struct mapped_endpoint *e = first->endpoint;
	size_t n = 0;

	for (size_t i = 0; i < e->config->n_map; i++) {
		const struct mapped_row *row = &e->rows[i];

		if (row_map(row)->kind != CONFIG_MAP_POINT || row_device(row) != row_device(first) ||
		    !row_is_asked(row, resource, period_usec) || row_is_fresh(row, period_usec))
			continue;
		points[n++] = row_map(row)->point;
	}
	return n;
}

static int ask(const struct mapped_row *row, const uint32_t *points, size_t n, struct asking *a)
{
	struct mapped_endpoint *e = row->endpoint;
	int r = fieldbus_read(e->mapping->fieldbus, a->device, points, n, asked, a);

	if (r >= 0)
		list_append(&e->asking, &a->list);
	return r;
}

/* A slow line is not asked for the next sample before it has answered with this one. */
static bool is_sampling(const struct mapped_endpoint *e, const struct path *path)
{
	const struct asking *a;

	list_for_each(a, &e->asking, list)
		if (a->sampling && path_equal(&a->path, path))
			return true;
	return false;
}

void point_refresh(void *userdata, const struct path *path, uint64_t period_usec, backing_done done,
		   void *done_userdata)
{
	const struct mapped_row *row = userdata;
	const struct mapped_device *device = &row->endpoint->mapping->devices[row_device(row)];
	const bool sampling = period_usec != UINT64_MAX;
	_cleanup_free_ uint32_t *points = calloc(row->endpoint->config->n_map + 1, sizeof(*points));
	struct asking *a = malloc(sizeof(*a));
	bool wanted = points && !(sampling && is_sampling(row->endpoint, path));
	size_t n = wanted ? collect(row, path, period_usec, points) : 0;
	int r = points && a ? 0 : -ENOMEM;

	if (r >= 0 && n > 0) {
		*a = (struct asking){ .endpoint = row->endpoint,
				      .device = row_device(row),
				      .path = *path,
				      .sampling = sampling,
				      .done = done,
				      .userdata = done_userdata };
		r = ask(row, points, n, a);
		if (r >= 0)
			return;
	}
	free(a);
	done(done_userdata, r, r == -EHOSTDOWN ? device->reason : NULL);
}

void asking_forget(struct mapped_endpoint *e)
{
	struct asking *a;

	list_for_each(a, &e->asking, list) {
		fieldbus_forget(e->mapping->fieldbus, a);
		answer(a, -EBUSY, NULL);
	}
}

/* Of a device that has changed the samples may be numbered otherwise. */
static bool goes_on(const struct asking *a, const struct config_difference *d)
{
	uint32_t after = d ? d->devices_after[a->device] : CONFIG_NONE;

	return after != CONFIG_NONE && d->devices[after].same;
}

static struct asking *find_lost(struct mapped_endpoint *e, const struct config_difference *d)
{
	struct asking *a;

	list_for_each(a, &e->asking, list)
		if (!goes_on(a, d))
			return a;
	return NULL;
}

void asking_end(struct mapped_endpoint *e, const struct config_difference *d)
{
	struct asking *a;

	while ((a = find_lost(e, d))) {
		fieldbus_forget(e->mapping->fieldbus, a);
		answer(a, -ECANCELED, "the configuration has changed");
	}
}

void asking_follow(struct mapped_endpoint *e, const struct config_difference *d)
{
	struct asking *a;

	list_for_each(a, &e->asking, list)
		a->device = d->devices_after[a->device];
}
