/* SPDX-License-Identifier: Apache-2.0 */
#include "mapping/mapping.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "mapping/internal.h"

/* ---- rows ---- */

const struct config_map *row_map(const struct mapped_row *row)
{
	return &row->endpoint->config->map[row - row->endpoint->rows];
}

bool device_is_gone(const struct mapped_device *d)
{
	return d->state == FIELDBUS_OFFLINE || d->state == FIELDBUS_FAILED;
}

/* A type's own map says "the device itself" by UINT32_MAX. */
uint32_t row_device(const struct mapped_row *row)
{
	uint32_t device = row_map(row)->device;

	return device == UINT32_MAX ? row->endpoint->config->device : device;
}

static bool row_has_point(const struct mapped_row *row)
{
	return row_map(row)->kind != CONFIG_MAP_CONSTANT;
}

const struct config_point *row_point(const struct mapped_row *row)
{
	const struct config *config = row->endpoint->mapping->config;

	return &config->devices[row_device(row)].type->points[row_map(row)->point];
}

/* What is executed only writes, also where the point can be read. */
static bool row_shows_point(const struct mapped_row *row)
{
	enum config_map_kind kind = row_map(row)->kind;

	return kind == CONFIG_MAP_POINT || kind == CONFIG_MAP_ALARM;
}

/* Readable, and read without being asked, would its device be enabled. */
static bool row_has_rate(const struct mapped_row *row)
{
	return row_shows_point(row) && row_point(row)->access & CONFIG_ACCESS_READ &&
	       row_point(row)->period_usec != CONFIG_RATE_ON_DEMAND;
}

/* Rows that wait for a first sample. */
static bool row_is_polled(const struct mapped_row *row)
{
	return row_has_rate(row) && row->endpoint->mapping->config->devices[row_device(row)].enabled;
}

bool mapping_is_blind(const struct mapping *m, uint32_t endpoint)
{
	const struct mapped_endpoint *e = m->endpoints[endpoint];

	for (size_t i = 0; i < e->config->n_map; i++)
		if (row_has_rate(&e->rows[i]))
			return false;
	return true;
}

const struct row_plan *row_plan(const struct mapped_row *row)
{
	return &row->endpoint->plan[row - row->endpoint->rows];
}

/* ---- values of a device ---- */

