/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/macro.h"
#include "host/line/line.h"

/* What a line of any kind has before its thread starts, and which devices it has. */

int line_new(struct host_bus *b, const char *name, struct line **ret)
{
	struct line *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->bus = b;
	list_init(&l->queued);
	list_init(&l->verifying);
	list_init(&l->reads);
	list_init(&l->errands);
	list_init(&l->node);
	list_init(&l->attempts);
	l->n_samples = 1;
	l->job.samples = calloc(l->n_samples, sizeof(*l->job.samples));
	l->job.text = malloc(SETUP_TEXT_BYTES);
	l->name = strdup(name);
	if (!l->job.samples || !l->job.text || !l->name) {
		line_free(l);
		return -ENOMEM;
	}
	line_tap_init(&l->tap, &b->recorder, l->name, &l->exchange);
	*ret = l;
	return 0;
}

struct line *line_free(struct line *l)
{
	if (!l)
		return NULL;
	worker_free(l->worker);
	list_remove(&l->node);
	free(l->devices);
	free(l->schedule.entries);
	free(l->schedule.devices);
	free(l->job.samples);
	free(l->job.text);
	free(l->more_samples);
	free(l->name);
	setup_free(l->known);
	setup_free(l->busy);
	free(l);
	return NULL;
}

/* ---- which devices ---- */

int line_plan_init(struct line_plan *p, const struct line *l, size_t n_devices, size_t n_entries,
		   size_t longest)
{
	*p = (struct line_plan){ 0 };
	p->devices = calloc(n_devices + 1, sizeof(struct device *));
	p->schedule.entries = calloc(n_entries + 1, sizeof(*p->schedule.entries));
	p->schedule.devices = calloc(n_devices + 1, sizeof(*p->schedule.devices));
	if (!p->devices || !p->schedule.entries || !p->schedule.devices)
		return -ENOMEM;
	if (longest <= l->n_samples)
		return 0;
	p->n_samples = longest;
	p->samples = calloc(longest, sizeof(*p->samples));
	return p->samples ? 0 : -ENOMEM;
}

void line_plan_done(struct line_plan *p)
{
	free(p->devices);
	free(p->schedule.entries);
	free(p->schedule.devices);
	free(p->samples);
	*p = (struct line_plan){ 0 };
}

static bool is_there(const struct line *l, const struct device *d)
{
	return d->index < l->n_devices && l->devices[d->index] == d;
}

static void add_new(struct schedule *s, const struct device *d)
{
	const struct link_configuration *c = d->bus->setup->configuration;
	struct schedule_device *to = &s->devices[s->n_devices++];

	*to = (struct schedule_device){ .first = (uint32_t)s->n_entries,
					.n = (uint32_t)d->n_polls,
					.probe_usec = USEC_INFINITY };
	to->backoff.first_usec = c->offline_first_usec;
	to->backoff.last_usec = c->offline_last_usec;
	for (size_t i = 0; i < d->n_polls; i++)
		s->entries[s->n_entries++] =
			(struct schedule_entry){ .period_usec = d->polls[i].period_usec,
						 .due_usec = USEC_INFINITY };
}

void line_plan_add(struct line_plan *p, const struct line *l, struct device *d)
{
	if (is_there(l, d))
		schedule_take(&p->schedule, &l->schedule, d->index);
	else
		add_new(&p->schedule, d);
	p->devices[p->n_devices++] = d;
}

/* The turn at work is counted as the line was. */
static void move_turn(struct line *l, const struct schedule *to)
{
	const struct device *d = l->work == LINE_POLL || l->work == LINE_IDENTIFY ? l->device :
										    NULL;
	uint32_t offset;

	if (!d || d->gone)
		return;
	offset = l->turn.entry - l->schedule.devices[l->turn.device].first;
	l->turn.device = d->index;
	l->turn.entry = to->devices[d->index].first + offset;
}

static void install_samples(struct line *l, struct line_plan *p)
{
	if (!p->samples)
		return;
	free(l->more_samples);
	l->more_samples = TAKE_PTR(p->samples);
	l->n_samples = p->n_samples;
}

void line_install(struct line *l, struct line_plan *p)
{
	uint64_t now = clock_monotonic_usec();
	size_t total = MAX(l->bus->n_entries, (size_t)1);
	struct schedule s = p->schedule;

	s.offline_after = l->bus->setup->configuration->offline_after;
	s.probed = l->schedule.probed;
	for (size_t i = 0; i < p->n_devices; i++) {
		bool is_new = !is_there(l, p->devices[i]);

		/* Those that are not started yet are, with their line. */
		if (is_new && l->worker)
			schedule_start_device(&s, (uint32_t)i, now, l->place + s.devices[i].first,
					      total);
	}
	for (size_t i = 0; i < p->n_devices; i++)
		p->devices[i]->index = (uint32_t)i;
	move_turn(l, &s);
	free(l->devices);
	free(l->schedule.entries);
	free(l->schedule.devices);
	l->devices = p->devices;
	l->n_devices = p->n_devices;
	l->schedule = s;
	install_samples(l, p);
	*p = (struct line_plan){ 0 };
}
