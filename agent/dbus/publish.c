/* SPDX-License-Identifier: Apache-2.0 */
#include "dbus/publish.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "dbus/internal.h"
#include "dbus/values.h"
#include "link/host1.h"
#include "model/definition.h"

/* A program's clock is this machine's: what is further ahead is no time of a value. */
#define AHEAD_USEC USEC_PER_SEC

/* The last member of Publish's items. */
static const enum fieldway_quality qualities[] = { FIELDWAY_GOOD, FIELDWAY_INVALID, FIELDWAY_FAILED };

static const struct point_type {
	enum value_type type;
	const char *contents; /* variants that may hold it; number: each letter is one */
	bool number;
} point_types[] = {
	[FIELDWAY_NONE] = { VALUE_NONE, "", false },
	[FIELDWAY_BOOL] = { VALUE_BOOLEAN, "b", false },
	[FIELDWAY_INT] = { VALUE_INTEGER, "ynqiuxtd", true },
	[FIELDWAY_UINT] = { VALUE_UNSIGNED, "ynqiuxtd", true },
	[FIELDWAY_FLOAT] = { VALUE_FLOAT, "ynqiuxtd", true },
	[FIELDWAY_STRING] = { VALUE_STRING, "s", false },
	[FIELDWAY_BYTES] = { VALUE_OPAQUE, "ay", false },
};

/* Programs say their points in some order of their own, most often that of the type: from the one behind the last. */
static int64_t find_point(const struct config_type *type, const char *name, size_t from)
{
	for (size_t i = 0; i < type->n_points; i++) {
		size_t at = (from + i) % type->n_points;

		if (streq(type->points[at].name, name))
			return (int64_t)at;
	}
	return -ENOENT;
}

static bool holds(const struct point_type *t, const char *contents)
{
	return t->number ? contents[0] && !contents[1] && strchr(t->contents, contents[0]) :
			   streq(t->contents, contents);
}

/* ---- one value ---- */

static int refuse(sd_bus_error *error, const char *name, const struct config_point *point, const char *text)
{
	return sd_bus_error_setf(error, name, "Point %s %s", point->name, text);
}

static int refuse_type(sd_bus_error *error, const struct config_point *point)
{
	return sd_bus_error_setf(error, AGENT1_ERROR_WRONG_TYPE, "Point %s is of type %s", point->name,
				 config_local_type_name(config_local_type(point)));
}

static struct fieldway_value value_to_field(const struct value *v)
{
	struct fieldway_value ret = { 0 };

	switch (v->type) {
	case VALUE_BOOLEAN:
		return (struct fieldway_value){ .type = FIELDWAY_BOOL, .boolean = v->boolean };
	case VALUE_INTEGER:
		return (struct fieldway_value){ .type = FIELDWAY_INT, .integer = v->integer };
	case VALUE_UNSIGNED:
		return (struct fieldway_value){ .type = FIELDWAY_UINT, .unsignd = v->unsignd };
	case VALUE_FLOAT:
		return (struct fieldway_value){ .type = FIELDWAY_FLOAT, .real = v->real };
	case VALUE_STRING:
	case VALUE_OPAQUE:
		ret.type = v->type == VALUE_STRING ? FIELDWAY_STRING : FIELDWAY_BYTES;
		ret.data = (const char *)v->data;
		ret.size = v->size;
		return ret;
	case VALUE_TIME:
	case VALUE_OBJLNK:
	case VALUE_CORELNK:
	case VALUE_NONE:
	case VALUE_TYPES:
		break;
	}
	return ret;
}

static int check_value(const struct config_point *point, const struct value *v, sd_bus_error *error)
{
	if (v->type == VALUE_FLOAT && !isfinite(v->real))
		return refuse(error, AGENT1_ERROR_OUT_OF_RANGE, point, "holds finite numbers");
	if ((v->type == VALUE_STRING || v->type == VALUE_OPAQUE) && v->size > LINK_SAMPLE_BYTES_MAX)
		return refuse(error, AGENT1_ERROR_OUT_OF_RANGE, point, "holds at most 4096 bytes");
	if (point->range.present && range_check(&point->range, v) < 0)
		return refuse(error, AGENT1_ERROR_OUT_OF_RANGE, point, "does not hold such a value, by its range");
	return 0;
}

static int read_value(sd_bus_message *m, const struct config_point *point, struct value *ret, sd_bus_error *error)
{
	const struct point_type *t = &point_types[config_local_type(point)];
	const char *contents;
	char type;
	int r = sd_bus_message_peek_type(m, &type, &contents);

	if (r <= 0)
		return r < 0 ? r : -EBADMSG;
	if (!holds(t, contents))
		return refuse_type(error, point);
	r = value_read(m, contents, t->type, ret);
	if (r == -EINVAL || r == -ERANGE)
		return streq(contents, "d") && t->type != VALUE_FLOAT ?
			       refuse_type(error, point) :
			       refuse(error, AGENT1_ERROR_OUT_OF_RANGE, point, "does not hold so large a value");
	return MIN(r, 0);
}

