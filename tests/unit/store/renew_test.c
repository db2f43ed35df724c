/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "base/yaml.h"
#include "tests/unit/store/rig.h"

/* What leaves a store that goes on, and stays in it. */

static struct rig rig;
static struct definitions *others;

/* A device that keeps the end of a write, one at a time. */
static struct {
	backing_done done;
	void *done_userdata;
	unsigned n_written;
} device;

static void device_write(void *userdata, const struct path *path, const struct value *value,
			 backing_done done, void *done_userdata)
{
	device.done = done;
	device.done_userdata = done_userdata;
	device.n_written++;
}

static void device_end(int error)
{
	backing_done done = TAKE_PTR(device.done);

	ck_assert_ptr_nonnull(done);
	done(device.done_userdata, error, NULL);
}

static const struct backing_ops device_ops = { .write = device_write };
static const struct backing_ops other_ops = { .write = device_write };
static const struct backing behind_device = { .ops = &device_ops };

static void back(const char *text, const struct backing *backing)
{
	const struct path path = rig_path(text);

	ck_assert_int_eq(store_add_resource(rig.store, &path, backing), 0);
	rig.log.size = 0;
}

static void drop(const char *text)
{
	const struct path path = rig_path(text);

	ck_assert_int_eq(store_remove_resource(rig.store, &path), 0);
}

static void setup(void)
{
	rig_setup(&rig);
	memset(&device, 0, sizeof(device));
	ck_assert_int_eq(definitions_new(&others), 0);
	rig_fill(&rig, "/1000/0", "");
}

static void teardown(void)
{
	rig_teardown(&rig);
	others = definitions_free(others);
}

/* ---- backings ---- */

START_TEST(a_successor_finds_value_and_quality)
{
	const struct backing other = { .ops = &other_ops, .userdata = &rig };
	const struct path path = rig_path("/1000/0/0"), second = rig_path("/1000/0/1"),
			  none = rig_path("/1000/0/2"), memory = rig_path("/1000/0/3");

	back("/1000/0/0", &behind_device);
	back("/1000/0/1", &behind_device);
	rig_fill(&rig, "/1000/0", "0=5 1=b 3/0=x");
	store_set_quality(rig.store, &path, STORE_STALE);
	rig.log.size = 0;
	ck_assert_int_eq(store_hand_over(rig.store, &path, &other), 0);
	ck_assert_str_eq(rig_told(&rig), "");
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), "0=5 1=b 3: 0=x");
	ck_assert_int_eq(store_quality(rig.store, &path), STORE_STALE);
	ck_assert_ptr_eq(store_backing(rig.store, &path)->ops, &other_ops);
	ck_assert_ptr_eq(store_backing(rig.store, &path)->userdata, &rig);
	ck_assert_ptr_eq(store_backing(rig.store, &second)->userdata, &rig);
	ck_assert_int_eq(store_hand_over(rig.store, &none, &other), -ENOENT);
	ck_assert_int_eq(store_hand_over(rig.store, &memory, &other), -ENOENT);
	ck_assert_ptr_null(store_backing(rig.store, &none));
	ck_assert_ptr_null(store_backing(rig.store, &memory));
}
END_TEST

/* Many more than there is room for come and go; those that stay keep theirs. */
START_TEST(backings_make_room)
{
	const struct path moving = rig_path("/1000/0/1"), staying = rig_path("/1000/0/0");

	back("/1000/0/0", &behind_device);
	for (uintptr_t i = 1; i < 2 * STORE_BACKINGS_MAX; i++) {
		const struct backing backing = { .ops = &other_ops, .userdata = (void *)i };

		switch (i % 3) {
		case 0:
			ck_assert_int_eq(store_add_resource(rig.store, &moving, &backing), 0);
			break;
		case 1:
			ck_assert_int_eq(store_remove_resource(rig.store, &moving) == 0, i > 1);
			ck_assert_int_eq(store_add_resource(rig.store, &moving, &backing), 0);
			break;
		default:
			ck_assert_int_eq(store_remove_instance(rig.store, 1000, 1) == 0, i > 2);
			ck_assert_int_eq(store_add_instance(rig.store, rig.object, 1), 0);
			ck_assert_int_eq(store_add_resource(rig.store, &(struct path){ .ids = { 1000, 1, 0 }, .depth = 3 },
							    &backing),
					 0);
			break;
		}
	}
	ck_assert_ptr_eq(store_backing(rig.store, &staying)->ops, &device_ops);
	ck_assert_ptr_eq(store_backing(rig.store, &moving)->userdata,
			 (void *)(uintptr_t)(2 * STORE_BACKINGS_MAX - 1));
}
END_TEST

