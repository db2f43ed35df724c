/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "host_field.h"
#include "tests/plugins/modbus/setup.h"

START_TEST(values_arrive)
{
	field_start_tcp(2);
	field_ask("set input 0 2302");
	field_ask("set input 40 65535");
	field_ask("set holding 200 1 2");
	field_ask("set holding 300 0x6162 0x6300");
	field_ask("1 set input 0 17");
	field_configure();
	rig_expect(rig, field_has(0, VOLTS, 230.2) && field_has(1, VOLTS, 1.7));
	rig_expect(rig, field_has(0, SERIAL, 65538));
	rig_expect(rig, rig->devices[0].points[NAME].n > 0 && rig->devices[0].points[GAP].n > 0);
	ck_assert_str_eq(rig->devices[0].points[NAME].text, "abc");
	ck_assert_int_eq(field_sample(0, GAP)->quality, FIELDWAY_INVALID);
	rig_expect(rig, rig->devices[0].points[FAR].n > 0);
	ck_assert_int_eq(field_sample(0, FAR)->quality, FIELDWAY_FAILED);
	ck_assert_int_eq(field_sample(0, FAR)->error, -ENXIO);
	ck_assert_uint_eq(rig->generation, 1);
	rig_expect(rig,
		   rig->devices[0].state == LINK_ONLINE && rig->devices[1].state == LINK_ONLINE);
	field_ask("set input 0 2303");
	rig_expect(rig, field_has(0, VOLTS, 230.3));
	/* Once is once, and on demand is never. */
	ck_assert_uint_eq(rig->devices[0].points[SERIAL].n, 1);
	ck_assert_uint_eq(rig->devices[0].points[MODE].n, 0);
	ck_assert_uint_gt(rig->devices[0].counters.requests, 0);
	ck_assert_uint_gt(rig->devices[0].counters.errors, 0);
	ck_assert_uint_eq(rig->devices[0].counters.timeouts, 0);
	field_stop();
}
END_TEST

START_TEST(one_silent_device_costs_the_line_its_probe)
{
	const struct rig_device *dead = &rig->devices[1];
	unsigned before, probes;
	uint64_t timeouts;

	field_start_rtu(2);
	field_configure();
	rig_expect(rig,
		   rig->devices[0].state == LINK_ONLINE && rig->devices[1].state == LINK_OFFLINE);
	ck_assert_msg(strstr(rig->devices[1].reason, "bus hall1: device m1: ") != NULL &&
			      strstr(rig->devices[1].reason, "no answer") != NULL,
		      "%s", rig->devices[1].reason);
	before = rig->devices[0].points[VOLTS].n_good;
	rig_expect(rig, rig->devices[0].points[VOLTS].n_good >= before + 30);
	ck_assert_uint_eq(rig->devices[0].n_states, 1);
	ck_assert_uint_eq(rig->devices[1].n_states, 1);
	ck_assert_int_eq(field_sample(1, RUN)->quality, FIELDWAY_FAILED);
	ck_assert_int_eq(field_sample(1, RUN)->error, -ETIMEDOUT);
	/* A probe is one request, tried once: as many samples of its point as silences. */
	probes = dead->points[RUN].n;
	rig_expect(rig, dead->points[RUN].n > probes);
	probes = dead->points[RUN].n;
	timeouts = dead->counters.timeouts;
	rig_expect(rig, dead->points[RUN].n >= probes + 4);
	ck_assert_uint_eq(dead->counters.timeouts - timeouts, dead->points[RUN].n - probes);
	field_stop();
}
END_TEST

