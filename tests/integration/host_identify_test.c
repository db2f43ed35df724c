/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "host_field.h"
#include "tests/plugins/modbus/setup.h"

/* A device is asked what it is before it is asked for anything else. */

static struct fieldway_value models[2];

static void start_with_models(double first, double second)
{
	field_start_tcp(1);
	models[0] = (struct fieldway_value){ .type = FIELDWAY_FLOAT, .real = first };
	models[1] = (struct fieldway_value){ .type = FIELDWAY_INT, .integer = (int64_t)second };
	field.type.identify = (struct link_identify){ .point = GAP, .values = models, .n_values = 2 };
}

static void expect_reason(const char *part)
{
	ck_assert_msg(strstr(rig->devices[0].reason, part) != NULL, "%s", rig->devices[0].reason);
}

START_TEST(the_expected_model)
{
	start_with_models(33, 112);
	field_ask("set input 40 112");
	field_configure();
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE);
	ck_assert(field_has(0, GAP, 112));
	rig_expect(rig, field_has(0, VOLTS, 0));
	expect_outcome(field_write(0, LEVEL, 3), FIELDWAY_ACCEPTED, 0, "");
	/* What comes back may be another one. */
	field_ask("silent");
	rig_expect(rig, rig->devices[0].state == LINK_OFFLINE);
	field_ask("set input 40 113");
	field_ask("talk");
	rig_expect(rig, rig->devices[0].state == LINK_FAILED);
	expect_reason("bus lan: device m0: input 40 (1 register): is another model: gap is 113, not 33 or 112");
	ck_assert_uint_eq(rig->devices[0].n_states, 3);
	field_stop();
}
END_TEST

START_TEST(another_model)
{
	unsigned long before;

	start_with_models(33, 112);
	field_configure();
	rig_expect(rig, rig->devices[0].state == LINK_FAILED);
	expect_reason("gap is 0, not 33 or 112");
	before = field_requests("requests");
	expect_outcome(field_write(0, LEVEL, 3), FIELDWAY_NOT_SENT, -EHOSTDOWN, "offline");
	/* Looked at again every 600 ms, and nothing else. */
	rig_expect(rig, field_requests("requests") >= before + 2);
	for (int i = 0; i < POINTS; i++)
		ck_assert_uint_eq(rig->devices[0].points[i].n, 0);
	ck_assert_uint_le(rig->devices[0].counters.requests, field_requests("requests"));
	ck_assert_str_eq(field_ask("get holding 100"), "0");
	/* Somebody has changed it for the right one. */
	field_ask("set input 40 33");
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE && field_has(0, VOLTS, 0));
	ck_assert_uint_eq(rig->devices[0].n_states, 2);
	field_stop();
}
END_TEST

START_TEST(a_model_that_is_invalid_or_refused)
{
	start_with_models(33, 112);
	field_ask("set input 40 65535");
	field_configure();
	rig_expect(rig, rig->devices[0].state == LINK_FAILED);
	expect_reason("gap is no value, not 33 or 112");
	field.type.identify.point = FAR;
	field.configuration.generation = 2;
	field_configure();
	rig_expect(rig, strstr(rig->devices[0].reason, "cannot be identified") != NULL);
	expect_reason("input 600 (1 register): cannot be identified: exception 2 (illegal data address)");
	field_stop();
}
END_TEST

START_TEST(a_name)
{
	field_start_tcp(1);
	models[0] = (struct fieldway_value){ .type = FIELDWAY_STRING, .data = "abc", .size = 3 };
	field.type.identify = (struct link_identify){ .point = NAME, .values = models, .n_values = 1 };
	field_ask("set holding 300 0x6162 0x6400");
	field_configure();
	rig_expect(rig, rig->devices[0].state == LINK_FAILED);
	expect_reason("name is 'abd', not 'abc'");
	field_ask("set holding 300 0x6162 0x6300");
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE);
	field_stop();
}
END_TEST

