/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "dbus/internal.h"

/*
 * What all files together make of one device, each value with the place that it
 * comes from. Settings know their own places; what is no plugin's has that of
 * its point. What leads to a secret is not told.
 */

#define VALUE_MAX 400u /* of a text that is longer than people read */

struct profile_reply {
	sd_bus_message *reply;
	const struct config *config;
	const struct config_type *type;
	const struct config_point *point; /* NULL: the device */
};

static int append_row(struct profile_reply *p, const char *key, const char *value,
		      struct yaml_mark mark)
{
	char origin[PATH_MAX + 32] = "";

	if (mark.file)
		snprintf(origin, sizeof(origin), "%s:%u", mark.file, mark.line);
	return sd_bus_message_append(p->reply, AGENT1_PROFILE_VALUE, p->point ? p->point->name : "",
				     key, value, origin);
}

/* ---- settings ---- */

static unsigned flags_of(const struct config_plugin *plugin, const char *key)
{
	for (size_t i = 0; i < plugin->n_keys; i++)
		if (dotted_match(plugin->keys[i].name, key))
			return plugin->keys[i].flags;
	return 0;
}

static const char *value_text(const struct fieldway_value *v, unsigned flags, char *ret, size_t size)
{
	char number[FORMAT_DOUBLE_MAX]; /* the longest of them */

	switch (v->type) {
	case FIELDWAY_NONE:
	case FIELDWAY_BYTES:
		return "";
	case FIELDWAY_BOOL:
		return v->boolean ? "true" : "false";
	case FIELDWAY_INT:
		snprintf(ret, size, "%" PRId64, v->integer);
		return ret;
	case FIELDWAY_UINT:
		format_u64(v->unsignd, number);
		if (flags & FIELDWAY_KEY_DURATION)
			format_usec(v->unsignd, number);
		snprintf(ret, size, "%s", number);
		return ret;
	case FIELDWAY_FLOAT:
		snprintf(ret, size, "%s", format_double(v->real, number));
		return ret;
	case FIELDWAY_STRING:
		snprintf(ret, size, "%.*s", (int)MIN(v->size, (size_t)VALUE_MAX), v->data);
		ret[utf8_valid_prefix(ret, strlen(ret))] = '\0';
		return ret;
	}
	return "";
}

static int append_settings(struct profile_reply *p, const struct fieldway_settings *settings)
{
	char text[VALUE_MAX + 1];
	int r = 0;

	for (size_t i = 0; i < settings->n && r >= 0; i++) {
		const char *key = settings->items[i].key;
		unsigned flags = flags_of(p->type->plugin, key);

		r = append_row(p, key,
			       flags & (FIELDWAY_KEY_SECRET | FIELDWAY_KEY_CONTENT) ?
				       "(not shown)" :
				       value_text(&settings->items[i].value, flags, text, sizeof(text)),
			       config_setting_mark(p->config, settings, key));
	}
	return r;
}

/* ---- what every point has ---- */

static int append_number(struct profile_reply *p, const char *key, double number, double usual)
{
	char text[FORMAT_DOUBLE_MAX];

	return number == usual ? 0 : append_row(p, key, format_double(number, text), p->point->mark);
}

static int append_duration(struct profile_reply *p, const char *key, uint64_t usec)
{
	char text[FORMAT_USEC_MAX];

	return usec == 0 ? 0 : append_row(p, key, format_usec(usec, text), p->point->mark);
}

static const char *period_text(uint64_t usec, char ret[FORMAT_USEC_MAX])
{
	return usec == CONFIG_RATE_ONCE	     ? "once" :
	       usec == CONFIG_RATE_ON_DEMAND ? "on-demand" :
					       format_usec(usec, ret);
}

/* "fast (2s)", "once" */
static int append_rate(struct profile_reply *p)
{
	char period[FORMAT_USEC_MAX], text[VALUE_MAX + 1];
	const char *rate = p->point->rate, *usual = period_text(p->point->period_usec, period);

	if (!rate)
		return append_row(p, "rate", usual, p->point->mark);
	snprintf(text, sizeof(text), "%.200s (%s)", rate, usual);
	return append_row(p, "rate", text, p->point->mark);
}

static int append_scaling(struct profile_reply *p)
{
	const struct config_point *point = p->point;
	int r = append_number(p, "scale", point->scale, 1);

	if (r >= 0)
		r = append_number(p, "offset", point->offset, 0);
	if (r >= 0)
		r = append_number(p, "factor", point->factor, 1);
	if (r >= 0 && point->scale10 >= 0)
		r = append_row(p, "scale10", p->type->points[point->scale10].name, point->mark);
	return r < 0 ? r : append_number(p, "deadband", point->deadband, 0);
}

static int append_point(struct profile_reply *p)
{
	static const char *const accesses[] = { "", "r", "w", "rw" };
	const struct config_point *point = p->point;
	int r = append_settings(p, &point->settings);

	if (r >= 0 && point->unit)
		r = append_row(p, "unit", unit_name(point->unit), point->mark);
	if (r >= 0 && point->access != CONFIG_ACCESS_READ)
		r = append_row(p, "access", accesses[point->access & 3], point->mark);
	if (r >= 0)
		r = append_scaling(p);
	if (r >= 0 && point->access & CONFIG_ACCESS_READ)
		r = append_rate(p);
	return r < 0 ? r : append_duration(p, "silence", point->silence_usec);
}

/* ---- all of it ---- */

static int append_device(struct profile_reply *p, const struct config_device *device)
{
	char text[VALUE_MAX + 1];
	int r;

	snprintf(text, sizeof(text), "%.300s, revision %u", p->type->profile, p->type->revision);
	r = append_row(p, "profile", text, device->mark);
	if (r >= 0)
		r = append_settings(p, &device->address);
	return r < 0 ? r : append_settings(p, &p->type->settings);
}

int device_get_profile(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const struct item *item = userdata;
	const struct config *config = item->dbus->config.config;
	const struct config_device *device = &config->devices[item->id];
	struct profile_reply p = { .config = config, .type = device->type };
	int r = sd_bus_message_new_method_return(m, &p.reply);

	(void)error;
	if (r >= 0)
		r = sd_bus_message_open_container(p.reply, 'a', AGENT1_PROFILE_VALUE);
	if (r >= 0)
		r = append_device(&p, device);
	for (size_t i = 0; i < p.type->n_points && r >= 0; i++) {
		p.point = &p.type->points[i];
		r = append_point(&p);
	}
	if (r >= 0)
		r = sd_bus_message_close_container(p.reply);
	if (r >= 0)
		r = sd_bus_send(NULL, p.reply, NULL);
	sd_bus_message_unref(p.reply);
	return r < 0 ? r : 1;
}
