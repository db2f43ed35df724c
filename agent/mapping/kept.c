/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"
#include "mapping/internal.h"

/* `persist: true` of local devices: the last good value of a point, kept over restarts with its time. */

#define STATE_KIND "values"
/* Another value is on its way to the disk so soon, another time alone so late; both are at the end. */
#define CHANGED_USEC (10 * USEC_PER_SEC)
#define SEEN_USEC USEC_PER_HOUR

struct kept {
	size_t n;
	bool dirty;
	struct kept_place {
		uint32_t point;
		enum fieldway_type type; /* of the point */
		struct fieldway_sample sample; /* value NONE: there is none */
		void *data; /* of its value */
		/* From a record, which knows of times before this boot; 0: nobody knows. */
		bool loaded;
		uint64_t since_1970;
	} places[];
};

static bool has_data(const struct fieldway_value *v)
{
	return v->type == FIELDWAY_STRING || v->type == FIELDWAY_BYTES;
}

static bool is_equal(const struct fieldway_value *a, const struct fieldway_value *b)
{
	if (a->type != b->type)
		return false;
	if (has_data(a))
		return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
	/* Bit by bit: each number fills the same 8 bytes, and a boolean is one of two. */
	return a->type == FIELDWAY_BOOL ? a->boolean == b->boolean : a->unsignd == b->unsignd;
}

static int set(struct kept_place *place, const struct fieldway_sample *sample)
{
	void *data = NULL;

	if (has_data(&sample->value)) {
		data = malloc(sample->value.size + 1);
		if (!data)
			return -ENOMEM;
		if (sample->value.size > 0)
			memcpy(data, sample->value.data, sample->value.size);
	}
	free(place->data);
	place->data = data;
	place->loaded = false;
	place->sample = *sample;
	place->sample.point = place->point;
	if (data)
		place->sample.value.data = data;
	return 0;
}

static void clear(struct kept_place *place)
{
	free(place->data);
	place->data = NULL;
	place->sample.value = (struct fieldway_value){ 0 };
}

static struct kept_place *find(struct kept *k, uint32_t point)
{
	for (size_t i = 0; k && i < k->n; i++)
		if (k->places[i].point == point)
			return &k->places[i];
	return NULL;
}

struct kept *kept_free(struct kept *k)
{
	for (size_t i = 0; k && i < k->n; i++)
		free(k->places[i].data);
	free(k);
	return NULL;
}

/* ---- records: a line for each, "limit int64 1700000000000000 10"; text and bytes in hexadecimal ---- */

static int format_bytes(struct buf *b, const struct fieldway_value *v)
{
	_cleanup_free_ char *text = hex_encode(v->data, v->size);

	return text ? buf_append(b, text, strlen(text)) : -ENOMEM;
}

static int format_value(struct buf *b, const struct fieldway_value *v)
{
	switch (v->type) {
	case FIELDWAY_BOOL:
		return buf_printf(b, "%d", v->boolean);
	case FIELDWAY_INT:
		return buf_printf(b, "%" PRId64, v->integer);
	case FIELDWAY_UINT:
		return buf_printf(b, "%" PRIu64, v->unsignd);
	case FIELDWAY_FLOAT:
		return buf_printf(b, "%.17g", v->real);
	case FIELDWAY_STRING:
	case FIELDWAY_BYTES:
		return format_bytes(b, v);
	case FIELDWAY_NONE:
		break;
	}
	return 0;
}

/* What comes from a record is written back as it was: its time on this boot's clock may not be the true one. */
static uint64_t time_of(const struct kept_place *place)
{
	if (place->loaded)
		return place->since_1970;
	return clock_realtime_is_plausible() ? clock_realtime_from_boottime(place->sample.boottime_usec) : 0;
}

static int format(const struct config_type *type, const struct kept *k, struct buf *ret)
{
	int r = 0;

	for (size_t i = 0; i < k->n && r >= 0; i++) {
		const struct kept_place *place = &k->places[i];

		if (place->sample.value.type == FIELDWAY_NONE)
			continue;
		r = buf_printf(ret, "%s %s %" PRIu64 " ", type->points[place->point].name,
			       config_local_type_name(place->type), time_of(place));
		if (r >= 0)
			r = format_value(ret, &place->sample.value);
		if (r >= 0)
			r = buf_append_byte(ret, '\n');
	}
	return r;
}

/* In place: two digits are longer than what they say. */
static int parse_bytes(char *text, struct fieldway_value *ret)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t n;
	int r = hex_decode(text, &data, &n);

	if (r < 0)
		return r;
	if (n > 0)
		memcpy(text, data, n);
	ret->data = text;
	ret->size = n;
	return ret->type == FIELDWAY_STRING && utf8_valid_prefix(text, n) != n ? -EBADMSG : 0;
}

static int parse_value(enum fieldway_type type, char *text, struct fieldway_value *ret)
{
	ret->type = type;
	switch (type) {
	case FIELDWAY_BOOL:
		ret->boolean = streq(text, "1");
		return 0;
	case FIELDWAY_INT:
		return parse_i64(text, &ret->integer);
	case FIELDWAY_UINT:
		return parse_u64(text, &ret->unsignd);
	case FIELDWAY_FLOAT:
		return parse_double(text, &ret->real);
	case FIELDWAY_STRING:
	case FIELDWAY_BYTES:
		return parse_bytes(text, ret);
	case FIELDWAY_NONE:
		break;
	}
	return -EBADMSG;
}

