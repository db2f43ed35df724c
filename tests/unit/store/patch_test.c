/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "tests/unit/store/rig.h"

/* Write-Composite (Core 6.3.9): values of several instances, all or nothing. */

static struct rig rig;

/* Two devices, one behind each of /1000/0 and /1000/1; what they are asked goes into the rig's log. */
static struct field {
	bool later, strict;
	const char *refuses; /* "/1000/1/0=7 -5": this write fails, once, with -EIO */
	const char *undo_refuses;
	backing_done done;
	void *done_userdata;
	int pending_error;
} field;

static void answer(int error, backing_done done, void *userdata)
{
	if (!field.later) {
		done(userdata, error, error < 0 ? "it said no" : NULL);
		return;
	}
	ck_assert_ptr_null(field.done);
	field.done = done;
	field.done_userdata = userdata;
	field.pending_error = error;
}

static void field_end(void)
{
	backing_done done = TAKE_PTR(field.done);

	ck_assert_ptr_nonnull(done);
	done(field.done_userdata, field.pending_error, field.pending_error < 0 ? "it said no" : NULL);
}

/* 0, or the number behind what was written. */
static int refusal(const char *rule, const char *written)
{
	size_t n = strlen(written);

	return rule && strncmp(rule, written, n) == 0 && rule[n] == ' ' ? atoi(rule + n) : 0;
}

static void field_write(void *userdata, const struct path *path, const struct value *value,
			backing_done done, void *done_userdata)
{
	_cleanup_free_ char *text = NULL;
	char name[PATH_TEXT_MAX], written[128];
	int error;

	ck_assert_int_eq(value_format_text(value, &text), 0);
	snprintf(written, sizeof(written), "%s=%s", path_format(path, name), text);
	buf_printf(&rig.log, "W %s;", written);
	error = refusal(field.refuses, written);
	if (error == 0)
		error = refusal(field.undo_refuses, written);
	answer(error, done, done_userdata);
}

static void field_write_all(void *userdata, const struct record *records, size_t n, backing_done done,
			    void *done_userdata)
{
	char name[PATH_TEXT_MAX];

	buf_append_text(&rig.log, "A");
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *text = NULL;

		ck_assert_int_eq(value_format_text(&records[i].value, &text), 0);
		buf_printf(&rig.log, " %s=%s", path_format(&records[i].path, name), text);
	}
	buf_append_text(&rig.log, ";");
	answer(0, done, done_userdata);
}

static int field_check(void *userdata, const struct path *path, const struct value *value, char **ret_reason)
{
	if (value->type != VALUE_INTEGER || value->integer != 66)
		return 0;
	*ret_reason = strdup("not liked");
	return -EINVAL;
}

static bool field_is_strict(void *userdata, const struct path *path)
{
	return field.strict;
}

static void field_torn(void *userdata, const struct path *path)
{
	char name[PATH_TEXT_MAX];

	buf_printf(&rig.log, "T %s;", path_format(path, name));
}

static void field_explain(void *userdata, const struct path *path, char *ret, size_t size)
{
	snprintf(ret, size, "m2: off");
}

static const struct backing_ops field_ops = {
	.check = field_check,
	.write = field_write,
	.is_strict = field_is_strict,
	.torn = field_torn,
	.explain = field_explain,
};
static const struct backing_ops array_ops = { .write_all = field_write_all, .torn = field_torn };

static void back(const char *text, const struct backing_ops *ops)
{
	const struct backing backing = { .ops = ops };
	struct path path = rig_path(text);

	ck_assert_int_eq(store_add_resource(rig.store, &path, &backing), 0);
	rig.log.size = 0;
}

static void setup(void)
{
	rig_setup(&rig);
	field = (struct field){ .later = false };
	rig_fill(&rig, "/1000/0", "");
	rig_fill(&rig, "/1000/1", "");
	rig_fill(&rig, "/1000/2", "0=1 1=m 3/0=x 3/1=y");
	back("/1000/0/0", &field_ops);
	back("/1000/0/7", &field_ops);
	back("/1000/1/0", &field_ops);
	back("/1000/1/9", &array_ops);
	rig_fill(&rig, "/1000/0", "0=5 7=1");
	rig_fill(&rig, "/1000/1", "0=6 9/0=1 9/1=2");
}

