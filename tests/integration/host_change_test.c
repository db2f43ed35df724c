/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host_field.h"
#include "tests/plugins/modbus/setup.h"

/* Another configuration of a bus that runs: what stays the same goes on as it was. */

/* The same again, but for what the test has changed. */
static void configure_again(void)
{
	field.configuration.generation++;
	field_configure();
}

/* Of all places of the simulator together. */
static unsigned long sum(unsigned places, const char *command)
{
	unsigned long n = 0;
	char text[64];

	for (unsigned i = 0; i < places; i++) {
		snprintf(text, sizeof(text), "%u %s", i, command);
		n += field_requests(text);
	}
	return n;
}

static unsigned long connections(unsigned places)
{
	return sum(places, "connections");
}

static void expect_polled(uint32_t device)
{
	unsigned before = rig->devices[device].points[VOLTS].n_good;

	rig_expect(rig, rig->devices[device].points[VOLTS].n_good >= before + 3);
}

/* ---- connections ---- */

START_TEST(connections_stay)
{
	unsigned long before;
	uint64_t requests;

	field_start_tcp(3);
	field_configure();
	rig_expect(rig, field_has(0, VOLTS, 0) && field_has(1, VOLTS, 0) && field_has(2, VOLTS, 0));
	before = connections(3);
	requests = rig->devices[0].counters.requests;
	/* In the middle another one, to the daemon; the others may be counted in another order. */
	field.devices[1].id = 5;
	for (int i = 0; i < 3; i++) {
		struct link_device first = field.devices[0];

		field.devices[0] = field.devices[2];
		field.devices[2] = first;
		configure_again();
		field.devices[1].id = (uint32_t)(6 + i % 2);
		expect_polled(0);
		expect_polled(2);
	}
	ck_assert_uint_eq(rig->devices[0].n_states, 1);
	ck_assert_uint_eq(rig->devices[2].n_states, 1);
	ck_assert_uint_gt(rig->devices[0].counters.requests, requests);
	rig_expect(rig, rig->generation == 4);
	/* The one that changed each time had a connection of its own each time. */
	rig_expect(rig, sum(3, "connected") == 3);
	ck_assert_uint_eq(connections(3), before + 3);
	field_stop();
}
END_TEST

/* What goes is closed, what comes is opened. */
START_TEST(devices_go_and_come)
{
	unsigned long before;

	field_start_tcp(3);
	field.configuration.n_devices = 2;
	field_configure();
	rig_expect(rig, field_has(0, VOLTS, 0) && field_has(1, VOLTS, 0));
	before = connections(3);
	field.configuration.n_devices = 1;
	configure_again();
	rig_expect(rig, sum(3, "connected") == 1);
	field.devices[1] = field.devices[2];
	field.configuration.n_devices = 2;
	configure_again();
	rig_expect(rig, field_has(2, VOLTS, 0));
	ck_assert_uint_eq(connections(3), before + 1);
	ck_assert_uint_eq(rig->devices[0].n_states, 1);
	field.configuration.n_devices = 0;
	configure_again();
	rig_expect(rig, sum(3, "connected") == 0);
	field_stop();
}
END_TEST

/* Another timeout is another bus: all is opened anew, behind what was. */
START_TEST(another_bus)
{
	unsigned long before;

	field_start_tcp(2);
	field_configure();
	rig_expect(rig, field_has(0, VOLTS, 0) && field_has(1, VOLTS, 0));
	before = connections(2);
	field.configuration.bus.timeout_usec *= 2;
	configure_again();
	rig_expect(rig, rig->devices[0].n_states == 2 && rig->devices[1].n_states == 2);
	expect_polled(0);
	ck_assert_uint_eq(connections(2), before + 2);
	field_stop();
}
END_TEST

/* ---- a line that devices share ---- */

/* Its port stays open; what is gone while it is asked is let go when its answer is there. */
START_TEST(a_line_stays)
{
	unsigned long before;

	field_start_rtu(3);
	field.addresses[1][0] = UINT("unit", 1);
	field.configuration.bus.timeout_usec = 1000 * MSEC;
	field_configure();
	rig_expect(rig, field_has(0, VOLTS, 0) && field_has(1, VOLTS, 0));
	before = connections(1);
	field_ask("delay 100");
	for (int i = 0; i < 6; i++) {
		field.devices[1].id = (uint32_t)(3 + i % 2);
		field.configuration.n_devices = i % 3 == 0 ? 3 : 2;
		configure_again();
		rig_run(rig, 30 * MSEC);
	}
	field_ask("delay 0");
	expect_polled(0);
	expect_polled(field.devices[1].id);
	ck_assert_uint_eq(rig->devices[0].n_states, 1);
	ck_assert_uint_eq(connections(1), before);
	field_stop();
}
END_TEST

