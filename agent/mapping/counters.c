/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "mapping/internal.h"
#include "model/unit.h"

/* Counters of devices: found by point, kept over restarts. */

#define STATE_KIND "counters"
/*
 * What is kept is only needed where a meter begins again while nobody looks:
 * so it may be this old, which spares the disk, but after an event and at the end.
 */
#define SAVE_USEC (UINT64_C(3600) * USEC_PER_SEC)

struct counters {
	size_t n;
	bool dirty;
	struct counter_place {
		uint32_t point;
		bool watched;
		struct counter counter;
	} places[];
};

static const struct counter_place *find(const struct counters *c, uint32_t point)
{
	for (size_t i = 0; c && i < c->n; i++)
		if (c->places[i].point == point)
			return &c->places[i];
	return NULL;
}

/* ---- records: a line for each, "energy 1000 12.5 1 0 0 kWh" ---- */

/* Nobody has said what it counts. */
#define NO_UNIT "-"

static int format(const struct config_type *type, const struct counters *c, struct buf *ret)
{
	int r = 0;

	for (size_t i = 0; i < c->n && r >= 0; i++) {
		const struct config_point *point = &type->points[c->places[i].point];
		const struct counter *t = &c->places[i].counter;

		if (t->known)
			r = buf_printf(ret, "%s %.17g %.17g %" PRIu32 " %" PRIu32 " %" PRIu32 " %s\n",
				       point->name, t->base, t->last, t->wraps, t->resets, t->jumps,
				       point->unit ? unit_name(point->unit) : NO_UNIT);
	}
	return r;
}

/* A device of this name may count in another unit by now; false: it counts something else. */
static bool to_unit(const struct config_point *point, const char *kept, struct counter *t)
{
	const struct unit *from = unit_find(kept, NULL);
	double factor, offset;

	if (!from || !point->unit || from == point->unit)
		return true;
	if (unit_conversion(from, point->unit, &factor, &offset) < 0 || offset != 0)
		return false;
	t->base *= factor;
	t->last *= factor;
	return true;
}

static void parse_line(const struct config_type *type, struct counters *c, char *line)
{
	struct counter t = { .known = true };
	char *space = strchr(line, ' ');
	int n = 0;

	if (!space)
		return;
	*space = '\0';
	if (sscanf(space + 1, "%lf %lf %" SCNu32 " %" SCNu32 " %" SCNu32 " %n", &t.base, &t.last, &t.wraps,
		   &t.resets, &t.jumps, &n) != 5 ||
	    !isfinite(t.base) || !isfinite(t.last))
		return;
	for (size_t i = 0; i < c->n; i++) {
		const struct config_point *point = &type->points[c->places[i].point];

		if (streq(point->name, line) && to_unit(point, space + 1 + n, &t))
			c->places[i].counter = t;
	}
}

static void save(struct mapping *m, uint32_t device)
{
	const struct config_device *d = &m->config->devices[device];
	struct counters *c = m->devices[device].counters;
	_cleanup_buf_ struct buf text = { 0 };
	int r;

	if (!m->state || !c->dirty)
		return;
	r = format(d->type, c, &text);
	if (r >= 0)
		r = state_save(m->state, d->name, STATE_KIND, text.data, text.size);
	if (r >= 0)
		c->dirty = false;
	else
		log_warning(&(struct log_about){ .device = d->name }, "device %s: its counters cannot be kept: %s",
			    d->name, strerror(-r));
}