static void teardown(void)
{
	rig_teardown(&rig);
}

/* "1000/0/0=5 1000/2/3/0=!": records below the root. */
static void patch(const char *contents)
{
	_cleanup_records_ struct records records = { 0 };
	const struct path root = { .depth = PATH_ROOT };
	char copy[512], *item, *save = NULL;

	snprintf(copy, sizeof(copy), "%s", contents);
	for (item = strtok_r(copy, " ", &save); item; item = strtok_r(NULL, " ", &save)) {
		char *equals = strchr(item, '='), one[128];
		struct path path, instance;

		*equals = 0;
		path = rig_path(item);
		instance = path_cut(&path, PATH_INSTANCE);
		if (path.depth == PATH_RESOURCE_INSTANCE)
			snprintf(one, sizeof(one), "%u/%u=%s", path.resource, path.resource_instance, equals + 1);
		else
			snprintf(one, sizeof(one), "%u=%s", path.resource, equals + 1);
		rig_records(&rig, &instance, one, &records);
	}
	store_write(rig.store, &root, STORE_PATCH, records.items, records.n, rig_done, &rig);
}

static void expect_contents(const char *first, const char *second, const char *third)
{
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), first);
	ck_assert_str_eq(rig_contents(&rig, "/1000/1"), second);
	ck_assert_str_eq(rig_contents(&rig, "/1000/2"), third);
}

#define FIRST "0=5 7=1"
#define SECOND "0=6 9: 0=1 1=2"
#define THIRD "0=1 1=m 3: 0=x 1=y"

static const struct {
	const char *contents, *told, *reason, *third;
} rows[] = {
	/* Memory: together, and removals with it. */
	{ "1000/2/0=2 1000/2/3/0=! 1000/2/3/5=z", "D0;V /1000/2/0 /1000/2/3;", "", "0=2 1=m 3: 1=y 5=z" },
	{ "1000/2/3/1=! 1000/2/3/0=!", "D0;V /1000/2/3;", "", "0=1 1=m 3:" },
	{ "1000/2/3/9=!", "D0;", "", THIRD }, /* gone already */
	/* Everything is checked before anything is set. */
	{ "1000/2/0=2 1000/9/0=1", "D-2;", "/1000/9/0", THIRD },
	{ "1000/2/0=2 1000/2/99=1", "D-2;", "/1000/2/99", THIRD },
	{ "1000/2/0=2 2000/0/0=1", "D-2;", "/2000/0/0", THIRD },
	{ "1000/2/0=2 1000/2/2=1", "D-1;", "/1000/2/2", THIRD },
	{ "1000/2/0=2 1000/2/0=101", "D-34;", "/1000/2/0", THIRD },
	{ "1000/2/0=2 1000/2/1=!", "D-22;", "/1000/2/1", THIRD },
	{ "1000/2/0=2 1000/2/3=!", "D-22;", "/1000/2/3", THIRD },
	{ "1000/2/0=2 1000/2/4=1000:7", "D-22;", "/1000/2/4", THIRD },
	{ "1000/2/0=2 1000/0/0=66", "D-22;", "not liked", THIRD },
	/* Whoever stands behind an array keeps its instances. */
	{ "1000/2/0=2 1000/1/9/0=!", "D-1;", "/1000/1/9/0", THIRD },
};

START_TEST(checks_and_sets_memory)
{
	patch(rows[_i].contents);
	ck_assert_str_eq(rig_told(&rig), rows[_i].told);
	ck_assert_str_eq(rig.reason, rows[_i].reason);
	expect_contents(FIRST, SECOND, rows[_i].third);
}
END_TEST

