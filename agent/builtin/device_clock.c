/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "builtin/device_host.h"

/*
 * A server's idea of the time is kept beside the machine's, whose clock is not
 * touched (lwm2m.md "Virtual endpoints"), unless the configuration lets servers
 * do that. Then there is nothing to keep.
 */

/* The year 9999: what people and text formats can write. */
#define TIME_MAX_S INT64_C(253402300799)
#define UTC_OFFSET_MINUTES_MAX (14 * 60)

static int64_t now_s(void)
{
	return clock_realtime_usec() / USEC_PER_SEC;
}

static void keep(struct device_host *h)
{
	struct builtin *b = h->builtin;

	b->ports->keep_clock(b->endpoint, &h->clock);
}

/* A write that the machine is to follow. */
struct order {
	struct device_host *host;
	bool time; /* else timezone */
	backing_done done;
	void *userdata;
};

static void order_done(void *userdata, int error, const char *reason)
{
	struct order *o = userdata;
	struct builtin_clock *clock = &o->host->clock;

	if (error >= 0 && o->time)
		clock->offset_s = 0;
	else if (error >= 0)
		*clock->timezone = *clock->utc_offset = '\0';
	if (error >= 0)
		keep(o->host);
	o->done(o->userdata, error, reason);
	free(o);
}

/* NULL: done has run. */
static struct order *order_new(struct device_host *h, bool time, backing_done done, void *userdata)
{
	struct order *o = malloc(sizeof(*o));

	if (o)
		*o = (struct order){ .host = h, .time = time, .done = done, .userdata = userdata };
	else
		done(userdata, -ENOMEM, NULL);
	return o;
}

/* ---- 13, Current Time ---- */

static int time_read(void *userdata, const struct path *path, struct value *ret)
{
	const struct device_host *h = userdata;

	(void)path;
	*ret = value_time(now_s() + h->clock.offset_s);
	return 0;
}

static void order_time(struct device_host *h, int64_t seconds, backing_done done, void *userdata)
{
	struct order *o = order_new(h, true, done, userdata);

	if (o)
		h->builtin->ports->set_time(h->builtin->endpoint, seconds, order_done, o);
}

static void time_write(void *userdata, const struct path *path, const struct value *value,
		       backing_done done, void *done_userdata)
{
	struct device_host *h = userdata;

	(void)path;
	/* Before 1970, or so far away that the sum would not fit one day. */
	if (value->integer < 0 || value->integer > TIME_MAX_S) {
		done(done_userdata, -ERANGE, "no time that this clock can show");
		return;
	}
	if (h->may_set_time) {
		order_time(h, value->integer, done, done_userdata);
		return;
	}
	h->clock.offset_s = value->integer - now_s();
	keep(h);
	done(done_userdata, 0, NULL);
}

static const struct backing_ops time_ops = { .read = time_read, .write = time_write };

/* ---- 14, UTC Offset (ISO 8601) ---- */

static bool two_digits(const char *text, int *ret)
{
	if (!isdigit((unsigned char)text[0]) || !isdigit((unsigned char)text[1]))
		return false;
	*ret = (text[0] - '0') * 10 + text[1] - '0';
	return true;
}

/* "Z", "+01", "+01:00", "+0100". */
static bool is_utc_offset(const char *text, size_t size)
{
	int hours, minutes = 0;
	const char *rest;

	if (streq(text, "Z"))
		return true;
	if (size < 3 || !strchr("+-", *text) || !two_digits(text + 1, &hours))
		return false;
	rest = text + 3;
	if (*rest == ':')
		rest++;
	if (rest != text + size && (!two_digits(rest, &minutes) || rest + 2 != text + size))
		return false;
	/* A colon alone is half of one. */
	return (size != 4) && minutes < 60 && hours * 60 + minutes <= UTC_OFFSET_MINUTES_MAX;
}

/* ---- 15, Timezone (IANA) ---- */

static bool is_timezone(const char *text, size_t size)
{
	if (size == 0 || size >= BUILTIN_TIMEZONE_MAX || *text == '/' || strstr(text, ".."))
		return false;
	for (size_t i = 0; i < size; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("_+-/.", text[i]))
			return false;
	return true;
}

/* ---- both ---- */

static bool is_offset(const struct path *path)
{
	return path->resource == DEVICE_UTC_OFFSET;
}

static int zone_read(void *userdata, const struct path *path, struct value *ret)
{
	const struct device_host *h = userdata;
	const char *kept = is_offset(path) ? h->clock.utc_offset : h->clock.timezone;
	struct builtin_clock own = { 0 };

	if (!*kept)
		h->builtin->ports->zone(h->builtin->endpoint, &own);
	return value_set_string(ret, *kept ? kept : is_offset(path) ? own.utc_offset : own.timezone);
}

static int zone_check(void *userdata, const struct path *path, const struct value *value, char **ret_reason)
{
	bool offset = is_offset(path);

	(void)userdata;
	if (strlen(value->data) == value->size && (offset ? is_utc_offset(value->data, value->size) :
							    is_timezone(value->data, value->size)))
		return 0;
	*ret_reason = strdup(offset ? "an offset is written +01:00" : "a timezone is written Europe/Berlin");
	return -EINVAL;
}

static void order_timezone(struct device_host *h, const char *timezone, backing_done done, void *userdata)
{
	struct order *o = order_new(h, false, done, userdata);

	if (o)
		h->builtin->ports->set_timezone(h->builtin->endpoint, timezone, order_done, o);
}

static void zone_write(void *userdata, const struct path *path, const struct value *value,
		       backing_done done, void *done_userdata)
{
	struct device_host *h = userdata;

	if (!is_offset(path) && h->may_set_timezone) {
		order_timezone(h, value->data, done, done_userdata);
		return;
	}
	if (is_offset(path))
		snprintf(h->clock.utc_offset, sizeof(h->clock.utc_offset), "%s", value->data);
	else
		snprintf(h->clock.timezone, sizeof(h->clock.timezone), "%s", value->data);
	keep(h);
	done(done_userdata, 0, NULL);
}

static const struct backing_ops zone_ops = { .read = zone_read, .check = zone_check, .write = zone_write };

int clock_init(struct device_host *h)
{
	const struct {
		uint16_t resource;
		const struct backing_ops *ops;
	} resources[] = {
		{ DEVICE_TIME, &time_ops },
		{ DEVICE_UTC_OFFSET, &zone_ops },
		{ DEVICE_TIMEZONE, &zone_ops },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(resources) && r >= 0; i++)
		r = device_host_back(h, resources[i].resource, resources[i].ops);
	return r;
}
