/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/history/recording.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/registry/internal.h"

struct recorded {
	struct path path;
	uint64_t every_usec;	/* 0: each change */
	uint64_t boottime_usec; /* of the last sample that was recorded */
};

struct recording {
	struct endpoint *endpoint;
	struct timer timer;
	size_t n;
	struct recorded items[];
};

/* ---- a value ---- */

static void tell_trouble(const struct endpoint *e, const struct recorded *item, int error)
{
	static struct log_budget budget;
	char path[PATH_TEXT_MAX];
	const struct log_about about = { .endpoint = endpoint_client_name(e), .path = path_format(&item->path, path) };

	if (log_budget_take(&budget, NULL))
		log_warning(&about, "%s: %s is not recorded: %s", about.endpoint, path,
			    error == -EFBIG ? "it is too long" : strerror(-error));
}

static void record(struct endpoint *e, struct recorded *item)
{
	_cleanup_value_ struct value value = { 0 };
	uint64_t boottime_usec;
	int r;

	/* A sample counts once, and what is stale or was never read is none. */
	if (store_read(e->store, &item->path, false, &value, &boottime_usec) < 0)
		return;
	if (boottime_usec == 0)
		boottime_usec = clock_boottime_usec();
	if (boottime_usec == item->boottime_usec)
		return;
	item->boottime_usec = boottime_usec;
	for (struct account *a = e->accounts; a; a = a->next) {
		if (!client_takes_send(a->client))
			continue;
		r = outbox_add(a, &item->path, &value, boottime_usec);
		if (r < 0)
			tell_trouble(e, item, r);
	}
}

/* Points of several profiles may have several of them; each comes at its own multiples. */
static void arm(struct recording *rec, uint64_t now_usec)
{
	uint64_t next = USEC_INFINITY;

	for (size_t i = 0; i < rec->n; i++)
		if (rec->items[i].every_usec > 0)
			next = MIN(next, now_usec - now_usec % rec->items[i].every_usec + rec->items[i].every_usec);
	if (next < USEC_INFINITY)
		timer_arm(&rec->timer, next);
}

static void due(struct timer *timer, void *userdata)
{
	struct recording *rec = userdata;
	const uint64_t now_usec = clock_monotonic_usec(), was_due_usec = timer->due_usec;

	for (size_t i = 0; i < rec->n; i++) {
		struct recorded *item = &rec->items[i];

		if (item->every_usec == 0 || was_due_usec % item->every_usec != 0)
			continue;
		record(rec->endpoint, item);
		/* What is polled more rarely, or only when asked for, is there the next time. */
		store_sample(rec->endpoint->store, &item->path, item->every_usec);
	}
	arm(rec, now_usec);
}

void recording_changed(struct endpoint *e, enum store_change change, const struct path *paths, size_t n)
{
	struct recording *rec = e->recording;

	if (!rec || change != STORE_CHANGE_VALUES)
		return;
	for (size_t i = 0; i < rec->n; i++)
		for (size_t k = 0; k < n && rec->items[i].every_usec == 0; k++)
			if (path_contains(&paths[k], &rec->items[i].path) || path_contains(&rec->items[i].path, &paths[k])) {
				record(e, &rec->items[i]);
				break;
			}
	/* The server may take Send now, or be allowed to read more. */
	for (size_t k = 0; k < n; k++)
		if (paths[k].depth == PATH_ROOT || paths[k].object == 1) {
			for (struct account *a = e->accounts; a; a = a->next)
				outbox_wake(a);
			break;
		}
}

/* ---- which ---- */

static const struct config_type *type_of(const struct config *c, const struct config_endpoint *config,
					 const struct config_map *row)
{
	return c->devices[config_row_device(config, row)].type;
}

static bool is_recorded(const struct config_type *type, uint32_t point)
{
	for (size_t i = 0; i < type->n_recorded; i++)
		if (type->recorded[i] == point)
			return true;
	return false;
}

static size_t choose(const struct config *c, const struct config_endpoint *config, struct recorded *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < config->n_map; i++) {
		const struct config_map *row = &config->map[i];
		const struct config_type *type;

		if (row->kind != CONFIG_MAP_POINT)
			continue;
		type = type_of(c, config, row);
		if (!is_recorded(type, row->point))
			continue;
		if (ret)
			ret[n] = (struct recorded){ .path = row->path, .every_usec = type->record_usec };
		n++;
	}
	return n;
}

/* Of a sample that was recorded already there is no second record. */
static void take_over(const struct recording *former, struct recording *rec)
{
	for (size_t i = 0; i < rec->n; i++)
		for (size_t k = 0; former && k < former->n; k++)
			if (path_equal(&former->items[k].path, &rec->items[i].path))
				rec->items[i].boottime_usec = former->items[k].boottime_usec;
}

void recording_follow(struct endpoint *e)
{
	const struct config *c = e->registry->config.config;
	const struct config_endpoint *config = e->config ? e->config : &c->host_endpoint;
	struct recording *rec = NULL;
	size_t n = e->registry->recordings.history ? choose(c, config, NULL) : 0;

	if (n > 0) {
		rec = calloc(1, sizeof(*rec) + n * sizeof(rec->items[0]));
		if (!rec)
			log_error(NULL, "%s: nothing is recorded: %s", endpoint_label(e), strerror(ENOMEM));
	}
	if (rec) {
		rec->endpoint = e;
		rec->n = choose(c, config, rec->items);
		timer_init(&rec->timer, e->registry->config.timers, due, rec);
		take_over(e->recording, rec);
		arm(rec, clock_monotonic_usec());
	}
	recording_free(e);
	e->recording = rec;
	for (struct account *a = e->accounts; a; a = a->next)
		outbox_wake(a);
}

void recording_free(struct endpoint *e)
{
	if (!e->recording)
		return;
	timer_disarm(&e->recording->timer);
	free(e->recording);
	e->recording = NULL;
}
