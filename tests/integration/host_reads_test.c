/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host_field.h"
#include "tests/plugins/modbus/setup.h"

/* Points that are read when somebody asks, and what is counted. */

struct answer {
	bool done;
	int error;
	char text[512];
	struct fieldway_sample *samples;
	size_t n;
};

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct answer *a = userdata;
	const char *text;

	ck_assert_str_eq(sd_bus_message_get_signature(m, 1), LINK_TYPE_READING);
	ck_assert_int_gt(sd_bus_message_read(m, "is", &a->error, &text), 0);
	ck_assert_int_eq(link_read_samples(m, &a->samples, &a->n), 0);
	snprintf(a->text, sizeof(a->text), "%s", text);
	ck_assert(!a->done);
	a->done = true;
	return 1;
}

static void start_read(const uint32_t *points, size_t n, uint64_t within_usec, struct answer *ret)
{
	sd_bus_message *m = rig_call_new(rig, "Read");

	*ret = (struct answer){ 0 };
	ck_assert_int_ge(sd_bus_message_append(m, "tu", field.configuration.generation, 0), 0);
	ck_assert_int_ge(sd_bus_message_append_array(m, 'u', points, n * sizeof(*points)), 0);
	ck_assert_int_ge(sd_bus_message_append(m, "t", rig_now() + within_usec), 0);
	ck_assert_int_ge(sd_bus_call_async(rig->link, NULL, m, on_answer, ret, 0), 0);
	sd_bus_message_unref(m);
}

/* The newest one; what it points to lives until the next. */
static struct answer now;

static void read_points(const uint32_t *points, size_t n)
{
	free(now.samples);
	start_read(points, n, 4000 * MSEC, &now);
	rig_expect(rig, now.done);
}
#define READ(...)                                                                                  \
	do {                                                                                       \
		static const uint32_t points_[] = { __VA_ARGS__ };                                 \
		read_points(points_, sizeof(points_) / sizeof(points_[0]));                        \
	} while (0)

static const struct fieldway_sample *sample_of(uint32_t point)
{
	for (size_t i = 0; i < now.n; i++)
		if (now.samples[i].point == point)
			return &now.samples[i];
	ck_abort_msg("no sample of point %u", point);
	return NULL;
}

static double number_of(uint32_t point)
{
	const struct fieldway_sample *s = sample_of(point);

	ck_assert_int_eq(s->quality, FIELDWAY_GOOD);
	return s->value.type == FIELDWAY_FLOAT ? s->value.real :
	       s->value.type == FIELDWAY_INT   ? (double)s->value.integer :
						 (double)s->value.unsignd;
}

static void expect_error(int error, const char *part)
{
	ck_assert_msg(now.error == error && strstr(now.text, part) != NULL, "%d %s", now.error,
		      now.text);
}

static void stop(void)
{
	free(now.samples);
	now.samples = NULL;
	field_stop();
}

/* Nobody polls but for what keeps the device online. */
static void start_quiet(void)
{
	field_start_tcp(1);
	for (int i = 0; i < POINTS; i++)
		field.points[i].period_usec = i == LEVEL ? PERIOD_USEC : LINK_PERIOD_ON_DEMAND;
	field_ask("set holding 110 5");
	field_ask("set input 0 2302");
}

START_TEST(points_are_read_now)
{
	start_quiet();
	field_configure();
	rig_expect(rig, field_has(0, LEVEL, 0));
	READ(MODE, VOLTS, MODE);
	expect_error(0, "");
	ck_assert_uint_eq(now.n, 2);
	ck_assert_double_eq(number_of(MODE), 5);
	ck_assert_double_eq(number_of(VOLTS), 230.2);
	rig_expect(rig, field_has(0, MODE, 5) && field_has(0, VOLTS, 230.2));
	ck_assert_uint_eq(rig->devices[0].points[MODE].n, 1);
	/* Once is once, and no more than was asked for. */
	ck_assert_uint_eq(rig->devices[0].points[GAP].n, 0);
	READ(NAME);
	expect_error(0, "");
	READ(99);
	expect_error(0, "");
	ck_assert_uint_eq(now.n, 0);
	stop();
}
END_TEST

START_TEST(scaled_points_bring_their_exponent)
{
	start_quiet();
	field.points[VOLTS].scale10 = GAP;
	field_ask("set input 40 3");
	field_configure();
	rig_expect(rig, field_has(0, LEVEL, 0));
	READ(VOLTS);
	expect_error(0, "");
	ck_assert_double_eq(number_of(VOLTS), 230200);
	ck_assert_double_eq(number_of(GAP), 3);
	rig_expect(rig, field_has(0, VOLTS, 230200));
	/* It may be another one by now. */
	field_ask("set input 40 2");
	READ(VOLTS);
	ck_assert_double_eq(number_of(VOLTS), 23020);
	rig_expect(rig, field_has(0, VOLTS, 23020));
	stop();
}
END_TEST

