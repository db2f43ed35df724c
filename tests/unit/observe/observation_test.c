/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/macro.h"
#include "tests/unit/observe/script.h"

/* When something is notified. */

static const struct {
	const char *path, *attached, *before, *script, *notified;
} scripts[] = {
	/* Without attributes each change is told, and only changes. */
	{ NUMBER, "", "0=45", "0=46 0=46 +5 0=47", "46@0 47@5 " },
	{ TEXT, "", "1=a", "1=b 1=b 0=1 1=a", "b@0 a@0 " },
	{ NUMBER, "", "0=1", "+1000000", "" },
	/* pmin: what changes inside is owed, with the value of the moment, even if it went back. */
	{ NUMBER, NUMBER " pmin=10", "0=1", "+3 0=2 +6 +1", "2@10 " },
	{ NUMBER, NUMBER " pmin=10", "0=1", "+3 0=2 0=3 +9", "3@10 " },
	{ NUMBER, NUMBER " pmin=10", "0=1", "+3 0=2 +1 0=1 +9", "1@10 " },
	{ NUMBER, NUMBER " pmin=10", "0=1", "+20 0=2 0=3 +9 +1 +50", "2@20 3@30 " },
	/* pmax repeats; each notification restarts both timers. */
	{ NUMBER, NUMBER " pmax=30", "0=1", "+29 +1 +29 +1", "1@30 1@60 " },
	{ NUMBER, NUMBER " pmax=30", "0=1", "+20 0=2 +29 +1", "2@20 2@50 " },
	{ NUMBER, NUMBER " pmin=10&pmax=30", "0=1", "+5 0=2 +60", "2@10 2@40 " },
	/* Equal: periodic. */
	{ NUMBER, NUMBER " pmin=10&pmax=10", "0=1", "+5 0=2 +5 +10 0=3 +10", "2@10 2@20 3@30 " },
	/* pmax 0 or below pmin is ignored. */
	{ NUMBER, NUMBER " pmax=0", "0=1", "+1000 0=2", "2@1000 " },
	{ NUMBER, NUMBER " pmin=30&pmax=10", "0=1", "+5 0=2 +60", "2@30 " },
	/* gt, lt, st against what was notified last. */
	{ NUMBER, NUMBER " gt=45&st=10", "0=45", "0=50", "50@0 " },
	{ NUMBER, NUMBER " gt=45&st=10", "0=38", "0=49", "49@0 " },
	{ NUMBER, NUMBER " gt=45&st=10", "0=48", "0=42", "42@0 " },
	{ NUMBER, NUMBER " gt=45&st=10", "0=48", "0=55", "" },
	{ NUMBER, NUMBER " lt=20&gt=85&st=10", "0=87", "0=99", "99@0 " },
	{ NUMBER, NUMBER " gt=45", "0=40", "0=44 0=46 0=47 0=44", "46@0 44@0 " },
	{ NUMBER, NUMBER " lt=20", "0=25", "0=19 0=10 0=20 0=21", "19@0 20@0 " },
	{ NUMBER, NUMBER " st=5", "0=10", "0=14 0=15 0=19 0=20", "15@0 20@0 " },
	{ NUMBER, NUMBER " st=5&pmax=60", "0=10", "0=11 +60 0=15 0=16", "11@60 16@60 " },
	/* They are judged when pmin is over. */
	{ NUMBER, NUMBER " st=5&pmin=10", "0=10", "0=20 +5 0=11 +60", "" },
	{ NUMBER, NUMBER " st=5&pmin=10", "0=10", "0=20 +9 +1", "20@10 " },
	{ NUMBER, NUMBER " st=5&pmin=10", "0=10", "0=11 +20 0=15", "15@20 " },
	/* edge: only that way, also where the other way was not told. */
	{ SWITCH, SWITCH " edge=1", "3=0", "3=1 3=0 3=1", "1@0 1@0 " },
	{ SWITCH, SWITCH " edge=0", "3=0", "3=1 3=0 3=0", "0@0 " },
	{ SWITCH, SWITCH " edge=1&pmax=30", "3=1", "3=0 +30 3=1", "0@30 1@30 " },
	{ SWITCH, SWITCH " edge=1&pmin=10", "3=0", "3=1 +5 3=0 +9 3=1 3=0 3=1", "1@14 " },
	{ SWITCH, SWITCH " edge=1&pmin=10", "3=1", "3=0 3=1 +9 +1", "1@10 " },
	{ SWITCHES, SWITCHES " edge=1", "4/0=1 4/1=1", "4/1=0 4/1=1", "1,1@0 " },
	{ SWITCHES "/1", SWITCHES " edge=0", "4/0=1 4/1=1", "4/0=0 4/1=0 4/1=1", "0@0 " },
	/* They mean nothing to what is no number. */
	{ TEXT, TEXT " gt=5", "1=a", "1=b 1=b", "b@0 " },
	/* A stale value is not repeated; the first good one goes at once. */
	{ NUMBER, NUMBER " pmax=30", "0=1", "~0 +130 0=1 +29 +1", "1@130 1@160 " },
	{ NUMBER, NUMBER " pmin=10", "0=1", "~0 +5 0=1 +60", "1@5 " },
	{ NUMBER, NUMBER " st=5", "0=1", "~0 +5 0=2", "2@5 " },
	{ NUMBER, NUMBER " pmin=10", "0=1", "+3 0=2 ~0 +10 0=2", "2@13 " },
	{ NUMBER, "", "0=1", "~0 ~0", "" },
	/* Attributes come from above, and the lowest level wins. */
	{ NUMBER, "/1000 pmin=10\n/1000/0 pmax=30", "0=1", "0=2 +9 +1 +30", "2@10 2@40 " },
	{ NUMBER, "/1000 pmin=10\n" NUMBER " pmin=3", "0=1", "0=2 +3", "2@3 " },
	/* Those below what is observed do not count. */
	{ "/1000/0", NUMBER " pmin=10&st=5", "0=1", "0=2", "/1000/0@0 " },
	/* A multiple resource: any of its instances. */
	{ NUMBERS, "", "2/0=1 2/5=1", "2/5=2 2/7=3 -2/0", "1,2@0 1,2,3@0 2,3@0 " },
	{ NUMBERS, NUMBERS " st=5", "2/0=1 2/5=1", "2/5=2 2/0=2 2/5=6", "2,6@0 " },
	{ NUMBERS, NUMBERS " st=5", "2/0=1", "2/5=1 -2/0", "1,1@0 1@0 " },
	/* A resource instance: only itself. */
	{ NUMBERS "/5", "", "2/0=1 2/5=1", "2/0=2 2/7=1 2/5=2 -2/0", "2@0 " },
	{ NUMBERS "/5", NUMBERS "/5 pmin=10", "2/0=1 2/5=1", "2/5=2 2/5=1 2/0=3 +10 2/0=4 +10",
	  "1@10 " },
	{ NUMBERS "/5", NUMBERS " st=5", "2/0=1 2/5=1", "2/5=5 2/0=9 2/5=6", "6@0 " },
	/* Instances and objects: anything inside, but time stamps and quality by themselves. */
	{ "/1000/0", "", "0=1", "0=2 1=x 2/0=1", "/1000/0@0 /1000/0@0 /1000/0@0 " },
	{ "/1000/0", "", "0=1 5518=1 6042=0", "5518=2 6042=3 +5 0=2", "/1000/0@5 " },
	{ "/1000/0/5518", "", "5518=1", "5518=2", "2@0 " },
	{ "/1000/0", "", "0=1", "i1 -i1", "" },
	{ "/1000", "", "0=1", "i1 -i1 0=2", "/1000@0 /1000@0 /1000@0 " },
	{ "/1000", "/1000 pmin=10", "0=1", "i1 -i1 0=2 +20", "/1000@10 " },
	/* All that there is went stale: nothing to repeat. */
	{ "/1000/0", "/1000/0 pmax=30", "0=1", "~0 +100 0=1 +30", "/1000/0@100 /1000/0@130 " },
	{ "/1000/0", "/1000/0 pmax=30", "0=1 1=x", "~0 +30", "/1000/0@30 " },
	/* What goes away ends its observations. */
	{ NUMBER, "", "0=1", "-0 0=1", "gone:/1000/0/0@0 " },
	{ "/1000/0", "", "0=1", "-i0 i0", "gone:/1000/0@0 " },
	{ NUMBER, NUMBER " pmax=10", "0=1", "+5 -i0 +50", "gone:/1000/0/0@5 " },
	{ NUMBERS "/5", "", "2/0=1 2/5=1", "-2/5 2/0=2", "gone:/1000/0/2/5@0 " },
	/* Composite: any path is a reason, all are sent. */
	{ NUMBER " " TEXT, "", "0=1 1=a", "0=2 +5 1=b 0=2", "2|a@0 2|b@5 " },
	{ NUMBER " " TEXT, NUMBER " gt=5", "0=1 1=a", "0=2 1=b 0=6", "2|b@0 6|b@0 " },
	{ NUMBER " /1000/1", "", "0=1 i1", "0=2 -i1 0=3", "2|/1000/1@0 2|-@0 3|-@0 " },
	/* The largest pmin, the smallest pmax but 0. */
	{ NUMBER " " TEXT, NUMBER " pmin=10\n" TEXT " pmin=3", "0=1 1=a", "1=b +9 +1", "1|b@10 " },
	{ NUMBER " " TEXT, NUMBER " pmax=0\n" TEXT " pmax=20", "0=1 1=a", "+19 +1", "1|a@20 " },
	{ NUMBER " " TEXT, NUMBER " pmax=20\n" TEXT " pmax=90", "0=1 1=a", "+40", "1|a@20 1|a@40 " },
	{ NUMBER " " TEXT, NUMBER " pmax=20\n" TEXT " pmin=30", "0=1 1=a", "+60 0=2", "2|a@60 " },
	{ NUMBER " " TEXT, NUMBER " pmin=10&pmax=5\n" TEXT " pmax=60", "0=1 1=a", "+59 +1", "1|a@60 " },
	/* It does not end with its paths, and they may come later. */
	{ NUMBER " " TEXT, "", "0=1 1=a", "-0 1=b 0=5", "-|a@0 -|b@0 5|b@0 " },
	{ NUMBER " " TEXT, NUMBER " st=5", "1=a", "0=5 0=6 -0", "5|a@0 -|a@0 " },
	{ NUMBER " /1000/1", "", "0=1", "i1 +5 -i1", "1|/1000/1@0 1|-@5 " },
	{ NUMBER " " TEXT, "", "0=1 1=a", "-i0 i0 0=7", "-|-@0 7|-@0 " },
	/* What went bad is no reason, and with nothing good nothing is repeated. */
	{ NUMBER " " TEXT, NUMBER " pmax=30", "0=1 1=a", "~0 +30 0=1", "|a@30 1|a@30 " },
	{ NUMBER " " TEXT, NUMBER " pmax=30&st=5", "0=1 1=a", "~0 +5 0=2", "" },
	{ NUMBER " " TEXT, NUMBER " pmax=30", "0=1 1=a", "~0 ~1 +60 0=2", "2|@60 " },
	/* Changed attributes act on it. */
	{ NUMBER " " TEXT, TEXT " pmax=60", "0=1 1=a", "+5 a:" NUMBER ",pmax=10 +5", "1|a@10 " },
	/* Attributes act on what is running. */
	{ NUMBER, "", "0=1", "+5 a:" NUMBER ",pmax=10 +5 a:" NUMBER ",pmax=30 +29 +1",
	  "1@10 1@40 " },
	{ NUMBER, NUMBER " pmin=100", "0=1", "0=2 +5 a:" NUMBER ",pmin=5", "2@5 " },
};

