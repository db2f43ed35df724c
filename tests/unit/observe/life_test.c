/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"
#include "tests/unit/observe/script.h"

/* Which observations there are, what becomes of those that cannot be told, and what ends them. */

START_TEST(bounds_all_paths_together)
{
	static struct observed at[OBSERVED_PATHS_MAX];
	struct observation o = { .token = { 7 }, .token_size = 1, .composite = true };

	begin("0=1", "", NUMBER);
	for (unsigned i = 0; i < OBSERVED_PATHS_MAX; i++)
		at[i] = (struct observed){ .path = path_of(TEXT), .store = store };
	o.n_paths = OBSERVED_PATHS_MAX;
	ck_assert_int_eq(observations_add(observations, &o, at), -ENOSPC);
	o.n_paths--;
	ck_assert_int_eq(observations_add(observations, &o, at), 0);
	ck_assert_int_eq(observe(TEXT, 2), -ENOSPC);
	/* The same token replaces, and what has gone leaves its place. */
	ck_assert_int_eq(observations_add(observations, &o, at), 0);
	ck_assert(observations_remove(observations, (uint8_t[]){ 7 }, 1));
	ck_assert_int_eq(observe(TEXT, 2), 0);
}
END_TEST

START_TEST(owes_what_failed)
{
	begin("0=1", "", NUMBER);
	outcome = FAILED;
	ck_assert_str_eq(run("0=2 0=3 +4"), "failed@0 ");
	ck_assert_str_eq(run("+1"), "failed@5 ");
	outcome = SENT;
	ck_assert_str_eq(run("+4 +1 +60"), "3@10 ");
}
END_TEST

START_TEST(does_not_turn_in_circles)
{
	begin("0=1", "", NUMBER);
	outcome = NOTHING;
	ck_assert_str_eq(run("0=2"), "nothing@0 ");
	ck_assert_str_eq(run("+1"), "nothing@1 ");
	outcome = SENT;
	ck_assert_str_eq(run("+1 +1"), "2@2 ");
}
END_TEST

START_TEST(waits_for_what_is_in_flight)
{
	begin("0=1", "", NUMBER);
	outcome = IN_FLIGHT;
	ck_assert_str_eq(run("0=2 0=3 0=4 +100"), "2@0 ");
	outcome = SENT;
	observations_landed(observations, (uint8_t[]){ 9 }, 1);
	observations_landed(observations, (uint8_t[]){ 1 }, 1);
	ck_assert_str_eq(run(""), "4@100 ");
}
END_TEST

static bool is_superseded(void)
{
	return observation_is_superseded(observations,
					 observations_find(observations, (uint8_t[]){ 1 }, 1));
}

/* What is due takes the place of what is on its way: conditions and pmin count as ever. */
START_TEST(knows_what_supersedes_what_is_in_flight)
{
	begin("0=1", NUMBER " pmin=10&st=2", NUMBER);
	outcome = IN_FLIGHT;
	ck_assert_str_eq(run("0=4 +10"), "4@10 ");
	ck_assert(!is_superseded());
	run("+5 0=7");
	ck_assert(!is_superseded());
	run("+5");
	ck_assert(is_superseded());
	run("~0");
	ck_assert(!is_superseded());
	run("0=5");
	ck_assert(is_superseded());
	ck_assert(is_superseded());
	observation_superseded(observations_find(observations, (uint8_t[]){ 1 }, 1));
	ck_assert(!is_superseded());
	run("+10 0=6");
	ck_assert(!is_superseded());
	run("0=7");
	ck_assert(is_superseded());
	outcome = SENT;
	observations_landed(observations, (uint8_t[]){ 1 }, 1);
	ck_assert_str_eq(run(""), "7@30 ");
}
END_TEST

static int count_read(void *userdata, const struct path *path, struct value *ret)
{
	++*(unsigned *)userdata;
	*ret = value_float(5);
	return 0;
}

/* An account may have hundreds of observations, and each of them its own changes. */
START_TEST(looks_only_at_what_an_event_concerns)
{
	static const struct backing_ops ops = { .read = count_read };
	unsigned n_reads = 0, before;
	const struct backing backing = { .ops = &ops, .userdata = &n_reads };
	const struct path number = path_of(NUMBER);

	begin("0=1 1=a", NUMBER " gt=3", NUMBER);
	ck_assert_int_eq(store_add_resource(store, &number, &backing), 0);
	ck_assert_int_eq(observe(TEXT, 2), 0);
	run("");
	before = n_reads;
	ck_assert_str_eq(run("1=b +1 1=c +60 1=d"), "b@0 c@1 d@61 ");
	ck_assert_uint_eq(n_reads, before);
	/* What is in force for all is looked at by all. */
	run("a:" NUMBER ",gt=3&pmin=1");
	ck_assert_uint_gt(n_reads, before);
	before = n_reads;
	server_defaults = (struct attributes){ .present = ATTRIBUTE_PMAX, .pmax_s = 30 };
	ck_assert_str_eq(run("1=e"), "5@61 e@61 ");
	ck_assert_uint_gt(n_reads, before);
}
END_TEST