START_TEST(silence_and_return)
{
	unsigned long asked;
	unsigned before;

	field_start_tcp(2);
	field_configure();
	rig_expect(rig,
		   rig->devices[0].state == LINK_ONLINE && rig->devices[0].points[SERIAL].n == 1);
	field_ask("silent");
	rig_expect(rig, rig->devices[0].state == LINK_OFFLINE);
	asked = field_requests("requests");
	before = rig->devices[1].points[VOLTS].n_good;
	rig_expect(rig, rig->devices[1].points[VOLTS].n_good >= before + 20); /* 2 s at least */
	/* 2 s hold at most 7 probes of 300 ms; all its points at their rate were a hundred. */
	ck_assert_uint_le(field_requests("requests") - asked, 14);
	field_ask("set input 0 55");
	field_ask("talk");
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE);
	rig_expect(rig, field_has(0, VOLTS, 5.5) && rig->devices[0].points[SERIAL].n_good == 2);
	ck_assert_uint_eq(rig->devices[1].n_states, 1);
	field_stop();
}
END_TEST

START_TEST(a_killed_simulator_comes_back)
{
	char address[64];

	field_start_tcp(1);
	field_configure();
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE);
	kill(field.simulated.pid, SIGKILL);
	rig_expect(rig, rig->devices[0].state == LINK_OFFLINE);
	ck_assert_msg(strstr(rig->devices[0].reason, "bus lan: device m0: ") != NULL, "%s",
		      rig->devices[0].reason);
	snprintf(address, sizeof(address), "127.0.0.1:%u", field.simulated.port[0]);
	simulated_stop(&field.simulated);
	ck_assert_int_eq(
		simulated_start(&field.simulated, (const char *const[]){ "--tcp", address, NULL }), 0);
	field_ask("set input 0 7");
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE && field_has(0, VOLTS, 0.7));
	field_stop();
}
END_TEST

START_TEST(a_serial_port_that_is_pulled)
{
	field_start_rtu(1);
	field_configure();
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE);
	field_ask("unplug");
	rig_expect(rig, rig->devices[0].state == LINK_FAILED);
	field_ask("talk");
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE);
	field_stop();
}
END_TEST

START_TEST(without_credit_values_are_conflated)
{
	field_start_tcp(1);
	rig->hold = true;
	field_configure();
	rig_expect(rig, rig->n_held == LINK_CREDIT);
	/* States are none of it. */
	ck_assert_int_eq(rig->devices[0].state, LINK_ONLINE);
	field_ask("set input 0 1");
	field_ask("silent");
	rig_expect(rig, rig->devices[0].state == LINK_OFFLINE);
	field_ask("set input 0 9");
	field_ask("talk");
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE);
	/* So is the result of a write. */
	expect_outcome(field_write(0, LEVEL, 3), FIELDWAY_ACCEPTED, 0, "");
	rig_run(rig, 300 * MSEC);
	ck_assert_uint_eq(rig->n_values, LINK_CREDIT);
	rig_release(rig);
	rig_expect(rig, field_has(0, VOLTS, 0.9) && field_has(0, LEVEL, 3));
	ck_assert_uint_gt(rig->devices[0].counters.conflated, 0);
	field_stop();
}
END_TEST

/* A host that is replaced while its bus is lent. */
START_TEST(lent_from_the_start)
{
	field_start_tcp(1);
	rig->lend_usec = 1000 * MSEC;
	field_configure();
	rig->lend_usec = 0;
	rig_expect(rig, rig->devices[0].state == LINK_FAILED);
	ck_assert_msg(strstr(rig->devices[0].reason, "bus lan: device m0: lent ") != NULL, "%s",
		      rig->devices[0].reason);
	expect_outcome(field_write(0, LEVEL, 3), FIELDWAY_NOT_SENT, -EBUSY, "lent to another program");
	rig_run(rig, 300 * MSEC);
	ck_assert_str_eq(field_ask("connected"), "0");
	rig_expect(rig, rig->devices[0].state == LINK_ONLINE && field_has(0, VOLTS, 0));
	field_stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("values");
	TCase *tcase = tcase_create("values");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, values_arrive);
	tcase_add_test(tcase, one_silent_device_costs_the_line_its_probe);
	tcase_add_test(tcase, silence_and_return);
	tcase_add_test(tcase, a_killed_simulator_comes_back);
	tcase_add_test(tcase, a_serial_port_that_is_pulled);
	tcase_add_test(tcase, without_credit_values_are_conflated);
	tcase_add_test(tcase, lent_from_the_start);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