START_TEST(goes_out_in_order)
{
	field.later = _i;
	patch("1000/1/0=8 1000/2/1=n 1000/0/0=9 1000/1/9/1=4 1000/1/9/0=3");
	for (unsigned i = 0; field.later && i < 3; i++) {
		expect_contents(FIRST, SECOND, THIRD);
		field_end();
	}
	ck_assert_str_eq(rig_told(&rig), "W /1000/1/0=8;W /1000/0/0=9;A /1000/1/9/1=4 /1000/1/9/0=3;D0;"
					 "V /1000/0/0 /1000/1/0 /1000/1/9 /1000/2/1;");
	expect_contents("0=9 7=1", "0=8 9: 0=3 1=4", "0=1 1=n 3: 0=x 1=y");
}
END_TEST

/* What others accepted is written back, last things first; memory was not touched. */
START_TEST(is_taken_back)
{
	field.later = _i;
	field.refuses = "/1000/0/0=9 -5";
	patch("1000/1/0=8 1000/2/1=n 1000/1/9/1=4 1000/0/7=2 1000/0/0=9");
	for (unsigned i = 0; field.later && i < 7; i++)
		field_end();
	ck_assert_str_eq(rig_told(&rig),
			 "W /1000/1/0=8;A /1000/1/9/1=4;W /1000/0/7=2;W /1000/0/0=9;"
			 "W /1000/0/7=1;A /1000/1/9/1=2;W /1000/1/0=6;D-121;");
	ck_assert_str_eq(rig.reason,
			 "/1000/0/0 failed: it said no; taken back: /1000/1/0 /1000/1/9/1 /1000/0/7");
	expect_contents(FIRST, SECOND, THIRD);
}
END_TEST

/* One that was accepted, and does not show: that is in the device, and goes back first. */
START_TEST(what_does_not_show_is_taken_back)
{
	field.later = _i;
	field.refuses = "/1000/0/0=9 -84";
	patch("1000/1/0=8 1000/0/0=9");
	for (unsigned i = 0; field.later && i < 4; i++)
		field_end();
	ck_assert_str_eq(rig_told(&rig), "W /1000/1/0=8;W /1000/0/0=9;W /1000/0/0=5;W /1000/1/0=6;D-121;");
	ck_assert_str_eq(rig.reason, "/1000/0/0 failed: it said no; taken back: /1000/1/0 /1000/0/0");
	expect_contents(FIRST, SECOND, THIRD);
}
END_TEST

/* The very first one: nothing has to be taken back, and its own error is the answer. */
START_TEST(first_one_fails)
{
	field.refuses = "/1000/1/0=8 -110";
	patch("1000/2/1=n 1000/1/0=8 1000/0/0=9");
	ck_assert_str_eq(rig_told(&rig), "W /1000/1/0=8;D-110;");
	ck_assert_str_eq(rig.reason, "/1000/1/0 failed: it said no");
	expect_contents(FIRST, SECOND, THIRD);
}
END_TEST

/* A device that refuses its old value has the new one, which is what is shown. */
START_TEST(is_not_taken_back)
{
	field.refuses = "/1000/0/0=9 -5";
	field.undo_refuses = "/1000/1/0=6 -22";
	patch("1000/1/0=8 1000/0/7=2 1000/0/0=9");
	ck_assert_str_eq(rig_told(&rig), "W /1000/1/0=8;W /1000/0/7=2;W /1000/0/0=9;W /1000/0/7=1;W /1000/1/0=6;"
					 "D-131;T /1000/1/0;V /1000/1/0;");
	ck_assert_str_eq(rig.reason,
			 "/1000/0/0 failed: it said no; taken back: /1000/0/7; not taken back: /1000/1/0");
	expect_contents(FIRST, "0=8 9: 0=1 1=2", THIRD);
}
END_TEST

/* Of one that says nothing, has failed, or shows another value, nobody knows what it has. */
static const char *const doubts[] = { "/1000/1/0=6 -110", "/1000/1/0=6 -5", "/1000/1/0=6 -84", "/1000/1/0=6 -125" };

