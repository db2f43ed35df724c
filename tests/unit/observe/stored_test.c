/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/unit/observe/rig.h"

/* What observations store while their server is away. */

#define NUMBER "/1000/0/0"
#define OTHER "/1000/0/1"

static const char objects[] =
	"schema: 1\n"
	"object: {id: 1000, name: Test, version: \"1.0\", instances: multiple}\n"
	"resources:\n"
	"  0: {name: Number, operations: RW, type: integer}\n"
	"  1: {name: Other, operations: RW, type: integer}\n"
	"  2: {name: Text, operations: RW, type: string}\n";

static bool away;
static unsigned n_told;
static char told[512];

static struct attributes defaults(void *userdata)
{
	return (struct attributes){ 0 };
}

/* "1 2 ": all that is stored, oldest first. */
static const char *stored(struct observation *o)
{
	static char text[512];
	struct record *records;
	size_t n, used = 0;

	ck_assert_int_eq(observation_stored(o, &records, &n), 0);
	text[0] = 0;
	for (size_t i = 0; i < n; i++)
		used += snprintf(text + used, sizeof(text) - used, "%d/%ld ", records[i].path.resource,
				 (long)records[i].value.integer);
	free(records);
	return text;
}

static void notify(void *userdata, struct observation *o)
{
	struct records records = { 0 };

	if (away) {
		ck_assert_int_eq(store_collect(store, &observation_path(o, 0)->path, false, &records, NULL), 0);
		ck_assert_int_eq(observation_store(observations, o, &records), 0);
		records_done(&records);
	} else {
		n_told++;
		snprintf(told, sizeof(told), "%s", stored(o));
		if (!*told)
			observation_forget_stored(observations, o);
	}
	observation_sent(observations, o);
	if (!away && *told)
		observation_forget_stored(observations, o);
}

static void gone(void *userdata, struct observation *o)
{
}

static void set(const char *path, int64_t number)
{
	const struct path p = path_of(path);
	const struct value v = value_integer(number);

	ck_assert_int_eq(store_update_one(store, &p, &v), 0);
}

static void setup(void)
{
	const struct observations_config config = { .defaults = defaults, .notify = notify, .gone = gone };

	away = false;
	n_told = 0;
	told[0] = 0;
	rig_set_up(objects, &config);
	ck_assert_int_eq(store_add_instance(store, definitions_newest(definitions, 1000), 0), 0);
	set(NUMBER, 0);
	set(OTHER, 0);
}

static struct observation *observe(const char *path, uint8_t token, const char *attached)
{
	const struct observed at = { .path = path_of(path), .store = store };
	const struct observation o = { .token = { token }, .token_size = 1, .n_paths = 1 };

	ck_assert_int_eq(attribute_set_parse(attributes, span_of(attached, strlen(attached))), 0);
	ck_assert_int_eq(observations_add(observations, &o, &at), 0);
	return observations_find(observations, &token, 1);
}

START_TEST(the_oldest_goes)
{
	struct observation *o = observe(NUMBER, 1, NUMBER " hqmax=3");

	ck_assert(observation_stores(observations, o));
	away = true;
	for (int i = 1; i <= 5; i++)
		set(NUMBER, i);
	ck_assert_str_eq(stored(o), "0/3 0/4 0/5 ");
	away = false;
	observations_hasten(observations);
	ck_assert_str_eq(told, "0/3 0/4 0/5 ");
	ck_assert_uint_eq(n_told, 1);
	ck_assert_str_eq(stored(o), "");
}
END_TEST

/* The conditions decide what there is to store. */
START_TEST(conditions_hold)
{
	struct observation *o = observe(NUMBER, 1, NUMBER " hqmax=9&st=5&pmin=10");

	away = true;
	set(NUMBER, 3);
	set(NUMBER, 6);
	pass(10);
	set(NUMBER, 8);
	set(NUMBER, 20);
	pass(10);
	ck_assert_str_eq(stored(o), "0/6 0/20 ");
}
END_TEST

static const struct {
	const char *path, *attached;
	bool stores;
} storing[] = {
	{ NUMBER, "", false },
	{ NUMBER, NUMBER " hqmax=0", false },
	{ NUMBER, "/1000 hqmax=1", true },
	{ NUMBER, OTHER " hqmax=1", false },
	{ "/1000/0", OTHER " hqmax=1", true },
	{ "/1000/0", OTHER " hqmax=0", false },
	{ "/1000/0", "/1000/1 hqmax=1", false },
};

START_TEST(knows_what_is_stored)
{
	struct observation *o = observe(storing[_i].path, 1, storing[_i].attached);

	ck_assert_int_eq(observation_stores(observations, o), storing[_i].stores);
}
END_TEST

/* Only the parts that have an hqmax; the others are owed as they are then. */
START_TEST(parts_are_left_out)
{
	struct observation *o = observe("/1000/0", 1, OTHER " hqmax=5");

	away = true;
	set(OTHER, 1);
	set(NUMBER, 7);
	ck_assert_str_eq(stored(o), "1/1 1/1 ");
	away = false;
	observations_hasten(observations);
	pass(1);
	ck_assert_uint_eq(n_told, 2);
	ck_assert_str_eq(told, "");
}
END_TEST

