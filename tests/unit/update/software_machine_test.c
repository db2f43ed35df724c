/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "update/software_machine.h"

/* What is allowed, by the object; all else is refused. */
static const struct row {
	enum software_state state;
	enum software_work work;
	enum software_event event;
	int action;
	enum software_state then;
	enum software_result result;
	enum software_work after;
} rows[] = {
	{ SOFTWARE_INITIAL, SOFTWARE_RESTS, SOFTWARE_PUSH, SOFTWARE_STORE, SOFTWARE_DOWNLOAD_STARTED, SOFTWARE_DOWNLOADING, SOFTWARE_RESTS },
	{ SOFTWARE_INITIAL, SOFTWARE_RESTS, SOFTWARE_PULL, SOFTWARE_FETCH, SOFTWARE_DOWNLOAD_STARTED, SOFTWARE_DOWNLOADING, SOFTWARE_RESTS },
	{ SOFTWARE_INITIAL, SOFTWARE_RESTS, SOFTWARE_BAD_URI, SOFTWARE_NOTHING, SOFTWARE_INITIAL, SOFTWARE_INVALID_URI, SOFTWARE_RESTS },
	{ SOFTWARE_DOWNLOAD_STARTED, SOFTWARE_RESTS, SOFTWARE_ARRIVED, SOFTWARE_CHECK, SOFTWARE_DOWNLOADED, SOFTWARE_DOWNLOADING, SOFTWARE_RESTS },
	{ SOFTWARE_DOWNLOAD_STARTED, SOFTWARE_RESTS, SOFTWARE_FAILED, SOFTWARE_DROP, SOFTWARE_INITIAL, SOFTWARE_CONNECTION_LOST, SOFTWARE_RESTS },
	{ SOFTWARE_DOWNLOADED, SOFTWARE_RESTS, SOFTWARE_CHECKED, SOFTWARE_NOTHING, SOFTWARE_DELIVERED, SOFTWARE_VERIFIED, SOFTWARE_RESTS },
	{ SOFTWARE_DOWNLOADED, SOFTWARE_RESTS, SOFTWARE_FAILED, SOFTWARE_DROP, SOFTWARE_INITIAL, SOFTWARE_CONNECTION_LOST, SOFTWARE_RESTS },
	{ SOFTWARE_DELIVERED, SOFTWARE_RESTS, SOFTWARE_INSTALL, SOFTWARE_WORK, SOFTWARE_DELIVERED, SOFTWARE_VERIFIED, SOFTWARE_INSTALLS },
	{ SOFTWARE_DELIVERED, SOFTWARE_RESTS, SOFTWARE_UNINSTALL, SOFTWARE_DROP, SOFTWARE_INITIAL, SOFTWARE_NO_RESULT, SOFTWARE_RESTS },
	{ SOFTWARE_DELIVERED, SOFTWARE_RESTS, SOFTWARE_FOR_UPDATE, SOFTWARE_DROP, SOFTWARE_INITIAL, SOFTWARE_NO_RESULT, SOFTWARE_RESTS },
	{ SOFTWARE_DELIVERED, SOFTWARE_INSTALLS, SOFTWARE_DONE, SOFTWARE_DROP, SOFTWARE_INSTALLED, SOFTWARE_IS_INSTALLED, SOFTWARE_RESTS },
	{ SOFTWARE_DELIVERED, SOFTWARE_INSTALLS, SOFTWARE_BROKE, SOFTWARE_NOTHING, SOFTWARE_DELIVERED, SOFTWARE_CONNECTION_LOST, SOFTWARE_RESTS },
	{ SOFTWARE_INSTALLED, SOFTWARE_RESTS, SOFTWARE_UNINSTALL, SOFTWARE_WORK, SOFTWARE_INSTALLED, SOFTWARE_DEVICE_ERROR, SOFTWARE_UNINSTALLS },
	{ SOFTWARE_INSTALLED, SOFTWARE_RESTS, SOFTWARE_FOR_UPDATE, SOFTWARE_NOTHING, SOFTWARE_INITIAL, SOFTWARE_NO_RESULT, SOFTWARE_RESTS },
	{ SOFTWARE_INSTALLED, SOFTWARE_RESTS, SOFTWARE_ACTIVATE, SOFTWARE_WORK, SOFTWARE_INSTALLED, SOFTWARE_DEVICE_ERROR, SOFTWARE_ACTIVATES },
	{ SOFTWARE_INSTALLED, SOFTWARE_RESTS, SOFTWARE_DEACTIVATE, SOFTWARE_WORK, SOFTWARE_INSTALLED, SOFTWARE_DEVICE_ERROR, SOFTWARE_DEACTIVATES },
	{ SOFTWARE_INSTALLED, SOFTWARE_UNINSTALLS, SOFTWARE_DONE, SOFTWARE_NOTHING, SOFTWARE_INITIAL, SOFTWARE_NO_RESULT, SOFTWARE_RESTS },
	{ SOFTWARE_INSTALLED, SOFTWARE_UNINSTALLS, SOFTWARE_BROKE, SOFTWARE_NOTHING, SOFTWARE_INSTALLED, SOFTWARE_UNINSTALL_FAILED, SOFTWARE_RESTS },
	{ SOFTWARE_INSTALLED, SOFTWARE_ACTIVATES, SOFTWARE_DONE, SOFTWARE_NOTHING, SOFTWARE_INSTALLED, SOFTWARE_DEVICE_ERROR, SOFTWARE_RESTS },
	{ SOFTWARE_INSTALLED, SOFTWARE_ACTIVATES, SOFTWARE_BROKE, SOFTWARE_NOTHING, SOFTWARE_INSTALLED, SOFTWARE_DEVICE_ERROR, SOFTWARE_RESTS },
	{ SOFTWARE_INSTALLED, SOFTWARE_DEACTIVATES, SOFTWARE_DONE, SOFTWARE_NOTHING, SOFTWARE_INSTALLED, SOFTWARE_DEVICE_ERROR, SOFTWARE_RESTS },
	{ SOFTWARE_INSTALLED, SOFTWARE_DEACTIVATES, SOFTWARE_BROKE, SOFTWARE_NOTHING, SOFTWARE_INSTALLED, SOFTWARE_DEVICE_ERROR, SOFTWARE_RESTS },
};