/* Nobody has seen it go, but what tells the model is polled. */
START_TEST(another_model_while_online)
{
	unsigned before;

	start_with_models(33, 112);
	field_ask("set input 40 112");
	field_configure();
	rig_expect(rig, field_has(0, GAP, 112) && field_has(0, VOLTS, 0));
	field_ask("set input 40 113");
	rig_expect(rig, rig->devices[0].state == LINK_FAILED);
	expect_reason("input 40 (1 register): is another model: gap is 113, not 33 or 112");
	ck_assert(field_has(0, GAP, 112));
	before = rig->devices[0].points[VOLTS].n;
	expect_outcome(field_write(0, LEVEL, 3), FIELDWAY_NOT_SENT, -EHOSTDOWN, "offline");
	ck_assert_uint_le(rig->devices[0].points[VOLTS].n, before + 1);
	field_ask("set input 40 33");
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE && field_has(0, GAP, 33));
	field_stop();
}
END_TEST

/* Queued, and sent when it is known whom to. */
START_TEST(a_write_waits_for_it)
{
	const struct fieldway_value value = { .type = FIELDWAY_INT, .integer = 8 };
	struct rig_outcome o;

	start_with_models(33, 112);
	field.configuration.bus.timeout_usec = 5000 * MSEC;
	field_ask("set input 40 33");
	field_ask("delay 100");
	field_configure();
	rig_write_start(rig, 1, 0, LEVEL, 4000000, &value, &o);
	rig_expect(rig, o.done);
	expect_outcome(o, FIELDWAY_ACCEPTED, 0, "");
	ck_assert_str_eq(field_ask("get holding 100"), "80");
	field_stop();
}
END_TEST

START_TEST(a_write_is_not_sent_to_another_model)
{
	const struct fieldway_value value = { .type = FIELDWAY_INT, .integer = 8 };
	struct rig_outcome o;

	start_with_models(33, 112);
	field.configuration.bus.timeout_usec = 5000 * MSEC;
	field_ask("delay 100");
	field_configure();
	rig_write_start(rig, 1, 0, LEVEL, 4000000, &value, &o);
	rig_expect(rig, o.done);
	expect_outcome(o, FIELDWAY_NOT_SENT, -EHOSTDOWN, "");
	ck_assert_str_eq(field_ask("get holding 100"), "0");
	field_stop();
}
END_TEST

START_TEST(silence_is_no_other_model)
{
	start_with_models(33, 112);
	field_ask("exception 6");
	field_configure();
	rig_expect(rig, rig->devices[0].state == LINK_OFFLINE);
	expect_reason("exception 6");
	field_ask("set input 40 33");
	field_ask("silent");
	/* Told, too: it is the newest reason that counts. */
	rig_expect(rig, strstr(rig->devices[0].reason, "no answer") != NULL);
	rig_run(rig, 700 * MSEC);
	ck_assert_int_eq(rig->devices[0].state, LINK_OFFLINE);
	ck_assert_uint_eq(rig->devices[0].n_states, 2);
	field_ask("talk");
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE);
	field_stop();
}
END_TEST

START_TEST(what_cannot_identify)
{
	field_start_tcp(1);
	field.type.identify = (struct link_identify){ .point = LEVEL, .values = models, .n_values = 1 };
	field.points[LEVEL].access = LINK_WRITE;
	field.points[LEVEL].verify.enabled = false;
	ck_assert_uint_eq(rig_configure(rig, &field.configuration, &field.arena, &field.refusals), 1);
	ck_assert_str_eq(field.refusals[0].text,
			 "bus lan: device m0: point level: identifies nothing: it cannot be read");
	field_stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("identify");
	TCase *tcase = tcase_create("identify");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, the_expected_model);
	tcase_add_test(tcase, another_model);
	tcase_add_test(tcase, a_model_that_is_invalid_or_refused);
	tcase_add_test(tcase, a_name);
	tcase_add_test(tcase, another_model_while_online);
	tcase_add_test(tcase, a_write_waits_for_it);
	tcase_add_test(tcase, a_write_is_not_sent_to_another_model);
	tcase_add_test(tcase, silence_is_no_other_model);
	tcase_add_test(tcase, what_cannot_identify);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
