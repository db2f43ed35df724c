/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "plugins/modbus/plan.h"

#define R(a) { .area = AREA_INPUT, .address = (a), .count = 2, .readable = true }
#define H(a) { .area = AREA_HOLDING, .address = (a), .count = 1, .readable = true }
#define C(a) { .area = AREA_COIL, .address = (a), .count = 1, .readable = true }
#define D(a) { .area = AREA_DISCRETE, .address = (a), .count = 1, .readable = true }
#define W(a) { .area = AREA_COIL, .address = (a), .count = 1, .writable = true }

static const struct {
	const char *name;
	struct point points[8];
	unsigned n, max_gap, max_registers;
	const char *expected; /* texts and points, joined */
} plans[] = {
	{ "nothing", { { 0 } }, 0, 0, 125, "" },
	{ "one", { R(0) }, 1, 0, 125, "input 0-1 (2 registers): 0; " },
	{ "single", { H(9) }, 1, 0, 125, "holding 9 (1 register): 0; " },
	{ "neighbours", { R(0), R(2), R(4) }, 3, 0, 125, "input 0-5 (6 registers): 0 1 2; " },
	{ "unsorted", { R(4), R(0), R(2) }, 3, 0, 125, "input 0-5 (6 registers): 1 2 0; " },
	{ "hole refused", { R(0), R(3) }, 2, 0, 125, "input 0-1 (2 registers): 0; input 3-4 (2 registers): 1; " },
	{ "hole allowed", { R(0), R(10) }, 2, 8, 125, "input 0-11 (12 registers): 0 1; " },
	{ "hole too wide", { R(0), R(11) }, 2, 8, 125,
	  "input 0-1 (2 registers): 0; input 11-12 (2 registers): 1; " },
	{ "full", { R(0), R(2), R(4) }, 3, 0, 4, "input 0-3 (4 registers): 0 1; input 4-5 (2 registers): 2; " },
	{ "overlap", { R(0), H(0), R(1), R(0) }, 4, 0, 125,
	  "input 0-2 (3 registers): 0 3 2; holding 0 (1 register): 1; " },
	{ "inside", { { .area = AREA_INPUT, .address = 0, .count = 10, .readable = true }, R(4), R(10) }, 3, 0, 125,
	  "input 0-11 (12 registers): 0 1 2; " },
	{ "areas", { H(1), R(1), D(1), C(1) }, 4, 125, 125,
	  "coil 1 (1 bit): 3; discrete 1 (1 bit): 2; input 1-2 (2 registers): 1; holding 1 (1 register): 0; " },
	{ "bits have more room", { C(0), C(15), C(16) }, 3, 20, 1, "coil 0-15 (16 bits): 0 1; coil 16 (1 bit): 2; " },
	{ "last address", { H(65534), H(65535) }, 2, 0, 125, "holding 65534-65535 (2 registers): 0 1; " },
	{ "not readable", { C(0), W(1), C(2) }, 3, 0, 125, "coil 0 (1 bit): 0; coil 2 (1 bit): 2; " },
};

/* Points of models and of the identification; two alternatives and one model twice. */
#define M(m, a) { .area = AREA_HOLDING, .model = (m), .address = (a), .count = 1, .readable = true }
#define O(o) { .area = AREA_IDENTIFICATION, .address = (o), .count = 1, .readable = true }

static struct wish wish_items[] = { { { 101, 102, 103 }, 3, 1 }, { { 1 }, 1, 1 }, { { 1 }, 1, 2 },
				    { { 65531, 65532, 65533, 65534 }, 4, 128 } };
static const struct wishes wishes = { wish_items, 4 };

