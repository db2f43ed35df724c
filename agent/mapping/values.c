/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "mapping/internal.h"

/* North: what the field says of a device, to the endpoints that show it. */

/* What one endpoint learns from a batch; sample_of maps points to samples, or NULL. */
struct batch {
	uint32_t device;
	const struct fieldway_sample **sample_of;
	const uint32_t *from; /* rows that are not CONFIG_NONE here take nothing; NULL: all take it */
	uint64_t now_usec, boottime_usec;
	bool clock; /* the wall clock can be believed */
	bool late;  /* something came that had been read too long ago */
	bool first; /* something came that had never come */
	struct path stamped; /* the last 5518 that was added */
	struct records records;
};

static void row_saw(struct mapped_row *row)
{
	struct mapped_endpoint *e = row->endpoint;

	e->shown = true;
	if (row->seen)
		return;
	row->seen = true;
	if (row_is_polled(row))
		e->unseen--;
}

/* 5518: time of the sample, once for the rows of an instance, which are neighbours. */
static int add_timestamp(const struct path *path, uint64_t boottime_usec, struct batch *batch)
{
	const struct path timestamp = path_of_resource(path->object, path->instance, TIMESTAMP);
	struct value value;

	if (!batch->clock || path_equal(&batch->stamped, &timestamp))
		return 0;
	batch->stamped = timestamp;
	value = value_time(clock_realtime_from_boottime(boottime_usec) / USEC_PER_SEC);
	return records_add(&batch->records, &timestamp, &value, boottime_usec);
}

/*
 * On the daemon's clock. What waited for a process that was stopped, or slept
 * with the machine, is as old as its time says, however late it comes.
 */
static uint64_t sampled_usec(const struct fieldway_sample *sample, const struct batch *batch)
{
	uint64_t age = batch->boottime_usec > sample->boottime_usec ?
			       batch->boottime_usec - sample->boottime_usec :
			       0;

	/* 0 is for what was never read. */
	return age < batch->now_usec ? batch->now_usec - age : 1;
}

static int take_good(struct mapped_row *row, const struct fieldway_sample *sample,
		     struct batch *batch)
{
	const struct config_map *map = row_map(row);
	const struct row_plan *plan = row_plan(row);
	_cleanup_value_ struct value value = { 0 };
	int r;

	r = transform_forward(&plan->transform, &sample->value, &value);
	if (r >= 0)
		r = extremes_update(row, &value, &batch->records);
	if (r >= 0)
		r = records_add_copy(&batch->records, &map->path, &value, sample->boottime_usec);
	if (r >= 0 && plan->stamps)
		r = add_timestamp(&map->path, sample->boottime_usec, batch);
	if (r >= 0) {
		batch->first |= row->sampled_usec == 0;
		row->sampled_usec = sampled_usec(sample, batch);
		batch->late |= row_is_due(row, batch->now_usec);
	}
	return r;
}

/* A number against its limit; a bit is 0 or 1. */
static int take_condition(struct mapped_row *row, const struct fieldway_sample *sample, uint64_t now_usec)
{
	const struct resource_definition as_number = { .type = VALUE_FLOAT };
	const struct transform t = { .point = row_point(row), .resource = &as_number, .factor = 1 };
	struct value value;
	int r = transform_forward(&t, &sample->value, &value);

	if (r >= 0)
		alarm_take(&row->alarm, row_map(row)->condition, value.real, now_usec);
	return r;
}

static int take_alarm(struct mapped_row *row, const struct fieldway_sample *sample)
{
	const struct resource_definition as_boolean = { .type = VALUE_BOOLEAN };
	const struct transform t = { .point = row_point(row),
				     .resource = &as_boolean,
				     .factor = 1 };
	struct value value;
	int r = transform_forward(&t, &sample->value, &value);

	if (r >= 0)
		row->alarm.on = value.boolean;
	return r;
}

static struct log_about device_about(const struct mapped_endpoint *e, uint32_t device)
{
	const struct config *config = e->mapping->config;
	const struct config_device *d = &config->devices[device];

	return (struct log_about){ .endpoint = e->config->endpoint,
				   .device = d->name,
				   .bus = config->buses[d->bus].name };
}

static void row_log(const struct mapped_row *row, int error)
{
	struct log_about about = device_about(row->endpoint, row_device(row));
	struct mapping *m = row->endpoint->mapping;
	char path[PATH_TEXT_MAX], point[POINT_TEXT_MAX];

	if (!log_budget_take(&m->devices[row_device(row)].log_budget, NULL))
		return;
	about.path = path_format(&row_map(row)->path, path);
	fieldbus_point_text(m->config->devices[row_device(row)].type, row_map(row)->point, point,
			    sizeof(point));
	log_warning(&about, "%s: bus %s: device %s: %s does not fit %s: %s", about.endpoint, about.bus,
		    about.device, point, about.path, strerror(-error));
}

static void batch_log(const struct mapped_endpoint *e, uint32_t device, int error)
{
	struct log_about about = device_about(e, device);

	if (log_budget_take(&e->mapping->devices[device].log_budget, NULL))
		log_error(&about, "%s: bus %s: device %s: its values are refused by the store: %s",
			  about.endpoint, about.bus, about.device, strerror(-error));
}

static uint8_t failure_code(const struct fieldway_sample *s)
{
	return s->quality == FIELDWAY_FAILED && s->value.type == FIELDWAY_UINT ? (uint8_t)s->value.unsignd : 0;
}

static void take_sample(struct mapped_row *row, const struct fieldway_sample *sample,
			struct batch *batch)
{
	int r = 0;