/* A device that is silent keeps its back-off, one that is new is asked at once. */
START_TEST(back_off_stays)
{
	uint64_t errors;

	field_start_rtu(3);
	field.configuration.offline_first_usec = field.configuration.offline_last_usec =
		600000 * MSEC;
	field.configuration.n_devices = 2;
	field_configure();
	rig_expect(rig, rig->devices[1].state == LINK_OFFLINE && field_has(0, VOLTS, 0));
	errors = rig->devices[1].counters.errors;
	field.configuration.n_devices = 3;
	configure_again();
	rig_expect(rig, rig->devices[2].state == LINK_OFFLINE);
	expect_polled(0);
	ck_assert_uint_eq(rig->devices[1].counters.errors, errors);
	ck_assert_uint_eq(rig->devices[1].n_states, 1);
	field_stop();
}
END_TEST

/* ---- what is known of a device ---- */

START_TEST(lessons_stay)
{
	uint64_t errors;

	field_start_tcp(2);
	for (int i = 0; i < POINTS; i++)
		field.points[i].period_usec = LINK_PERIOD_ON_DEMAND;
	field.point_settings[VOLTS][2] = UINT("address", 510);
	field.point_settings[GAP][2] = UINT("address", 511);
	field.point_settings[FAR][2] = UINT("address", 512);
	field.points[VOLTS].period_usec = field.points[GAP].period_usec = PERIOD_USEC;
	field.points[FAR].period_usec = PERIOD_USEC;
	field_ask("0 set input 509 1 2 3");
	field_ask("1 set input 509 1 2 3");
	field_configure();
	rig_expect(rig, field_sample(0, FAR)->error == -ENXIO && field_has(0, GAP, 3));
	rig_expect(rig, field_sample(1, FAR)->error == -ENXIO && field_has(1, GAP, 3));
	errors = rig->devices[0].counters.errors;
	field.devices[1].id = 4;
	configure_again();
	rig_expect(rig, field_sample(4, FAR)->error == -ENXIO && field_has(4, GAP, 3));
	expect_polled(0);
	ck_assert_uint_eq(rig->devices[0].counters.errors, errors);
	/* And once more, when nothing else holds what it was learned from. */
	field.configuration.n_devices = 1;
	configure_again();
	configure_again();
	expect_polled(0);
	ck_assert_uint_eq(rig->devices[0].counters.errors, errors);
	field_stop();
}
END_TEST

START_TEST(a_lesson_goes_on)
{
	field_start_tcp(1);
	for (int i = 0; i < POINTS; i++)
		field.points[i].period_usec = LINK_PERIOD_ON_DEMAND;
	field.point_settings[VOLTS][2] = UINT("address", 510);
	field.point_settings[GAP][2] = UINT("address", 511);
	field.point_settings[FAR][2] = UINT("address", 512);
	field.points[VOLTS].period_usec = field.points[GAP].period_usec = PERIOD_USEC;
	field.points[FAR].period_usec = PERIOD_USEC;
	field.configuration.bus.timeout_usec = 1000 * MSEC;
	field_ask("set input 509 1 2 3");
	field_ask("delay 60");
	field_configure();
	for (int i = 0; i < 8; i++) {
		rig_run(rig, 40 * MSEC);
		configure_again();
	}
	rig_expect(rig, field_sample(0, FAR)->error == -ENXIO && field_has(0, GAP, 3));
	ck_assert_uint_eq(rig->devices[0].points[FAR].n, 1);
	field_stop();
}
END_TEST

/* ---- what somebody waits for ---- */

START_TEST(writes_of_others_end)
{
	const struct fieldway_value five = { .type = FIELDWAY_UINT, .unsignd = 5 };
	struct rig_outcome stays = { 0 }, goes = { 0 };

	field_start_rtu(2);
	field.addresses[1][0] = UINT("unit", 1);
	field.configuration.bus.timeout_usec = 2000 * MSEC;
	field_configure();
	rig_expect(rig,
		   rig->devices[0].state == LINK_ONLINE && rig->devices[1].state == LINK_ONLINE);
	field_ask("delay 300");
	rig_write_start(rig, 1, 0, LEVEL, 8000 * MSEC, &five, &stays);
	rig_write_start(rig, 1, 1, LEVEL, 8000 * MSEC, &five, &goes);
	field.devices[1].id = 3;
	configure_again();
	rig_expect(rig, goes.done);
	expect_outcome(goes, FIELDWAY_NOT_SENT, -ECANCELED, "the configuration has changed");
	rig_expect(rig, stays.done);
	expect_outcome(stays, FIELDWAY_ACCEPTED, 0, "");
	field_ask("delay 0");
	expect_outcome(rig_write(rig, 1, 0, LEVEL, &five), FIELDWAY_NOT_SENT, -ESTALE,
		       "generation");
	expect_outcome(rig_write(rig, 2, 0, LEVEL, &five), FIELDWAY_ACCEPTED, 0, "");
	expect_outcome(rig_write(rig, 2, 3, LEVEL, &five), FIELDWAY_ACCEPTED, 0, "");
	field_stop();
}
END_TEST