/* USEC_INFINITY: nobody can tell. */
static uint64_t age_of(uint64_t since_1970)
{
	uint64_t real = clock_realtime_usec();

	return since_1970 == 0 || since_1970 > real || !clock_realtime_is_plausible() ? USEC_INFINITY :
											 real - since_1970;
}

/*
 * Values have their times on the clock that begins at boot, so that what is older,
 * or of unknown age, counts as of its first instant. Where its age is what it is
 * judged by, that could make it good again, so it is not taken at all.
 */
static void take_loaded(struct kept_place *place, const struct config_point *point, struct fieldway_sample *sample,
			uint64_t since_1970)
{
	uint64_t now = clock_boottime_usec(), age = age_of(since_1970);

	if (point->silence_usec > 0 && age >= point->silence_usec)
		return;
	sample->boottime_usec = age < now ? now - age : 1;
	if (set(place, sample) < 0)
		return;
	place->loaded = true;
	/* A time that has not come was wrong when it was written: it must not become the past. */
	place->since_1970 = clock_realtime_is_plausible() && age == USEC_INFINITY ? 0 : since_1970;
}

static void parse_line(const struct config_type *type, struct kept *k, char *line)
{
	struct fieldway_sample sample = { .quality = FIELDWAY_GOOD };
	char *name = strsep(&line, " "), *kind = strsep(&line, " "), *time = strsep(&line, " ");
	uint64_t since_1970;

	if (!line || parse_u64(time, &since_1970) < 0)
		return;
	for (size_t i = 0; i < k->n; i++) {
		struct kept_place *place = &k->places[i];

		if (!streq(type->points[place->point].name, name) ||
		    !streq(config_local_type_name(place->type), kind))
			continue;
		if (parse_value(place->type, line, &sample.value) >= 0)
			take_loaded(place, &type->points[place->point], &sample, since_1970);
		return;
	}
}

static void save(struct mapping *m, uint32_t device)
{
	const struct config_device *d = &m->config->devices[device];
	struct kept *k = m->devices[device].kept;
	_cleanup_buf_ struct buf text = { 0 };
	int r;

	if (!m->state || !k || !k->dirty)
		return;
	r = format(d->type, k, &text);
	if (r >= 0)
		r = state_save(m->state, d->name, STATE_KIND, text.data, text.size);
	k->dirty = r < 0;
	if (r < 0 && log_budget_take(&m->devices[device].log_budget, NULL))
		log_warning(&(struct log_about){ .device = d->name }, "device %s: its values cannot be kept: %s",
			    d->name, strerror(-r));
}

static void load(struct mapping *m, uint32_t device)
{
	const struct config_device *d = &m->config->devices[device];
	_cleanup_buf_ struct buf text = { 0 };
	char *line, *rest;
	int r = m->state ? state_load(m->state, d->name, STATE_KIND, &text) : -ENOENT;

	if (r < 0 && r != -ENOENT)
		log_warning(&(struct log_about){ .device = d->name }, "device %s: its values that were kept are lost: %s",
			    d->name, strerror(-r));
	if (r < 0 || buf_append_byte(&text, 0) < 0)
		return;
	rest = (char *)text.data;
	while ((line = strsep(&rest, "\n")))
		parse_line(d->type, m->devices[device].kept, line);
}

/* ---- values ---- */

static void save_later(struct mapping *m, uint64_t usec)
{
	uint64_t due = usec_add(clock_monotonic_usec(), usec);

	if (!timer_is_armed(&m->keep) || m->keep.due_usec > due)
		timer_arm(&m->keep, due);
}

/* True: it is another one now; false: only its time may be. Negative: without memory the former one stays. */
static int place_take(struct kept_place *place, const struct fieldway_sample *sample)
{
	bool changed = !is_equal(&place->sample.value, &sample->value);
	int r;

	switch (sample->quality) {
	case FIELDWAY_GOOD:
		r = set(place, sample);
		return r < 0 ? r : changed;
	case FIELDWAY_INVALID:
		/* That there is none is what is known of it, also after a restart. */
		changed = place->sample.value.type != FIELDWAY_NONE;
		clear(place);
		return changed;
	case FIELDWAY_FAILED:
		break;
	}
	return -ENODATA;
}

void kept_take(struct mapping *m, uint32_t device, const struct fieldway_sample *samples, size_t n)
{
	struct kept *k = m->devices[device].kept;

	for (size_t i = 0; k && i < n; i++) {
		struct kept_place *place = find(k, samples[i].point);
		int r = place ? place_take(place, &samples[i]) : -ENODATA;

		if (r < 0)
			continue;
		k->dirty = true;
		save_later(m, r > 0 ? CHANGED_USEC : SEEN_USEC);
	}
}

