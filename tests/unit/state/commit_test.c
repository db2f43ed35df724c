/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/macro.h"
#include "state/journal.h"
#include "tests/unit/state/rig.h"

/* ---- records that somebody waits for ---- */

static struct {
	int errors[4];
	unsigned n;
	struct state_commit *commit;
	bool again;
} told;

static void on_done(void *userdata, int error)
{
	ck_assert_uint_lt(told.n, ARRAY_SIZE(told.errors));
	told.errors[told.n++] = error;
	told.commit = NULL;
	if (told.again) {
		told.again = false;
		ck_assert_int_eq(state_commit(state, "b", "k", "y", 1, on_done, NULL, &told.commit), 0);
	}
}

static sd_event *start_loop(void)
{
	sd_event *event = NULL;

	state = state_free(state);
	ck_assert_int_ge(sd_event_new(&event), 0);
	ck_assert_int_eq(state_new(folder, event, &state), 0);
	memset(&told, 0, sizeof(told));
	return event;
}

/* 0 when all could be written after all. */
static void count_failures(unsigned n, int error, void *userdata)
{
	unsigned *failed = userdata;

	*failed = n == 0 ? 0 : *failed + 1;
}

static void run_until_told(sd_event *event, unsigned n)
{
	while (told.n < n)
		ck_assert_int_gt(sd_event_run(event, 10 * UINT64_C(1000000)), 0);
	ck_assert_uint_eq(told.n, n);
}

START_TEST(test_commit)
{
	sd_event *event = start_loop();
	struct state_commit *gone;

	told.again = true;
	ck_assert_int_eq(state_commit(state, "a", "k", "x", 1, on_done, NULL, &told.commit), 0);
	ck_assert_uint_eq(told.n, 0);
	run_until_told(event, 1);
	ck_assert_int_eq(access(path_in("records/a.k"), F_OK), 0);
	run_until_told(event, 2);
	ck_assert_int_eq(access(path_in("records/b.k"), F_OK), 0);
	/* One that a later one replaces has come as far as that; who has cancelled hears nothing. */
	ck_assert_int_eq(state_commit(state, "c", "k", "x", 1, on_done, NULL, &told.commit), 0);
	ck_assert_int_eq(state_commit(state, "c", "k", "y", 1, on_done, NULL, &gone), 0);
	ck_assert_ptr_null(state_commit_cancel(gone));
	run_until_told(event, 3);
	ck_assert_int_eq(state_flush(state), 0);
	ck_assert_int_ge(sd_event_run(event, 0), 0);
	ck_assert_uint_eq(told.n, 3);
	for (unsigned i = 0; i < told.n; i++)
		ck_assert_int_eq(told.errors[i], 0);
	assert_loads("c", "y");
	ck_assert_int_eq(state_commit(state, "", "k", "x", 1, on_done, NULL, &told.commit), -EINVAL);
	state = state_free(state);
	sd_event_unref(event);
}
END_TEST

/* What was there before stands, when it is saved again. */
START_TEST(test_commit_fails)
{
	sd_event *event = start_loop();

	/* Renaming over a folder that has something in it fails, for root, too. */
	ck_assert_int_eq(mkdir(path_in("records/a.k"), 0700), 0);
	ck_assert_int_eq(mkdir(path_in("records/a.k/in-the-way"), 0700), 0);
	ck_assert_int_eq(state_commit(state, "a", "k", "new", 3, on_done, NULL, &told.commit), 0);
	ck_assert_int_eq(state_commit(state, "b", "k", "new", 3, on_done, NULL, &told.commit), 0);
	run_until_told(event, 2);
	ck_assert_int_eq(told.errors[0], -EISDIR);
	ck_assert_int_eq(told.errors[1], 0);
	ck_assert_int_eq(rmdir(path_in("records/a.k/in-the-way")), 0);
	ck_assert_int_eq(rmdir(path_in("records/a.k")), 0);
	save("a", "former");
	ck_assert_int_eq(state_flush(state), 0);
	assert_loads("a", "former");
	ck_assert_int_ge(sd_event_run(event, 0), 0);
	ck_assert_uint_eq(told.n, 2);
	state = state_free(state);
	sd_event_unref(event);
}
END_TEST

/* ---- several together ---- */

static bool exists(const char *name)
{
	return access(path_in(name), F_OK) == 0;
}

