/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/fieldbus/rig.h"

/* What people ask of a bus, of hosts that are fake_services.c. */

static struct {
	unsigned n, n_found;
	int error;
	char detail[64], answer[64], found[64];
	uint64_t count, dropped;
} end;

static void raw_done(void *userdata, int error, const char *detail, const void *answer, size_t size)
{
	(void)userdata;
	end.n++;
	end.error = error;
	snprintf(end.detail, sizeof(end.detail), "%s", detail);
	snprintf(end.answer, sizeof(end.answer), "%.*s", (int)size,
		 size > 0 ? (const char *)answer : "");
}

static void ended(void *userdata, int error, uint64_t n, uint64_t dropped)
{
	(void)userdata;
	end.n++;
	end.error = error;
	end.count = n;
	end.dropped = dropped;
}

static void found(void *userdata, const char *address, const char *facts)
{
	(void)userdata;
	end.n_found++;
	snprintf(end.found, sizeof(end.found), "%s %s", address, facts);
}

static void set_up(void)
{
	rig_set_up();
	memset(&end, 0, sizeof(end));
}

static int raw(uint32_t bus, const char *key)
{
	struct fieldway_settings address = rig_setting(7, key, "x");

	return fieldbus_raw(rig.fieldbus, bus, &address, "abc", 3, USEC_PER_SEC, raw_done, NULL);
}

static void ends_with(int error)
{
	rig_until(end.n > 0);
	ck_assert_uint_eq(end.n, 1);
	ck_assert_int_eq(end.error, error);
	end.n = 0;
}

START_TEST(raw_answers)
{
	rig_start();
	ck_assert_int_eq(raw(0, "unit"), 0);
	ck_assert_uint_eq(end.n, 0);
	ends_with(0);
	ck_assert_str_eq(end.answer, "abc");
	ck_assert_str_eq(end.detail, "any");
	ck_assert_int_eq(raw(0, "refuse"), 0);
	ends_with(-EREMOTEIO);
	ck_assert_str_eq(end.answer, "");
}
END_TEST

START_TEST(what_cannot_be_asked)
{
	struct fieldway_settings address = rig_setting(6, "unit", "\xff");

	ck_assert_int_eq(raw(0, "unit"), -EINVAL); /* not started */
	rig_start();
	ck_assert_int_eq(raw(RIG_BUSES, "unit"), -EINVAL);
	ck_assert_int_eq(fieldbus_raw(rig.fieldbus, 0, &address, "abc", 3, 1, raw_done, NULL),
			 -EINVAL);
	address = rig_setting(7, "unit", "x");
	ck_assert_int_eq(fieldbus_raw(rig.fieldbus, 0, &address, "", 0, 1, raw_done, NULL),
			 -EINVAL);
	ck_assert_int_eq(fieldbus_raw(rig.fieldbus, 0, &address, "a", FIELDBUS_RAW_MAX + 1, 1,
				      raw_done, NULL),
			 -EINVAL);
	ck_assert_int_eq(fieldbus_raw(rig.fieldbus, 0, &address, "a", 1, FIELDBUS_RAW_USEC + 1,
				      raw_done, NULL),
			 -EINVAL);
	ck_assert_int_eq(fieldbus_scan(rig.fieldbus, 0, 0, found, ended, NULL), -EINVAL);
	ck_assert_int_eq(fieldbus_release(rig.fieldbus, 0, FIELDBUS_LENT_USEC + 1, ended, NULL),
			 -EINVAL);
	ck_assert_int_eq(fieldbus_record(rig.fieldbus, 0, -1, 1, ended, NULL), -EBADF);
	ck_assert_int_eq(raw(0, "unit"), 0); /* none of these has stayed */
	ends_with(0);
}
END_TEST

START_TEST(it_ends_in_time)
{
	rig_start();
	ck_assert_int_eq(raw(0, "dumb"), 0);
	rig_advance(4 * USEC_PER_SEC);
	ends_with(-ETIMEDOUT);
}
END_TEST

START_TEST(it_ends_with_its_host)
{
	rig_start();
	ck_assert_int_eq(raw(0, "die"), 0);
	ends_with(-ECONNRESET);
	rig_until(rig_statistics(0).host_restarts == 1);
	/* While there is none, the next one is waited for. */
	ck_assert_int_eq(raw(0, "unit"), 0);
	ends_with(0);
}
END_TEST

