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

static bool exists(const char *text)
{
	struct path path = rig_path(text);

	return store_exists(rig.store, &path);
}

static const struct backing_ops plain_ops = { 0 };
static const struct backing plain = { .ops = &plain_ops };

static int add_resource(const char *text, const struct backing *backing)
{
	struct path path = rig_path(text);

	return store_add_resource(rig.store, &path, backing);
}

START_TEST(is_empty_at_first)
{
	ck_assert(exists("/"));
	ck_assert(!exists("/1000"));
	ck_assert(!exists("/1000/0"));
	ck_assert_ptr_null(store_object(rig.store, 1000));
	ck_assert_uint_eq(store_free_instance(rig.store, 1000), 0);
	ck_assert_str_eq(rig_told(&rig), "");
	ck_assert_ptr_null(store_free(NULL));
}
END_TEST

START_TEST(objects_come_in_one_version)
{
	const struct object_definition *other =
		definitions_find(rig.definitions, 1000, VERSION(1, 1));

	ck_assert_int_eq(store_add_object(rig.store, rig.object), 0);
	ck_assert_str_eq(rig_told(&rig), "I /1000;");
	ck_assert(exists("/1000"));
	ck_assert(!exists("/1000/0"));
	ck_assert_int_eq(store_add_object(rig.store, rig.object), 0);
	ck_assert_str_eq(rig_told(&rig), "");
	ck_assert_int_eq(store_add_object(rig.store, other), -EEXIST);
	ck_assert_int_eq(store_add_instance(rig.store, other, 0), -EEXIST);
	ck_assert(!exists("/1000/0"));
	ck_assert_ptr_eq(store_object(rig.store, 1000), rig.object);
	ck_assert_str_eq(rig_told(&rig), "");
}
END_TEST

START_TEST(instances_come_and_go)
{
	ck_assert_int_eq(store_add_instance(rig.store, rig.single, 0), 0);
	ck_assert_str_eq(rig_told(&rig), "I /2000 /2000/0;");
	ck_assert_int_eq(store_add_instance(rig.store, rig.object, 0), 0);
	ck_assert_int_eq(store_add_instance(rig.store, rig.object, 2), 0);
	ck_assert_str_eq(rig_told(&rig), "I /1000 /1000/0;I /1000/2;");
	ck_assert_int_eq(store_add_instance(rig.store, rig.object, 2), 0);
	ck_assert_str_eq(rig_told(&rig), "");
	ck_assert_uint_eq(store_free_instance(rig.store, 1000), 1);
	ck_assert_int_eq(store_remove_instance(rig.store, 1000, 1), -ENOENT);
	ck_assert_int_eq(store_remove_instance(rig.store, 1001, 0), -ENOENT);
	ck_assert_int_eq(store_remove_instance(rig.store, 1000, 0), 0);
	ck_assert_str_eq(rig_told(&rig), "I /1000/0;");
	ck_assert_uint_eq(store_free_instance(rig.store, 1000), 0);
	ck_assert(exists("/1000/2"));
}
END_TEST

START_TEST(full_objects_have_no_free_instance)
{
	for (unsigned i = 0; i < ID_NONE; i++)
		ck_assert_int_eq(store_add_instance(rig.store, rig.object, i), 0);
	ck_assert_uint_eq(store_free_instance(rig.store, 1000), ID_NONE);
	ck_assert_int_eq(store_remove_instance(rig.store, 1000, 40000), 0);
	ck_assert_uint_eq(store_free_instance(rig.store, 1000), 40000);
}
END_TEST

