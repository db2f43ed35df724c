/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/line/lesson.h"
#include "suite.h"

/*
 * A device of registers, one a point, and what it gives at once: '.' a register,
 * 'x' refuses whatever touches it, '|' a hole that no request may reach over.
 */
#define POINTS_MAX 400
static const char *map;
static uint32_t most;
static unsigned n_points, n_plans;
static uint32_t addresses[POINTS_MAX], all[POINTS_MAX];
static uint32_t split_above; /* the plugin plans more points than that as two requests; 0: never */

struct planned {
	struct fieldway_request requests[2];
	uint32_t points[];
};

static int plan_new(const struct fieldway_driver *driver, const uint32_t *points, size_t n,
		    struct fieldway_plan *ret)
{
	struct planned *p = calloc(1, sizeof(*p) + n * sizeof(*points));
	size_t first = split_above > 0 && n > split_above ? split_above : n;

	ck_assert_uint_ge(n, 1);
	memcpy(p->points, points, n * sizeof(*points));
	p->requests[0] = (struct fieldway_request){ .points = p->points, .n_points = first };
	p->requests[1] = (struct fieldway_request){ .points = p->points + first, .n_points = n - first };
	*ret = (struct fieldway_plan){ p->requests, first < n ? 2 : 1, p };
	n_plans++;
	return 0;
}

static void plan_free(struct fieldway_plan *plan)
{
	n_plans--;
	free(plan->memory);
}

static const struct fieldway_plugin plugin = { .plan_new = plan_new, .plan_free = plan_free };

static void load(const char *text, uint32_t at_once)
{
	map = text;
	most = at_once;
	n_points = n_plans = 0;
	split_above = 0;
	for (uint32_t i = 0; text[i]; i++) {
		if (text[i] == '|')
			continue;
		all[n_points] = n_points;
		addresses[n_points++] = i;
	}
}

static bool is_refused(const struct fieldway_request *r)
{
	uint32_t first = addresses[r->points[0]], last = addresses[r->points[r->n_points - 1]];

	for (uint32_t i = first; i <= last; i++)
		if (map[i] != '.')
			return true;
	return last - first >= most;
}

/* "0-7 10-17 !8": what was found, and how many requests that took. */
static unsigned found(char *ret, size_t size, size_t *ret_unknown)
{
	const struct fieldway_request whole = { .points = all, .n_points = n_points };
	const struct fieldway_result why = { .error = -ENXIO };
	struct lesson *s;
	unsigned n = 1;
	size_t used = 0, covered = 0;
	int r = 1;

	ck_assert(is_refused(&whole));
	ck_assert_int_eq(lesson_new(&plugin, NULL, &whole, &why, &s), 0);
	for (; r > 0; n++)
		r = lesson_answer(s, is_refused(lesson_request(s)));
	ck_assert_int_eq(r, 0);
	n--;
	ck_assert_uint_eq(n, s->n_requests);
	*ret = 0;
	*ret_unknown = 0;
	for (size_t i = 0; i < s->n_parts; i++) {
		const struct fieldway_plan *plan = &s->parts[i].plan;
		const struct fieldway_request *q = &plan->requests[0];

		for (size_t j = 0; j < plan->n; j++)
			for (size_t k = 0; k < plan->requests[j].n_points; k++)
				ck_assert_uint_eq(plan->requests[j].points[k], covered++);
		if (s->parts[i].kind == LESSON_UNKNOWN) {
			*ret_unknown = q->n_points;
			continue;
		}
		ck_assert_int_eq(is_refused(q), s->parts[i].kind == LESSON_REFUSED);
		if (used < size)
			used += (size_t)snprintf(ret + used, size - used, "%s%s%u-%u", used ? " " : "",
						 s->parts[i].kind == LESSON_REFUSED ? "!" : "",
						 addresses[q->points[0]], addresses[q->points[q->n_points - 1]]);
	}
	ck_assert_uint_eq(covered, n_points);
	lesson_free(s);
	ck_assert_uint_eq(n_plans, 0);
	return n;
}

static const struct {
	const char *map;
	uint32_t most;
	const char *found;
	unsigned n_max;
} rows[] = {
	{ "........||........", 125, "0-7 10-17", 6 },
	{ "..", 1, "0-0 1-1", 2 },
	{ ".x", 125, "0-0 !1-1", 2 },
	{ "x.", 125, "!0-0 1-1", 2 },
	{ "x|x", 125, "!0-0 !2-2", 2 },
	{ "......x.........", 125, "0-5 !6-6 7-15", 8 },
	{ "................................", 8, "0-7 8-15 16-23 24-31", 20 },
	{ ".|.|.|.", 125, "0-0 2-2 4-4 6-6", 10 },
	{ "xxxxxxxx", 125, "!0-0 !1-1 !2-2 !3-3 !4-4 !5-5 !6-6 !7-7", 16 },
};

START_TEST(finds_what_is_readable)
{
	char text[256];
	size_t unknown;
	unsigned n;

	load(rows[_i].map, rows[_i].most);
	n = found(text, sizeof(text), &unknown);
	ck_assert_str_eq(text, rows[_i].found);
	ck_assert_uint_eq(unknown, 0);
	ck_assert_msg(n <= rows[_i].n_max, "%u requests", n);
}
END_TEST

/* Every other register is missing: that would take a thousand requests. */
START_TEST(is_bounded)
{
	static char worst[POINTS_MAX + 1];
	char text[64];
	size_t unknown;

	for (int i = 0; i < POINTS_MAX; i++)
		worst[i] = i % 2 ? 'x' : '.';
	load(worst, 125);
	ck_assert_uint_eq(found(text, sizeof(text), &unknown), LESSON_REQUESTS_MAX);
	ck_assert_uint_gt(unknown, 0);
	ck_assert_int_eq(strncmp(text, "0-0 !1-1 2-2", 12), 0);
}
END_TEST

/* Where the plugin splits by itself nothing is asked. */
START_TEST(the_plugin_splits)
{
	char text[128];
	size_t unknown;

	load("....................x", 125);
	split_above = 6;
	ck_assert_uint_le(found(text, sizeof(text), &unknown), 18);
	ck_assert_str_eq(text, "0-5 6-11 12-17 18-19 !20-20");
}
END_TEST

START_TEST(what_a_refusal_is)
{
	ck_assert(lesson_is_refusal(-ENXIO));
	ck_assert(lesson_is_refusal(-EINVAL));
	ck_assert(!lesson_is_refusal(0));
	ck_assert(!lesson_is_refusal(-ETIMEDOUT));
	ck_assert(!lesson_is_refusal(-EOPNOTSUPP));
	ck_assert(!lesson_is_refusal(-EBUSY));
	ck_assert(!lesson_is_refusal(-EREMOTEIO));
}
END_TEST

static void add(TCase *t)
{
	tcase_add_loop_test(t, finds_what_is_readable, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(t, is_bounded);
	tcase_add_test(t, the_plugin_splits);
	tcase_add_test(t, what_a_refusal_is);
}

int main(void)
{
	return run_suite("lesson", add);
}
