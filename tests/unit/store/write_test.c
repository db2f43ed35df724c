/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
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

#define BEFORE "0=5 1=a 2=1.5 3/0=x 3/1=y 7=1 8=2.5"
#define UNCHANGED "0=5 1=a 2=1.5 3: 0=x 1=y 7=1 8=2.5"

/* lwm2m.md "Operations", on resources that are memory. */
static const struct row {
	const char *target;
	enum store_write_mode mode;
	const char *body;
	int error;
	const char *told, *left;
} rows[] = {
	/* Replace: what is writable, optional and absent goes away; read-only and mandatory stay. */
	{ "/1000/0", STORE_REPLACE, "0=6", 0, "D0;V /1000/0/0 /1000/0/1 /1000/0/3 /1000/0/7;",
	  "0=6 2=1.5 8=2.5" },
	{ "/1000/0", STORE_REPLACE, "1=b 7=2", 0, "D0;V /1000/0/1 /1000/0/3 /1000/0/7;",
	  "0=5 1=b 2=1.5 7=2 8=2.5" },
	{ "/1000/0", STORE_REPLACE, "=!", 0, "D0;V /1000/0/1 /1000/0/3 /1000/0/7;",
	  "0=5 2=1.5 8=2.5" },
	{ "/1000/0", STORE_REPLACE, "0=5 1=a 3/0=x 3/1=y 7=1", 0, "D0;", UNCHANGED },
	{ "/1000/0", STORE_REPLACE, "0=5 1=a 3/1=y 3/2=z 7=1", 0, "D0;V /1000/0/3;",
	  "0=5 1=a 2=1.5 3: 1=y 2=z 7=1 8=2.5" },
	{ "/1000/0", STORE_REPLACE, "0=5 1=a 3=! 7=1", 0, "D0;V /1000/0/3;",
	  "0=5 1=a 2=1.5 3: 7=1 8=2.5" },
	/* A read-only or executable one in the body: 4.05, nothing changes. */
	{ "/1000/0", STORE_REPLACE, "0=6 2=9", -EPERM, "D-1;", UNCHANGED },
	{ "/1000/0", STORE_REPLACE, "0=6 5=s:1", -EPERM, "D-1;", UNCHANGED },
	{ "/1000/0", STORE_UPDATE, "0=6 2=9", -EPERM, "D-1;", UNCHANGED },
	/* Unknown resources of an instance are passed over. */
	{ "/1000/0", STORE_UPDATE, "99=1 0=6 98/1=1", 0, "D0;V /1000/0/0;",
	  "0=6 1=a 2=1.5 3: 0=x 1=y 7=1 8=2.5" },
	{ "/1000/0", STORE_UPDATE, "99=1", 0, "D0;", UNCHANGED },
	{ "/1000/0/99", STORE_UPDATE, "99=1", -ENOENT, "D-2;", UNCHANGED },
	{ "/1000/0/99", STORE_BOOTSTRAP, "99=1", -ENOENT, "D-2;", UNCHANGED },
	/* Partial update adds and overwrites, removes nothing. */
	{ "/1000/0", STORE_UPDATE, "3/5=z 3/1=q 7=4", 0, "D0;V /1000/0/3 /1000/0/7;",
	  "0=5 1=a 2=1.5 3: 0=x 1=q 5=z 7=4 8=2.5" },
	{ "/1000/0", STORE_UPDATE, "0=5 3/0=x", 0, "D0;", UNCHANGED },
	{ "/1000/0", STORE_UPDATE, "3=!", 0, "D0;", UNCHANGED },
	{ "/1000/0", STORE_UPDATE, "9=!", 0, "D0;V /1000/0/9;",
	  "0=5 1=a 2=1.5 3: 0=x 1=y 7=1 8=2.5 9:" },
	/* One resource. */
	{ "/1000/0/0", STORE_REPLACE, "0=6", 0, "D0;V /1000/0/0;",
	  "0=6 1=a 2=1.5 3: 0=x 1=y 7=1 8=2.5" },
	{ "/1000/0/2", STORE_REPLACE, "2=6", -EPERM, "D-1;", UNCHANGED },
	{ "/1000/0/6", STORE_REPLACE, "6=AQID", 0, "D0;V /1000/0/6;",
	  "0=5 1=a 2=1.5 3: 0=x 1=y 6=AQID 7=1 8=2.5" },
	{ "/1000/0/3", STORE_REPLACE, "3/7=z", 0, "D0;V /1000/0/3;",
	  "0=5 1=a 2=1.5 3: 7=z 7=1 8=2.5" },
	{ "/1000/0/3", STORE_REPLACE, "3=!", 0, "D0;V /1000/0/3;", "0=5 1=a 2=1.5 3: 7=1 8=2.5" },
	{ "/1000/0/3", STORE_UPDATE, "3/7=z", 0, "D0;V /1000/0/3;",
	  "0=5 1=a 2=1.5 3: 0=x 1=y 7=z 7=1 8=2.5" },
	{ "/1000/0/3", STORE_REPLACE, "3=s:z", -EINVAL, "D-22;", UNCHANGED },
	/* One resource instance leaves the others alone. */
	{ "/1000/0/3/1", STORE_REPLACE, "3/1=z", 0, "D0;V /1000/0/3;",
	  "0=5 1=a 2=1.5 3: 0=x 1=z 7=1 8=2.5" },
	{ "/1000/0/3/7", STORE_REPLACE, "3/7=z", 0, "D0;V /1000/0/3;",
	  "0=5 1=a 2=1.5 3: 0=x 1=y 7=z 7=1 8=2.5" },
	{ "/1000/0/1/0", STORE_REPLACE, "1/0=z", -EINVAL, "D-22;", UNCHANGED },
	/* Types and ranges: everything is checked before anything is set. */
	{ "/1000/0", STORE_UPDATE, "1=b 0=101", -ERANGE, "D-34;", UNCHANGED },
	{ "/1000/0", STORE_UPDATE, "1=b 0=s:6", -EINVAL, "D-22;", UNCHANGED },
	{ "/1000/0", STORE_UPDATE, "1=b 7=3", -ERANGE, "D-34;", UNCHANGED },
	{ "/1000/0", STORE_UPDATE, "1=123456789", -ERANGE, "D-34;", UNCHANGED },
	{ "/1000/0", STORE_UPDATE, "9/0=9 9/1=10", -ERANGE, "D-34;", UNCHANGED },
	{ "/1000/0", STORE_UPDATE, "0=!", -EINVAL, "D-22;", UNCHANGED },
	{ "/1000/0", STORE_UPDATE, "3/0=!", -EINVAL, "D-22;", UNCHANGED },
	/* Links: an object that is there, an instance that is there, or nothing. */
	{ "/1000/0", STORE_UPDATE, "4=1000:0", 0, "D0;V /1000/0/4;",
	  "0=5 1=a 2=1.5 3: 0=x 1=y 4=1000:0 7=1 8=2.5" },
	{ "/1000/0", STORE_UPDATE, "4=1000:65535", 0, "D0;V /1000/0/4;",
	  "0=5 1=a 2=1.5 3: 0=x 1=y 4=1000:65535 7=1 8=2.5" },
	{ "/1000/0", STORE_UPDATE, "4=65535:65535", 0, "D0;V /1000/0/4;",
	  "0=5 1=a 2=1.5 3: 0=x 1=y 4=65535:65535 7=1 8=2.5" },
	{ "/1000/0", STORE_UPDATE, "4=1000:1", -EINVAL, "D-22;", UNCHANGED },
	{ "/1000/0", STORE_UPDATE, "4=2000:65535", -EINVAL, "D-22;", UNCHANGED },
	{ "/1000/0", STORE_UPDATE, "4=65535:0", -EINVAL, "D-22;", UNCHANGED },
	/* Targets. */
	{ "/1000/1", STORE_UPDATE, "0=6", -ENOENT, "D-2;", UNCHANGED },
	{ "/1000/1", STORE_REPLACE, "0=6", -ENOENT, "D-2;", UNCHANGED },
	{ "/1000/1/0", STORE_REPLACE, "0=6", -ENOENT, "D-2;", UNCHANGED },
	{ "/1000", STORE_UPDATE, "", -ENOENT, "D-2;", UNCHANGED },
	{ "/2000/0", STORE_BOOTSTRAP, "0=6", -ENOENT, "D-2;", UNCHANGED },
	{ "/1000/0/1", STORE_REPLACE, "0=6", -EINVAL, "D-22;", UNCHANGED },
	{ "/1000/0/3/0", STORE_REPLACE, "3/1=z", -EINVAL, "D-22;", UNCHANGED },
	/* Bootstrap ignores operations, overwrites, removes nothing, and takes what is incomplete. */
	{ "/1000/0", STORE_BOOTSTRAP, "2=9 99=1 4=7:7", 0, "D0;V /1000/0/2 /1000/0/4;",
	  "0=5 1=a 2=9 3: 0=x 1=y 4=7:7 7=1 8=2.5" },
	{ "/1000/0/2", STORE_BOOTSTRAP, "2=9", 0, "D0;V /1000/0/2;",
	  "0=5 1=a 2=9 3: 0=x 1=y 7=1 8=2.5" },
	{ "/1000/0", STORE_BOOTSTRAP, "0=101", -ERANGE, "D-34;", UNCHANGED },
	{ "/1000/0", STORE_BOOTSTRAP, "0=s:a", -EINVAL, "D-22;", UNCHANGED },
	/* Create never overwrites. */
	{ "/1000/0", STORE_CREATE, "0=6", -EEXIST, "D-17;", UNCHANGED },
};