/* ---- requests that are out ---- */

START_TEST(a_request_does_not_reach_what_came_instead)
{
	back("/1000/0/0", &behind_device);
	back("/1000/0/1", &behind_device);
	rig_fill(&rig, "/1000/0", "0=5 1=a 3/0=x");
	rig_write(&rig, "/1000/0", STORE_UPDATE, "0=6 1=b 3/0=y");
	/* Of this name there is something else by now: it was not asked for. */
	drop("/1000/0/1");
	if (_i)
		back("/1000/0/1", &behind_device);
	rig.log.size = 0;
	device_end(0);
	ck_assert_int_eq(device.n_written, 1);
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), _i ? "0=6 1=? 3: 0=x" : "0=6 3: 0=x");
	ck_assert_str_eq(rig_told(&rig), "D-121;V /1000/0/0;");
	ck_assert_str_eq(rig.reason, "/1000/0/1 failed: gone; accepted: /1000/0/0");
}
END_TEST

START_TEST(an_accepted_value_does_not_come_back)
{
	back("/1000/0/0", &behind_device);
	rig_fill(&rig, "/1000/0", "0=5");
	rig_write(&rig, "/1000/0/0", STORE_REPLACE, "0=6");
	drop("/1000/0/0");
	rig.log.size = 0;
	device_end(0);
	ck_assert_str_eq(rig_told(&rig), "D0;");
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), "");
}
END_TEST

START_TEST(a_request_survives_its_object)
{
	back("/1000/0/0", &behind_device);
	rig_fill(&rig, "/1000/0", "0=5");
	rig_write(&rig, "/1000/0", STORE_REPLACE, "0=6 1=b");
	ck_assert_int_eq(store_remove_object(rig.store, 1000), 0);
	if (_i)
		rig_fill(&rig, "/1000/0", "0=7");
	rig.log.size = 0;
	device_end(0);
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), _i ? "0=7" : "-");
	ck_assert_str_eq(rig_told(&rig), "D-121;");
}
END_TEST

START_TEST(objects_go)
{
	const struct path object = rig_path("/1000");

	rig_fill(&rig, "/1000/3", "0=1");
	rig_fill(&rig, "/2000/0", "0=1");
	ck_assert_int_eq(store_remove_object(rig.store, 1000), 0);
	ck_assert_str_eq(rig_told(&rig), "I /1000 /1000/0 /1000/3;");
	ck_assert(!store_exists(rig.store, &object));
	ck_assert_str_eq(rig_contents(&rig, "/2000/0"), "0=1");
	ck_assert_int_eq(store_remove_object(rig.store, 1000), -ENOENT);
}
END_TEST

/* ---- other definitions ---- */

#define OBJECT(version) \
	"schema: 1\nobject: {id: 1000, name: Test, version: \"" version "\", instances: multiple}\nresources:\n"
#define SAME_0 "  0: {name: Needed, operations: RW, type: integer, mandatory: true, range: 0..100}\n"
#define SAME_3 "  3: {name: Texts, operations: RW, type: string, multiple: true}\n"
#define SAME_2 "  2: {name: Reading, operations: R, type: float}\n"