START_TEST(an_exponent_that_is_read_once)
{
	start_quiet();
	field.points[VOLTS].scale10 = GAP;
	field.points[GAP].period_usec = LINK_PERIOD_ONCE;
	field_ask("set input 40 3");
	field_configure();
	rig_expect(rig, field_has(0, GAP, 3));
	READ(VOLTS);
	ck_assert_uint_eq(now.n, 1);
	ck_assert_double_eq(number_of(VOLTS), 230200);
	stop();
}
END_TEST

START_TEST(what_is_refused)
{
	start_quiet();
	field_configure();
	rig_expect(rig, field_has(0, LEVEL, 0));
	READ(FAR, MODE);
	expect_error(
		-ENXIO,
		"bus lan: device m0: input 600 (1 register): exception 2 (illegal data address)");
	ck_assert_int_eq(sample_of(FAR)->quality, FIELDWAY_FAILED);
	ck_assert_int_eq(sample_of(FAR)->error, -ENXIO);
	ck_assert_double_eq(number_of(MODE), 5);
	ck_assert_int_eq(rig->devices[0].state, LINK_ONLINE);
	stop();
}
END_TEST

/* One by one, where not all at once. */
START_TEST(what_is_refused_together)
{
	start_quiet();
	field.point_settings[VOLTS][2] = UINT("address", 510);
	field.point_settings[GAP][2] = UINT("address", 511);
	field.point_settings[FAR][2] = UINT("address", 512);
	field_ask("set input 510 1 2");
	field_configure();
	rig_expect(rig, field_has(0, LEVEL, 0));
	READ(VOLTS, GAP, FAR);
	expect_error(-ENXIO, "input 512");
	ck_assert_uint_eq(now.n, 3);
	ck_assert_double_eq(number_of(VOLTS), 0.1);
	ck_assert_double_eq(number_of(GAP), 2);
	rig_expect(rig, field_sample(0, FAR)->error == -ENXIO && field_has(0, GAP, 2));
	ck_assert_uint_eq(rig->devices[0].points[VOLTS].n, 1);
	stop();
}
END_TEST

START_TEST(silence)
{
	static const uint32_t mode = MODE;
	struct answer late;

	start_quiet();
	field.configuration.bus.timeout_usec = 1000 * MSEC;
	field.configuration.retries = 0;
	field_configure();
	rig_expect(rig, field_has(0, LEVEL, 0));
	field_ask("silent");
	start_read(&mode, 1, 50 * MSEC, &late);
	rig_expect(rig, late.done);
	ck_assert_int_eq(late.error, -ETIMEDOUT);
	ck_assert_msg(strstr(late.text, "bus lan: device m0: read: not all was read") != NULL, "%s",
		      late.text);
	free(late.samples);
	READ(MODE);
	expect_error(-ETIMEDOUT, "no answer");
	ck_assert_uint_eq(now.n, 0);
	rig_expect(rig, rig->devices[0].state == LINK_OFFLINE);
	READ(MODE);
	expect_error(-EHOSTDOWN, "bus lan: device m0: offline");
	field_ask("talk");
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE);
	READ(MODE);
	expect_error(0, "");
	stop();
}
END_TEST

#define MANY 20

START_TEST(too_many_and_a_new_configuration)
{
	static const uint32_t mode = MODE;
	static struct answer answers[MANY];
	unsigned busy = 0, canceled = 0, good = 0;

	start_quiet();
	field.configuration.bus.timeout_usec = 1000 * MSEC;
	field_configure();
	rig_expect(rig, field_has(0, LEVEL, 0));
	field_ask("delay 300");
	for (int i = 0; i < MANY; i++)
		start_read(&mode, 1, 8000 * MSEC, &answers[i]);
	rig_expect(rig, answers[MANY - 1].done);
	field.configuration.generation = 2;
	field.configuration.bus.timeout_usec++;
	field_configure();
	for (int i = 0; i < MANY; i++) {
		rig_expect(rig, answers[i].done);
		busy += answers[i].error == -EBUSY;
		canceled += answers[i].error == -ECANCELED;
		good += answers[i].error == 0;
		free(answers[i].samples);
	}
	ck_assert_uint_ge(busy, 3);
	ck_assert_uint_ge(canceled, 10);
	ck_assert_uint_eq(busy + canceled + good, MANY);
	field.configuration.generation = 1;
	READ(MODE);
	expect_error(-ESTALE, "generation");
	stop();
}
END_TEST

/* Whoever reads without end shares the line with polls. */
START_TEST(polls_keep_their_turn)
{
	static const uint32_t mode = MODE;
	static struct answer answers[12];
	unsigned before;

	start_quiet();
	field.configuration.bus.timeout_usec = 1000 * MSEC;
	field_configure();
	rig_expect(rig, field_has(0, LEVEL, 0));
	field_ask("delay 120");
	before = rig->devices[0].points[LEVEL].n;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
		start_read(&mode, 1, 15000 * MSEC, &answers[i]);
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		rig_expect(rig, answers[i].done);
		ck_assert_int_eq(answers[i].error, 0);
		free(answers[i].samples);
	}
	ck_assert_uint_ge(rig->devices[0].points[LEVEL].n, before + ARRAY_SIZE(answers) / 2);
	stop();
}
END_TEST