static const struct {
	const char *name;
	struct point points[20];
	unsigned n;
	const char *expected;
} far_plans[] = {
	{ "merged within a model only", { M(1, 14), H(15), M(2, 16), M(1, 16), M(3, 17) }, 5,
	  "holding 15 (1 register): 1; model 101|102|103 + 14-16 (3 registers): 0 3; "
	  "model 1 + 16 (1 register): 2; model 1 (2.) + 17 (1 register): 4; " },
	{ "a hole too wide", { M(2, 2), M(2, 8) }, 2, "model 1 + 2 (1 register): 0; model 1 + 8 (1 register): 1; " },
	{ "many alternatives", { M(4, 65535) }, 1, "model 65531|65532|65533|... (128.) + 65535 (1 register): 0; " },
	{ "objects", { O(2), O(0), O(128), H(1) }, 4,
	  "holding 1 (1 register): 3; identification 0-128 (3 objects): 1 0 2; " },
	{ "an object", { O(1) }, 1, "identification 1 (1 object): 0; " },
	{ "as many objects as there is text for",
	  { O(0), O(1), O(2), O(3), O(4), O(5), O(6), O(7), O(8), O(9), O(10), O(11), O(12), O(13), O(14), O(15) }, 16,
	  "identification 0-14 (15 objects): 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14; identification 15 (1 object): 15; " },
};

static void describe(const struct fieldway_plan *plan, char *ret, size_t size)
{
	size_t n = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < plan->n; i++) {
		const struct fieldway_request *q = &plan->requests[i];

		n += (size_t)snprintf(ret + n, size - n, "%s:", q->text);
		for (size_t j = 0; j < q->n_points; j++)
			n += (size_t)snprintf(ret + n, size - n, " %u", q->points[j]);
		n += (size_t)snprintf(ret + n, size - n, "; ");
	}
}

START_TEST(plan_table)
{
	const struct plan_limits limits = { .max_gap = plans[_i].max_gap,
					    .max_registers = plans[_i].max_registers,
					    .max_coils = 16 * plans[_i].max_registers };
	const uint32_t wanted[] = { 0, 1, 2, 3, 4, 5, 6, 7 };
	const uint32_t backwards[] = { 7, 6, 5, 4, 3, 2, 1, 0 };
	struct fieldway_plan plan;
	char text[512];

	ck_assert_int_eq(plan_build(plans[_i].points, plans[_i].n, &limits, wanted, plans[_i].n, &plan), 0);
	describe(&plan, text, sizeof(text));
	plan_done(&plan);
	ck_assert_str_eq(text, plans[_i].expected);
	/* The order of the question changes nothing. */
	ck_assert_int_eq(plan_build(plans[_i].points, plans[_i].n, &limits, backwards + 8 - plans[_i].n,
				    plans[_i].n, &plan),
			 0);
	describe(&plan, text, sizeof(text));
	plan_done(&plan);
	ck_assert_str_eq(text, plans[_i].expected);
	ck_assert_ptr_null(plan.requests);
}
END_TEST

START_TEST(models_and_objects)
{
	const struct plan_limits limits = { .max_gap = 4, .max_registers = 125, .wishes = &wishes };
	struct fieldway_plan plan;
	uint32_t wanted[20];
	char text[512];

	for (uint32_t i = 0; i < 20; i++)
		wanted[i] = i;
	ck_assert_int_eq(plan_build(far_plans[_i].points, far_plans[_i].n, &limits, wanted, far_plans[_i].n, &plan), 0);
	describe(&plan, text, sizeof(text));
	ck_assert_str_eq(text, far_plans[_i].expected);
	plan_done(&plan);
}
END_TEST

/* Whatever subset is wanted, a request spans no hole that is too wide, and no point is forgotten. */
START_TEST(any_subset)
{
	const struct point points[] = { H(0), H(1), R(4), H(5), R(8), H(12), C(3), H(20), H(22), M(1, 3) };
	const struct plan_limits limits = { .max_gap = 3, .max_registers = 12, .max_coils = 16, .wishes = &wishes };

	for (unsigned subset = 0; subset < 1u << 10; subset++) {
		struct fieldway_plan plan;
		uint32_t wanted[10], n = 0, seen = 0;

		for (uint32_t i = 0; i < 10; i++)
			if (subset >> i & 1)
				wanted[n++] = i;
		ck_assert_int_eq(plan_build(points, 10, &limits, wanted, n, &plan), 0);
		for (size_t i = 0; i < plan.n; i++) {
			const struct fieldway_request *q = &plan.requests[i];
			struct span span = request_span(q);
			uint32_t end = span.address;

			ck_assert_uint_le(span.count, 16);
			for (size_t j = 0; j < q->n_points; j++) {
				const struct point *p = &points[q->points[j]];

				ck_assert_uint_le(p->address, end + limits.max_gap);
				end = p->address + p->count > end ? p->address + p->count : end;
				seen |= 1u << q->points[j];
			}
			ck_assert_uint_eq(end, span.address + span.count);
		}
		ck_assert_uint_eq(seen, subset);
		plan_done(&plan);
	}
}
END_TEST

