/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/macro.h"
#include "tests/unit/store/rig.h"

static struct rig rig;

static void setup(void)
{
	rig_setup(&rig);
}

static void teardown(void)
{
	rig_teardown(&rig);
}

static int set_quality(const char *text, enum store_quality quality)
{
	struct path path = rig_path(text);

	return store_set_quality(rig.store, &path, quality);
}

static enum store_quality quality(const char *text)
{
	struct path path = rig_path(text);

	return store_quality(rig.store, &path);
}

static int read_one(const char *text, bool last_known, struct value *ret, uint64_t *ret_when)
{
	struct path path = rig_path(text);

	return store_read(rig.store, &path, last_known, ret, ret_when);
}

/* ---- update ---- */

static const struct {
	const char *contents;
	int error;
	const char *told, *left;
} updates[] = {
	{ "0=5", 0, "", "0=5 1=a 3: 0=x 1=y" },
	{ "0=6", 0, "V /1000/0/0;", "0=6 1=a 3: 0=x 1=y" },
	{ "1=a 0=5 3/1=y 3/0=x", 0, "", "0=5 1=a 3: 0=x 1=y" },
	{ "3/1=z 0=7", 0, "V /1000/0/0 /1000/0/3;", "0=7 1=a 3: 0=x 1=z" },
	{ "3/7=new", 0, "V /1000/0/3;", "0=5 1=a 3: 0=x 1=y 7=new" },
	{ "2=1.5 8=2", 0, "V /1000/0/2 /1000/0/8;", "0=5 1=a 2=1.5 3: 0=x 1=y 8=2" },
	/* The source knows its values: ranges are for servers. */
	{ "0=500", 0, "V /1000/0/0;", "0=500 1=a 3: 0=x 1=y" },
	/* All or nothing. */
	{ "0=6 1=s:b 2=s:b", -EINVAL, "", "0=5 1=a 3: 0=x 1=y" },
	{ "0=6 99=1", -EINVAL, "", "0=5 1=a 3: 0=x 1=y" },
	{ "3=s:whole", -EINVAL, "", "0=5 1=a 3: 0=x 1=y" },
	{ "0/0=1", -EINVAL, "", "0=5 1=a 3: 0=x 1=y" },
	{ "0=!", -EINVAL, "", "0=5 1=a 3: 0=x 1=y" },
};

START_TEST(updates_as_one_change)
{
	rig_fill(&rig, "/1000/0", "0=5 1=a 3/0=x 3/1=y");
	ck_assert_int_eq(rig_update(&rig, "/1000/0", updates[_i].contents), updates[_i].error);
	ck_assert_str_eq(rig_told(&rig), updates[_i].told);
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), updates[_i].left);
}
END_TEST

START_TEST(updates_need_an_instance)
{
	ck_assert_int_eq(rig_update(&rig, "/1000/0", "0=5"), -ENOENT);
	rig_fill(&rig, "/1000/0", "");
	ck_assert_int_eq(rig_update(&rig, "/1000/1", "0=5"), -ENOENT);
	ck_assert_int_eq(store_update(rig.store, NULL, 0), 0);
	ck_assert_str_eq(rig_told(&rig), "");
}
END_TEST

START_TEST(updates_convert_to_the_definition)
{
	struct path integer = rig_path("/1000/0/0"), real = rig_path("/1000/0/2");
	struct value half = value_float(0.5), whole = value_float(7), number = value_unsigned(3),
		     read;

	rig_fill(&rig, "/1000/0", "");
	ck_assert_int_eq(store_update_one(rig.store, &integer, &half), -ERANGE);
	ck_assert_int_eq(store_update_one(rig.store, &integer, &whole), 0);
	ck_assert_int_eq(store_update_one(rig.store, &real, &number), 0);
	ck_assert_int_eq(read_one("/1000/0/0", false, &read, NULL), 0);
	ck_assert_int_eq(read.type, VALUE_INTEGER);
	ck_assert_int_eq(read.integer, 7);
	ck_assert_int_eq(read_one("/1000/0/2", false, &read, NULL), 0);
	ck_assert_int_eq(read.type, VALUE_FLOAT);
	ck_assert(read.real == 3);
}
END_TEST

