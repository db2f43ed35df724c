/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host_field.h"
#include "tests/plugins/modbus/setup.h"

/* Devices that are not configured, read once. */

struct answer {
	bool done;
	int error;
	char text[512];
	struct fieldway_sample *samples;
	size_t n, n_refusals;
};

/* Only over a line that is there. */
static bool known;

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct link_refusal *refusals;
	struct answer *a = userdata;
	const char *text;

	if (known && sd_bus_message_is_method_error(m, NULL)) {
		a->error = -sd_bus_message_get_errno(m);
		a->done = true;
		return 1;
	}
	ck_assert_msg(!sd_bus_message_is_method_error(m, NULL), "%s",
		      sd_bus_message_get_error(m)->message);
	ck_assert_str_eq(sd_bus_message_get_signature(m, 1), LINK_TYPE_REFUSALS LINK_TYPE_READING);
	ck_assert_int_eq(link_read_refusals(m, &field.arena, &refusals, &a->n_refusals), 0);
	ck_assert_int_gt(sd_bus_message_read(m, "is", &a->error, &text), 0);
	ck_assert_int_eq(link_read_samples(m, &a->samples, &a->n), 0);
	snprintf(a->text, sizeof(a->text), "%s", text);
	ck_assert(!a->done);
	a->done = true;
	return 1;
}

/* A device at the address of one that the simulator has, by another name. */
static void start_attempt(size_t at, uint64_t within_usec, struct answer *ret)
{
	struct link_device device = { .id = 77,
				      .name = "new",
				      .address = field.devices[at].address };
	struct link_configuration c = field.configuration;
	sd_bus_message *m = rig_call_new(rig, "Attempt");

	c.devices = &device;
	c.n_devices = 1;
	*ret = (struct answer){ 0 };
	ck_assert_int_ge(link_append_configuration(m, &c), 0);
	ck_assert_int_ge(sd_bus_message_append(m, "tb", rig_now() + within_usec, known), 0);
	ck_assert_int_ge(sd_bus_call_async(rig->link, NULL, m, on_answer, ret, 0), 0);
	sd_bus_message_unref(m);
}

static struct answer now;

static void attempt(size_t at)
{
	free(now.samples);
	start_attempt(at, 4000 * MSEC, &now);
	rig_expect(rig, now.done);
}

static const struct fieldway_sample *sample_of(uint32_t point)
{
	for (size_t i = 0; i < now.n; i++)
		if (now.samples[i].point == point)
			return &now.samples[i];
	ck_abort_msg("no sample of point %u", point);
	return NULL;
}

/* All points have been read: what the simulator refuses is told, too. */
static void expect_all(double volts)
{
	ck_assert_msg(now.error == -ENXIO, "%d %s", now.error, now.text);
	ck_assert_msg(strstr(now.text, "device new: input 600 (1 register): exception 2") != NULL,
		      "%s", now.text);
	ck_assert_uint_eq(now.n, POINTS);
	ck_assert_double_eq(sample_of(VOLTS)->value.real, volts);
	ck_assert_uint_eq(sample_of(MODE)->value.unsignd, 5);
	ck_assert_int_eq(sample_of(FAR)->quality, FIELDWAY_FAILED);
	ck_assert_int_eq(sample_of(GAP)->quality, FIELDWAY_INVALID);
}

static void stop(void)
{
	free(now.samples);
	now.samples = NULL;
	field_stop();
}

static void fill(void)
{
	field_ask("* set input 0 2302");
	field_ask("* set input 40 65535");
	field_ask("* set holding 110 5");
}

START_TEST(over_the_line_of_others)
{
	unsigned before;

	field_start_rtu(1);
	fill();
	field_configure();
	rig_expect(rig, field_has(0, VOLTS, 230.2));
	before = rig->devices[0].points[VOLTS].n;
	attempt(0);
	expect_all(230.2);
	rig_expect(rig, rig->devices[0].points[VOLTS].n >= before + 3);
	ck_assert_uint_eq(rig->devices[0].n_states, 1);
	ck_assert_uint_eq(rig->devices[0].points[MODE].n, 0);
	stop();
}
END_TEST

/* A bus that was split has hosts that are to leave the line to the one that has it. */
START_TEST(only_over_a_line_that_is_there)
{
	field_start_tcp(2);
	fill();
	field.configuration.n_devices = 1;
	field_configure();
	rig_expect(rig, field_has(0, VOLTS, 230.2));
	known = true;
	attempt(1);
	ck_assert_int_eq(now.error, -EXDEV);
	attempt(0);
	expect_all(230.2);
	ck_assert_str_eq(field_ask("1 requests"), "0");
	known = false;
	stop();
}
END_TEST