START_TEST(follows_the_script)
{
	begin(scripts[_i].before, scripts[_i].attached, scripts[_i].path);
	ck_assert_str_eq(run(scripts[_i].script), scripts[_i].notified);
}
END_TEST

static const struct {
	const char *attached, *path;
	bool initial, confirms;
} confirmables[] = {
	{ "", NUMBER, false, false },
	{ "", NUMBER, true, true },
	{ "/1000 con=1", NUMBER, false, true },
	{ NUMBER " con=1", NUMBER, false, true },
	/* What is said goes before what is so initially, the lower before the upper. */
	{ NUMBER " con=0", NUMBER, true, false },
	{ "/1000 con=1\n" NUMBER " con=0", NUMBER, false, false },
	/* Any part of the content. */
	{ NUMBER " con=1", "/1000/0", false, true },
	{ NUMBER " con=0", "/1000/0", true, true },
	{ "/1000/0 con=0\n" NUMBER " con=1", "/1000/0", false, true },
	{ "/1000/7 con=1", "/1000/0", false, false },
};

static bool confirms;

static void ask(void *userdata, struct observation *o)
{
	confirms = observation_confirms(observations, o, *(const bool *)userdata);
	observation_sent(observations, o);
}

START_TEST(knows_what_is_confirmable)
{
	bool initial = confirmables[_i].initial;
	const struct observations_config config = { .timers = timers,
						    .attributes = attributes,
						    .defaults = script_defaults,
						    .notify = ask,
						    .gone = script_gone,
						    .userdata = &initial };

	observations = observations_free(observations);
	ck_assert_int_eq(observations_new(&config, &observations), 0);
	begin("0=1", confirmables[_i].attached, confirmables[_i].path);
	confirms = !confirmables[_i].confirms;
	run("0=2");
	ck_assert_int_eq(confirms, confirmables[_i].confirms);
}
END_TEST