START_TEST(resources_need_a_place)
{
	ck_assert_int_eq(add_resource("/1000/0/1", NULL), -ENOENT);
	ck_assert_int_eq(store_add_instance(rig.store, rig.object, 0), 0);
	ck_assert_int_eq(add_resource("/1000/0/99", NULL), -EINVAL);
	rig_told(&rig);
	/* Without a value it is not there yet, and nobody is told. */
	ck_assert_int_eq(add_resource("/1000/0/1", NULL), 0);
	ck_assert(!exists("/1000/0/1"));
	ck_assert_str_eq(rig_told(&rig), "");
	/* What has a backing or can be executed is. */
	ck_assert_int_eq(add_resource("/1000/0/2", &plain), 0);
	ck_assert(exists("/1000/0/2"));
	ck_assert_int_eq(add_resource("/1000/0/5", NULL), 0);
	ck_assert(exists("/1000/0/5"));
	ck_assert_str_eq(rig_told(&rig), "V /1000/0/2;V /1000/0/5;");
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), "2=?");
}
END_TEST

static enum store_quality quality(const char *text)
{
	struct path path = rig_path(text);

	return store_quality(rig.store, &path);
}

static int read_nothing(void *userdata, const struct path *path, struct value *ret)
{
	return -ENODATA;
}

static const struct backing_ops computed_ops = { .read = read_nothing };
static const struct backing computed = { .ops = &computed_ops };

START_TEST(a_new_backing_has_not_spoken)
{
	rig_fill(&rig, "/1000/0", "1=old 2=5");
	ck_assert_int_eq(quality("/1000/0/2"), STORE_GOOD);
	ck_assert_int_eq(add_resource("/1000/0/2", &plain), 0);
	ck_assert_int_eq(quality("/1000/0/2"), STORE_NEVER);
	ck_assert_str_eq(rig_told(&rig), "V /1000/0/2;");
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), "1=old 2=?");
	/* What is computed needs no first value. */
	ck_assert_int_eq(add_resource("/1000/0/2", &computed), 0);
	ck_assert_int_eq(quality("/1000/0/2"), STORE_GOOD);
	ck_assert_int_eq(quality("/1000/0/99"), STORE_NEVER);
	ck_assert_int_eq(quality("/1000/7/1"), STORE_NEVER);
}
END_TEST

/* One that is known takes no other place. */
START_TEST(backings_are_bounded)
{
	static char owners[STORE_BACKINGS_MAX + 1];
	struct backing backing = plain;

	for (unsigned round = 0; round < 2; round++)
		for (size_t i = 0; i < STORE_BACKINGS_MAX; i += round ? STORE_BACKINGS_MAX / 4 : 1) {
			const struct path path = path_of_resource(1000, (uint16_t)i, 1);

			backing.userdata = &owners[i];
			ck_assert_int_eq(store_add_instance(rig.store, rig.object, path.instance), 0);
			ck_assert_int_eq(store_add_resource(rig.store, &path, &backing), 0);
		}
	backing.userdata = &owners[STORE_BACKINGS_MAX];
	ck_assert_int_eq(add_resource("/1000/0/0", &backing), -ENOSPC);
	ck_assert_int_eq(add_resource("/1000/0/0", NULL), 0);
}
END_TEST

START_TEST(resources_go)
{
	struct path path = rig_path("/1000/0/3"), unknown = rig_path("/1000/0/7"),
		    absent = rig_path("/1000/0/1");

	rig_fill(&rig, "/1000/0", "0=1 3/0=a 3/4=b");
	ck_assert_int_eq(store_remove_resource(rig.store, &unknown), -ENOENT);
	ck_assert_int_eq(store_remove_resource(rig.store, &path), 0);
	ck_assert_str_eq(rig_told(&rig), "V /1000/0/3;");
	ck_assert(!exists("/1000/0/3"));
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), "0=1");
	ck_assert_int_eq(add_resource("/1000/0/1", NULL), 0);
	ck_assert_int_eq(store_remove_resource(rig.store, &absent), 0);
	ck_assert_str_eq(rig_told(&rig), "");
}
END_TEST

