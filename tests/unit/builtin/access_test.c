/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "builtin/access_control.h"
#include "tests/unit/builtin/rig.h"

/* Object 2 as YAML means it. */

static struct records kept;

/* 101 may do all, 102 reads /3303 and nothing else, 103 what all may. */
static const struct builtin_right reads[] = { { 3303, 1 } };
static const struct builtin_access all = { .others = 15 }, few = { .rights = reads, .n = 1, .others = 0 };
static struct builtin_party parties[] = {
	{ .instance = 0, .short_id = 101, .access = &all },
	{ .instance = 1, .short_id = 102, .access = &few },
	{ .instance = 2, .short_id = 103 },
};
static const uint16_t makes[] = { 16, 10375 };
static struct builtin_control control;

static void add(uint16_t object, uint16_t instance)
{
	ck_assert_int_eq(store_add_instance(store, definitions_newest(definitions, object), instance), 0);
}

static void set_up(void)
{
	rig_set_up();
	kept = (struct records){ 0 };
	control = (struct builtin_control){ .definitions = definitions,
					    .parties = parties,
					    .n_parties = 3,
					    .makes = makes,
					    .n_makes = 2,
					    .kept = &kept };
	for (uint16_t i = 0; i < 3; i++) {
		add(0, i);
		add(1, i);
	}
	add(3303, 0);
	add(3303, 4);
	add(3, 0);
	ck_assert_int_eq(store_add_object(store, definitions_newest(definitions, 16)), 0);
}

static void tear_down(void)
{
	records_done(&kept);
	rig_tear_down();
}

static void follow(bool renew)
{
	ck_assert_int_eq(builtin_control_follow(store, &control, renew), 0);
}

static int64_t number(uint16_t id, uint16_t resource)
{
	const struct path path = path_of_resource(2, id, resource);
	struct value v = { 0 };

	return store_read(store, &path, true, &v, NULL) < 0 ? -1 : v.integer;
}

static int print_entry(void *userdata, const struct path *path)
{
	char *text = userdata;
	struct value v = { 0 };

	ck_assert_int_eq(store_read(store, path, true, &v, NULL), 0);
	snprintf(text + strlen(text), 64, " %u=%d", path->resource_instance, (int)v.integer);
	return 0;
}

/* "owner: server=rights ..." of the /2 instance of an instance; "-": it has none. */
static const char *says(uint16_t object, uint16_t instance)
{
	static char text[256];

	for (uint16_t id = 0; id < 64; id++) {
		const struct path acl = path_of_resource(2, id, 2);

		if (number(id, 0) != object || number(id, 1) != instance)
			continue;
		snprintf(text, 16, "%d:", (int)number(id, 3));
		store_children(store, &acl, print_entry, text);
		return text;
	}
	return "-";
}

static void write_entry(uint16_t object, uint16_t instance, uint16_t server, int64_t rights)
{
	for (uint16_t id = 0; id < 64; id++) {
		const struct path path = path_of_resource_instance(2, id, 2, server);
		const struct value v = value_integer(rights);

		if (number(id, 0) == object && number(id, 1) == instance)
			ck_assert_int_eq(store_update_one(store, &path, &v), 0);
	}
}

START_TEST(test_factory)
{
	follow(false);
	ck_assert_str_eq(says(3303, 0), "65535: 0=1 101=15");
	ck_assert_str_eq(says(3303, 4), "65535: 0=1 101=15");
	ck_assert_str_eq(says(3, 0), "65535: 0=1 101=15 102=0");
	/* Each its own /1, and nobody else. */
	ck_assert_str_eq(says(1, 0), "101:");
	ck_assert_str_eq(says(1, 1), "102:");
	ck_assert_str_eq(says(1, 2), "103:");
	/* Who may do all may make some, where the object is. */
	ck_assert_str_eq(says(16, 65535), "65535: 101=16");
	ck_assert_str_eq(says(10375, 65535), "-");
	/* Keys are nobody's. */
	ck_assert_str_eq(says(0, 0), "-");
	ck_assert_str_eq(says(2, 0), "-");
}
END_TEST

START_TEST(test_comes_and_goes)
{
	follow(false);
	add(3303, 7);
	ck_assert_int_eq(store_remove_instance(store, 3303, 0), 0);
	ck_assert_int_eq(store_remove_instance(store, 3, 0), 0);
	follow(false);
	ck_assert_str_eq(says(3303, 7), "65535: 0=1 101=15");
	ck_assert_str_eq(says(3303, 0), "-");
	ck_assert_str_eq(says(3, 0), "-");
	/* One server needs none of it. */
	control.n_parties = 1;
	follow(false);
	ck_assert(!store_exists(store, &(struct path){ .ids = { 2 }, .depth = 1 }));
}
END_TEST

static unsigned n_changes;
static void count(void *userdata, enum store_change change, const struct path *paths, size_t n)
{
	n_changes++;
}

/* YAML reaches what no server has touched; where nothing differs, nothing is told. */
START_TEST(test_renew)
{
	follow(false);
	store_set_watch(store, count, NULL);
	follow(true);
	ck_assert_uint_eq(n_changes, 0);
	write_entry(3303, 0, 102, 3);
	ck_assert_int_eq(builtin_control_changed(store, &control, &kept), 0);
	ck_assert_uint_eq(kept.n, 6);
	parties[0].access = &few;
	follow(true);
	parties[0].access = &all;
	ck_assert_str_eq(says(3303, 0), "65535: 0=1 101=15 102=3");
	ck_assert_str_eq(says(3303, 4), "65535: 0=1");
	ck_assert_str_eq(says(3, 0), "65535: 0=1 101=0 102=0");
}
END_TEST