static void note_sample(void *userdata, const struct path *path, uint64_t period_usec, backing_done done,
			void *done_userdata)
{
	char text[PATH_TEXT_MAX];

	buf_printf(&told, "%s/%us@%u ", path_format(path, text), (unsigned)(period_usec / USEC_PER_SEC), second);
	done(done_userdata, 0, NULL);
}

static const struct {
	const char *attached, *path, *script, *sampled;
} sampled[] = {
	{ NUMBER " pmax=100", NUMBER, "+60", "" },
	{ NUMBER " epmax=20", NUMBER, "+19 +1 +20", "/1000/0/0/20s@20 /1000/0/0/20s@40 " },
	{ NUMBER " epmin=5&epmax=20", NUMBER, "+39", "/1000/0/0/20s@20 " },
	{ "/1000 epmax=20", "/1000/0", "+20", "/1000/0/0/20s@20 " },
	{ NUMBER " epmax=20", "/1000/0", "+60", "" },
	{ "", NUMBER, "+5 a:" NUMBER ",epmax=20 +15 a:" NUMBER ",epmax=3 +3",
	  "/1000/0/0/20s@20 /1000/0/0/3s@23 " },
};

START_TEST(asks_for_samples)
{
	static const struct backing_ops ops = { .refresh = note_sample };
	const struct backing backing = { .ops = &ops };
	const struct path path = path_of(NUMBER);

	begin("0=1", sampled[_i].attached, sampled[_i].path);
	ck_assert_int_eq(store_remove_resource(store, &path), 0);
	ck_assert_int_eq(store_add_resource(store, &path, &backing), 0);
	run("");
	ck_assert_int_eq(observe(sampled[_i].path, 1), 0);
	ck_assert_str_eq(run(sampled[_i].script), sampled[_i].sampled);
}
END_TEST

