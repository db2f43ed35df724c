/* SPDX-License-Identifier: Apache-2.0 */
#include "host/line/reading.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "host/device/device.h"
#include "host/device/take.h"
#include "host/line/lesson.h"
#include "host/value/transform.h"

static const struct link_point *point_of(const struct reading *r, uint32_t point)
{
	return &r->device->type->points[point];
}

static void want(struct reading *r, uint32_t point)
{
	int32_t exponent;

	if (point >= r->device->type->n_points || !(point_of(r, point)->access & LINK_READ))
		return;
	r->wanted[point] = true;
	exponent = point_of(r, point)->scale10;
	if (exponent >= 0 && (!r->exponents || exponents_of(r->exponents, point) == EXPONENT_UNKNOWN ||
			      exponent_follows(r->device->type, point)))
		r->wanted[exponent] = true;
}

int reading_init(struct reading *r, const struct setup *setup, const struct setup_device *device,
		 const struct exponents *exponents, const uint32_t *points, size_t n)
{
	size_t n_points = device->type->n_points;

	*r = (struct reading){ .setup = setup, .device = device, .exponents = exponents };
	r->wanted = calloc(n_points + 1, sizeof(*r->wanted));
	r->samples = calloc(n_points + 1, sizeof(*r->samples));
	if (!r->wanted || !r->samples)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		want(r, points[i]);
	return 0;
}

void reading_done(struct reading *r)
{
	for (size_t i = 0; i < r->n_plans; i++)
		r->setup->plugin->plan_free(&r->plans[i]);
	free(r->plans);
	free(r->wanted);
	free(r->samples);
	arena_done(&r->arena);
	*r = (struct reading){ 0 };
}

static int add_plan(struct reading *r, const uint32_t *points, size_t n)
{
	struct fieldway_plan *plans = reallocarray(r->plans, r->n_plans + 1, sizeof(*plans));
	int e;

	if (!plans)
		return -ENOMEM;
	r->plans = plans;
	e = r->setup->plugin->plan_new(r->device->driver, points, n, &r->plans[r->n_plans]);
	if (e < 0)
		return -ENOMEM;
	r->n_plans++;
	return 0;
}

int reading_add(struct reading *r, const struct fieldway_request *request)
{
	_cleanup_free_ uint32_t *points = calloc(request->n_points + 1, sizeof(*points));
	size_t n = 0;

	if (!points)
		return -ENOMEM;
	for (size_t i = 0; i < request->n_points; i++) {
		uint32_t point = request->points[i];

		if (!r->wanted[point])
			continue;
		r->wanted[point] = false;
		points[n++] = point;
	}
	return n > 0 ? add_plan(r, points, n) : 0;
}

static void skip_empty(struct reading *r)
{
	while (r->plan < r->n_plans && r->request >= r->plans[r->plan].n) {
		r->plan++;
		r->request = 0;
	}
}

const struct fieldway_request *reading_next(const struct reading *r)
{
	return r->plan < r->n_plans ? &r->plans[r->plan].requests[r->request] : NULL;
}

static void advance(struct reading *r)
{
	r->request++;
	skip_empty(r);
}

/* ---- answers ---- */

static int keep(struct reading *r, const struct fieldway_sample *sample)
{
	struct fieldway_sample *s = &r->samples[r->n_samples];

	if (r->n_samples >= r->device->type->n_points || sample->point >= r->device->type->n_points)
		return 0;
	*s = *sample;
	if (s->value.type == FIELDWAY_STRING || s->value.type == FIELDWAY_BYTES) {
		s->value.data = arena_text(&r->arena, sample->value.data ?: "", sample->value.size);
		if (!s->value.data)
			return -ENOMEM;
	}
	r->n_samples++;
	return 0;
}

static void note(struct reading *r, const struct fieldway_result *result, const char *what)
{
	if (r->result.error < 0)
		return;
	r->result = *result;
	snprintf(r->what, sizeof(r->what), "%s", what);
}

void reading_stop(struct reading *r, const struct fieldway_result *why, const char *what)
{
	note(r, why, what);
	r->plan = r->n_plans;
}

/* The device answered, and that it will not. */
static int take_refusal(struct reading *r, const struct fieldway_request *request,
			const struct fieldway_result *result)
{
	int e = 0;

	if (request->n_points > 1 && lesson_is_refusal(result->error)) {
		for (size_t i = 0; e >= 0 && i < request->n_points; i++)
			e = add_plan(r, &request->points[i], 1);
		return e;
	}
	note(r, result, request->text);
	for (size_t i = 0; e >= 0 && i < request->n_points; i++) {
		struct fieldway_sample s = take_failed(request->points[i], result);

		e = keep(r, &s);
	}
	return e;
}

static int take(struct reading *r, const struct fieldway_request *request,
		const struct fieldway_sample *samples, const struct fieldway_result *result)
{
	int e = 0;

	if (result->error < 0)
		return take_refusal(r, request, result);
	for (size_t i = 0; e >= 0 && i < request->n_points; i++) {
		struct fieldway_sample s = samples[i];

		s.boottime_usec += clock_offset_usec();
		e = keep(r, &s);
	}
	return e;
}

int reading_take(struct reading *r, const struct fieldway_sample *samples,
		 const struct fieldway_result *result)
{
	static const struct fieldway_result no_memory = { .error = -ENOMEM };
	/* A copy: adding plans moves them, and what they point to stays. */
	const struct fieldway_request request = *reading_next(r);
	int e;

	if (answer_of(result->error) == SCHEDULE_SILENT) {
		reading_stop(r, result, request.text);
		return 0;
	}
	e = take(r, &request, samples, result);
	if (e < 0)
		reading_stop(r, &no_memory, request.text);
	else
		advance(r);
	return e;
}

/* ---- units ---- */

static int exponent_for(const struct reading *r, uint32_t point)
{
	int32_t exponent = point_of(r, point)->scale10;

	if (exponent < 0)
		return 0;
	for (size_t i = 0; i < r->n_samples; i++)
		if (r->samples[i].point == (uint32_t)exponent)
			return exponent_value(&r->samples[i]);
	return r->exponents ? exponents_of(r->exponents, point) : EXPONENT_UNKNOWN;
}

/* Exponents have none themselves: they are in their unit before others need them. */
void reading_finish(struct reading *r)
{
	for (int scaled = 0; scaled <= 1; scaled++)
		for (size_t i = 0; i < r->n_samples; i++) {
			struct fieldway_sample *s = &r->samples[i];

			if ((point_of(r, s->point)->scale10 >= 0) == scaled)
				exponent_apply(point_of(r, s->point), exponent_for(r, s->point), s);
		}
}
