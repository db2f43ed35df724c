/* SPDX-License-Identifier: Apache-2.0 */
#include "config/merged.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define VALUE_MAX 400u /* of a text that is longer than people read */
#define NUMBER_MAX FORMAT_DOUBLE_MAX /* the longest of them */

struct merging {
	merged_take take;
	void *userdata;
	const struct config *config;
	const struct config_device *device;
	const struct config_type *type;
	const struct config_point *point; /* NULL: the device */
	uint32_t *first, *next;		  /* rows of the map by point; UINT32_MAX: no more */
	struct buf text;
};

/* ---- one row ---- */

static int tell(struct merging *m, const char *key, const char *value, const struct yaml_mark *origin)
{
	struct merged_row row = { .point = m->point ? m->point->name : "", .key = key, .value = value };

	if (origin)
		row.origin = *origin;
	return m->take(m->userdata, &row);
}

#define say(m, ...) buf_printf(&(m)->text, __VA_ARGS__)

/* What has been said, cut where nobody reads on. */
static int tell_said(struct merging *m, const char *key, const struct yaml_mark *origin)
{
	int r = buf_append_byte(&m->text, 0);

	if (r < 0)
		return r;
	if (m->text.size > VALUE_MAX)
		m->text.data[VALUE_MAX] = '\0';
	m->text.data[utf8_valid_prefix((char *)m->text.data, strlen((char *)m->text.data))] = '\0';
	r = tell(m, key, (const char *)m->text.data, origin);
	m->text.size = 0;
	return r;
}

static int tell_number(struct merging *m, const char *key, double number, double usual)
{
	const struct yaml_mark *origin = config_origin(&m->point->origins, key);
	char text[FORMAT_DOUBLE_MAX];

	return number == usual && !origin ? 0 : tell(m, key, format_double(number, text), origin);
}

/* ---- values ---- */

static int say_value(struct merging *m, const struct fieldway_value *v, unsigned flags)
{
	char text[NUMBER_MAX];

	switch (v->type) {
	case FIELDWAY_NONE:
	case FIELDWAY_BYTES:
		return 0;
	case FIELDWAY_BOOL:
		return say(m, "%s", v->boolean ? "true" : "false");
	case FIELDWAY_INT:
		return say(m, "%" PRId64, v->integer);
	case FIELDWAY_UINT:
		if (flags & FIELDWAY_KEY_DURATION)
			return say(m, "%s", format_usec(v->unsignd, text));
		return say(m, "%" PRIu64, v->unsignd);
	case FIELDWAY_FLOAT:
		return say(m, "%s", format_double(v->real, text));
	case FIELDWAY_STRING:
		return say(m, "%.*s", (int)MIN(v->size, (size_t)VALUE_MAX), v->data);
	}
	return 0;
}

static int say_values(struct merging *m, const struct fieldway_value *values, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++) {
		r = i > 0 ? say(m, ", ") : 0;
		r = r < 0 ? r : say_value(m, &values[i], 0);
	}
	return r;
}

/* ---- the plugin's keys ---- */

static unsigned flags_of(const struct config_plugin *plugin, const char *key)
{
	for (size_t i = 0; i < plugin->n_keys; i++)
		if (dotted_match(plugin->keys[i].name, key))
			return plugin->keys[i].flags;
	return 0;
}

static int tell_settings(struct merging *m, const struct fieldway_settings *settings)
{
	int r = 0;

	for (size_t i = 0; i < settings->n && r >= 0; i++) {
		unsigned flags = flags_of(m->type->plugin, settings->items[i].key);
		struct yaml_mark origin = config_setting_origin(settings, i);

		r = flags & (FIELDWAY_KEY_SECRET | FIELDWAY_KEY_CONTENT) ?
			    say(m, "(not shown)") :
			    say_value(m, &settings->items[i].value, flags);
		r = r < 0 ? r : tell_said(m, settings->items[i].key, &origin);
	}
	return r;
}

/* ---- what may stand at several levels: the nearest one counts ---- */