static void load(struct mapping *m, uint32_t device)
{
	const struct config_device *d = &m->config->devices[device];
	_cleanup_buf_ struct buf text = { 0 };
	char *line, *rest;

	if (!m->state || state_load(m->state, d->name, STATE_KIND, &text) < 0 || buf_append_byte(&text, 0) < 0)
		return;
	for (line = strtok_r((char *)text.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		parse_line(d->type, m->devices[device].counters, line);
}

/* ---- readings ---- */

static bool reading_of(const struct fieldway_value *value, double *ret)
{
	switch (value->type) {
	case FIELDWAY_INT:
		*ret = (double)value->integer;
		return true;
	case FIELDWAY_UINT:
		*ret = (double)value->unsignd;
		return true;
	case FIELDWAY_FLOAT:
		*ret = value->real;
		return isfinite(value->real);
	case FIELDWAY_NONE:
	case FIELDWAY_BOOL:
	case FIELDWAY_STRING:
	case FIELDWAY_BYTES:
		return false;
	}
	return false;
}

static void tell(const struct mapping *m, uint32_t device, uint32_t point, enum counter_event event, double before,
		 double now)
{
	static const char *const meanings[] = {
		[COUNTER_WRAP] = "counted as a wrap",
		[COUNTER_RESET] = "counted as a reset of the meter",
		[COUNTER_JUMP] = "more than max_step: not counted",
	};
	const struct config_device *d = &m->config->devices[device];
	const struct log_about about = { .device = d->name, .bus = m->config->buses[d->bus].name };
	char text[POINT_TEXT_MAX];

	if (event == COUNTER_STEP || !log_budget_take(&m->devices[device].log_budget, NULL))
		return;
	fieldbus_point_text(d->type, point, text, sizeof(text));
	log_notice(&about, "bus %s: device %s: %s went from %.15g to %.15g, %s", about.bus, about.device, text, before,
		   now, meanings[event]);
}

static void set_total(struct fieldway_value *value, const struct counter *c)
{
	double total = counter_total(c);

	if (value->type != FIELDWAY_FLOAT && total == rint(total) && fabs(total) < 0x1p63)
		*value = (struct fieldway_value){ .type = FIELDWAY_INT, .integer = (int64_t)total };
	else
		*value = (struct fieldway_value){ .type = FIELDWAY_FLOAT, .real = total };
}

static void take(struct mapping *m, uint32_t device, struct counter_place *place, struct fieldway_sample *sample)
{
	const struct config_point *point = &m->config->devices[device].type->points[place->point];
	double before = place->counter.last, reading;
	bool first = !place->counter.known;
	enum counter_event event;

	if (!reading_of(&sample->value, &reading))
		return;
	event = counter_take(&point->counter, &place->counter, reading, place->watched);
	tell(m, device, place->point, event, before, reading);
	place->watched = true;
	m->devices[device].counters->dirty |= first || reading != before;
	if (first || event != COUNTER_STEP)
		save(m, device);
	set_total(&sample->value, &place->counter);
}

void counters_take(struct mapping *m, uint32_t device, const struct fieldway_sample **sample_of,
		   struct fieldway_sample *totals)
{
	struct counters *c = m->devices[device].counters;

	for (size_t i = 0; c && i < c->n; i++) {
		const struct fieldway_sample **place = &sample_of[c->places[i].point];

		if (!*place || (*place)->quality != FIELDWAY_GOOD)
			continue;
		totals[i] = **place;
		take(m, device, &c->places[i], &totals[i]);
		*place = &totals[i];
	}
	if (c && c->dirty && !timer_is_armed(&m->save))
		timer_arm_in(&m->save, SAVE_USEC);
}

void counters_pause(struct mapping *m, uint32_t device)
{
	struct counters *c = m->devices[device].counters;

	for (size_t i = 0; c && i < c->n; i++)
		c->places[i].watched = false;
}

int mapping_counter(const struct mapping *m, uint32_t device, uint32_t point, struct counter *ret)
{
	const struct counter_place *place = find(m->devices[device].counters, point);

	if (!place)
		return -ENOENT;
	*ret = place->counter;
	return 0;
}

/* ---- life ---- */

static void save_all(struct mapping *m)
{
	for (uint32_t i = 0; m->devices && i < m->config->n_devices; i++)
		if (m->devices[i].counters)
			save(m, i);
}

static void save_due(struct timer *timer, void *userdata)
{
	save_all(userdata);
}

size_t counters_count(const struct mapping *m, uint32_t device)
{
	const struct counters *c = m->devices[device].counters;

	return c ? c->n : 0;
}

static void copy_place(const struct mapping *from, uint32_t device, const struct counter_place *former,
		       const struct config_point *point, struct counter_place *ret)
{
	const struct config_point *before = &from->config->devices[device].type->points[former->point];
	struct counter t = former->counter;

	if (streq(before->name, point->name) &&
	    (!before->unit || to_unit(point, unit_name(before->unit), &t)))
		ret->counter = t;
}

static const struct counters *former_counters(uint32_t device, const struct mapping *from,
					      const struct config_difference *d)
{
	return from && d->devices[device].before != CONFIG_NONE ? from->devices[d->devices[device].before].counters :
								  NULL;
}

/* As over a restart, but that what nothing has happened to was not away. */
static void copy(struct mapping *m, uint32_t device, const struct mapping *from, const struct config_difference *d)
{
	uint32_t before = d->devices[device].before;
	const struct config_type *type = m->config->devices[device].type;
	const struct counters *former = former_counters(device, from, d);
	struct counters *c = m->devices[device].counters;

	for (size_t i = 0; i < former->n; i++) {
		const struct counter_place *place = &former->places[i];

		for (size_t k = 0; k < c->n; k++) {
			copy_place(from, before, place, &type->points[c->places[k].point], &c->places[k]);
			if (config_difference_same_point(d, before, place->point, device, c->places[k].point))
				c->places[k].watched = place->watched;
		}
	}
	c->dirty = former->dirty || !d->devices[device].same;
}

static int device_init(struct mapping *m, uint32_t device, const struct mapping *from,
		       const struct config_difference *d)
{
	const struct config_type *type = m->config->devices[device].type;
	const struct counters *former = former_counters(device, from, d);
	struct counters *c;
	size_t n = 0;

	for (size_t i = 0; i < type->n_points; i++)
		n += type->points[i].counter.enabled;
	if (n == 0)
		return 0;
	c = calloc(1, sizeof(*c) + n * sizeof(c->places[0]));
	if (!c)
		return -ENOMEM;
	for (uint32_t i = 0; i < type->n_points; i++)
		if (type->points[i].counter.enabled)
			c->places[c->n++].point = i;
	m->devices[device].counters = c;
	if (former)
		copy(m, device, from, d);
	else
		load(m, device);
	return 0;
}

int counters_init(struct mapping *m, const struct mapping *from, const struct config_difference *d)
{
	int r = 0;

	timer_init(&m->save, m->timers, save_due, m);
	for (uint32_t i = 0; i < m->config->n_devices && r >= 0; i++)
		r = device_init(m, i, from, d);
	return r;
}

static bool stays_same(const struct config_difference *d, uint32_t device)
{
	return d->devices_after[device] != CONFIG_NONE && d->devices[d->devices_after[device]].same;
}

void counters_leave(struct mapping *m, const struct config_difference *d)
{
	for (uint32_t i = 0; i < m->config->n_devices; i++)
		if (m->devices[i].counters && !stays_same(d, i))
			save(m, i);
}

void counters_done(struct mapping *m)
{
	if (m->devices)
		save_all(m);
	timer_disarm(&m->save);
}
