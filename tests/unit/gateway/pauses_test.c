/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "gateway/pauses.h"
#include "state/state.h"

/* What is paused, by name, and over restarts. */

static char folder[PATH_MAX];
static struct state *state;
static struct pauses *pauses;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void setup(void)
{
	strcpy(folder, "/tmp/fieldway-pauses-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(state_new(folder, NULL, &state), 0);
	ck_assert_int_eq(pauses_new(state, &pauses), 0);
}

static void teardown(void)
{
	pauses = pauses_free(pauses);
	state = state_free(state);
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void restart(void)
{
	pauses = pauses_free(pauses);
	state = state_free(state);
	ck_assert_int_eq(state_new(folder, NULL, &state), 0);
	ck_assert_int_eq(pauses_new(state, &pauses), 0);
}

static const struct {
	enum dbus_kind kind;
	const char *name;
} some[] = {
	{ DBUS_DEVICE, "b" }, { DBUS_ENDPOINT, "host" }, { DBUS_BUS, "a" },  { DBUS_DEVICE, "a" },
	{ DBUS_ENDPOINT, "a" }, { DBUS_DEVICE, "c d" },  { DBUS_BUS, "B 1" },
};

START_TEST(test_kept)
{
	const struct pause *p;

	ck_assert(pauses_is_empty(pauses));
	for (size_t i = 0; i < ARRAY_SIZE(some); i++) {
		ck_assert_ptr_null(pauses_find(pauses, some[i].kind, some[i].name));
		ck_assert_int_eq(pauses_add(pauses, some[i].kind, some[i].name, (uid_t)(1000 + i)), 1);
		ck_assert_int_eq(pauses_add(pauses, some[i].kind, some[i].name, 7), 0);
	}
	restart();
	for (size_t i = 0; i < ARRAY_SIZE(some); i++) {
		p = pauses_find(pauses, some[i].kind, some[i].name);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq(p->by.uid, 1000 + i);
		ck_assert_uint_gt(p->by.since_usec, UINT64_C(1000000000000000));
	}
	ck_assert_ptr_null(pauses_find(pauses, DBUS_BUS, "host"));
	ck_assert_ptr_null(pauses_find(pauses, DBUS_DEVICE, "c"));
	ck_assert(!pauses_is_empty(pauses));
}
END_TEST

/* Two exchange their names, a third takes one that is free; kinds do not mix, nor does what is not paused. */
START_TEST(test_moved)
{
	static const struct pause_move moves[] = {
		{ DBUS_DEVICE, "a", "b" },    { DBUS_DEVICE, "b", "a" },  { DBUS_ENDPOINT, "a", "e" },
		{ DBUS_ENDPOINT, "x", "b" }, { DBUS_BUS, "nobody", "a" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(some); i++)
		pauses_add(pauses, some[i].kind, some[i].name, (uid_t)(1000 + i));
	ck_assert_int_eq(pauses_move(pauses, moves, ARRAY_SIZE(moves)), 3);
	for (unsigned again = 0; again < 2; again++) {
		ck_assert_uint_eq(pauses_find(pauses, DBUS_DEVICE, "a")->by.uid, 1000);
		ck_assert_uint_eq(pauses_find(pauses, DBUS_DEVICE, "b")->by.uid, 1003);
		ck_assert_uint_eq(pauses_find(pauses, DBUS_ENDPOINT, "e")->by.uid, 1004);
		ck_assert_uint_eq(pauses_find(pauses, DBUS_BUS, "a")->by.uid, 1002);
		ck_assert_ptr_null(pauses_find(pauses, DBUS_ENDPOINT, "a"));
		ck_assert_ptr_null(pauses_find(pauses, DBUS_ENDPOINT, "b"));
		restart();
	}
	ck_assert_int_eq(pauses_move(pauses, moves, 0), 0);
}
END_TEST

START_TEST(test_taken_back)
{
	for (size_t i = 0; i < ARRAY_SIZE(some); i++)
		pauses_add(pauses, some[i].kind, some[i].name, 0);
	ck_assert_int_eq(pauses_remove(pauses, DBUS_BUS, "b"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(some); i++) {
		ck_assert_int_eq(pauses_remove(pauses, some[i].kind, some[i].name), 1);
		ck_assert_int_eq(pauses_remove(pauses, some[i].kind, some[i].name), 0);
		restart();
		ck_assert_ptr_null(pauses_find(pauses, some[i].kind, some[i].name));
		for (size_t k = i + 1; k < ARRAY_SIZE(some); k++)
			ck_assert_ptr_nonnull(pauses_find(pauses, some[k].kind, some[k].name));
	}
	ck_assert(pauses_is_empty(pauses));
}
END_TEST

START_TEST(test_limit)
{
	char name[16];

	pauses_free(pauses);
	ck_assert_int_eq(pauses_new(NULL, &pauses), 0);
	for (unsigned i = 0; i < PAUSES_MAX; i++) {
		snprintf(name, sizeof(name), "d%u", i);
		ck_assert_int_eq(pauses_add(pauses, DBUS_DEVICE, name, 0), 1);
	}
	ck_assert_int_eq(pauses_add(pauses, DBUS_DEVICE, "one more", 0), -ENOSPC);
	ck_assert_int_eq(pauses_add(pauses, DBUS_DEVICE, "d5", 0), 0);
	ck_assert_int_eq(pauses_remove(pauses, DBUS_DEVICE, "d5"), 1);
	ck_assert_int_eq(pauses_add(pauses, DBUS_DEVICE, "one more", 0), 1);
}
END_TEST

/* What cannot be kept does not happen. */
START_TEST(test_not_kept)
{
	static char name[STATE_RECORD_MAX];

	memset(name, 'x', sizeof(name) - 1);
	ck_assert_int_eq(pauses_add(pauses, DBUS_DEVICE, "a", 0), 1);
	ck_assert_int_eq(pauses_add(pauses, DBUS_DEVICE, name, 0), -EFBIG);
	ck_assert_ptr_null(pauses_find(pauses, DBUS_DEVICE, name));
	ck_assert_ptr_nonnull(pauses_find(pauses, DBUS_DEVICE, "a"));
	restart();
	ck_assert_ptr_nonnull(pauses_find(pauses, DBUS_DEVICE, "a"));
}
END_TEST

START_TEST(test_record)
{
	static const struct {
		const char *text;
		bool first; /* is known in the end */
	} records[] = {
		{ "device 1 0 a\nbus 2 1000 b\n", true },
		{ "device 1 0 a", true },
		{ "device 1 0 a\ndevice 1 0 a\n", true },
		{ "device 1 0 a\nplanet 1 0 b\n", true },
		{ "device x 0 a\n", false },
		{ "device 1 0\n", false },
		{ "device 1 0 \n", false },
		{ "device 1\n", false },
		{ "", false },
		{ "\n\n", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
		pauses = pauses_free(pauses);
		ck_assert_int_eq(state_save(state, "gateway", "paused", records[i].text, strlen(records[i].text)), 0);
		ck_assert_int_eq(pauses_new(state, &pauses), 0);
		ck_assert_int_eq(pauses_find(pauses, DBUS_DEVICE, "a") != NULL, records[i].first);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pauses");
	TCase *tcase = tcase_create("pauses");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_kept);
	tcase_add_test(tcase, test_moved);
	tcase_add_test(tcase, test_taken_back);
	tcase_add_test(tcase, test_limit);
	tcase_add_test(tcase, test_not_kept);
	tcase_add_test(tcase, test_record);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