static void assert_none(const char *name)
{
	loaded.size = 0;
	ck_assert_int_eq(state_load(state, name, "k", &loaded), -ENOENT);
}

START_TEST(test_group)
{
	save("gone", "x");
	ck_assert_int_eq(state_flush(state), 0);
	state_begin(state);
	save("a", "1");
	state_begin(state);
	save("b", "2");
	state_end(state);
	ck_assert_int_eq(state_remove(state, "gone", "k"), 0);
	save("a", "3");
	assert_loads("a", "3");
	ck_assert(!exists("records/a.k") && exists("records/gone.k"));
	state_end(state);
	ck_assert_int_eq(state_flush(state), 0);
	ck_assert(exists("records/a.k") && exists("records/b.k") && !exists("records/gone.k"));
	ck_assert(!exists("records/journal"));
	restart();
	assert_loads("a", "3");
	assert_loads("b", "2");
	assert_none("gone");
}
END_TEST

/* A record that two groups have makes them one; too many records go one by one. */
START_TEST(test_groups_that_meet)
{
	struct state_statistics statistics;
	char name[16];

	state_begin(state);
	for (unsigned i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "r%u", i);
		save(name, "x");
	}
	state_end(state);
	state_begin(state);
	for (unsigned i = 2; i < 2 * STATE_GROUP_MAX; i++) {
		snprintf(name, sizeof(name), "r%u", i);
		save(name, "y");
	}
	state_end(state);
	ck_assert_int_eq(state_flush(state), 0);
	state_get_statistics(state, &statistics);
	ck_assert_uint_ge(statistics.written + statistics.coalesced, 2 * STATE_GROUP_MAX + 1);
	restart();
	assert_loads("r0", "x");
	assert_loads("r2", "y");
	assert_loads("r127", "y");
}
END_TEST

static void write_journal(const struct state_change *changes, size_t n)
{
	int records = open(path_in("records"), O_RDONLY | O_DIRECTORY),
	    temporary = open(path_in("temporary"), O_RDONLY | O_DIRECTORY);

	ck_assert_int_eq(state_journal_write(temporary, records, changes, n), 0);
	close(records);
	close(temporary);
}

START_TEST(test_group_is_finished_at_start)
{
	static const struct state_change changes[] = {
		{ "a.k", (const uint8_t *)"new", 3 }, { "b.k", (const uint8_t *)"", 0 }, { "gone.k" }, { "never.k" }
	};

	save("a", "old");
	save("gone", "x");
	state = state_free(state);
	write_journal(changes, ARRAY_SIZE(changes));
	ck_assert_int_eq(state_new(folder, NULL, &state), 0);
	assert_loads("a", "new");
	assert_loads("b", "");
	assert_none("gone");
	ck_assert(!exists("records/journal"));
}
END_TEST

/* A folder in the way of the temporary file of a record, as a full disk would be; nothing empties it at start. */
static void obstruct(const char *name)
{
	ck_assert_int_eq(mkdir(path_in(name), 0700), 0);
}

static void clear(const char *name)
{
	ck_assert_int_eq(rmdir(path_in(name)), 0);
}

/* The start does not fail: all of the group is what is read, and it stays in the journal until there is room. */
START_TEST(test_group_waits_for_room)
{
	static const struct state_change changes[] = {
		{ "a.k", (const uint8_t *)"new", 3 }, { "b.k", (const uint8_t *)"new", 3 }, { "gone.k" }
	};
	static const char *const obstacles[] = { "temporary/b.k", "temporary/journal" };

	save("a", "old");
	save("gone", "x");
	state = state_free(state);
	write_journal(changes, ARRAY_SIZE(changes));
	obstruct("temporary/b.k");
	if (_i == 1)
		obstruct(obstacles[1]);
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(state_new(folder, NULL, &state), 0);
		assert_loads("a", "new");
		assert_loads("b", "new");
		assert_none("gone");
		/* Others do not wait, and neither make it be done again nor forgotten. */
		save("c", i == 0 ? "1" : "2");
		ck_assert_int_eq(state_flush(state), -EISDIR);
		ck_assert(exists("records/journal") && exists("records/c.k"));
		state = state_free(state);
	}
	ck_assert_int_eq(state_new(folder, NULL, &state), 0);
	save("a", "newest");
	ck_assert_int_eq(state_flush(state), -EISDIR);
	clear("temporary/b.k");
	if (_i == 1)
		clear(obstacles[1]);
	ck_assert_int_eq(state_flush(state), 0);
	ck_assert(!exists("records/journal"));
	restart();
	assert_loads("a", "newest");
	assert_loads("b", "new");
	assert_loads("c", "2");
	assert_none("gone");
}
END_TEST