/* Where there is work at all. */
static const struct {
	enum software_state state;
	enum software_work work;
} places[] = {
	{ SOFTWARE_INITIAL, SOFTWARE_RESTS },	   { SOFTWARE_DOWNLOAD_STARTED, SOFTWARE_RESTS },
	{ SOFTWARE_DOWNLOADED, SOFTWARE_RESTS },   { SOFTWARE_DELIVERED, SOFTWARE_RESTS },
	{ SOFTWARE_DELIVERED, SOFTWARE_INSTALLS }, { SOFTWARE_INSTALLED, SOFTWARE_RESTS },
	{ SOFTWARE_INSTALLED, SOFTWARE_UNINSTALLS }, { SOFTWARE_INSTALLED, SOFTWARE_ACTIVATES },
	{ SOFTWARE_INSTALLED, SOFTWARE_DEACTIVATES },
};

static const struct row *row_of(enum software_state state, enum software_work work, enum software_event event)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].state == state && rows[i].work == work && rows[i].event == event)
			return &rows[i];
	return NULL;
}

/* Each place and each event: the row, or a refusal that changes nothing. */
START_TEST(each_pair)
{
	for (unsigned event = 0; event < SOFTWARE_EVENTS; event++) {
		struct software_status s = { places[_i].state, SOFTWARE_DEVICE_ERROR, places[_i].work, false, false }, before = s;
		const struct row *row = row_of(s.state, s.work, event);
		int r = software_step(&s, event, SOFTWARE_CONNECTION_LOST);

		if (row) {
			ck_assert_msg(r == row->action, "event %u: %d", event, r);
			ck_assert_int_eq(s.state, row->then);
			ck_assert_int_eq(s.result, row->result);
			ck_assert_int_eq(s.work, row->after);
		} else {
			ck_assert_msg(r == (before.work == SOFTWARE_RESTS ? -EPERM : -EBUSY), "event %u: %d", event, r);
			ck_assert(s.state == before.state && s.result == before.result && s.work == before.work);
		}
	}
}
END_TEST

static void step(struct software_status *s, enum software_event event)
{
	ck_assert_int_ge(software_step(s, event, SOFTWARE_NO_RESULT), 0);
}

START_TEST(activation)
{
	struct software_status s = { .state = SOFTWARE_DELIVERED };

	step(&s, SOFTWARE_INSTALL);
	step(&s, SOFTWARE_DONE);
	ck_assert(!s.active);
	step(&s, SOFTWARE_ACTIVATE);
	ck_assert(!s.active);
	step(&s, SOFTWARE_BROKE);
	ck_assert(!s.active);
	step(&s, SOFTWARE_ACTIVATE);
	step(&s, SOFTWARE_DONE);
	ck_assert(s.active);
	step(&s, SOFTWARE_DEACTIVATE);
	step(&s, SOFTWARE_BROKE);
	ck_assert(s.active);
	step(&s, SOFTWARE_UNINSTALL);
	step(&s, SOFTWARE_BROKE);
	ck_assert(s.active);
	step(&s, SOFTWARE_UNINSTALL);
	step(&s, SOFTWARE_DONE);
	ck_assert(!s.active);
}
END_TEST

/* What is in place goes on while its update comes, and also when that comes to nothing. */
START_TEST(update)
{
	struct software_status s = { .state = SOFTWARE_INSTALLED, .active = true };

	step(&s, SOFTWARE_FOR_UPDATE);
	ck_assert(s.in_place && s.active);
	step(&s, SOFTWARE_PUSH);
	step(&s, SOFTWARE_FAILED);
	ck_assert(s.in_place && s.active);
	step(&s, SOFTWARE_PULL);
	step(&s, SOFTWARE_ARRIVED);
	step(&s, SOFTWARE_CHECKED);
	step(&s, SOFTWARE_UNINSTALL);
	ck_assert(s.in_place && s.active);
	step(&s, SOFTWARE_PUSH);
	step(&s, SOFTWARE_ARRIVED);
	step(&s, SOFTWARE_CHECKED);
	step(&s, SOFTWARE_INSTALL);
	step(&s, SOFTWARE_DONE);
	ck_assert(!s.in_place && s.active);
	step(&s, SOFTWARE_UNINSTALL);
	step(&s, SOFTWARE_DONE);
	ck_assert(!s.in_place && !s.active);
}
END_TEST

/* As active as before: one that rested does not begin by it. */
START_TEST(update_of_what_rests)
{
	struct software_status s = { .state = SOFTWARE_INSTALLED };

	step(&s, SOFTWARE_FOR_UPDATE);
	step(&s, SOFTWARE_PUSH);
	step(&s, SOFTWARE_ARRIVED);
	step(&s, SOFTWARE_CHECKED);
	step(&s, SOFTWARE_INSTALL);
	step(&s, SOFTWARE_DONE);
	ck_assert(!s.in_place && !s.active);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("software machine");
	TCase *tcase = tcase_create("table");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, each_pair, 0, ARRAY_SIZE(places));
	tcase_add_test(tcase, activation);
	tcase_add_test(tcase, update);
	tcase_add_test(tcase, update_of_what_rests);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