static const struct {
	const char *text, *left, *told;
} definitions_rows[] = {
	/* Another version, the same resources. */
	{ OBJECT("1.1") SAME_0 SAME_2 SAME_3, "0=5 2=1.5 3: 0=x", "I /1000;" },
	/* The name, what can be done with it, its range, another resource: no value means something else. */
	{ OBJECT("1.0") "  0: {name: Other, operations: R, type: integer, range: 0..1}\n" SAME_2 SAME_3
			"  4: {name: New, operations: RW, type: string}\n",
	  "0=5 2=1.5 3: 0=x", "" },
	{ OBJECT("1.0") SAME_0 SAME_3, "0=5 3: 0=x", "V /1000/0/2;" },
	{ OBJECT("1.0") SAME_0 "  2: {name: Reading, operations: R, type: float, unit: Cel}\n" SAME_3, "0=5 3: 0=x",
	  "V /1000/0/2;" },
	{ OBJECT("1.0") "  0: {name: Needed, operations: RW, type: string}\n" SAME_2 SAME_3, "2=1.5 3: 0=x",
	  "V /1000/0/0;" },
	{ OBJECT("1.0") SAME_0 SAME_2 "  3: {name: Texts, operations: RW, type: string}\n", "0=5 2=1.5",
	  "V /1000/0/3;" },
	{ OBJECT("2.0") SAME_0 "  2: {name: Reading, operations: R, type: float, multiple: true}\n" SAME_3,
	  "0=5 3: 0=x", "I /1000;V /1000/0/2;" },
	/* Nobody knows it any more. */
	{ "", "-", "I /1000 /1000/0;" },
};

static void read_others(const char *text)
{
	struct yaml_errors errors = { 0 };

	ck_assert_int_eq(definitions_read_text(others, "others", text, strlen(text), &errors), 0);
}

START_TEST(other_definitions_keep_what_means_the_same)
{
	const struct path path = rig_path("/1000/0/0");

	rig_fill(&rig, "/1000/0", "0=5 2=1.5 3/0=x");
	back("/1000/0/5", &behind_device);
	drop("/1000/0/5");
	rig.log.size = 0;
	if (*definitions_rows[_i].text)
		read_others(definitions_rows[_i].text);
	ck_assert(store_set_definitions(rig.store, others));
	rig.definitions = definitions_free(rig.definitions);
	ck_assert_str_eq(rig_told(&rig), definitions_rows[_i].told);
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), definitions_rows[_i].left);
	ck_assert_ptr_eq(store_object(rig.store, 1000), definitions_newest(others, 1000));
	if (store_exists(rig.store, &path))
		ck_assert_int_eq(store_update_one(rig.store, &path, &(struct value){ .type = VALUE_INTEGER, .integer = 9 }), 0);
}
END_TEST

START_TEST(equal_definitions_change_nothing)
{
	static const char text[] = OBJECT("1.0") SAME_0 SAME_2 SAME_3;
	struct definitions *again;
	struct yaml_errors errors = { 0 };

	read_others(text);
	store_set_definitions(rig.store, others);
	rig_fill(&rig, "/1000/0", "");
	ck_assert_int_eq(definitions_new(&again), 0);
	ck_assert_int_eq(definitions_read_text(again, "again", text, strlen(text), &errors), 0);
	ck_assert(!store_set_definitions(rig.store, again));
	others = definitions_free(others);
	ck_assert_ptr_eq(store_object(rig.store, 1000), definitions_newest(again, 1000));
	ck_assert_str_eq(rig_told(&rig), "");
	others = again;
}
END_TEST

/* A request made under the former definition brings nothing that does not fit. */
START_TEST(requests_do_not_outlive_their_types)
{
	back("/1000/0/0", &behind_device);
	rig_fill(&rig, "/1000/0", "0=5");
	rig_write(&rig, "/1000/0", STORE_UPDATE, "0=6 1=b 3/0=y");
	read_others(OBJECT("1.0") SAME_0 "  1: {name: Text, operations: RW, type: integer}\n"
				  "  3: {name: Texts, operations: RW, type: string}\n");
	store_set_definitions(rig.store, others);
	rig.log.size = 0;
	device_end(0);
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), "0=6");
	ck_assert_str_eq(rig_told(&rig), "D-121;V /1000/0/0;");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("renew");
	TCase *tcase = tcase_create("renew");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_successor_finds_value_and_quality);
	tcase_add_test(tcase, backings_make_room);
	tcase_add_loop_test(tcase, a_request_does_not_reach_what_came_instead, 0, 2);
	tcase_add_test(tcase, an_accepted_value_does_not_come_back);
	tcase_add_loop_test(tcase, a_request_survives_its_object, 0, 2);
	tcase_add_test(tcase, objects_go);
	tcase_add_loop_test(tcase, other_definitions_keep_what_means_the_same, 0, ARRAY_SIZE(definitions_rows));
	tcase_add_test(tcase, equal_definitions_change_nothing);
	tcase_add_test(tcase, requests_do_not_outlive_their_types);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
