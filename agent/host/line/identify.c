/* SPDX-License-Identifier: Apache-2.0 */
#include "host/line/identify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "host/device/device.h"
#include "host/device/take.h"
#include "host/line/read.h"
#include "host/line/write.h"
#include "host/value/exponent.h"
#include "host/value/transform.h"

/* What is said of a model: "meter_code is 33, not 112". */
#define IDENTIFY_TEXT_MAX 200u

struct text {
	char bytes[IDENTIFY_TEXT_MAX];
	size_t n;
};

bool identify_is_due(const struct device *d)
{
	return d->setup->identify && !d->identified;
}

void identify_forget(struct device *d)
{
	d->identified = false;
	exponents_reset(d->exponents);
}

/* ---- words ---- */

_printf_(2, 3) static void add(struct text *t, const char *format, ...)
{
	size_t room = sizeof(t->bytes) - t->n;
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(t->bytes + t->n, room, format, arguments);
	va_end(arguments);
	t->n += n < 0 ? 0 : MIN((size_t)n, room - 1);
}

static void add_value(struct text *t, const struct fieldway_value *v)
{
	char number[FORMAT_DOUBLE_MAX];

	switch (v->type) {
	case FIELDWAY_BOOL:
		add(t, "%s", v->boolean ? "true" : "false");
		return;
	case FIELDWAY_INT:
		add(t, "%" PRId64, v->integer);
		return;
	case FIELDWAY_UINT:
		add(t, "%" PRIu64, v->unsignd);
		return;
	case FIELDWAY_FLOAT:
		add(t, "%s", format_double(v->real, number));
		return;
	case FIELDWAY_STRING:
		add(t, "'%.*s'", (int)MIN(v->size, (size_t)40), v->data);
		return;
	case FIELDWAY_NONE:
	case FIELDWAY_BYTES:
		add(t, "no value");
		return;
	}
}

static void add_expected(struct text *t, const struct link_identify *identify)
{
	for (size_t i = 0; i < identify->n_values; i++) {
		add(t, "%s", i == 0 ? ", not " : i + 1 < identify->n_values ? ", " : " or ");
		add_value(t, &identify->values[i]);
	}
}

/* ---- verdicts ---- */

static bool is_expected(const struct link_identify *identify, const struct fieldway_sample *s)
{
	for (size_t i = 0; i < identify->n_values; i++)
		if (s->quality == FIELDWAY_GOOD && value_is_near(&s->value, &identify->values[i], 0))
			return true;
	return false;
}

static void reject(struct device *d, const struct text *why)
{
	char text[DEVICE_TEXT_MAX];

	snprintf(text, sizeof(text), "bus %.100s: device %.100s: %.96s: %s", bus_name(d->bus),
		 d->setup->link->name, d->setup->identify->text, why->bytes);
	text[utf8_valid_prefix(text, strlen(text))] = '\0';
	schedule_reject(&d->line->schedule, d->index, clock_monotonic_usec());
	device_enter_state(d, LINK_FAILED, text);
	write_cancel(d->line, d, -EHOSTDOWN, text);
	read_cancel(d->line, d, -EHOSTDOWN, "offline");
	identify_forget(d);
}

static void accept(struct line *l, struct device *d)
{
	d->identified = true;
	schedule_heard(&l->schedule, d->index, clock_monotonic_usec(), SCHEDULE_ANSWERED, 0);
	take_samples(d, l->job.samples, l->job.request->n_points, l->begun_writes);
	values_flush(d->bus->services->values);
	device_settle(d, &l->job.result, l->job.request->text);
}

/* False: it is rejected. */
static bool judge(struct device *d, const struct fieldway_sample *raw)
{
	const struct link_type *type = d->setup->type;
	const struct link_point *p = &type->points[type->identify.point];
	struct fieldway_sample s = *raw;
	struct text why = { 0 };

	transform_forward(p, &s);
	if (is_expected(&type->identify, &s))
		return true;
	add(&why, "is another model: %.40s is ", p->name);
	add_value(&why, &s.value);
	add_expected(&why, &type->identify);
	reject(d, &why);
	return false;
}

bool identify_still(struct line *l)
{
	const struct fieldway_request *request = l->job.request;
	struct device *d = l->device;

	if (!d->setup->identify || l->job.result.error < 0)
		return true;
	for (size_t i = 0; i < request->n_points; i++)
		if (l->job.samples[i].point == (uint32_t)d->setup->type->identify.point &&
		    l->job.samples[i].quality == FIELDWAY_GOOD)
			return judge(d, &l->job.samples[i]);
	return true;
}

/* A device that is busy says nothing about its model. */
static bool says_nothing(int error)
{
	return answer_of(error) == SCHEDULE_SILENT || error == -EBUSY || error == -EREMOTEIO;
}

static void silent(struct line *l, struct device *d, bool asked)
{
	uint64_t now = clock_monotonic_usec(), random = random_u64();

	if (asked)
		schedule_done(&l->schedule, &l->turn, l->begun_usec, now, SCHEDULE_SILENT, true, random);
	else
		schedule_heard(&l->schedule, d->index, now, SCHEDULE_SILENT, random);
	device_settle(d, &l->job.result, l->job.request->text);
}

void identify_done(struct line *l, bool asked)
{
	const struct fieldway_result *result = &l->job.result;
	struct text why = { 0 };

	if (result->error >= 0) {
		if (judge(l->device, &l->job.samples[0]))
			accept(l, l->device);
	} else if (says_nothing(result->error)) {
		silent(l, l->device, asked);
	} else {
		add(&why, "cannot be identified: %s",
		    *result->detail ? result->detail : strerror(-result->error));
		reject(l->device, &why);
	}
}