static void show(struct mapped_endpoint *e, uint32_t device, const uint32_t *from)
{
	const struct kept *k = e->mapping->devices[device].kept;
	_cleanup_free_ struct fieldway_sample *samples = calloc(k->n + 1, sizeof(*samples));
	size_t n = 0;

	for (size_t i = 0; samples && i < k->n; i++)
		if (k->places[i].sample.value.type != FIELDWAY_NONE)
			samples[n++] = k->places[i].sample;
	if (n > 0)
		values_show(e, device, samples, n, from);
}

static bool wants_kept(const struct mapped_endpoint *e, size_t row, const uint32_t *from)
{
	return row_shows_point(&e->rows[row]) && (!from || from[row] == CONFIG_NONE) &&
	       e->mapping->devices[row_device(&e->rows[row])].kept;
}

/* Rows come in the order of paths: each device once. */
static bool is_first_of_device(const struct mapped_endpoint *e, size_t row, const uint32_t *from)
{
	for (size_t i = 0; i < row; i++)
		if (wants_kept(e, i, from) && row_device(&e->rows[i]) == row_device(&e->rows[row]))
			return false;
	return true;
}

void kept_show(struct mapped_endpoint *e, const uint32_t *from)
{
	for (size_t i = 0; i < e->config->n_map; i++)
		if (wants_kept(e, i, from) && is_first_of_device(e, i, from))
			show(e, row_device(&e->rows[i]), from);
}

/* ---- life ---- */

/* FIELDWAY_NONE: it is not to be kept. */
static enum fieldway_type persistent_type(const struct config_point *point)
{
	const struct fieldway_value *persist = settings_find(&point->settings, "persist");

	return persist && persist->boolean ? config_local_type(point) : FIELDWAY_NONE;
}

static int place_copy(struct kept_place *place, const struct kept_place *was)
{
	int r = set(place, &was->sample);

	place->loaded = was->loaded;
	place->since_1970 = was->since_1970;
	return r;
}

/* Those of the device of before that has its name, as over a restart. */
static int copy(const struct mapping *from, uint32_t before, const struct config_type *type, struct kept *k)
{
	const struct kept *former = from->devices[before].kept;
	const struct config_type *of_former = from->config->devices[before].type;
	int r = 0;

	for (size_t i = 0; former && i < former->n && r >= 0; i++) {
		const struct kept_place *was = &former->places[i];

		for (size_t j = 0; j < k->n && r >= 0; j++)
			if (streq(of_former->points[was->point].name, type->points[k->places[j].point].name) &&
			    was->type == k->places[j].type && was->sample.value.type != FIELDWAY_NONE)
				r = place_copy(&k->places[j], was);
	}
	k->dirty = true;
	return r;
}

static int device_init(struct mapping *m, uint32_t device, const struct mapping *from,
		       const struct config_difference *d)
{
	const struct config_device *config = &m->config->devices[device];
	uint32_t before = from ? d->devices[device].before : CONFIG_NONE;
	struct kept *k;
	size_t n = 0;

	/* Of one that is disabled nothing would ever be known again. */
	if (config->type->plugin != &config_plugin_local || !config->enabled)
		return 0;
	for (size_t i = 0; i < config->type->n_points; i++)
		n += persistent_type(&config->type->points[i]) != FIELDWAY_NONE;
	if (n == 0)
		return 0;
	k = calloc(1, sizeof(*k) + n * sizeof(k->places[0]));
	if (!k)
		return -ENOMEM;
	m->devices[device].kept = k;
	for (uint32_t i = 0; i < config->type->n_points; i++) {
		enum fieldway_type type = persistent_type(&config->type->points[i]);

		if (type != FIELDWAY_NONE)
			k->places[k->n++] = (struct kept_place){ .point = i, .type = type };
	}
	if (before != CONFIG_NONE && from->devices[before].kept)
		return copy(from, before, config->type, k);
	load(m, device);
	return 0;
}

static void save_all(struct mapping *m)
{
	for (uint32_t i = 0; m->devices && i < m->config->n_devices; i++)
		save(m, i);
}

void kept_leave(struct mapping *m, const struct config_difference *d)
{
	for (uint32_t i = 0; i < m->config->n_devices; i++) {
		uint32_t after = d->devices_after[i];

		if (after == CONFIG_NONE || !d->after->devices[after].enabled)
			save(m, i);
	}
}

static void save_due(struct timer *timer, void *userdata)
{
	struct mapping *m = userdata;
	bool dirty = false;

	(void)timer;
	save_all(m);
	for (uint32_t i = 0; i < m->config->n_devices; i++)
		dirty |= m->devices[i].kept && m->devices[i].kept->dirty;
	/* What could not be saved may be another time, without anything new. */
	if (dirty && m->state)
		save_later(m, SEEN_USEC);
}

int kept_init(struct mapping *m, const struct mapping *from, const struct config_difference *d)
{
	int r = 0;

	timer_init(&m->keep, m->timers, save_due, m);
	for (uint32_t i = 0; i < m->config->n_devices && r >= 0; i++)
		r = device_init(m, i, from, d);
	return r;
}

void kept_done(struct mapping *m)
{
	timer_disarm(&m->keep);
	save_all(m);
}