START_TEST(values_go)
{
	struct path slot = rig_path("/1000/0/3/4"), whole = rig_path("/1000/0/3"),
		    single = rig_path("/1000/0/0");
	struct path instance = rig_path("/1000/0"), other = rig_path("/1000/0/0/0");

	rig_fill(&rig, "/1000/0", "0=1 3/0=a 3/4=b");
	ck_assert_int_eq(store_remove_value(rig.store, &slot), 0);
	ck_assert_str_eq(rig_told(&rig), "V /1000/0/3;");
	ck_assert_int_eq(store_remove_value(rig.store, &slot), -ENOENT);
	ck_assert_int_eq(store_remove_value(rig.store, &instance), -ENOENT);
	ck_assert_int_eq(store_remove_value(rig.store, &other), -ENOENT);
	ck_assert_str_eq(rig_told(&rig), "");
	ck_assert_int_eq(store_remove_value(rig.store, &whole), 0);
	ck_assert_str_eq(rig_told(&rig), "V /1000/0/3;");
	/* Empty, but there; emptying it again is no change. */
	ck_assert(exists("/1000/0/3"));
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), "0=1 3:");
	ck_assert_int_eq(store_remove_value(rig.store, &whole), 0);
	ck_assert_str_eq(rig_told(&rig), "");
	ck_assert_int_eq(store_remove_value(rig.store, &single), 0);
	ck_assert(!exists("/1000/0/0"));
	ck_assert_str_eq(rig_told(&rig), "V /1000/0/0;");
}
END_TEST

struct walk {
	struct buf text;
	unsigned stop_after, n;
};

static int walk_one(void *userdata, const struct path *child)
{
	char text[PATH_TEXT_MAX];
	struct walk *w = userdata;

	buf_printf(&w->text, "%s ", path_format(child, text));
	return ++w->n == w->stop_after ? 77 : 0;
}

static const struct {
	const char *path, *children;
	unsigned stop_after;
	int r;
} walks[] = {
	{ "/", "/1000 /2000 ", 0, 0 },
	{ "/1000", "/1000/0 /1000/3 /1000/7 ", 0, 0 },
	{ "/1000/3", "/1000/3/0 /1000/3/3 /1000/3/9 ", 0, 0 },
	{ "/1000/3/3", "/1000/3/3/1 /1000/3/3/5 /1000/3/3/40000 ", 0, 0 },
	{ "/1000/3/3", "/1000/3/3/1 /1000/3/3/5 ", 2, 77 },
	{ "/", "/1000 ", 1, 77 },
	{ "/1000/3/0", "", 0, 0 },
	{ "/1000/3/3/1", "", 0, 0 },
	{ "/1000/9", "", 0, 0 },
	{ "/4/0", "", 0, 0 },
};

START_TEST(walks_in_order)
{
	struct path path = rig_path(walks[_i].path);
	struct walk w = { .stop_after = walks[_i].stop_after };

	rig_fill(&rig, "/2000/0", "0=1");
	rig_fill(&rig, "/1000/7", "");
	rig_fill(&rig, "/1000/0", "0=1");
	rig_fill(&rig, "/1000/3", "9/1=1 3/40000=c 3/1=a 3/5=b 0=1");
	ck_assert_int_eq(store_children(rig.store, &path, walk_one, &w), walks[_i].r);
	buf_append_byte(&w.text, 0);
	ck_assert_str_eq((char *)w.text.data, walks[_i].children);
	buf_done(&w.text);
}
END_TEST

START_TEST(knows_definitions_of_paths)
{
	struct path path = rig_path("/1000/0/3/1"), other = rig_path("/1000/0/99"),
		    object = rig_path("/1000");

	ck_assert_ptr_null(store_resource(rig.store, &path));
	rig_fill(&rig, "/1000/0", "");
	ck_assert_str_eq(store_resource(rig.store, &path)->name, "Texts");
	ck_assert_ptr_null(store_resource(rig.store, &other));
	ck_assert_ptr_null(store_resource(rig.store, &object));
}
END_TEST

/* ---- brackets and watches ---- */