static const struct yaml_mark *nearest(const struct merging *m, const char *what)
{
	const struct config_origins *places[] = {
		m->point ? &m->point->origins : NULL,
		&m->device->origins[0],
		&m->device->origins[1],
		&m->config->buses[m->device->bus].origins,
		&m->type->origins,
	};
	const struct yaml_mark *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(places) && !found; i++)
		found = places[i] ? config_origin(places[i], what) : NULL;
	return found;
}

static const char *period_text(uint64_t usec, char ret[FORMAT_USEC_MAX])
{
	return usec == CONFIG_RATE_ONCE	     ? "once" :
	       usec == CONFIG_RATE_ON_DEMAND ? "on-demand" :
					       format_usec(usec, ret);
}

static int tell_classes(struct merging *m)
{
	char what[128], text[NUMBER_MAX];
	int r = 0;

	for (size_t i = 0; i < m->type->n_parameters && r >= 0; i++) {
		snprintf(what, sizeof(what), "parameters.%s", m->type->parameters[i].name);
		r = tell(m, what, format_double(m->type->parameters[i].value, text), nearest(m, what));
	}
	for (size_t i = 0; i < m->type->n_rates && r >= 0; i++) {
		snprintf(what, sizeof(what), "rates.%s", m->type->rates[i].name);
		r = tell(m, what, period_text(m->type->rates[i].period_usec, text), nearest(m, what));
	}
	return r;
}

/* Only where more than the gateway says something of it. */
static int tell_stale(struct merging *m)
{
	const struct yaml_mark *after = nearest(m, "stale.after"), *read = nearest(m, "stale.read");
	const struct config_stale *stale = &m->point->stale;
	char text[FORMAT_USEC_MAX];
	int r = 0;

	if (after)
		r = stale->times > 0 ? say(m, "%ux", stale->times) :
				       say(m, "%s", format_usec(stale->after_usec, text));
	if (after && r >= 0)
		r = tell_said(m, "stale.after", after);
	if (read && r >= 0)
		r = tell(m, "stale.read", stale->read == CONFIG_STALE_LAST ? "last" : "error", read);
	return r;
}

/* ---- what every point has ---- */

static const struct yaml_mark *own(const struct merging *m, const char *key)
{
	return config_origin(&m->point->origins, key);
}

/* "fast (2s)", "once"; nothing where nobody asks at all. */
static int tell_rate(struct merging *m)
{
	const struct yaml_mark *origin = own(m, "rate");
	char period[FORMAT_USEC_MAX];
	const char *usual = period_text(m->point->period_usec, period);
	int r;

	if (!(m->point->access & CONFIG_ACCESS_READ) || !origin)
		return 0;
	r = m->point->rate ? say(m, "%s (%s)", m->point->rate, usual) : say(m, "%s", usual);
	return r < 0 ? r : tell_said(m, "rate", origin);
}

static int tell_factor(struct merging *m)
{
	char number[FORMAT_DOUBLE_MAX];
	int r;

	if (!m->point->parameter)
		return tell_number(m, "factor", m->point->factor, 1);
	r = say(m, "%s (%s)", m->point->parameter, format_double(m->point->factor, number));
	return r < 0 ? r : tell_said(m, "factor", own(m, "factor"));
}

static int tell_scaling(struct merging *m)
{
	const struct config_point *point = m->point;
	int r = tell_number(m, "scale", point->scale, 1);

	if (r >= 0)
		r = tell_number(m, "offset", point->offset, 0);
	if (r >= 0)
		r = tell_factor(m);
	if (r >= 0 && point->scale10 >= 0)
		r = tell(m, "scale10", m->type->points[point->scale10].name, own(m, "scale10"));
	return r < 0 ? r : tell_number(m, "deadband", point->deadband, 0);
}

static int say_end(struct merging *m, double end)
{
	char text[FORMAT_DOUBLE_MAX];

	return isfinite(end) ? say(m, "%s", format_double(end, text)) : 0;
}

static int tell_range(struct merging *m)
{
	int r;

	if (!m->point->range.present)
		return 0;
	r = say_end(m, m->point->range.minimum);
	r = r < 0 ? r : say(m, "..");
	r = r < 0 ? r : say_end(m, m->point->range.maximum);
	return r < 0 ? r : tell_said(m, "range", own(m, "range"));
}