	row->failure = sample->quality == FIELDWAY_INVALID ? -ENODATA : sample->error;
	row->code = failure_code(sample);
	switch (sample->quality) {
	case FIELDWAY_GOOD:
		row_saw(row);
		if (row_map(row)->kind == CONFIG_MAP_ALARM)
			r = row_map(row)->condition ? take_condition(row, sample, batch->now_usec) :
						      take_alarm(row, sample);
		else
			r = take_good(row, sample, batch);
		break;
	case FIELDWAY_INVALID:
		row_saw(row);
		quality_invalid(row);
		break;
	case FIELDWAY_FAILED: /* not read: grows stale by itself */
		break;
	}
	if (r < 0) {
		row->failure = r;
		row_log(row, r);
	}
}

static void take_batch(struct mapped_endpoint *e, struct batch *batch)
{
	bool alarms = false;
	int r;

	batch->stamped.depth = PATH_ROOT;
	batch->late = batch->first = false;
	store_begin(e->store);
	for (size_t i = 0; i < e->config->n_map; i++) {
		struct mapped_row *row = &e->rows[i];
		const struct fieldway_sample *sample;

		if (!row_shows_point(row) || row_device(row) != batch->device ||
		    (batch->from && batch->from[i] != CONFIG_NONE))
			continue;
		sample = batch->sample_of[row_map(row)->point];
		if (!sample)
			continue;
		alarms = alarms || row_map(row)->kind == CONFIG_MAP_ALARM;
		take_sample(row, sample, batch);
	}
	r = store_update(e->store, batch->records.items, batch->records.n);
	if (r < 0)
		batch_log(e, batch->device, r);
	if (batch->late)
		quality_late(e);
	if (alarms) {
		alarms_follow(e);
		errors_update(e);
	}
	store_end(e->store);
	records_done(&batch->records);
}

static void tell_seen(struct mapped_endpoint *e)
{
	struct mapping *m = e->mapping;

	if (!e->any_seen) {
		e->any_seen = true;
		m->ops->seen(m->userdata, e->index, e->unseen == 0);
	} else if (e->unseen == 0) {
		m->ops->seen(m->userdata, e->index, true);
	}
}

static int batch_init(struct batch *b, const struct mapping *m, uint32_t device,
		      const struct fieldway_sample *samples, size_t n)
{
	const struct config_type *type = m->config->devices[device].type;

	*b = (struct batch){ .device = device,
			     .now_usec = clock_monotonic_usec(),
			     .boottime_usec = clock_boottime_usec(),
			     .clock = clock_realtime_is_plausible() };
	b->sample_of = calloc(type->n_points, sizeof(*b->sample_of));
	if (!b->sample_of)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (samples[i].point < type->n_points)
			b->sample_of[samples[i].point] = &samples[i];
	return 0;
}

static void endpoint_take(struct mapped_endpoint *e, struct batch *batch)
{
	e->shown = false;
	take_batch(e, batch);
	quality_sampled(e, batch->first);
}

void values_show(struct mapped_endpoint *e, uint32_t device, const struct fieldway_sample *samples, size_t n,
		 const uint32_t *from)
{
	struct batch batch;

	if (batch_init(&batch, e->mapping, device, samples, n) < 0)
		return;
	batch.from = from;
	endpoint_take(e, &batch);
	free(batch.sample_of);
}

void mapping_values(struct mapping *m, uint32_t device, const struct fieldway_sample *samples, size_t n)
{
	const struct mapped_device *d = &m->devices[device];
	_cleanup_free_ struct fieldway_sample *totals = calloc(counters_count(m, device) + 1, sizeof(*totals));
	struct batch batch;

	kept_take(m, device, samples, n);
	if (!totals || batch_init(&batch, m, device, samples, n) < 0)
		return;
	counters_take(m, device, batch.sample_of, totals);
	for (uint32_t i = 0; i < d->n; i++) {
		struct mapped_endpoint *e = m->endpoints[d->endpoints[i]];
		bool waiting = e->unseen > 0 || !e->any_seen;

		if (!e->store)
			continue;
		endpoint_take(e, &batch);
		if (waiting && e->shown)
			tell_seen(e);
	}
	free(batch.sample_of);
}

/*
 * What a program has said of a local device is never read again: it holds while
 * the program is known to speak for it. One that begins anew may have another
 * program by now, or another owner; from one that is left alone nothing is taken.
 * That it has said nothing since the start is no such change: kept values stand.
 */
static void doubt(struct mapping *m, uint32_t device, enum fieldbus_state state)
{
	const struct mapped_device *d = &m->devices[device];
	bool anew = state == FIELDBUS_UNKNOWN && d->state != FIELDBUS_UNKNOWN,
	     paused = state == FIELDBUS_PAUSED && d->state == FIELDBUS_ONLINE;

	if (m->config->devices[device].type->plugin != &config_plugin_local || !(anew || paused))
		return;
	for (uint32_t i = 0; i < d->n; i++) {
		struct mapped_endpoint *e = m->endpoints[d->endpoints[i]];

		if (!e->store)
			continue;
		store_begin(e->store);
		quality_doubt(e, device, anew);
		store_end(e->store);
	}
}

void mapping_state(struct mapping *m, uint32_t device, enum fieldbus_state state, const char *reason)
{
	struct mapped_device *d = &m->devices[device];

	doubt(m, device, state);
	d->state = state;
	if (state != FIELDBUS_ONLINE)
		counters_pause(m, device);
	str_replace(&d->reason, reason);
	for (uint32_t i = 0; i < d->n; i++)
		if (m->endpoints[d->endpoints[i]]->store)
			quality_device(m->endpoints[d->endpoints[i]], device);
	if (state == FIELDBUS_ONLINE)
		once_online(m, device);
}
