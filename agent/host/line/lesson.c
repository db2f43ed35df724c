/* SPDX-License-Identifier: Apache-2.0 */
#include "host/line/lesson.h"

#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"

/* Illegal value (Modbus exception 3) is the answer of a device that gives less at once. */
bool lesson_is_refusal(int error)
{
	return error == -ENXIO || error == -EINVAL;
}

static uint32_t n_left(const struct lesson *s)
{
	return (uint32_t)s->whole->n_points - s->begin;
}

static void drop_plan(const struct lesson *s, struct fieldway_plan *plan)
{
	if (plan->memory || plan->requests)
		s->plugin->plan_free(plan);
	*plan = (struct fieldway_plan){ 0 };
}

static struct fieldway_plan take_plan(struct fieldway_plan *plan)
{
	struct fieldway_plan taken = *plan;

	*plan = (struct fieldway_plan){ 0 };
	return taken;
}

static int plan_points(struct lesson *s, uint32_t n, struct fieldway_plan *ret)
{
	*ret = (struct fieldway_plan){ 0 };
	return s->plugin->plan_new(s->driver, s->whole->points + s->begin, n, ret);
}

/* ---- parts ---- */

static void begin_part(struct lesson *s)
{
	s->good = 0;
	s->bad = n_left(s) + 1;
}

static void end_part(struct lesson *s, enum lesson_kind kind, struct fieldway_plan *plan,
		     uint32_t n)
{
	s->parts[s->n_parts++] = (struct lesson_part){ kind, take_plan(plan) };
	drop_plan(s, &s->best);
	s->begin += n;
	begin_part(s);
}

/* The point alone was the last thing that was asked. */
static int end_refused(struct lesson *s)
{
	struct fieldway_plan plan;
	int r = plan_points(s, 1, &plan);

	if (r >= 0)
		end_part(s, LESSON_REFUSED, &plan, 1);
	return r;
}

static int end_unknown(struct lesson *s)
{
	struct fieldway_plan plan;
	int r = plan_points(s, n_left(s), &plan);

	if (r >= 0)
		end_part(s, LESSON_UNKNOWN, &plan, n_left(s));
	return r;
}

/* ---- what to ask ---- */

static bool is_settled(const struct lesson *s)
{
	return s->good + 1 == s->bad || s->good == n_left(s);
}

/* All that is left; what comes behind a part that could not be longer is often refused itself. */
static uint32_t next_length(const struct lesson *s)
{
	if (s->bad > n_left(s))
		return n_left(s);
	if (s->good == 0 && s->begin > 0)
		return 1;
	return (s->good + s->bad) / 2;
}

static void learn(struct lesson *s, bool refused)
{
	if (refused) {
		s->bad = s->n_trial;
		drop_plan(s, &s->trial);
		return;
	}
	s->good = s->n_trial;
	drop_plan(s, &s->best);
	s->best = take_plan(&s->trial);
}

/* 1: the trial can be asked; 0: the plugin would not ask for these points at once. */
static int next_trial(struct lesson *s)
{
	int r;

	s->n_trial = next_length(s);
	r = plan_points(s, s->n_trial, &s->trial);
	if (r < 0)
		return r;
	if (s->trial.n != 1 || s->trial.requests[0].n_points != s->n_trial) {
		learn(s, true);
		return 0;
	}
	s->n_requests++;
	return 1;
}

static int settle(struct lesson *s)
{
	if (s->good == 0)
		return end_refused(s);
	end_part(s, LESSON_READ, &s->best, s->good);
	return 0;
}

static int go_on(struct lesson *s)
{
	int r = 0;

	while (r == 0 && n_left(s) > 0) {
		if (is_settled(s))
			r = settle(s);
		else if (s->n_requests >= LESSON_REQUESTS_MAX)
			r = end_unknown(s);
		else
			r = next_trial(s);
	}
	return r;
}

int lesson_answer(struct lesson *s, bool refused)
{
	learn(s, refused);
	return go_on(s);
}

/* ---- life ---- */

DEFINE_FREEP(struct lesson *, lesson_free)

int lesson_new(const struct fieldway_plugin *plugin, const struct fieldway_driver *driver,
	       const struct fieldway_request *whole, const struct fieldway_result *why,
	       struct lesson **ret)
{
	_cleanup_(lesson_freep) struct lesson *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->plugin = plugin;
	s->driver = driver;
	s->whole = whole;
	s->why = *why;
	s->parts = calloc(whole->n_points, sizeof(*s->parts));
	if (!s->parts)
		return -ENOMEM;
	begin_part(s);
	s->bad = n_left(s);
	r = go_on(s);
	if (r <= 0)
		return r < 0 ? r : -ENOMEM;
	*ret = TAKE_PTR(s);
	return 0;
}

void lesson_follow(struct lesson *s, const struct fieldway_driver *driver,
		   const struct fieldway_request *whole)
{
	s->driver = driver;
	s->whole = whole;
}

struct lesson *lesson_free(struct lesson *s)
{
	if (!s)
		return NULL;
	drop_plan(s, &s->best);
	drop_plan(s, &s->trial);
	for (size_t i = 0; i < s->n_parts; i++)
		drop_plan(s, &s->parts[i].plan);
	free(s->parts);
	free(s);
	return NULL;
}
