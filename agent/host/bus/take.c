/* SPDX-License-Identifier: Apache-2.0 */
#include "host/bus/take.h"

#include "base/clock.h"
#include "host/bus/device.h"
#include "host/event/events.h"
#include "host/value/exponent.h"
#include "host/value/transform.h"

static const struct link_point *point_of(const struct device *d, uint32_t point)
{
	return &d->setup->type->points[point];
}

/* False: the value is from before the point's last write. */
static bool is_current(const struct device *d, uint32_t point, uint64_t begun_writes)
{
	return d->written[point] <= begun_writes;
}

static void count(struct point_counts *c, const struct fieldway_sample *s)
{
	switch (s->quality) {
	case FIELDWAY_GOOD:
		c->good++;
		return;
	case FIELDWAY_INVALID:
		c->invalid++;
		return;
	case FIELDWAY_FAILED:
		c->failed++;
		c->error = (int16_t)s->error;
		return;
	}
}

static bool is_measured(const struct fieldway_sample *s)
{
	return s->quality == FIELDWAY_GOOD &&
	       (s->value.type == FIELDWAY_INT || s->value.type == FIELDWAY_UINT ||
		s->value.type == FIELDWAY_FLOAT);
}

/* Freshness without news: told is what went up last, or is about to. */
static void apply_deadband(double deadband, const struct fieldway_sample *told, struct fieldway_sample *s,
			   struct point_counts *c)
{
	if (deadband <= 0 || !is_measured(s) || !is_measured(told) ||
	    !value_is_near(&s->value, &told->value, deadband))
		return;
	c->unchanged++;
	s->value = told->value;
}

void take_put(struct device *d, struct fieldway_sample *s)
{
	const struct values_slot *slot = &d->values.slots[s->point];
	struct point_counts *c = &d->counts[s->point];

	c->conflated += slot->waits;
	apply_deadband(point_of(d, s->point)->deadband, &slot->sample, s, c);
	(void)values_put(d->bus->services->values, &d->values, s);
}

/*
 * What comes by itself is thinned. A copy: read-backs want what was read, not
 * what a deadband makes of it.
 */
static void put(struct device *d, const struct fieldway_sample *sample)
{
	struct fieldway_sample s = *sample;

	count(&d->counts[s.point], &s);
	if (d->line)
		take_put(d, &s);
	else
		events_put(d->bus->events, d, &s);
}

/* An exponent that failed takes those with it that cannot be told without. */
static void release(struct device *d, const struct fieldway_sample *exponent)
{
	struct fieldway_sample s;

	if (!exponents_learn(d->exponents, exponent))
		return;
	while (exponents_take(d->exponents, exponent->point, &s)) {
		int e = exponents_of(d->exponents, s.point);

		if (e == EXPONENT_UNKNOWN)
			s = (struct fieldway_sample){ .point = s.point,
						      .quality = FIELDWAY_FAILED,
						      .error = exponent->error,
						      .boottime_usec = exponent->boottime_usec };
		else
			exponent_apply(point_of(d, s.point), e, &s);
		put(d, &s);
	}
}

/* In place it is no value until then: read-backs must not take it for one. */
static void wait_for_exponent(struct device *d, struct fieldway_sample *s, bool current)
{
	int32_t poll = device_poll_of(d, (uint32_t)point_of(d, s->point)->scale10);

	if (current)
		exponents_wait(d->exponents, s);
	s->quality = FIELDWAY_INVALID;
	s->value = (struct fieldway_value){ .type = FIELDWAY_NONE };
	if (poll >= 0)
		device_read_soon(d, (uint32_t)poll, 1);
}

static void take_one(struct device *d, struct fieldway_sample *s, uint64_t begun_writes)
{
	int exponent = exponents_of(d->exponents, s->point);
	bool current = is_current(d, s->point, begun_writes);

	s->boottime_usec += clock_offset_usec();
	if (exponent == EXPONENT_UNKNOWN && is_measured(s)) {
		wait_for_exponent(d, s, current);
		return;
	}
	exponent_apply(point_of(d, s->point), exponent, s);
	if (!current)
		return;
	put(d, s);
	release(d, s);
}

/* Exponents first: a request often brings them together with what needs them. */
void take_samples(struct device *d, struct fieldway_sample *samples, size_t n, uint64_t begun_writes)
{
	for (int scaled = 0; scaled <= (d->exponents ? 1 : 0); scaled++)
		for (size_t i = 0; i < n; i++)
			if (samples[i].point < d->values.n_slots &&
			    (point_of(d, samples[i].point)->scale10 >= 0) == scaled)
				take_one(d, &samples[i], begun_writes);
}

struct fieldway_sample take_failed(uint32_t point, const struct fieldway_result *why)
{
	struct fieldway_sample s = { .point = point,
				     .quality = FIELDWAY_FAILED,
				     .error = why->error,
				     .boottime_usec = clock_boottime_usec() };

	if (why->code)
		s.value = (struct fieldway_value){ .type = FIELDWAY_UINT, .unsignd = why->code };
	return s;
}

void take_failure(struct device *d, const uint32_t *points, size_t n, const struct fieldway_result *why,
		  uint64_t begun_writes)
{
	for (size_t i = 0; i < n; i++) {
		struct fieldway_sample s = take_failed(points[i], why);

		if (s.point >= d->values.n_slots || !is_current(d, s.point, begun_writes))
			continue;
		put(d, &s);
		release(d, &s);
	}
}