START_TEST(keeps_the_time_of_the_sample)
{
	struct record record = { .path = rig_path("/1000/0/2"),
				 .value = value_float(1),
				 .boottime_usec = 12345 };
	struct record slot = { .path = rig_path("/1000/0/10/4"),
			       .value = value_float(1),
			       .boottime_usec = 777 };
	struct value value = value_float(2);
	uint64_t when = 0, before;

	rig_fill(&rig, "/1000/0", "");
	ck_assert_int_eq(store_update(rig.store, &record, 1), 0);
	ck_assert_int_eq(store_update(rig.store, &slot, 1), 0);
	ck_assert_int_eq(read_one("/1000/0/2", false, &value, &when), 0);
	ck_assert_uint_eq(when, 12345);
	ck_assert_int_eq(read_one("/1000/0/10/4", false, &value, &when), 0);
	ck_assert_uint_eq(when, 777);
	/* No time means now. */
	before = clock_boottime_usec();
	ck_assert_int_eq(store_update_one(rig.store, &record.path, &value), 0);
	ck_assert_int_eq(read_one("/1000/0/2", false, &value, &when), 0);
	ck_assert_uint_ge(when, before);
	/* An equal value with a new time is no change, but the time is kept. */
	rig_told(&rig);
	record.value = value;
	record.boottime_usec = when + 5;
	ck_assert_int_eq(store_update(rig.store, &record, 1), 0);
	ck_assert_str_eq(rig_told(&rig), "");
	before = when;
	ck_assert_int_eq(read_one("/1000/0/2", false, &value, &when), 0);
	ck_assert_uint_eq(when, before + 5);
}
END_TEST

/* ---- quality ---- */

static const struct backing_ops field_ops = { 0 };
static const struct backing field = { .ops = &field_ops };

static const struct {
	enum store_quality quality;
	int error;
} qualities[] = {
	{ STORE_GOOD, 0 },
	{ STORE_STALE, -ESTALE },
	{ STORE_OFFLINE, -EHOSTDOWN },
	{ STORE_NEVER, -ENODATA },
};

START_TEST(serves_by_quality)
{
	struct value value = value_float(9);

	rig_fill(&rig, "/1000/0", "2=5");
	ck_assert_int_eq(set_quality("/1000/0/2", qualities[_i].quality), 0);
	ck_assert_str_eq(rig_told(&rig), qualities[_i].error ? "V /1000/0/2;" : "");
	ck_assert_int_eq(quality("/1000/0/2"), qualities[_i].quality);
	ck_assert_int_eq(set_quality("/1000/0/2", qualities[_i].quality), 0);
	ck_assert_str_eq(rig_told(&rig), "");
	ck_assert_int_eq(read_one("/1000/0/2", false, &value, NULL), qualities[_i].error);
	ck_assert(value.real == (qualities[_i].error ? 9 : 5));
	ck_assert_int_eq(read_one("/1000/0/2", true, &value, NULL), 0);
	ck_assert(value.real == 5);
	/* The same value again makes it good, and that is news. */
	ck_assert_int_eq(rig_update(&rig, "/1000/0", "2=5"), 0);
	ck_assert_str_eq(rig_told(&rig), qualities[_i].error ? "V /1000/0/2;" : "");
	ck_assert_int_eq(quality("/1000/0/2"), STORE_GOOD);
}
END_TEST

START_TEST(what_was_never_read_has_nothing_to_show)
{
	struct path path = rig_path("/1000/0/2");
	struct value value;

	rig_fill(&rig, "/1000/0", "");
	ck_assert_int_eq(set_quality("/1000/0/2", STORE_STALE), -ENOENT);
	ck_assert_int_eq(store_add_resource(rig.store, &path, &field), 0);
	rig_told(&rig);
	ck_assert_int_eq(read_one("/1000/0/2", true, &value, NULL), -ENODATA);
	ck_assert_int_eq(set_quality("/1000/0/2", STORE_STALE), 0);
	ck_assert_int_eq(set_quality("/1000/0/2", STORE_GOOD), 0);
	ck_assert_int_eq(quality("/1000/0/2"), STORE_NEVER);
	ck_assert_str_eq(rig_told(&rig), "");
	ck_assert_int_eq(set_quality("/1000/0/2", STORE_OFFLINE), 0);
	ck_assert_str_eq(rig_told(&rig), "V /1000/0/2;");
	ck_assert_int_eq(read_one("/1000/0/2", true, &value, NULL), -EHOSTDOWN);
	ck_assert_int_eq(rig_update(&rig, "/1000/0", "2=1"), 0);
	ck_assert_int_eq(read_one("/1000/0/2", false, &value, NULL), 0);
}
END_TEST

/* ---- reading ---- */

static int computed_read(void *userdata, const struct path *path, struct value *ret)
{
	int *error = userdata;

	if (*error < 0)
		return *error;
	*ret = value_float(path->instance + 0.25);
	return 0;
}

static void field_explain(void *userdata, const struct path *path, char *ret, size_t size)
{
	snprintf(ret, size, "%s: resource %u is silent", (const char *)userdata, path->resource);
}