START_TEST(follows_the_rules)
{
	const struct row *row = &rows[_i];

	rig_fill(&rig, "/1000/0", BEFORE);
	rig_write(&rig, row->target, row->mode, row->body);
	ck_assert_msg(rig.ended == 1, "%s %s", row->target, row->body);
	ck_assert_str_eq(rig_told(&rig), row->told);
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), row->left);
	/* A refusal of a value says which. */
	if (row->error == -EPERM || row->error == -ERANGE)
		ck_assert_msg(has_prefix(rig.reason, "/1000/0/"), "'%s'", rig.reason);
}
END_TEST

static const struct {
	const char *target;
	enum store_write_mode mode;
	const char *body, *told, *made;
} makings[] = {
	{ "/1000/3", STORE_CREATE, "0=6 1=b", "D0;I /1000/3;V /1000/3/0 /1000/3/1;", "0=6 1=b" },
	/* Read-only values are passed over, their being mandatory is not the server's fault. */
	{ "/1000/3", STORE_CREATE, "0=6 8=1 2=1 5=s:1", "D0;I /1000/3;V /1000/3/0;", "0=6" },
	{ "/1000/3", STORE_CREATE, "0=6 3=! 9/1=1", "D0;I /1000/3;V /1000/3/0 /1000/3/3 /1000/3/9;",
	  "0=6 3: 9: 1=1" },
	{ "/1000/3", STORE_CREATE, "0=6 99=1", "D0;I /1000/3;V /1000/3/0;", "0=6" },
	/* What is mandatory and writable must be there; nothing half is left. */
	{ "/1000/3", STORE_CREATE, "1=b", "D-22;", "-" },
	{ "/1000/3", STORE_CREATE, "", "D-22;", "-" },
	{ "/1000/3", STORE_CREATE, "0=6 1=123456789", "D-34;", "-" },
	{ "/1000/3", STORE_CREATE, "0=6 4=1000:3", "D-22;", "-" },
	/* Bootstrap makes incomplete instances too. */
	{ "/1000/3", STORE_BOOTSTRAP, "1=b 8=1", "D0;I /1000/3;V /1000/3/1 /1000/3/8;", "1=b 8=1" },
	{ "/1000/3/1", STORE_BOOTSTRAP, "1=b", "D0;I /1000/3;V /1000/3/1;", "1=b" },
	{ "/1000/3", STORE_BOOTSTRAP, "=!", "D0;I /1000/3;", "" },
	{ "/1000/3", STORE_BOOTSTRAP, "0=101", "D-34;", "-" },
	{ "/1000/3", STORE_UPDATE, "0=6", "D-2;", "-" },
};