/* What one endpoint learns from a batch; sample_of maps points to samples, or NULL. */
struct batch {
	uint32_t device;
	const struct fieldway_sample **sample_of;
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

static int take_alarm(struct mapped_row *row, const struct fieldway_sample *sample)
{
	const struct resource_definition as_boolean = { .type = VALUE_BOOLEAN };
	const struct transform t = { .point = row_point(row),
				     .resource = &as_boolean,
				     .factor = 1 };
	struct value value;
	int r = transform_forward(&t, &sample->value, &value);

	if (r >= 0)
		row->alarm = value.boolean;
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
			r = take_alarm(row, sample);
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

		if (!row_shows_point(row) || row_device(row) != batch->device)
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
	if (alarms)
		errors_update(e);
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

void mapping_values(struct mapping *m, uint32_t device, const struct fieldway_sample *samples, size_t n)
{
	const struct config_type *type = m->config->devices[device].type;
	const struct mapped_device *d = &m->devices[device];
	struct batch batch = { .device = device,
			       .now_usec = clock_monotonic_usec(),
			       .boottime_usec = clock_boottime_usec(),
			       .clock = clock_realtime_is_plausible() };

	_cleanup_free_ struct fieldway_sample *totals = NULL;

	batch.sample_of = calloc(type->n_points, sizeof(*batch.sample_of));
	totals = calloc(counters_count(m, device) + 1, sizeof(*totals));
	if (!batch.sample_of || !totals) {
		free(batch.sample_of);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (samples[i].point < type->n_points)
			batch.sample_of[samples[i].point] = &samples[i];
	counters_take(m, device, batch.sample_of, totals);
	for (uint32_t i = 0; i < d->n; i++) {
		struct mapped_endpoint *e = m->endpoints[d->endpoints[i]];
		bool waiting = e->unseen > 0 || !e->any_seen;

		if (!e->store)
			continue;
		e->shown = false;
		take_batch(e, &batch);
		quality_sampled(e, batch.first);
		if (waiting && e->shown)
			tell_seen(e);
	}
	free(batch.sample_of);
}

void mapping_state(struct mapping *m, uint32_t device, enum fieldbus_state state, const char *reason)
{
	struct mapped_device *d = &m->devices[device];

	d->state = state;
	if (state != FIELDBUS_ONLINE)
		counters_pause(m, device);
	str_replace(&d->reason, reason);
	for (uint32_t i = 0; i < d->n; i++)
		if (m->endpoints[d->endpoints[i]]->store)
			quality_device(m->endpoints[d->endpoints[i]], device);
}

/* ---- construction ---- */

static int device_shows(struct mapped_device *d, uint32_t endpoint)
{
	uint32_t *grown;

	if (d->n > 0 && d->endpoints[d->n - 1] == endpoint)
		return 0;
	grown = reallocarray(d->endpoints, d->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	d->endpoints = grown;
	d->endpoints[d->n++] = endpoint;
	return 0;
}

uint32_t rows_unseen(const struct mapped_endpoint *e)
{
	uint32_t n = 0;

	for (size_t i = 0; i < e->config->n_map; i++)
		n += !e->rows[i].seen && row_is_polled(&e->rows[i]);
	return n;
}

static int endpoint_init(struct mapping *m, uint32_t index)
{
	struct mapped_endpoint *e = m->endpoints[index];
	int r = plan_get(m, e->config, &e->plan);

	if (r < 0)
		return r;
	e->rows = calloc(e->config->n_map ?: 1, sizeof(*e->rows));
	if (!e->rows)
		return -ENOMEM;
	for (size_t i = 0; i < e->config->n_map && r >= 0; i++) {
		e->rows[i].endpoint = e;
		if (row_has_point(&e->rows[i]))
			r = device_shows(&m->devices[row_device(&e->rows[i])], index);
	}
	e->unseen = rows_unseen(e);
	return r;
}

static int endpoint_new(struct mapping *m, uint32_t index)
{
	struct mapped_endpoint *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->mapping = m;
	e->config = &m->config->endpoints[index];
	e->index = index;
	list_init(&e->writes);
	list_init(&e->asking);
	m->endpoints[index] = e;
	return endpoint_init(m, index);
}

void mapped_endpoint_free(struct mapped_endpoint *e)
{
	if (e)
		free(e->rows);
	free(e);
}

int mapping_init(struct mapping *m, const struct mapping *from, const struct config_difference *d)
{
	const struct config *config = m->config;
	int r = 0;

	list_init(&m->plans);
	m->endpoints = calloc(config->n_endpoints ?: 1, sizeof(*m->endpoints));
	m->devices = calloc(config->n_devices ?: 1, sizeof(*m->devices));
	if (!m->endpoints || !m->devices)
		return -ENOMEM;
	for (uint32_t i = 0; i < config->n_endpoints && r >= 0; i++)
		r = endpoint_new(m, i);
	return r < 0 ? r : counters_init(m, from, d);
}

int mapping_new(const struct mapping_config *config, const struct mapping_ops *ops, void *userdata,
		struct mapping **ret)
{
	struct mapping *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->config = config->config;
	m->definitions = config->definitions;
	m->fieldbus = config->fieldbus;
	m->timers = config->timers;
	m->state = config->state;
	m->ops = ops;
	m->userdata = userdata;
	r = mapping_init(m, NULL, NULL);
	if (r < 0) {
		mapping_free(m);
		return r;
	}
	*ret = m;
	return 0;
}

void mapped_devices_free(struct mapped_device *devices, size_t n)
{
	for (size_t i = 0; devices && i < n; i++) {
		free(devices[i].endpoints);
		free(devices[i].reason);
		free(devices[i].counters);
	}
	free(devices);
}

struct mapping *mapping_free(struct mapping *m)
{
	if (!m)
		return NULL;
	for (uint32_t i = 0; m->endpoints && i < m->config->n_endpoints; i++) {
		if (m->endpoints[i] && m->endpoints[i]->store)
			mapping_detach(m, i);
		mapped_endpoint_free(m->endpoints[i]);
	}
	counters_done(m);
	mapped_devices_free(m->devices, m->config->n_devices);
	plans_free(&m->plans);
	free(m->endpoints);
	free(m);
	return NULL;
}