START_TEST(a_bracket_is_one_change)
{
	rig_fill(&rig, "/1000/1", "0=1 1=a 2=5");
	store_begin(rig.store);
	ck_assert_int_eq(rig_update(&rig, "/1000/1", "2=6"), 0);
	ck_assert_int_eq(store_add_instance(rig.store, rig.object, 5), 0);
	store_begin(rig.store);
	ck_assert_int_eq(rig_update(&rig, "/1000/1", "0=2"), 0);
	ck_assert_int_eq(rig_update(&rig, "/1000/1", "2=7 3/9=x 3/1=y"), 0);
	store_end(rig.store);
	ck_assert_int_eq(store_add_instance(rig.store, rig.object, 0), 0);
	ck_assert_int_eq(rig_update(&rig, "/1000/5", "0=0"), 0);
	ck_assert_str_eq(rig_told(&rig), "");
	store_end(rig.store);
	ck_assert_str_eq(rig_told(&rig),
			 "I /1000/0 /1000/5;V /1000/1/0 /1000/1/2 /1000/1/3 /1000/5/0;");
	store_begin(rig.store);
	store_end(rig.store);
	ck_assert_str_eq(rig_told(&rig), "");
}
END_TEST

START_TEST(paths_are_ascending_and_told_once)
{
	rig_fill(&rig, "/1000/0", "");
	store_begin(rig.store);
	for (unsigned round = 0; round < 40; round++) {
		char contents[64];

		snprintf(contents, sizeof(contents), "9/%u=1 2=%u 1=%u 0=%u", 50 - round, round,
			 round, round);
		ck_assert_int_eq(rig_update(&rig, "/1000/0", contents), 0);
	}
	store_end(rig.store);
	ck_assert_str_eq(rig_told(&rig), "V /1000/0/0 /1000/0/1 /1000/0/2 /1000/0/9;");
}
END_TEST

struct echo {
	struct rig *rig;
	unsigned calls;
};

static void change_again(void *userdata, enum store_change change, const struct path *paths,
			 size_t n)
{
	struct echo *echo = userdata;

	if (++echo->calls == 1)
		ck_assert_int_eq(rig_update(echo->rig, "/1000/0", "1=more"), 0);
}

START_TEST(a_watch_may_change_the_store)
{
	struct echo echo = { .rig = &rig };

	rig_fill(&rig, "/1000/0", "0=1");
	store_set_watch(rig.store, change_again, &echo);
	ck_assert_int_eq(rig_update(&rig, "/1000/0", "0=2"), 0);
	ck_assert_uint_eq(echo.calls, 2);
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), "0=2 1=more");
}
END_TEST

START_TEST(nobody_has_to_watch)
{
	store_set_watch(rig.store, NULL, NULL);
	rig_fill(&rig, "/1000/0", "0=1");
	ck_assert_int_eq(rig_update(&rig, "/1000/0", "0=2"), 0);
	ck_assert_str_eq(rig_told(&rig), "");
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), "0=2");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shape");
	TCase *tcase = tcase_create("shape");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, is_empty_at_first);
	tcase_add_test(tcase, objects_come_in_one_version);
	tcase_add_test(tcase, instances_come_and_go);
	tcase_add_test(tcase, full_objects_have_no_free_instance);
	tcase_add_test(tcase, resources_need_a_place);
	tcase_add_test(tcase, a_new_backing_has_not_spoken);
	tcase_add_test(tcase, backings_are_bounded);
	tcase_add_test(tcase, resources_go);
	tcase_add_test(tcase, values_go);
	tcase_add_loop_test(tcase, walks_in_order, 0, ARRAY_SIZE(walks));
	tcase_add_test(tcase, knows_definitions_of_paths);
	tcase_add_test(tcase, a_bracket_is_one_change);
	tcase_add_test(tcase, paths_are_ascending_and_told_once);
	tcase_add_test(tcase, a_watch_may_change_the_store);
	tcase_add_test(tcase, nobody_has_to_watch);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