START_TEST(makes_instances)
{
	rig_fill(&rig, "/1000/0", "0=5");
	rig_write(&rig, makings[_i].target, makings[_i].mode, makings[_i].body);
	ck_assert_str_eq(rig_told(&rig), makings[_i].told);
	ck_assert_str_eq(rig_contents(&rig, "/1000/3"), makings[_i].made);
}
END_TEST

/* ---- limits ---- */

START_TEST(bounds_instances)
{
	char target[PATH_TEXT_MAX];

	ck_assert_int_eq(store_add_object(rig.store, rig.object), 0);
	for (unsigned i = 0; i < STORE_INSTANCES_MAX; i++)
		ck_assert_int_eq(store_add_instance(rig.store, rig.object, i), 0);
	rig_told(&rig);
	snprintf(target, sizeof(target), "/1000/%u", STORE_INSTANCES_MAX);
	rig_write(&rig, target, STORE_CREATE, "0=6");
	rig_write(&rig, target, STORE_BOOTSTRAP, "0=6");
	ck_assert_str_eq(rig_told(&rig), "D-28;D-28;");
	ck_assert_str_eq(rig_contents(&rig, target), "-");
	/* What is there can be written all the same. */
	rig_write(&rig, "/1000/0", STORE_BOOTSTRAP, "0=6");
	ck_assert_str_eq(rig_told(&rig), "D0;V /1000/0/0;");
}
END_TEST