START_TEST(nonsense_costs_the_host)
{
	rig_start();
	ck_assert_int_eq(raw(0, "bad"), 0);
	ends_with(-EBADMSG);
	rig_until(rig_statistics(0).host_restarts == 1);
}
END_TEST

START_TEST(it_ends_with_the_fieldbus)
{
	rig_start();
	ck_assert_int_eq(raw(0, "dumb"), 0);
	rig.fieldbus = fieldbus_free(rig.fieldbus);
	ends_with(-ECANCELED);
}
END_TEST

START_TEST(a_limit)
{
	rig_start();
	for (unsigned i = 0; i < FIELDBUS_TASKS_MAX; i++)
		ck_assert_int_eq(raw(0, "dumb"), 0);
	ck_assert_int_eq(raw(0, "unit"), -EBUSY);
	ck_assert_int_eq(raw(1, "unit"), 0); /* another bus */
	ends_with(0);
	fieldbus_forget(rig.fieldbus, NULL);
	rig.fieldbus = fieldbus_free(rig.fieldbus);
	ck_assert_uint_eq(end.n, 0);
}
END_TEST

START_TEST(a_scan)
{
	rig_start();
	ck_assert_int_eq(fieldbus_scan(rig.fieldbus, 0, USEC_PER_SEC, found, ended, NULL), 0);
	ends_with(0);
	ck_assert_uint_eq(end.n_found, 2);
	ck_assert_str_eq(end.found, "aa:bb {}");
	ck_assert_uint_eq(end.count, 2);
	ck_assert_uint_eq(end.dropped, 1);
}
END_TEST

/* A bus without devices has no host, but for those who ask. */
START_TEST(an_empty_bus)
{
	rig.c.devices[2].enabled = false;
	rig_start();
	ck_assert_uint_eq(rig.fieldbus->n_hosts, 1);
	ck_assert_int_eq(fieldbus_scan(rig.fieldbus, 1, USEC_PER_SEC, found, ended, NULL), 0);
	ends_with(0);
	ck_assert_uint_eq(end.n_found, 2);
	ck_assert_uint_eq(rig.fieldbus->n_hosts, 2);
	ck_assert_int_eq(raw(1, "unit"), 0);
	ends_with(0);
	ck_assert_uint_eq(rig.fieldbus->n_hosts, 2);
}
END_TEST

START_TEST(a_host_to_wait_for)
{
	rig.c.devices[2].enabled = false;
	rig_start();
	ck_assert_int_eq(fieldbus_wake(rig.fieldbus, RIG_BUSES, ended, NULL), -EINVAL);
	ck_assert_int_eq(fieldbus_wake(rig.fieldbus, 0, ended, NULL), -EALREADY);
	ck_assert_int_eq(fieldbus_wake(rig.fieldbus, 1, ended, NULL), 0);
	ck_assert_uint_eq(end.n, 0);
	ends_with(0);
	ck_assert_int_eq(fieldbus_wake(rig.fieldbus, 1, ended, NULL), -EALREADY);
}
END_TEST

START_TEST(a_loan)
{
	int pid;

	rig_start();
	ck_assert_int_eq(fieldbus_release(rig.fieldbus, 0, 1000 * USEC_PER_SEC, ended, NULL), 0);
	ends_with(0);
	rig_until(rig.states[0] == FIELDBUS_FAILED);
	ck_assert_str_eq(rig_reason(0), "lent");
	ck_assert_int_eq(rig_try(0, "accept"), -EBUSY);
	ck_assert_int_eq(rig_try(2, "accept"), 0); /* another bus */
	/* The next host must not take what is lent. */
	pid = fieldbus_host_pid(rig.fieldbus, 0);
	kill(pid, SIGKILL);
	rig_until(fieldbus_host_pid(rig.fieldbus, 0) != pid && rig.states[0] == FIELDBUS_FAILED &&
		  strcmp(rig_reason(0), "lent") == 0);
	ck_assert_int_eq(rig_try(0, "accept"), -EBUSY);
	ck_assert_int_eq(fieldbus_release(rig.fieldbus, 0, 0, ended, NULL), 0);
	ends_with(0);
	rig_until(rig.states[0] == FIELDBUS_ONLINE);
	ck_assert_int_eq(rig_try(0, "accept"), 0);
}
END_TEST