START_TEST(nobody_knows)
{
	const struct path path = rig_path("/1000/1/0");

	field.refuses = "/1000/0/0=9 -5";
	field.undo_refuses = doubts[_i];
	patch("1000/1/0=8 1000/0/0=9");
	ck_assert_str_eq(rig_told(&rig), "W /1000/1/0=8;W /1000/0/0=9;W /1000/1/0=6;D-131;T /1000/1/0;V /1000/1/0;");
	ck_assert_int_eq(store_quality(rig.store, &path), STORE_STALE);
}
END_TEST

/* What it accepted and does not show is not served, though it refuses what it had. */
START_TEST(shows_another_and_is_not_taken_back)
{
	const struct path path = rig_path("/1000/0/0");

	field.refuses = "/1000/0/0=9 -84";
	field.undo_refuses = "/1000/0/0=5 -22";
	patch("1000/0/0=9");
	ck_assert_int_eq(store_quality(rig.store, &path), STORE_STALE);
}
END_TEST

/* Without a good value there is none to go back to. */
START_TEST(old_value_is_unknown)
{
	const struct path path = rig_path("/1000/1/0");

	ck_assert_int_eq(store_set_quality(rig.store, &path, STORE_STALE), 0);
	rig_told(&rig);
	field.refuses = "/1000/0/0=9 -5";
	patch("1000/1/0=8 1000/0/0=9");
	ck_assert_str_eq(rig_told(&rig), "W /1000/1/0=8;W /1000/0/0=9;D-131;T /1000/1/0;V /1000/1/0;");
	expect_contents(FIRST, "0=8 9: 0=1 1=2", THIRD);
}
END_TEST

START_TEST(known_offline)
{
	const struct path path = rig_path("/1000/1/0");

	ck_assert_int_eq(store_set_quality(rig.store, &path, STORE_OFFLINE), 0);
	rig_told(&rig);
	patch("1000/0/0=9 1000/1/0=8");
	ck_assert_str_eq(rig_told(&rig), "D-112;");
	ck_assert_str_eq(rig.reason, "m2: off");
}
END_TEST

START_TEST(strict_ones)
{
	field.strict = true;
	patch("1000/2/1=n 1000/0/0=9 1000/1/0=8");
	ck_assert_str_eq(rig_told(&rig), "D-1;");
	ck_assert_str_eq(rig.reason, "it takes 2 transactions with devices, and is to be atomic");
	/* One may go, and an array is one. */
	patch("1000/2/1=n 1000/0/0=9");
	ck_assert_str_eq(rig_told(&rig), "W /1000/0/0=9;D0;V /1000/0/0 /1000/2/1;");
	patch("1000/1/9/0=5 1000/1/9/1=6");
	ck_assert_str_eq(rig_told(&rig), "A /1000/1/9/0=5 /1000/1/9/1=6;D0;V /1000/1/9;");
}
END_TEST

/* Taken away while a device took its time: what is left has no way back, and no harm comes of it. */
START_TEST(goes_away_meanwhile)
{
	field.later = true;
	patch("1000/1/0=8 1000/0/0=9");
	ck_assert_int_eq(store_remove_instance(rig.store, 1000, _i ? 0 : 1), 0);
	field_end();
	if (field.done)
		field_end();
	ck_assert_uint_eq(rig.ended, 1);
	if (_i)
		ck_assert_str_eq(rig.reason, "/1000/0/0 failed: gone; taken back: /1000/1/0");
	ck_assert_str_eq(rig_contents(&rig, "/1000/2"), THIRD);
}
END_TEST