static void write_slots(enum store_write_mode mode, unsigned from, unsigned n)
{
	_cleanup_records_ struct records records = { 0 };
	struct path target = rig_path("/1000/0");

	for (unsigned i = 0; i < n; i++) {
		struct path path = path_of_resource_instance(1000, 0, 9, from + i);
		struct value value = value_integer(i % 10);

		ck_assert_int_eq(records_add(&records, &path, &value, 0), 0);
	}
	store_write(rig.store, &target, mode, records.items, records.n, rig_done, &rig);
}

START_TEST(bounds_resource_instances)
{
	rig_fill(&rig, "/1000/0", "0=5 9/60000=1");
	write_slots(STORE_UPDATE, 0, STORE_RESOURCE_INSTANCES_MAX);
	ck_assert_str_eq(rig_told(&rig), "D-28;");
	ck_assert_str_eq(rig.reason, "/1000/0/9/1023");
	write_slots(STORE_UPDATE, 0, STORE_RESOURCE_INSTANCES_MAX - 1);
	ck_assert_str_eq(rig_told(&rig), "D0;V /1000/0/9;");
	rig_write(&rig, "/1000/0/9/50000", STORE_UPDATE, "9/50000=1");
	ck_assert_str_eq(rig_told(&rig), "D-28;");
	rig_write(&rig, "/1000/0/9/60000", STORE_UPDATE, "9/60000=2");
	ck_assert_str_eq(rig_told(&rig), "D0;V /1000/0/9;");
	/* A new array takes the place of the old one. */
	write_slots(STORE_REPLACE, 10000, STORE_RESOURCE_INSTANCES_MAX);
	ck_assert_str_eq(rig_told(&rig), "D0;V /1000/0/9;");
	write_slots(STORE_REPLACE, 10000, STORE_RESOURCE_INSTANCES_MAX + 1);
	ck_assert_str_eq(rig_told(&rig), "D-28;");
}
END_TEST