START_TEST(over_a_line_of_its_own)
{
	field_start_tcp(2);
	fill();
	field_ask("1 set input 0 17");
	field.configuration.n_devices = 1;
	field_configure();
	rig_expect(rig, field_has(0, VOLTS, 230.2));
	attempt(1);
	expect_all(1.7);
	stop();
}
END_TEST

START_TEST(on_a_bus_that_nobody_uses)
{
	field_start_tcp(1);
	fill();
	attempt(0);
	expect_all(230.2);
	/* The line is free again, for the bus itself. */
	field_configure();
	rig_expect(rig, field_has(0, VOLTS, 230.2));
	stop();
}
END_TEST

START_TEST(scale10_of_an_attempt)
{
	field_start_tcp(1);
	fill();
	field.points[VOLTS].scale10 = MODE;
	attempt(0);
	ck_assert_double_eq(sample_of(VOLTS)->value.real, 23020000);
	stop();
}
END_TEST

START_TEST(an_attempt_is_refused)
{
	field_start_tcp(1);
	field.addresses[0][0] = UINT("unit", 250);
	attempt(0);
	ck_assert_uint_eq(now.n_refusals, 1);
	ck_assert_int_eq(now.error, -EINVAL);
	ck_assert_msg(strstr(now.text, "bus lan: device new: ") != NULL, "%s", now.text);
	stop();
}
END_TEST

START_TEST(an_attempt_in_vain)
{
	field_start_tcp(1);
	field_ask("silent");
	attempt(0);
	ck_assert_int_eq(now.error, -ETIMEDOUT);
	ck_assert_msg(strstr(now.text, "bus lan: device new: ") != NULL &&
			      strstr(now.text, "no answer") != NULL,
		      "%s", now.text);
	ck_assert_uint_eq(now.n, 0);
	stop();
}
END_TEST

START_TEST(an_attempt_has_an_end)
{
	struct answer a;

	field_start_tcp(1);
	field.configuration.bus.timeout_usec = 3000 * MSEC;
	field_ask("silent");
	start_attempt(0, 100 * MSEC, &a);
	rig_expect(rig, a.done);
	ck_assert_int_eq(a.error, -ETIMEDOUT);
	free(a.samples);
	/* And does not keep the host. */
	start_attempt(0, 60000 * MSEC, &a);
	rig_run(rig, 50 * MSEC);
	stop();
	free(a.samples);
}
END_TEST

START_TEST(a_lent_bus_is_left_alone)
{
	sd_bus_message *m;

	field_start_rtu(1);
	field_configure();
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE);
	m = rig_call_new(rig, "Release");
	ck_assert_int_ge(sd_bus_message_append(m, "tst", UINT64_C(1), "hall1", 60000 * MSEC), 0);
	sd_bus_message_unref(rig_call(rig, m));
	attempt(0);
	ck_assert_int_eq(now.error, -EBUSY);
	ck_assert_msg(strstr(now.text, "bus hall1: device new: its bus is lent") != NULL, "%s",
		      now.text);
	stop();
}
END_TEST

#define MANY 10

START_TEST(too_many_attempts)
{
	static struct answer answers[MANY];
	unsigned busy = 0, canceled = 0;

	field_start_rtu(1);
	field.configuration.bus.timeout_usec = 1000 * MSEC;
	field_configure();
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE);
	field_ask("delay 500");
	for (int i = 0; i < MANY; i++)
		start_attempt(0, 20000 * MSEC, &answers[i]);
	rig_expect(rig, answers[MANY - 1].done);
	/* Those that wait for the line end with it. */
	field.configuration.generation = 2;
	field.configuration.bus.timeout_usec++;
	field_configure();
	for (int i = 0; i < MANY; i++) {
		rig_expect(rig, answers[i].done);
		busy += answers[i].error == -EBUSY;
		canceled += answers[i].error == -ECANCELED;
		free(answers[i].samples);
	}
	ck_assert_uint_eq(busy, 2);
	ck_assert_uint_eq(canceled, 8);
	field_ask("talk");
	rig_expect(rig, rig->generation == 2);
	attempt(0);
	ck_assert_int_eq(now.error, -ENXIO);
	stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("attempts");
	TCase *tcase = tcase_create("attempts");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, over_the_line_of_others);
	tcase_add_test(tcase, only_over_a_line_that_is_there);
	tcase_add_test(tcase, over_a_line_of_its_own);
	tcase_add_test(tcase, on_a_bus_that_nobody_uses);
	tcase_add_test(tcase, scale10_of_an_attempt);
	tcase_add_test(tcase, an_attempt_is_refused);
	tcase_add_test(tcase, an_attempt_in_vain);
	tcase_add_test(tcase, an_attempt_has_an_end);
	tcase_add_test(tcase, a_lent_bus_is_left_alone);
	tcase_add_test(tcase, too_many_attempts);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
