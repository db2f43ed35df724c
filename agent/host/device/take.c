/* SPDX-License-Identifier: Apache-2.0 */
#include "host/device/take.h"

#include "base/clock.h"
#include "host/device/device.h"
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

/* The device's number is of one of two exponents, and nobody knows of which: it is read anew. */
static void read_again(struct device *d, uint32_t point)
{
	int32_t poll = d->line ? device_poll_of(d, point) : -1;
	struct schedule *schedule;

	if (poll < 0)
		return;
	schedule = &d->line->schedule;
	schedule_hasten(schedule, d->index, schedule->devices[d->index].first + (uint32_t)poll,
			usec_add(clock_monotonic_usec(), POLL_AGAIN_USEC));
}

/* An exponent that failed takes those with it that cannot be told without. */
static void release(struct device *d, const struct fieldway_sample *exponent)
{
	struct fieldway_sample s;
	int before;

	if (!exponents_learn(d->exponents, exponent))
		return;
	while (exponents_take(d->exponents, exponent->point, &s, &before)) {
		int e = exponents_of(d->exponents, s.point);

		if (exponent->quality == FIELDWAY_FAILED) {
			const uint32_t point = s.point;

			s = *exponent;
			s.point = point;
		} else if (before != EXPONENT_UNKNOWN && before != e) {
			read_again(d, s.point);
			continue;
		} else {
			exponent_apply(point_of(d, s.point), e, &s);
		}
		put(d, &s);
	}
}

static void wait_for_exponent(struct device *d, const struct fieldway_sample *s)
{
	int32_t poll = device_poll_of(d, (uint32_t)point_of(d, s->point)->scale10);

	exponents_wait(d->exponents, s);
	if (poll >= 0)
		device_read_soon(d, (uint32_t)poll, 1);
}

static bool is_among(const struct fieldway_sample *samples, size_t n, int32_t point)
{
	for (size_t i = 0; i < n; i++)
		if (samples[i].point == (uint32_t)point)
			return true;
	return false;
}

/* Does its exponent have to be read before it can be told? */
static bool lacks_exponent(const struct device *d, const struct fieldway_sample *s,
			   const struct fieldway_sample *samples, size_t n)
{
	if (!d->exponents || point_of(d, s->point)->scale10 < 0 || !is_measured(s))
		return false;
	return exponents_of(d->exponents, s->point) == EXPONENT_UNKNOWN ||
	       (d->line && exponent_follows(d->setup->type, s->point) &&
		!is_among(samples, n, point_of(d, s->point)->scale10));
}

/* In place it is what the exponent known makes of it, for read-backs: none, or that of what was written. */
static void take_one(struct device *d, struct fieldway_sample *s, bool current, bool waits)
{
	s->boottime_usec += clock_offset_usec();
	if (current && waits)
		wait_for_exponent(d, s);
	exponent_apply(point_of(d, s->point), exponents_of(d->exponents, s->point), s);
	if (!current || waits)
		return;
	exponents_forget(d->exponents, s->point);
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
				take_one(d, &samples[i], is_current(d, samples[i].point, begun_writes),
					 lacks_exponent(d, &samples[i], samples, n));
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