/* Of its own: instead of what is attached, but for what judges the values of a composite one. */
START_TEST(has_attributes_of_its_own)
{
	struct attributes own = { .present = ATTRIBUTE_PMIN, .pmin_s = 4 };

	begin("0=1 1=a", NUMBER " pmin=50&gt=5\n/1000 pmax=60", NUMBER);
	observations_clear(observations);
	ck_assert_int_eq(observe_with(NUMBER, 1, &own), 0);
	own.pmin_s = 5;
	ck_assert_int_eq(observe_with(NUMBER " " TEXT, 2, &own), 0);
	ck_assert_str_eq(run("0=2 +4 +1 1=b +60"), "2@4 2|b@5 ");
	ck_assert_str_eq(run("0=6"), "6@65 6|b@65 ");
}
END_TEST

START_TEST(falls_back_on_the_server_object)
{
	server_defaults = (struct attributes){ .present = ATTRIBUTE_PMIN | ATTRIBUTE_PMAX,
					       .pmin_s = 10,
					       .pmax_s = 30 };
	begin("0=1", NUMBER " pmax=60", NUMBER);
	ck_assert_str_eq(run("0=2 +9 +1 +60"), "2@10 2@70 ");
	/* Also these act on what is running. */
	server_defaults.pmin_s = 0;
	ck_assert_str_eq(run("+1 0=3"), "3@71 ");
}
END_TEST

/* Each path of a composite one for itself. */
START_TEST(paths_fall_back_on_the_server_object)
{
	server_defaults = (struct attributes){ .present = ATTRIBUTE_PMIN | ATTRIBUTE_PMAX,
					       .pmin_s = 10,
					       .pmax_s = 30 };
	begin("0=1 1=a", NUMBER " pmin=5&pmax=60", NUMBER " " TEXT);
	ck_assert_str_eq(run("0=2 +9 +1 +29 +1"), "2|a@10 2|a@40 ");
}
END_TEST

START_TEST(a_bracket_is_one_notification)
{
	begin("0=1", "", "/1000/0");
	store_begin(store);
	ck_assert_str_eq(run("0=2 1=x 2/0=1"), "");
	store_end(store);
	ck_assert_str_eq(run(""), "/1000/0@0 ");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("observation");
	TCase *tcase = tcase_create("observation");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, script_set_up, script_tear_down);
	tcase_add_loop_test(tcase, follows_the_script, 0, ARRAY_SIZE(scripts));
	tcase_add_loop_test(tcase, knows_what_is_confirmable, 0, ARRAY_SIZE(confirmables));
	tcase_add_loop_test(tcase, asks_for_samples, 0, ARRAY_SIZE(sampled));
	tcase_add_test(tcase, has_attributes_of_its_own);
	tcase_add_test(tcase, falls_back_on_the_server_object);
	tcase_add_test(tcase, paths_fall_back_on_the_server_object);
	tcase_add_test(tcase, a_bracket_is_one_notification);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