/* Also where that is all of it: what was not stored is not lost. */
START_TEST(all_parts_are_left_out)
{
	observe("/1000/0", 1, "/1000/0/2 hqmax=5");
	away = true;
	set(NUMBER, 7);
	away = false;
	for (int i = 0; i < 2; i++) {
		observations_hasten(observations);
		pass(1);
		ck_assert_uint_eq(n_told, 1);
		ck_assert_str_eq(told, "");
	}
}
END_TEST

START_TEST(goes_on_without_a_registration)
{
	uint8_t token = 1;
	struct observation *o;

	observe(NUMBER, 1, NUMBER " hqmax=3");
	observe(OTHER, 2, "");
	away = true;
	observations_detach(observations);
	ck_assert_uint_eq(observations_count(observations), 0);
	ck_assert_ptr_null(observations_find(observations, &token, 1));
	set(NUMBER, 1);
	set(OTHER, 1);
	set(NUMBER, 2);
	away = false;
	observations_hasten(observations);
	set(NUMBER, 3);
	ck_assert_uint_eq(n_told, 0);
	/* Another path has nothing to do with it. */
	observe("/1000/0", 4, "");
	o = observe(NUMBER, 3, "");
	ck_assert_str_eq(stored(o), "0/1 0/2 ");
	ck_assert_uint_eq(n_told, 0);
	pass(1);
	ck_assert_uint_eq(n_told, 1);
	ck_assert_str_eq(told, "0/1 0/2 ");
}
END_TEST

/* Who does not observe it again until the next time does not want it. */
START_TEST(is_given_up)
{
	struct observation *o;

	observe(NUMBER, 1, NUMBER " hqmax=3");
	away = true;
	observations_detach(observations);
	/* Registering may take several attempts. */
	observations_detach(observations);
	set(NUMBER, 1);
	away = false;
	observations_hasten(observations);
	away = true;
	observations_detach(observations);
	set(NUMBER, 2);
	away = false;
	observations_hasten(observations);
	o = observe(NUMBER, 2, "");
	ck_assert_str_eq(stored(o), "");
}
END_TEST

START_TEST(a_path_that_goes_takes_it_along)
{
	observe(NUMBER, 1, NUMBER " hqmax=3");
	away = true;
	observations_detach(observations);
	set(NUMBER, 1);
	ck_assert_int_eq(store_remove_instance(store, 1000, 0), 0);
	ck_assert_int_eq(store_add_instance(store, definitions_newest(definitions, 1000), 0), 0);
	set(NUMBER, 2);
	away = false;
	observations_hasten(observations);
	ck_assert_str_eq(stored(observe(NUMBER, 2, "")), "");
}
END_TEST

/* Of one account together; each makes room for its own newest. */
START_TEST(bytes_are_bounded)
{
	static char text[20000];
	struct observation *o = observe("/1000/0/2", 1, "/1000 hqmax=1000");
	struct observation *other = observe(NUMBER, 2, "");
	const struct path path = path_of("/1000/0/2");
	struct record *records;
	struct records one = { 0 };
	struct value v = value_integer(1);
	size_t n;

	memset(text, 'x', sizeof(text) - 1);
	away = true;
	for (int i = 0; i < 9; i++) {
		_cleanup_value_ struct value long_one = { 0 };

		text[0] = (char)('0' + i);
		ck_assert_int_eq(value_set_string(&long_one, text), 0);
		ck_assert_int_eq(store_update_one(store, &path, &long_one), 0);
	}
	ck_assert_int_eq(observation_stored(o, &records, &n), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert_int_eq(records[0].value.data[0], '6');
	free(records);
	/* There is room for a small one; when there is none it is not stored. */
	ck_assert_int_eq(records_add(&one, &observation_path(other, 0)->path, &v, 5), 0);
	ck_assert_int_eq(observation_store(observations, other, &one), 0);
	ck_assert_int_eq(value_set_string(&v, text), 0);
	ck_assert_int_eq(records_add(&one, &observation_path(other, 0)->path, &v, 5), 0);
	ck_assert_int_eq(observation_store(observations, other, &one), -ENOSPC);
	records_done(&one);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stored");
	TCase *tcase = tcase_create("stored");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, rig_tear_down);
	tcase_add_test(tcase, the_oldest_goes);
	tcase_add_test(tcase, conditions_hold);
	tcase_add_loop_test(tcase, knows_what_is_stored, 0, ARRAY_SIZE(storing));
	tcase_add_test(tcase, parts_are_left_out);
	tcase_add_test(tcase, all_parts_are_left_out);
	tcase_add_test(tcase, goes_on_without_a_registration);
	tcase_add_test(tcase, is_given_up);
	tcase_add_test(tcase, a_path_that_goes_takes_it_along);
	tcase_add_test(tcase, bytes_are_bounded);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