static int tell_labels(struct merging *m)
{
	int r = 0;

	if (m->point->n_labels == 0)
		return 0;
	for (size_t i = 0; i < m->point->n_labels && m->text.size <= VALUE_MAX && r >= 0; i++)
		r = say(m, "%s%" PRId64 ": %s", i > 0 ? ", " : "", m->point->labels[i].number,
			m->point->labels[i].text);
	return r < 0 ? r : tell_said(m, "enum", own(m, "enum"));
}

static int tell_invalid(struct merging *m)
{
	int r;

	if (m->point->n_invalid == 0)
		return 0;
	r = say_values(m, m->point->invalid, m->point->n_invalid);
	return r < 0 ? r : tell_said(m, "invalid", own(m, "invalid"));
}

static int tell_counter(struct merging *m)
{
	const struct config_counter *counter = &m->point->counter;
	char text[FORMAT_DOUBLE_MAX];
	int r = 0;

	if (!counter->enabled)
		return 0;
	if (counter->wrap > 0)
		r = say(m, "wrap %s", format_double(counter->wrap, text));
	if (counter->max_step > 0 && r >= 0)
		r = say(m, "%smax_step %s", counter->wrap > 0 ? ", " : "",
			format_double(counter->max_step, text));
	return r < 0 ? r : tell_said(m, "counter", own(m, "counter"));
}

static int tell_verify(struct merging *m)
{
	const struct config_verify *verify = &m->point->verify;
	char text[NUMBER_MAX];
	int r;

	if (!verify->enabled)
		return 0;
	r = say(m, "within %s", format_usec(verify->within_usec, text));
	if (verify->tolerance > 0 && r >= 0)
		r = say(m, ", tolerance %s", format_double(verify->tolerance, text));
	if (verify->point >= 0 && r >= 0)
		r = say(m, ", point %s", m->type->points[verify->point].name);
	return r < 0 ? r : tell_said(m, "verify", own(m, "verify"));
}

static int tell_thinning(struct merging *m)
{
	static const char *const keeps[] = { "last", "mean", "minimum", "maximum" };
	char text[FORMAT_USEC_MAX];
	int r;

	if (m->point->sample_usec == 0)
		return 0;
	r = say(m, "every %s, keep %s", format_usec(m->point->sample_usec, text),
		keeps[m->point->sample_keep]);
	return r < 0 ? r : tell_said(m, "sample", own(m, "sample"));
}

static int tell_silence(struct merging *m)
{
	char text[FORMAT_USEC_MAX];

	return m->point->silence_usec == 0 ?
		       0 :
		       tell(m, "silence", format_usec(m->point->silence_usec, text),
			    nearest(m, "silence"));
}

static int tell_access(struct merging *m)
{
	static const char *const accesses[] = { "", "r", "w", "rw" };
	int r = 0;

	if (m->point->access != CONFIG_ACCESS_READ || own(m, "access"))
		r = tell(m, "access", accesses[m->point->access & 3], own(m, "access"));
	return r >= 0 && m->point->inexact_reject ? tell(m, "inexact", "reject", own(m, "inexact")) : r;
}

/* ---- what shows it to servers ---- */

static int tell_map(struct merging *m, const struct config_map *row)
{
	char path[PATH_TEXT_MAX];
	int r = say(m, "%s", path_format(&row->path, path) + 1);

	if (r >= 0 && row->kind == CONFIG_MAP_ALARM)
		r = say(m, " alarm %u", row->alarm);
	if (r >= 0 && row->kind == CONFIG_MAP_EXECUTE)
		r = say(m, " execute");
	if (r >= 0 && row->unit)
		r = say(m, " in %s", unit_name(row->unit));
	return r < 0 ? r : tell_said(m, "lwm2m", &row->mark);
}

static int tell_constant(struct merging *m, const struct config_map *row)
{
	_cleanup_free_ char *value = NULL;
	char path[PATH_TEXT_MAX];
	int r = value_format_text(&row->constant, &value);

	r = r < 0 ? r : say(m, "%s is %s", path_format(&row->path, path) + 1, value);
	return r < 0 ? r : tell_said(m, "lwm2m", &row->mark);
}