/* What cannot all be written stays a whole, whatever is saved meanwhile, also for who starts behind it. */
START_TEST(test_group_that_cannot_be_written)
{
	char name[16];

	save("a", "0");
	ck_assert_int_eq(state_flush(state), 0);
	obstruct("temporary/b.k");
	state_begin(state);
	save("a", "1");
	save("b", "1");
	state_end(state);
	ck_assert_int_eq(state_flush(state), -EISDIR);
	/* A record that could be written is still one of them. */
	save("a", "2");
	save("c", "2");
	ck_assert_int_eq(state_flush(state), -EISDIR);
	/* Another group, too large to be one with it, waits. */
	state_begin(state);
	for (unsigned i = 0; i < STATE_GROUP_MAX; i++) {
		snprintf(name, sizeof(name), "r%u", i);
		save(name, "x");
	}
	state_end(state);
	ck_assert_int_eq(state_flush(state), -EISDIR);
	ck_assert(exists("records/journal") && exists("records/c.k") && !exists("records/r0.k"));
	if (_i == 1)
		state = state_free(state);
	clear("temporary/b.k");
	if (_i == 1)
		ck_assert_int_eq(state_new(folder, NULL, &state), 0);
	ck_assert_int_eq(state_flush(state), 0);
	ck_assert(!exists("records/journal"));
	restart();
	assert_loads("a", "2");
	assert_loads("b", "1");
	assert_loads("c", "2");
	if (_i == 1)
		assert_none("r0");
	else
		assert_loads("r63", "x");
}
END_TEST

START_TEST(test_retry)
{
	sd_event *event = start_loop();
	unsigned failed = 0;

	obstruct("temporary/a.k");
	state_set_handler(state, count_failures, &failed);
	save("a", "1");
	while (failed == 0)
		ck_assert_int_gt(sd_event_run(event, 10 * UINT64_C(1000000)), 0);
	state_retry(state);
	while (failed == 1)
		ck_assert_int_gt(sd_event_run(event, 10 * UINT64_C(1000000)), 0);
	clear("temporary/a.k");
	state_retry(state);
	while (failed > 0)
		ck_assert_int_gt(sd_event_run(event, 10 * UINT64_C(1000000)), 0);
	ck_assert(exists("records/a.k"));
	state = state_free(state);
	sd_event_unref(event);
}
END_TEST

/* Each of its bits: the records are as they were, and what was damaged can be looked at. */
START_TEST(test_damaged_journal)
{
	static const struct state_change changes[] = { { "a.k", (const uint8_t *)"new", 3 }, { "b.k" } };
	uint8_t data[256];
	size_t size;

	save("a", "old");
	state = state_free(state);
	write_journal(changes, ARRAY_SIZE(changes));
	size = read_raw("records/journal", data, sizeof(data));
	for (size_t i = 0; i < size; i++) {
		data[i] ^= 1;
		write_raw("records/journal", data, size);
		data[i] ^= 1;
		ck_assert_int_eq(state_new(folder, NULL, &state), 0);
		assert_loads("a", "old");
		ck_assert(exists("quarantine/journal") && !exists("records/journal"));
		state = state_free(state);
	}
	ck_assert_int_eq(state_new(folder, NULL, &state), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("commit");
	TCase *tcase = tcase_create("commit");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, rig_set_up, rig_tear_down);
	tcase_add_test(tcase, test_commit);
	tcase_add_test(tcase, test_commit_fails);
	tcase_add_test(tcase, test_group);
	tcase_add_test(tcase, test_groups_that_meet);
	tcase_add_test(tcase, test_group_is_finished_at_start);
	tcase_add_loop_test(tcase, test_group_waits_for_room, 0, 2);
	tcase_add_loop_test(tcase, test_group_that_cannot_be_written, 0, 2);
	tcase_add_test(tcase, test_retry);
	tcase_add_test(tcase, test_damaged_journal);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