START_TEST(knows_observations_by_token)
{
	begin("0=1 1=a", "", NUMBER);
	ck_assert_int_eq(observe(TEXT, 2), 0);
	ck_assert_int_eq(observe(NUMBER, 3), 0);
	ck_assert_uint_eq(observations_count(observations), 3);
	/* The same token replaces. */
	ck_assert_int_eq(observe(TEXT, 1), 0);
	ck_assert_uint_eq(observations_count(observations), 3);
	ck_assert_str_eq(run("0=2 1=b"), "2@0 b@0 b@0 ");
	ck_assert(observations_remove(observations, (uint8_t[]){ 2 }, 1));
	ck_assert(!observations_remove(observations, (uint8_t[]){ 2 }, 1));
	ck_assert(!observations_remove(observations, (uint8_t[]){ 1, 0 }, 2));
	ck_assert(!observations_remove(observations, NULL, 0));
	ck_assert_str_eq(run("1=c"), "c@0 ");
	observations_clear(observations);
	ck_assert_uint_eq(observations_count(observations), 0);
	ck_assert_str_eq(run("0=3 1=d +100"), "");
}
END_TEST

START_TEST(is_bounded)
{
	begin("0=1", "", NUMBER);
	for (unsigned i = 1; i < OBSERVATIONS_MAX; i++) {
		struct observation o = { .token = { 5, i }, .token_size = 2, .n_paths = 1 };
		const struct observed at = { .path = path_of(NUMBER), .store = store };

		ck_assert_int_eq(observations_add(observations, &o, &at), 0);
	}
	ck_assert_int_eq(observe(NUMBER, 2), -ENOSPC);
	ck_assert_int_eq(observe(NUMBER, 1), 0);
	ck_assert_uint_eq(observations_count(observations), OBSERVATIONS_MAX);
}
END_TEST

START_TEST(a_notification_may_end_everything)
{
	begin("0=1", "", NUMBER);
	ck_assert_int_eq(observe(NUMBER, 2), 0);
	ck_assert_int_eq(observe("/1000/0", 3), 0);
	outcome = REMOVES_ALL;
	ck_assert_str_eq(run("0=2"), "2@0 ");
	ck_assert_uint_eq(observations_count(observations), 0);
	ck_assert_str_eq(run("0=3 +10"), "");
}
END_TEST

START_TEST(an_end_may_end_everything)
{
	begin("0=1", "", NUMBER);
	ck_assert_int_eq(observe(NUMBER, 2), 0);
	ck_assert_int_eq(observe("/1000", 3), 0);
	outcome = REMOVES_ALL;
	ck_assert_str_eq(run("-i0"), "gone:/1000/0/0@0 ");
	ck_assert_uint_eq(observations_count(observations), 0);
}
END_TEST

START_TEST(only_what_is_gone_ends)
{
	begin("0=1 1=a", "", NUMBER);
	ck_assert_int_eq(observe(TEXT, 2), 0);
	ck_assert_int_eq(observe("/1000", 3), 0);
	ck_assert_str_eq(run("-0"), "gone:/1000/0/0@0 /1000@0 ");
	ck_assert_uint_eq(observations_count(observations), 2);
	ck_assert_str_eq(run("-i0"), "gone:/1000/0/1@0 /1000@0 ");
}
END_TEST

/* Within one change a resource goes and is there again, of something else: its next value is news at once. */
START_TEST(what_is_there_anew_goes_on)
{
	static const struct backing_ops ops = { 0 };
	const struct backing backing = { .ops = &ops };
	const struct path path = path_of(NUMBER);

	begin("0=1", NUMBER " pmin=10", NUMBER);
	store_begin(store);
	if (_i)
		ck_assert_int_eq(store_remove_object(store, 1000), 0);
	else
		ck_assert_int_eq(store_remove_resource(store, &path), 0);
	ck_assert_int_eq(store_add_instance(store, definitions_newest(definitions, 1000), 0), 0);
	ck_assert_int_eq(store_add_resource(store, &path, &backing), 0);
	store_end(store);
	ck_assert_str_eq(run("+5"), "");
	ck_assert_uint_eq(observations_count(observations), 1);
	ck_assert_str_eq(run("0=2"), "2@5 ");
	ck_assert_str_eq(run("0=3 +9"), "");
	ck_assert_str_eq(run("+1"), "3@15 ");
}
END_TEST

START_TEST(other_objects_do_not_matter)
{
	static const char other[] =
		"schema: 1\nobject: {id: 2000, name: O, version: \"1.0\", instances: multiple}\n"
		"resources: {}\n";
	struct yaml_errors errors = { 0 };

	ck_assert_int_eq(definitions_read_text(definitions, "o", other, strlen(other), &errors), 0);
	begin("0=1", "", "/1000");
	ck_assert_int_eq(store_add_instance(store, definitions_newest(definitions, 2000), 0), 0);
	ck_assert_str_eq(run("+10"), "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("life");
	TCase *tcase = tcase_create("life");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, script_set_up, script_tear_down);
	tcase_add_test(tcase, bounds_all_paths_together);
	tcase_add_test(tcase, owes_what_failed);
	tcase_add_test(tcase, does_not_turn_in_circles);
	tcase_add_test(tcase, waits_for_what_is_in_flight);
	tcase_add_test(tcase, knows_what_supersedes_what_is_in_flight);
	tcase_add_test(tcase, looks_only_at_what_an_event_concerns);
	tcase_add_test(tcase, knows_observations_by_token);
	tcase_add_test(tcase, is_bounded);
	tcase_add_test(tcase, a_notification_may_end_everything);
	tcase_add_test(tcase, an_end_may_end_everything);
	tcase_add_test(tcase, only_what_is_gone_ends);
	tcase_add_loop_test(tcase, what_is_there_anew_goes_on, 0, 2);
	tcase_add_test(tcase, other_objects_do_not_matter);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