static const struct backing_ops computed_ops = { .read = computed_read };
static const struct backing_ops explaining_ops = { .explain = field_explain };

static const struct {
	const char *path;
	int error;
} reads[] = {
	{ "/1000/0/0", 0 },	    { "/1000/0/3/1", 0 },     { "/1000/0/3/2", -ENOENT },
	{ "/1000/0/0/0", -ENOENT }, { "/1000/0/1", -ENOENT }, { "/1000/0/99", -ENOENT },
	{ "/1000/1/0", -ENOENT },   { "/1000/0", -ENOENT },   { "/1000/0/3", -EINVAL },
	{ "/1000/0/5", -ENODATA },  { "/7/0/0", -ENOENT },
};

START_TEST(reads_one_value)
{
	struct path go = rig_path("/1000/0/5");
	struct value value = { 0 };

	rig_fill(&rig, "/1000/0", "0=5 3/1=x");
	ck_assert_int_eq(store_add_resource(rig.store, &go, NULL), 0);
	ck_assert_int_eq(read_one(reads[_i].path, false, &value, NULL), reads[_i].error);
	value_done(&value);
}
END_TEST

START_TEST(computes_when_asked)
{
	struct path path = rig_path("/1000/3/2");
	int error = 0;
	struct backing backing = { .ops = &computed_ops, .userdata = &error };
	struct value value = { 0 };
	uint64_t when = 0, before = clock_boottime_usec();

	rig_fill(&rig, "/1000/3", "");
	ck_assert_int_eq(store_add_resource(rig.store, &path, &backing), 0);
	ck_assert_int_eq(read_one("/1000/3/2", false, &value, &when), 0);
	ck_assert(value.real == 3.25);
	ck_assert_uint_ge(when, before);
	error = -EHOSTDOWN;
	ck_assert_int_eq(read_one("/1000/3/2", true, &value, &when), -EHOSTDOWN);
}
END_TEST

static const char *collected(const char *text, bool last_known, int error, unsigned *ret_left_out)
{
	_cleanup_records_ struct records records = { 0 };
	struct path path = rig_path(text);
	static char out[1024];

	*out = 0;
	ck_assert_int_eq(store_collect(rig.store, &path, last_known, &records, ret_left_out),
			 error);
	for (size_t i = 0; i < records.n; i++) {
		_cleanup_free_ char *value = NULL;
		char name[PATH_TEXT_MAX];
		size_t n = strlen(out);

		if (records.items[i].value.type != VALUE_NONE)
			ck_assert_int_eq(value_format_text(&records.items[i].value, &value), 0);
		if (i > 0)
			ck_assert_int_lt(
				path_compare(&records.items[i - 1].path, &records.items[i].path),
				0);
		snprintf(out + n, sizeof(out) - n, "%s=%s ",
			 path_format(&records.items[i].path, name), value ?: "!");
	}
	return out;
}

static const struct {
	const char *path;
	bool last_known;
	const char *contents;
	unsigned left_out;
	int error;
} collections[] = {
	{ "/", false,
	  "/1000/0/0=5 /1000/0/2=0.25 /1000/0/3/1=x /1000/0/3/4=y /1000/0/9=! /1000/2/0=1 /2000/0/0=2 ",
	  2, 0 },
	{ "/1000/0", true,
	  "/1000/0/0=5 /1000/0/2=0.25 /1000/0/3/1=x /1000/0/3/4=y /1000/0/8=1.5 /1000/0/9=! ", 1,
	  0 },
	{ "/1000/0/0", false, "/1000/0/0=5 ", 0, 0 },
	{ "/1000/0/3", false, "/1000/0/3/1=x /1000/0/3/4=y ", 0, 0 },
	{ "/1000/0/3/4", false, "/1000/0/3/4=y ", 0, 0 },
	{ "/1000/0/3/5", false, "", 9, -ENOENT },
	{ "/1000/0/8", false, "", 1, 0 },
	{ "/1000/0/8", true, "/1000/0/8=1.5 ", 0, 0 },
	{ "/1000/0/6", false, "", 0, 0 }, /* for writing only */
	{ "/1000/0/5", false, "", 0, 0 },
	{ "/1000/0/1", false, "", 9, -ENOENT },
	{ "/1000/1", false, "", 9, -ENOENT },
	{ "/1000/7", false, "", 0, 0 },
	{ "/5", false, "", 9, -ENOENT },
};