/* ---- statistics ---- */

static struct link_request_statistics *requests;
static struct link_point_statistics *points;
static size_t n_requests, n_points;
static sd_bus_message *counted;

static void count(void)
{
	counted = sd_bus_message_unref(counted);
	counted = rig_call_new(rig, "Statistics");
	ck_assert_int_ge(sd_bus_message_append(counted, "tu", field.configuration.generation, 0),
			 0);
	counted = rig_call(rig, counted);
	ck_assert_str_eq(sd_bus_message_get_signature(counted, 1), LINK_TYPE_STATISTICS);
	ck_assert_int_eq(
		link_read_request_statistics(counted, &field.arena, &requests, &n_requests), 0);
	ck_assert_int_eq(link_read_point_statistics(counted, &field.arena, &points, &n_points), 0);
}

static const struct link_request_statistics *request_of(const char *text)
{
	for (size_t i = 0; i < n_requests; i++)
		if (strcmp(requests[i].text, text) == 0)
			return &requests[i];
	ck_abort_msg("no request %s", text);
	return NULL;
}

START_TEST(statistics)
{
	const struct link_request_statistics *r;

	field_start_tcp(1);
	field.points[VOLTS].deadband = 1;
	field_ask("set input 40 65535");
	field_configure();
	rig_expect(rig,
		   rig->devices[0].points[VOLTS].n >= 20 && rig->devices[0].points[FAR].n >= 10);
	field_ask("exception 4");
	rig_expect(rig, field_sample(0, RUNNING)->quality == FIELDWAY_FAILED);
	field_ask("delay 30");
	rig_expect(rig, rig->devices[0].points[RUNNING].n >= 25);
	count();
	ck_assert_uint_eq(n_requests, 9);
	ck_assert_uint_eq(n_points, POINTS);
	r = request_of("input 0 (1 register)");
	ck_assert_uint_eq(r->period_usec, PERIOD_USEC);
	/* On a machine with much to do it comes late, never early for long. */
	ck_assert_uint_ge(r->effective_usec, PERIOD_USEC / 2);
	ck_assert_uint_ge(r->requests, 20);
	ck_assert_uint_gt(r->exceptions, 0);
	ck_assert_uint_eq(r->errors, r->exceptions);
	ck_assert_uint_gt(r->mean_usec, 0);
	ck_assert_uint_ge(r->max_usec, r->last_usec);
	ck_assert_uint_ge(r->max_usec, 30 * MSEC);
	r = request_of("holding 110 (1 register)");
	ck_assert_uint_eq(r->requests, 0);
	ck_assert_uint_eq(r->effective_usec, 0);
	ck_assert_uint_eq(points[VOLTS].point, VOLTS);
	ck_assert_uint_ge(points[VOLTS].good, 20);
	ck_assert_uint_eq(points[VOLTS].unchanged, points[VOLTS].good - 1);
	ck_assert_uint_gt(points[VOLTS].failed, 0);
	ck_assert_int_eq(points[VOLTS].error, -EREMOTEIO);
	ck_assert_str_eq(points[VOLTS].text, "exception 4 (device failure)");
	ck_assert_uint_gt(points[GAP].invalid, 0);
	ck_assert_uint_eq(points[GAP].good, 0);
	ck_assert_uint_eq(points[MODE].good, 0);
	ck_assert_str_eq(points[MODE].text, "");
	counted = sd_bus_message_unref(counted);
	field_stop();
}
END_TEST

START_TEST(statistics_of_nobody)
{
	sd_bus_message *m;

	field_start_tcp(1);
	m = rig_call_new(rig, "Statistics");
	ck_assert_int_ge(sd_bus_message_append(m, "tu", UINT64_C(1), 0), 0);
	m = rig_call(rig, m);
	ck_assert_int_eq(sd_bus_message_get_errno(m), ESTALE);
	sd_bus_message_unref(m);
	field_stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reads");
	TCase *tcase = tcase_create("reads");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, points_are_read_now);
	tcase_add_test(tcase, scaled_points_bring_their_exponent);
	tcase_add_test(tcase, an_exponent_that_is_read_once);
	tcase_add_test(tcase, what_is_refused);
	tcase_add_test(tcase, what_is_refused_together);
	tcase_add_test(tcase, silence);
	tcase_add_test(tcase, too_many_and_a_new_configuration);
	tcase_add_test(tcase, polls_keep_their_turn);
	tcase_add_test(tcase, statistics);
	tcase_add_test(tcase, statistics_of_nobody);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