/* What may have to be taken back is nobody else's meanwhile; all else is. */
START_TEST(others_wait)
{
	field.later = true;
	patch("1000/1/0=8 1000/0/0=9");
	ck_assert_str_eq(rig_told(&rig), "W /1000/1/0=8;");
	for (int i = 0; i < 2; i++) {
		rig_write(&rig, i ? "/1000/0" : "/1000/1", STORE_UPDATE, "0=3");
		ck_assert_str_eq(rig_told(&rig), "D-16;");
		ck_assert_str_eq(rig.reason, "another request is writing it");
	}
	patch("1000/2/0=2 1000/0/0=4");
	ck_assert_str_eq(rig_told(&rig), "D-16;");
	patch("1000/2/0=2");
	ck_assert_str_eq(rig_told(&rig), "D0;V /1000/2/0;");
	field_end();
	field_end();
	ck_assert_str_eq(rig_told(&rig), "W /1000/0/0=9;D0;V /1000/0/0 /1000/1/0;");
	/* And the other way round. */
	rig_write(&rig, "/1000/1", STORE_UPDATE, "0=3");
	patch("1000/1/0=5");
	ck_assert_str_eq(rig_told(&rig), "W /1000/1/0=3;D-16;");
	field_end();
	patch("1000/1/0=5");
	ck_assert_str_eq(rig_told(&rig), "D0;V /1000/1/0;W /1000/1/0=5;");
	field_end();
}
END_TEST

START_TEST(store_goes_away)
{
	field.later = true;
	field.refuses = "/1000/0/0=9 -5";
	patch("1000/1/0=8 1000/0/0=9");
	for (int i = 0; i < _i; i++)
		field_end();
	rig.store = store_free(rig.store);
	ck_assert_str_eq(rig_told(&rig) + (_i ? strlen("W /1000/1/0=8;W /1000/0/0=9;") : strlen("W /1000/1/0=8;")) +
				 (_i > 1 ? strlen("W /1000/1/0=6;") : 0),
			 "D-125;");
}
END_TEST

static int keep_check(void *userdata, const struct path *target, enum store_write_mode mode,
		      const struct record *records, size_t n, char **ret_reason)
{
	char name[PATH_TEXT_MAX];

	buf_printf(&rig.log, "K %s %zu;", path_format(target, name), n);
	return n > 2 ? -EINVAL : 0;
}

static void keep_written(void *userdata, const struct path *instance, enum store_write_mode mode)
{
	char name[PATH_TEXT_MAX];

	buf_printf(&rig.log, "k %s;", path_format(instance, name));
}

/* Each instance as a whole. */
START_TEST(keeper_is_asked)
{
	static const struct store_keeper_ops ops = { .check = keep_check, .written = keep_written };
	static const struct store_keeper keeper = { .object = 1000, .ops = &ops };

	store_set_keeper(rig.store, &keeper);
	patch("1000/2/1=n 1000/2/3/0=! 1000/0/0=9");
	ck_assert_str_eq(rig_told(&rig), "K /1000/2 1;K /1000/0 1;W /1000/0/0=9;D0;k /1000/2;k /1000/0;"
					 "V /1000/0/0 /1000/2/1 /1000/2/3;");
	patch("1000/2/1=n 1000/2/0=1 1000/2/3/0=a");
	ck_assert_str_eq(rig_told(&rig), "K /1000/2 3;D-22;");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("patch");
	TCase *tcase = tcase_create("patch");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, checks_and_sets_memory, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tcase, goes_out_in_order, 0, 2);
	tcase_add_loop_test(tcase, is_taken_back, 0, 2);
	tcase_add_loop_test(tcase, what_does_not_show_is_taken_back, 0, 2);
	tcase_add_test(tcase, first_one_fails);
	tcase_add_test(tcase, is_not_taken_back);
	tcase_add_loop_test(tcase, nobody_knows, 0, ARRAY_SIZE(doubts));
	tcase_add_test(tcase, shows_another_and_is_not_taken_back);
	tcase_add_test(tcase, old_value_is_unknown);
	tcase_add_test(tcase, known_offline);
	tcase_add_test(tcase, strict_ones);
	tcase_add_loop_test(tcase, goes_away_meanwhile, 0, 2);
	tcase_add_test(tcase, others_wait);
	tcase_add_loop_test(tcase, store_goes_away, 0, 3);
	tcase_add_test(tcase, keeper_is_asked);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