/* What servers wrote comes back, under whatever id, as soon as its instance does. */
START_TEST(test_kept)
{
	follow(false);
	write_entry(3303, 4, 103, 9);
	ck_assert_int_eq(builtin_control_changed(store, &control, &kept), 0);
	ck_assert_int_eq(store_remove_object(store, 2), 0);
	ck_assert_int_eq(store_remove_instance(store, 3303, 4), 0);
	follow(false);
	ck_assert_str_eq(says(3303, 4), "-");
	add(3303, 4);
	follow(false);
	ck_assert_str_eq(says(3303, 4), "65535: 0=1 101=15 103=9");
	ck_assert_str_eq(says(3303, 0), "65535: 0=1 101=15");
}
END_TEST

START_TEST(test_unchanged)
{
	follow(false);
	ck_assert_int_eq(builtin_control_changed(store, &control, &kept), 0);
	ck_assert_uint_eq(kept.n, 0);
}
END_TEST

/* What a bootstrap left: nothing is made beside it, and all of it is kept. */
START_TEST(test_bare)
{
	struct records none = { 0 };

	follow(false);
	for (uint16_t id = 0; id < 64; id++)
		if (number(id, 0) == 3303 && number(id, 1) == 4)
			ck_assert_int_eq(store_remove_instance(store, 2, id), 0);
	control.bare = true;
	follow(true);
	ck_assert_str_eq(says(3303, 0), "65535: 0=1 101=15");
	ck_assert_str_eq(says(3303, 4), "-");
	add(3303, 5);
	ck_assert_int_eq(store_remove_instance(store, 3303, 0), 0);
	follow(false);
	ck_assert_str_eq(says(3303, 5), "-");
	ck_assert_str_eq(says(3303, 0), "-");
	ck_assert_str_eq(says(3, 0), "65535: 0=1 101=15 102=0");
	ck_assert_int_eq(builtin_control_changed(store, &control, &kept), 0);
	ck_assert_int_eq(store_remove_object(store, 2), 0);
	/* Also with one server; without any it is no object. */
	control.n_parties = 1;
	follow(false);
	ck_assert_str_eq(says(3, 0), "65535: 0=1 101=15 102=0");
	ck_assert_str_eq(says(3303, 5), "-");
	control.kept = &none;
	ck_assert_int_eq(store_remove_object(store, 2), 0);
	follow(true);
	ck_assert_ptr_null(store_object(store, 2));
}
END_TEST

static void name_target(uint16_t id, uint16_t object, uint16_t instance)
{
	const uint16_t numbers[] = { object, instance };

	for (uint16_t r = 0; r < ARRAY_SIZE(numbers); r++) {
		const struct path path = path_of_resource(2, id, r);
		const struct value v = value_integer(numbers[r]);

		ck_assert_int_eq(store_update_one(store, &path, &v), 0);
	}
}

/* What a server's Create makes has its /2 instance with it; all else is to be looked at. */
START_TEST(test_complete)
{
	const struct path object = path_of_object(16), instance = path_of_instance(16, 7),
			  secret = path_of_instance(0, 1), other = path_of_instance(3303, 4),
			  own = path_of_instance(2, 60), gone = path_of_instance(16, 8);
	struct path many[BUILTIN_CONTROL_LOOK_MAX + 1];

	follow(false);
	add(16, 7);
	add(2, 60);
	name_target(60, 16, 7);
	ck_assert(builtin_control_is_complete(store, (struct path[]){ instance, own, secret }, 3));
	ck_assert(builtin_control_is_complete(store, (struct path[]){ own, instance }, 2));
	ck_assert(!builtin_control_is_complete(store, (struct path[]){ instance }, 1));
	ck_assert(!builtin_control_is_complete(store, (struct path[]){ instance, own, other }, 3));
	ck_assert(!builtin_control_is_complete(store, (struct path[]){ own, gone }, 2));
	ck_assert(!builtin_control_is_complete(store, (struct path[]){ own, instance, object }, 3));
	name_target(60, 16, 6);
	ck_assert(!builtin_control_is_complete(store, (struct path[]){ own, instance }, 2));
	ck_assert_int_eq(store_remove_instance(store, 2, 60), 0);
	ck_assert(!builtin_control_is_complete(store, (struct path[]){ own }, 1));
	for (unsigned i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = secret;
	ck_assert(builtin_control_is_complete(store, many, BUILTIN_CONTROL_LOOK_MAX));
	ck_assert(!builtin_control_is_complete(store, many, BUILTIN_CONTROL_LOOK_MAX + 1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("access");
	TCase *tcase = tcase_create("access");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, test_factory);
	tcase_add_test(tcase, test_comes_and_goes);
	tcase_add_test(tcase, test_renew);
	tcase_add_test(tcase, test_kept);
	tcase_add_test(tcase, test_unchanged);
	tcase_add_test(tcase, test_bare);
	tcase_add_test(tcase, test_complete);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
