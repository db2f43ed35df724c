/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "model/record.h"

START_TEST(takes_values_over)
{
	_cleanup_records_ struct records records = { 0 };
	const struct path a = path_of_resource(3, 0, 0), b = path_of_resource(3, 0, 1),
			  c = path_of_resource(3, 0, 2);
	struct value v = { 0 }, n = value_integer(7);

	ck_assert_int_eq(value_set_string(&v, "ACME"), 0);
	ck_assert_int_eq(records_add(&records, &a, &v, 5), 0);
	ck_assert_int_eq(v.type, VALUE_NONE);
	ck_assert_int_eq(records_add_copy(&records, &b, &n, 0), 0);
	ck_assert_int_eq(n.integer, 7);
	ck_assert_uint_eq(records.n, 2);
	ck_assert_str_eq(records_find(&records, &a)->value.data, "ACME");
	ck_assert_uint_eq(records_find(&records, &a)->boottime_usec, 5);
	ck_assert_int_eq(records_find(&records, &b)->value.integer, 7);
	ck_assert_ptr_null(records_find(&records, &c));
}
END_TEST

START_TEST(keeps_copies_of_its_own)
{
	_cleanup_records_ struct records records = { 0 };
	const struct path path = path_of_resource(3, 0, 0);
	struct value v = { 0 };

	ck_assert_int_eq(value_set_string(&v, "before"), 0);
	ck_assert_int_eq(records_add_copy(&records, &path, &v, 0), 0);
	v.data[0] = 'B';
	value_done(&v);
	ck_assert_str_eq(records.items[0].value.data, "before");
}
END_TEST

START_TEST(is_bounded)
{
	_cleanup_records_ struct records records = { 0 };
	struct path path = path_of_resource(3, 0, 0);
	struct value v = { 0 };

	for (unsigned i = 0; i < RECORDS_MAX; i++) {
		struct value n = value_integer(i);

		path.resource = i;
		ck_assert_int_eq(records_add(&records, &path, &n, 0), 0);
	}
	/* A value that finds no place is freed all the same. */
	ck_assert_int_eq(value_set_string(&v, "too much"), 0);
	ck_assert_int_eq(records_add(&records, &path, &v, 0), -E2BIG);
	ck_assert_int_eq(v.type, VALUE_NONE);
	ck_assert_int_eq(value_set_string(&v, "too much"), 0);
	ck_assert_int_eq(records_add_copy(&records, &path, &v, 0), -E2BIG);
	value_done(&v);
	ck_assert_uint_eq(records.n, RECORDS_MAX);
	ck_assert_int_eq(records.items[RECORDS_MAX - 1].value.integer, RECORDS_MAX - 1);
}
END_TEST

START_TEST(is_empty_afterwards)
{
	const struct path path = path_of_resource(3, 0, 0);
	struct records records = { 0 };
	struct value v = value_boolean(true);

	ck_assert_int_eq(records_add(&records, &path, &v, 0), 0);
	records_done(&records);
	ck_assert_uint_eq(records.n, 0);
	ck_assert_ptr_null(records_find(&records, &path));
	records_done(&records);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("record");
	TCase *tcase = tcase_create("record");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, takes_values_over);
	tcase_add_test(tcase, keeps_copies_of_its_own);
	tcase_add_test(tcase, is_bounded);
	tcase_add_test(tcase, is_empty_afterwards);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