static void write_key(const char *instance, size_t size, int expected)
{
	struct path target = rig_path(instance), path = path_child(&target, 6);
	char *bytes = calloc(1, size), wanted[32];
	struct record record = { .path = path };

	ck_assert_ptr_nonnull(bytes);
	ck_assert_int_eq(value_set_bytes(&record.value, VALUE_OPAQUE, bytes, size), 0);
	store_write(rig.store, &target, STORE_UPDATE, &record, 1, rig_done, &rig);
	snprintf(wanted, sizeof(wanted), "D%d;", expected);
	ck_assert_msg(has_prefix(rig_told(&rig), wanted), "%s %zu", instance, size);
	value_done(&record.value);
	free(bytes);
}

START_TEST(bounds_bytes)
{
	const unsigned quarter = STORE_BYTES_MAX / 4;

	for (unsigned i = 0; i < 4; i++)
		rig_fill(&rig, (char[]){ "/1000/0\0/1000/1\0/1000/2\0/1000/3" } + i * 8, "0=5");
	write_key("/1000/0", quarter, 0);
	write_key("/1000/1", quarter, 0);
	write_key("/1000/2", quarter, 0);
	rig_write(&rig, "/1000/3", STORE_UPDATE, "3/0=abc 3/1=d");
	ck_assert_str_eq(rig_told(&rig), "D0;V /1000/3/3;");
	write_key("/1000/3", quarter - 3, -ENOSPC);
	write_key("/1000/3", quarter - 4, 0);
	/* Full: numbers can be written all the same, and room can be made. */
	rig_write(&rig, "/1000/3", STORE_UPDATE, "1=x");
	rig_write(&rig, "/1000/3", STORE_UPDATE, "0=6");
	ck_assert_str_eq(rig_told(&rig), "D-28;D0;V /1000/3/0;");
	ck_assert_int_eq(store_remove_instance(rig.store, 1000, 0), 0);
	rig_told(&rig);
	rig_write(&rig, "/1000/3", STORE_UPDATE, "1=x");
	ck_assert_str_eq(rig_told(&rig), "D0;V /1000/3/1;");
}
END_TEST

/* ---- delete ---- */

static const struct {
	const char *path;
	int error;
	const char *told, *left;
} deletions[] = {
	{ "/1000/0", 0, "I /1000/0;", "-" },
	{ "/1000/1", -ENOENT, "", UNCHANGED },
	{ "/1000/0/3/1", 0, "V /1000/0/3;", "0=5 1=a 2=1.5 3: 0=x 7=1 8=2.5" },
	{ "/1000/0/3/2", -ENOENT, "", UNCHANGED },
	{ "/1000/0/3", -EPERM, "", UNCHANGED },
	{ "/1000/0/1", -EPERM, "", UNCHANGED },
	{ "/1000", -EPERM, "", UNCHANGED },
	{ "/", -EPERM, "", UNCHANGED },
};

START_TEST(deletes)
{
	struct path path = rig_path(deletions[_i].path);

	rig_fill(&rig, "/1000/0", BEFORE);
	ck_assert_int_eq(store_delete(rig.store, &path), deletions[_i].error);
	ck_assert_str_eq(rig_told(&rig), deletions[_i].told);
	ck_assert_str_eq(rig_contents(&rig, "/1000/0"), deletions[_i].left);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("write");
	TCase *tcase = tcase_create("write");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, follows_the_rules, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tcase, makes_instances, 0, ARRAY_SIZE(makings));
	tcase_add_test(tcase, bounds_instances);
	tcase_add_test(tcase, bounds_resource_instances);
	tcase_add_test(tcase, bounds_bytes);
	tcase_add_loop_test(tcase, deletes, 0, ARRAY_SIZE(deletions));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