/* Sent, and its device has gone before the answer is there. */
START_TEST(a_write_is_under_way)
{
	const struct fieldway_value five = { .type = FIELDWAY_UINT, .unsignd = 5 };
	struct rig_outcome goes = { 0 };

	field_start_rtu(2);
	field.addresses[1][0] = UINT("unit", 1);
	field.configuration.bus.timeout_usec = 2000 * MSEC;
	for (int i = 0; i < POINTS; i++)
		field.points[i].period_usec = LINK_PERIOD_ONCE;
	field_configure();
	rig_expect(rig,
		   rig->devices[0].state == LINK_ONLINE && rig->devices[1].state == LINK_ONLINE);
	rig_run(rig, 300 * MSEC);
	field_ask("delay 500");
	rig_write_start(rig, 1, 1, LEVEL, 8000 * MSEC, &five, &goes);
	rig_run(rig, 200 * MSEC);
	field.configuration.n_devices = 1;
	configure_again();
	rig_expect(rig, goes.done);
	expect_outcome(goes, FIELDWAY_ACCEPTED, 0, "");
	field_ask("delay 0");
	expect_outcome(rig_write(rig, 2, 0, LEVEL, &five), FIELDWAY_ACCEPTED, 0, "");
	field_stop();
}
END_TEST

/* A refused one changes nothing. */
START_TEST(nothing_or_all)
{
	unsigned long before;

	field_start_tcp(2);
	field_configure();
	rig_expect(rig, field_has(0, VOLTS, 0) && field_has(1, VOLTS, 0));
	before = connections(2);
	field.configuration.generation = 2;
	field.addresses[1][0] = UINT("unit", 250);
	ck_assert_uint_eq(rig_configure(rig, &field.configuration, &field.arena, &field.refusals),
			  1);
	expect_polled(0);
	expect_polled(1);
	ck_assert_uint_eq(connections(2), before);
	ck_assert_uint_eq(rig->generation, 1);
	field_stop();
}
END_TEST

/* ---- whatever comes ---- */

/* The same each time. */
static unsigned next_random(unsigned below)
{
	static uint32_t state = 4711;

	state = state * 1664525u + 1013904223u;
	return (state >> 8) % below;
}

/* Some of the devices, in any order; now and then one is another one to the daemon, or the bus is. */
static void shuffle(struct link_device *all, unsigned n)
{
	for (unsigned i = n; i > 1; i--) {
		unsigned j = next_random(i);
		struct link_device d = all[i - 1];

		all[i - 1] = all[j];
		all[j] = d;
	}
	field.configuration.n_devices = next_random(n + 1);
	if (next_random(3) == 0)
		all[0].id = all[0].id % 4 + 4 * next_random(2);
	if (next_random(8) == 0)
		field.configuration.bus.timeout_usec += MSEC;
}

static void disturb(struct rig_outcome *outcome)
{
	const struct fieldway_value value = { .type = FIELDWAY_UINT, .unsignd = next_random(100) };

	if (field.configuration.n_devices == 0 || !outcome->done)
		return;
	*outcome = (struct rig_outcome){ 0 };
	rig_write_start(rig, field.configuration.generation,
			field.devices[next_random((unsigned)field.configuration.n_devices)].id, LEVEL,
			1000 * MSEC, &value, outcome);
}

#define ROUNDS 60u
#define WRITES 3

START_TEST(any_changes)
{
	struct rig_outcome outcomes[WRITES] = { { .done = true }, { .done = true }, { .done = true } };
	const bool serial = _i == 1;

	if (serial)
		field_start_rtu(4);
	else
		field_start_tcp(4);
	for (unsigned i = 0; serial && i < 4; i++)
		field.addresses[i][0] = UINT("unit", i < 3 ? 1 : 2);
	field_ask("delay 15");
	field_configure();
	for (unsigned i = 0; i < ROUNDS; i++) {
		shuffle(field.devices, 4);
		configure_again();
		for (unsigned j = 0; j < WRITES; j++)
			disturb(&outcomes[j]);
		rig_run(rig, next_random(40) * MSEC);
	}
	for (unsigned j = 0; j < WRITES; j++)
		rig_expect(rig, outcomes[j].done);
	field_ask("delay 0");
	field.configuration.n_devices = 4;
	configure_again();
	for (unsigned i = 0; i < 4; i++)
		if (!serial || !strcmp(field.devices[i].name, "m0"))
			expect_polled(field.devices[i].id);
	rig_expect(rig, rig->generation == field.configuration.generation);
	field_stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("host");
	TCase *tcase = tcase_create("change");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, connections_stay);
	tcase_add_test(tcase, devices_go_and_come);
	tcase_add_test(tcase, another_bus);
	tcase_add_test(tcase, a_line_stays);
	tcase_add_test(tcase, back_off_stays);
	tcase_add_test(tcase, lessons_stay);
	tcase_add_test(tcase, a_lesson_goes_on);
	tcase_add_test(tcase, writes_of_others_end);
	tcase_add_test(tcase, a_write_is_under_way);
	tcase_add_test(tcase, nothing_or_all);
	tcase_add_loop_test(tcase, any_changes, 0, 2);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
