/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"
#include "host/line/line.h"

/* What a line of any kind has before its thread starts. */

static size_t longest_request(const struct line *l)
{
	size_t longest = 1;

	for (size_t i = 0; i < l->n_devices; i++)
		for (size_t j = 0; j < l->devices[i]->setup->n_polls; j++)
			longest = MAX(longest, l->devices[i]->setup->polls[j].request->n_points);
	return longest;
}

static void fill_schedule(struct line *l, struct schedule_entry *entries,
			  struct schedule_device *devices)
{
	const struct link_configuration *c = l->bus->setup->configuration;
	uint32_t n = 0;

	for (size_t i = 0; i < l->n_devices; i++) {
		const struct setup_device *d = l->devices[i]->setup;

		devices[i] = (struct schedule_device){ .first = n, .n = (uint32_t)d->n_polls };
		devices[i].backoff.first_usec = c->offline_first_usec;
		devices[i].backoff.last_usec = c->offline_last_usec;
		for (size_t j = 0; j < d->n_polls; j++)
			entries[n++].period_usec = d->polls[j].period_usec;
	}
	schedule_init(&l->schedule, c->offline_after, entries, n, devices, l->n_devices);
}

static int make_schedule(struct line *l)
{
	struct schedule_entry *entries;
	struct schedule_device *devices;
	size_t n = 0;

	for (size_t i = 0; i < l->n_devices; i++)
		n += l->devices[i]->setup->n_polls;
	entries = calloc(n + 1, sizeof(*entries));
	devices = calloc(l->n_devices + 1, sizeof(*devices));
	if (!entries || !devices) {
		free(entries);
		free(devices);
		return -ENOMEM;
	}
	fill_schedule(l, entries, devices);
	return 0;
}

int line_init(struct line *l)
{
	struct host_bus *b = l->bus;
	int r;

	list_init(&l->queued);
	list_init(&l->verifying);
	list_init(&l->reads);
	list_init(&l->errands);
	list_init(&l->node);
	line_tap_init(&l->tap, &b->recorder, l->name);
	list_init(&l->attempts);
	r = make_schedule(l);
	if (r < 0)
		return r;
	l->place = b->n_entries;
	b->n_entries += l->schedule.n_entries;
	l->job.samples = calloc(longest_request(l), sizeof(*l->job.samples));
	l->job.text = malloc(SETUP_TEXT_BYTES);
	return l->job.samples && l->job.text ? 0 : -ENOMEM;
}

void line_done(struct line *l)
{
	worker_free(l->worker);
	free(l->devices);
	free(l->schedule.entries);
	free(l->schedule.devices);
	free(l->job.samples);
	free(l->job.text);
}