/* ---- its time and quality ---- */

/* On the boot-time clock; what is older than that counts as of its first instant. */
static int read_time(const struct config_point *point, uint64_t since_1970, uint64_t *ret, sd_bus_error *error)
{
	uint64_t now = clock_boottime_usec(), real = clock_realtime_usec(), age;

	if (since_1970 == 0) {
		*ret = now;
		return 0;
	}
	if (since_1970 > usec_add(real, AHEAD_USEC))
		return refuse(error, AGENT1_ERROR_WRONG_TIME, point, "has a time that has not come yet");
	age = since_1970 < real ? real - since_1970 : 0;
	*ret = age < now ? now - age : 1;
	return 0;
}

static int read_quality(const struct config_point *point, uint32_t number, struct fieldway_sample *ret,
			sd_bus_error *error)
{
	if (number >= ARRAY_SIZE(qualities))
		return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
					 "Point %s: %u is no quality: 0 good, 1 no value, 2 not read", point->name,
					 number);
	ret->quality = qualities[number];
	ret->error = ret->quality == FIELDWAY_FAILED ? -EIO : 0;
	return 0;
}

/* ---- all of them ---- */

static int find_item(const struct config_type *type, const struct publication *p, const char *name,
		     uint32_t *ret, sd_bus_error *error)
{
	size_t last = p->n > 0 ? p->samples[p->n - 1].point + (size_t)1 : 0;
	int64_t point = find_point(type, name, last);
	char echo[ECHO_MAX + 1];

	if (point < 0)
		return sd_bus_error_setf(error, AGENT1_ERROR_NO_SUCH_POINT, "There is no point %s",
					 error_echo(name, echo));
	if (!(type->points[point].access & CONFIG_ACCESS_READ))
		return refuse(error, AGENT1_ERROR_NOT_ALLOWED, &type->points[point], "is only written");
	if (p->there[point])
		return refuse(error, SD_BUS_ERROR_INVALID_ARGS, &type->points[point], "is there twice");
	*ret = (uint32_t)point;
	return 0;
}

static int read_item(sd_bus_message *m, const struct config_type *type, struct publication *p,
		     sd_bus_error *error)
{
	struct fieldway_sample sample = { 0 };
	const struct config_point *point;
	struct value *value = &p->values[p->n];
	uint64_t since_1970;
	const char *name;
	uint32_t quality;
	int r = sd_bus_message_read(m, "s", &name);

	if (r >= 0)
		r = find_item(type, p, name, &sample.point, error);
	if (r < 0)
		return r;
	point = &type->points[sample.point];
	r = read_value(m, point, value, error);
	if (r >= 0)
		r = sd_bus_message_read(m, "tu", &since_1970, &quality);
	if (r >= 0)
		r = read_time(point, since_1970, &sample.boottime_usec, error);
	if (r >= 0)
		r = read_quality(point, quality, &sample, error);
	/* What comes with another quality only fills the place of a value. */
	if (r >= 0 && sample.quality == FIELDWAY_GOOD)
		r = check_value(point, value, error);
	if (r < 0) {
		value_done(value);
		return r;
	}
	if (sample.quality == FIELDWAY_GOOD)
		sample.value = value_to_field(value);
	p->there[sample.point] = true;
	p->samples[p->n++] = sample;
	return 0;
}

static int read_items(sd_bus_message *m, const struct config_type *type, struct publication *p,
		      sd_bus_error *error)
{
	int r = sd_bus_message_enter_container(m, 'a', "(svtu)");

	while (r >= 0) {
		r = sd_bus_message_enter_container(m, 'r', "svtu");
		if (r <= 0)
			return r;
		if (p->n == MIN(type->n_points, PUBLISHED_MAX))
			return error_set(error, -ENOSPC,
					 p->n == PUBLISHED_MAX ? "More than 1000 values in one call" :
								 "More values than the device has points");
		r = read_item(m, type, p, error);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r;
}

int publication_read(sd_bus_message *m, const struct config_type *type, struct publication *ret,
		     sd_bus_error *error)
{
	struct publication p = { .samples = calloc(type->n_points + 1, sizeof(*p.samples)),
				 .values = calloc(type->n_points + 1, sizeof(*p.values)),
				 .there = calloc(type->n_points + 1, sizeof(*p.there)) };
	int r = p.samples && p.values && p.there ? read_items(m, type, &p, error) : -ENOMEM;

	if (r < 0)
		publication_done(&p);
	else
		*ret = p;
	return MIN(r, 0);
}

void publication_done(struct publication *p)
{
	for (size_t i = 0; i < p->n; i++)
		value_done(&p->values[i]);
	free(p->samples);
	free(p->values);
	free(p->there);
	*p = (struct publication){ 0 };
}