START_TEST(a_bus_that_is_switched_off)
{
	int pid;

	rig_start();
	pid = fieldbus_host_pid(rig.fieldbus, 0);
	ck_assert_int_eq(raw(0, "dumb"), 0);
	ck_assert_int_eq(fieldbus_enable(rig.fieldbus, 0, false), 0);
	ck_assert_int_eq(rig.states[0], FIELDBUS_FAILED);
	ck_assert_ptr_nonnull(strstr(rig_reason(0), "switched off"));
	ck_assert_int_eq(raw(0, "unit"), -EHOSTDOWN);
	ck_assert_int_eq(rig_try(0, "accept"), -EHOSTDOWN);
	/* What was asked before ends with the host, and none follows. */
	ends_with(-ECONNRESET);
	rig_until(fieldbus_host_pid(rig.fieldbus, 0) == 0);
	clock_advance(120 * USEC_PER_SEC);
	ck_assert_int_eq(rig_try(2, "accept"), 0); /* another bus */
	ck_assert_int_eq(fieldbus_host_pid(rig.fieldbus, 0), 0);
	ck_assert_int_eq(fieldbus_enable(rig.fieldbus, 0, false), 0);
	ck_assert_int_eq(fieldbus_enable(rig.fieldbus, 0, true), 0);
	ck_assert_int_eq(rig.states[0], FIELDBUS_UNKNOWN);
	rig_until(rig.states[0] == FIELDBUS_ONLINE);
	ck_assert_int_ne(fieldbus_host_pid(rig.fieldbus, 0), pid);
	ck_assert_int_eq(fieldbus_enable(rig.fieldbus, 2, true), -EINVAL);
}
END_TEST

START_TEST(switched_off_and_on_at_once)
{
	rig_start();
	ck_assert_int_eq(fieldbus_enable(rig.fieldbus, 0, false), 0);
	ck_assert_int_eq(fieldbus_enable(rig.fieldbus, 0, true), 0);
	rig_until(rig.states[0] == FIELDBUS_ONLINE && rig.states[1] == FIELDBUS_ONLINE);
	ck_assert_int_eq(rig_try(0, "accept"), 0);
}
END_TEST

START_TEST(switched_off_before_it_began)
{
	ck_assert_int_eq(fieldbus_start(rig.fieldbus, &rig.c.config, NULL), 0);
	ck_assert_int_eq(fieldbus_enable(rig.fieldbus, 0, false), 0);
	rig_until(rig.states[2] == FIELDBUS_ONLINE);
	ck_assert_int_eq(rig.states[0], FIELDBUS_FAILED);
	ck_assert_int_eq(fieldbus_host_pid(rig.fieldbus, 0), 0);
	/* The next configuration has it again. */
	ck_assert_int_eq(fieldbus_start(rig.fieldbus, &rig.c.config, NULL), 0);
	rig_until(rig.states[0] == FIELDBUS_ONLINE);
}
END_TEST

START_TEST(a_recording)
{
	char text[64] = "";
	int fds[2];

	rig_start();
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	ck_assert_int_eq(fieldbus_record(rig.fieldbus, 0, fds[1], 77, ended, NULL), 0);
	close(fds[1]);
	ends_with(0);
	ck_assert_uint_eq(end.count, 3);
	ck_assert_uint_eq(end.dropped, 4);
	ck_assert_int_gt(read(fds[0], text, sizeof(text) - 1), 0);
	ck_assert_str_eq(text, "# 77\n");
	ck_assert_int_eq(read(fds[0], text, sizeof(text)), 0);
	close(fds[0]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("services");
	TCase *tcase = tcase_create("services");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, set_up, rig_tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, raw_answers);
	tcase_add_test(tcase, what_cannot_be_asked);
	tcase_add_test(tcase, it_ends_in_time);
	tcase_add_test(tcase, it_ends_with_its_host);
	tcase_add_test(tcase, nonsense_costs_the_host);
	tcase_add_test(tcase, it_ends_with_the_fieldbus);
	tcase_add_test(tcase, a_limit);
	tcase_add_test(tcase, a_scan);
	tcase_add_test(tcase, an_empty_bus);
	tcase_add_test(tcase, a_host_to_wait_for);
	tcase_add_test(tcase, a_loan);
	tcase_add_test(tcase, a_bus_that_is_switched_off);
	tcase_add_test(tcase, switched_off_and_on_at_once);
	tcase_add_test(tcase, switched_off_before_it_began);
	tcase_add_test(tcase, a_recording);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