static int tell_constants(struct merging *m)
{
	int r = 0;

	for (size_t i = 0; i < m->type->n_map && r >= 0; i++)
		if (m->type->map[i].kind == CONFIG_MAP_CONSTANT)
			r = tell_constant(m, &m->type->map[i]);
	return r;
}

static int index_map(struct merging *m)
{
	const struct config_type *type = m->type;

	m->first = malloc((type->n_points + 1) * sizeof(*m->first));
	m->next = malloc((type->n_map + 1) * sizeof(*m->next));
	if (!m->first || !m->next)
		return -ENOMEM;
	for (size_t i = 0; i < type->n_points; i++)
		m->first[i] = UINT32_MAX;
	for (uint32_t i = (uint32_t)type->n_map; i-- > 0;) {
		if (type->map[i].kind == CONFIG_MAP_CONSTANT)
			continue;
		m->next[i] = m->first[type->map[i].point];
		m->first[type->map[i].point] = i;
	}
	return 0;
}

/* ---- all of it ---- */

static int tell_point(struct merging *m, size_t i)
{
	static int (*const tellers[])(struct merging *m) = {
		tell_access, tell_scaling, tell_invalid,  tell_labels,	 tell_range,
		tell_verify, tell_counter, tell_thinning, tell_silence, tell_stale,
	};
	int r;

	m->point = &m->type->points[i];
	r = tell_settings(m, &m->point->settings);
	if (r >= 0 && m->point->unit)
		r = tell(m, "unit", unit_name(m->point->unit), own(m, "unit"));
	if (r >= 0)
		r = tell_rate(m);
	for (size_t k = 0; k < ARRAY_SIZE(tellers) && r >= 0; k++)
		r = tellers[k](m);
	for (uint32_t k = m->first[i]; k != UINT32_MAX && r >= 0; k = m->next[k])
		r = tell_map(m, &m->type->map[k]);
	return r;
}

static int tell_identify(struct merging *m)
{
	const struct config_identify *identify = &m->type->identify;
	int r;

	if (identify->n_values == 0)
		return 0;
	r = say(m, "%s equals ", m->type->points[identify->point].name);
	r = r < 0 ? r : say_values(m, identify->values, identify->n_values);
	return r < 0 ? r : tell_said(m, "identify", nearest(m, "identify.equals"));
}

static int tell_info(struct merging *m, const char *key, const char *text)
{
	return text ? tell(m, key, text, nearest(m, key)) : 0;
}

/* Of one that is as usual, nothing. */
static int tell_switch(struct merging *m)
{
	int r = m->device->enabled ? 0 : tell(m, "enabled", "false", nearest(m, "enabled"));

	return r >= 0 && m->device->note ? tell(m, "note", m->device->note, nearest(m, "note")) : r;
}

static int tell_device(struct merging *m)
{
	int r = say(m, "%s, revision %u", m->type->profile, m->type->revision);

	if (r >= 0)
		r = tell_said(m, "profile", &m->device->mark);
	if (r >= 0)
		r = tell_switch(m);
	if (r >= 0)
		r = tell_info(m, "info.manufacturer", m->type->manufacturer);
	if (r >= 0)
		r = tell_info(m, "info.model", m->type->model);
	if (r >= 0)
		r = tell_settings(m, &m->device->address);
	if (r >= 0)
		r = tell_settings(m, &m->type->settings);
	if (r >= 0)
		r = tell_classes(m);
	if (r >= 0)
		r = tell_identify(m);
	return r < 0 ? r : tell_constants(m);
}

int merged_each(const struct config *config, const struct config_device *device, merged_take take,
		void *userdata)
{
	struct merging m = { .take = take,
			     .userdata = userdata,
			     .config = config,
			     .device = device,
			     .type = device->type };
	int r = index_map(&m);

	r = r < 0 ? r : tell_device(&m);
	for (size_t i = 0; i < m.type->n_points && r >= 0; i++)
		r = tell_point(&m, i);
	buf_done(&m.text);
	free(m.first);
	free(m.next);
	return r < 0 ? r : 0;
}