START_TEST(only_what_is_wanted)
{
	const struct point points[] = { R(0), R(2), R(4) };
	const struct plan_limits limits = { .max_registers = 125, .max_coils = 2000 };
	const uint32_t wanted[] = { 2 }, wrong[] = { 3 };
	struct fieldway_plan plan;
	struct span span;

	ck_assert_int_eq(plan_build(points, 3, &limits, wanted, 1, &plan), 0);
	ck_assert_uint_eq(plan.n, 1);
	span = request_span(&plan.requests[0]);
	ck_assert_int_eq(span.area, AREA_INPUT);
	ck_assert_uint_eq(span.address, 4);
	ck_assert_uint_eq(span.count, 2);
	plan_done(&plan);
	ck_assert_int_eq(plan_build(points, 3, &limits, wrong, 1, &plan), -EINVAL);
}
END_TEST

START_TEST(frames_are_counted)
{
	const struct point points[] = { R(0), C(0) };
	const struct bus bus = { .framing = FRAMING_RTU, .serial = true, .pause_usec = 5000,
				 .line = { .baud = 9600, .data_bits = 8, .parity = 'E', .stop_bits = 1 } };
	const struct bus tcp = { .framing = FRAMING_MBAP, .pause_usec = 200000 };
	struct plan_limits limits = { .max_registers = 125, .max_coils = 2000 };
	const uint32_t wanted[] = { 0, 1 };
	struct fieldway_plan plan;

	ck_assert_int_eq(plan_build(points, 2, &limits, wanted, 2, &plan), 0);
	ck_assert_uint_eq(plan.requests[0].wire_bytes, 12 + 9 + 1);
	ck_assert_uint_eq(plan.requests[1].wire_bytes, 12 + 9 + 4);
	ck_assert_uint_eq(plan.requests[0].wire_usec, 0);
	plan_done(&plan);
	limits.bus = &tcp;
	ck_assert_int_eq(plan_build(points, 2, &limits, wanted, 2, &plan), 0);
	ck_assert_uint_eq(plan.requests[0].wire_usec, 200000);
	plan_done(&plan);
	limits.bus = &bus;
	ck_assert_int_eq(plan_build(points, 2, &limits, wanted, 2, &plan), 0);
	ck_assert_uint_eq(plan.requests[0].wire_bytes, 8 + 5 + 1);
	ck_assert_uint_eq(plan.requests[1].wire_bytes, 8 + 5 + 4);
	/* 17 characters of 11 bits, the pause, and 10 ms for the device. */
	ck_assert_uint_eq(plan.requests[1].wire_usec, 17 * 11 * 1000000 / 9600 + 5000 + 10000);
	plan_done(&plan);
}
END_TEST

START_TEST(two_thousand_coils)
{
	static struct point points[2001];
	static uint32_t wanted[2001];
	const struct plan_limits limits = { .max_registers = MAX_READ_REGISTERS, .max_coils = MAX_READ_BITS };
	struct fieldway_plan plan;

	for (uint32_t i = 0; i < 2001; i++) {
		points[i] = (struct point)C((uint16_t)i);
		wanted[i] = i;
	}
	ck_assert_int_eq(plan_build(points, 2001, &limits, wanted, 2001, &plan), 0);
	ck_assert_uint_eq(plan.n, 2);
	ck_assert_uint_eq(plan.requests[0].n_points, 2000);
	ck_assert_str_eq(plan.requests[0].text, "coil 0-1999 (2000 bits)");
	plan_done(&plan);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("modbus/plan");
	TCase *t = tcase_create("plan");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(t, plan_table, 0, sizeof(plans) / sizeof(plans[0]));
	tcase_add_loop_test(t, models_and_objects, 0, sizeof(far_plans) / sizeof(far_plans[0]));
	tcase_add_test(t, any_subset);
	tcase_add_test(t, only_what_is_wanted);
	tcase_add_test(t, frames_are_counted);
	tcase_add_test(t, two_thousand_coils);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