START_TEST(collects_what_is_readable)
{
	struct path go = rig_path("/1000/0/5"), computed = rig_path("/1000/0/2"),
		    numbers = rig_path("/1000/0/9");
	struct path readings = rig_path("/1000/0/10");
	int error = 0;
	struct backing backing = { .ops = &computed_ops, .userdata = &error };
	unsigned left_out = 9;

	rig_fill(&rig, "/2000/0", "0=2");
	rig_fill(&rig, "/1000/7", "");
	rig_fill(&rig, "/1000/2", "0=1");
	rig_fill(&rig, "/1000/0", "0=5 3/4=y 3/1=x 6=AAAA 8=1.5 9/0=1");
	ck_assert_int_eq(store_remove_value(rig.store, &numbers), 0);
	ck_assert_int_eq(store_add_resource(rig.store, &go, NULL), 0);
	ck_assert_int_eq(store_add_resource(rig.store, &computed, &backing), 0);
	ck_assert_int_eq(store_add_resource(rig.store, &readings, &field), 0);
	ck_assert_int_eq(set_quality("/1000/0/8", STORE_OFFLINE), 0);
	ck_assert_str_eq(collected(collections[_i].path, collections[_i].last_known,
				   collections[_i].error, &left_out),
			 collections[_i].contents);
	ck_assert_uint_eq(left_out, collections[_i].left_out);
}
END_TEST

START_TEST(leaves_out_what_cannot_be_computed)
{
	struct path path = rig_path("/1000/0/2");
	int error = -EHOSTDOWN;
	struct backing backing = { .ops = &computed_ops, .userdata = &error };
	unsigned left_out = 0;

	rig_fill(&rig, "/1000/0", "0=5");
	ck_assert_int_eq(store_add_resource(rig.store, &path, &backing), 0);
	ck_assert_str_eq(collected("/1000/0", true, 0, &left_out), "/1000/0/0=5 ");
	ck_assert_uint_eq(left_out, 1);
}
END_TEST

START_TEST(a_collection_is_bounded)
{
	_cleanup_records_ struct records records = { 0 };
	struct path path = rig_path("/1000/0");

	rig_fill(&rig, "/1000/0", "");
	for (unsigned i = 0; i <= RECORDS_MAX; i++) {
		struct path slot = path_of_resource_instance(1000, 0, 10, i);
		struct value value = value_float(i);

		ck_assert_int_eq(store_update_one(rig.store, &slot, &value), 0);
	}
	ck_assert_int_eq(store_collect(rig.store, &path, false, &records, NULL), -E2BIG);
}
END_TEST

static const struct {
	const char *path, *text;
} explanations[] = {
	{ "/1000/0/8", "em1: resource 8 is silent" },
	{ "/1000/0", "em1: resource 8 is silent" },
	{ "/1000", "em1: resource 8 is silent" },
	{ "/1000/0/0", "" },
	{ "/1000/0/2", "" }, /* good */
	{ "/1000/5", "" },
};

START_TEST(explains_what_is_not_good)
{
	struct path good = rig_path("/1000/0/2"), silent = rig_path("/1000/0/8"),
		    path = rig_path(explanations[_i].path);
	struct backing backing = { .ops = &explaining_ops, .userdata = (char[]){ "em1" } };
	char text[64] = "before", small[8];

	rig_fill(&rig, "/1000/0", "0=5");
	ck_assert_int_eq(store_add_resource(rig.store, &good, &backing), 0);
	ck_assert_int_eq(store_add_resource(rig.store, &silent, &backing), 0);
	ck_assert_int_eq(rig_update(&rig, "/1000/0", "2=1"), 0);
	store_explain(rig.store, &path, text, sizeof(text));
	ck_assert_str_eq(text, explanations[_i].text);
	store_explain(rig.store, &path, small, sizeof(small));
	ck_assert_mem_eq(small, text, strnlen(text, sizeof(small) - 1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("values");
	TCase *tcase = tcase_create("values");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, updates_as_one_change, 0, ARRAY_SIZE(updates));
	tcase_add_test(tcase, updates_need_an_instance);
	tcase_add_test(tcase, updates_convert_to_the_definition);
	tcase_add_test(tcase, keeps_the_time_of_the_sample);
	tcase_add_loop_test(tcase, serves_by_quality, 0, ARRAY_SIZE(qualities));
	tcase_add_test(tcase, what_was_never_read_has_nothing_to_show);
	tcase_add_loop_test(tcase, reads_one_value, 0, ARRAY_SIZE(reads));
	tcase_add_test(tcase, computes_when_asked);
	tcase_add_loop_test(tcase, collects_what_is_readable, 0, ARRAY_SIZE(collections));
	tcase_add_test(tcase, leaves_out_what_cannot_be_computed);
	tcase_add_test(tcase, a_collection_is_bounded);
	tcase_add_loop_test(tcase, explains_what_is_not_good, 0, ARRAY_SIZE(explanations));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
