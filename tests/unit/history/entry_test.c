/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "history/entry.h"

/* How values and times become bytes, and come back. */

static void check_round_trip(const struct value *value)
{
	struct entry_cursor at = { .id = 41 }, back = at;
	_cleanup_buf_ struct buf out = { 0 };
	_cleanup_value_ struct value again = { 0 };
	struct history_entry e;
	struct span in;

	ck_assert_int_eq(entries_put_record(&out, &at, ENTRY_RECORD, 7, 42, UINT64_C(1790000000123), value), 0);
	in = span_of(out.data, out.size);
	ck_assert_int_eq(entries_next(&in, &back, &e), 1);
	ck_assert_int_eq(e.kind, ENTRY_RECORD);
	ck_assert_uint_eq(e.series, 7);
	ck_assert_uint_eq(e.id, 42);
	ck_assert_uint_eq(e.time_msec, UINT64_C(1790000000123));
	ck_assert_int_eq(entries_value(&e, &again), 0);
	ck_assert(value_equal(value, &again));
	ck_assert_int_eq(entries_next(&in, &back, &e), 0);
}

START_TEST(values_come_back)
{
	const struct value values[] = {
		value_integer(0),	  value_integer(-1),	    value_integer(INT64_MIN),  value_integer(INT64_MAX),
		value_unsigned(0),	  value_unsigned(UINT64_MAX), value_float(21.5),	       value_float(230.2),
		value_float(-1e300),	  value_boolean(true),	    value_boolean(false),      value_time(1790000000),
		value_objlnk(3, 65535),
	};
	struct value text = { 0 };

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		check_round_trip(&values[i]);
	ck_assert_int_eq(value_set_string(&text, "warm"), 0);
	check_round_trip(&text);
	value_done(&text);
	ck_assert_int_eq(value_set_bytes(&text, VALUE_OPAQUE, "\0\1\2", 3), 0);
	check_round_trip(&text);
	value_done(&text);
}
END_TEST

START_TEST(steps_go_both_ways)
{
	static const uint64_t times[] = { 1000, 999, 5000000, 0, UINT64_C(1790000000000) };
	struct entry_cursor at = { 0 }, back = { 0 };
	_cleanup_buf_ struct buf out = { 0 };
	const struct value v = value_integer(1);
	struct history_entry e;
	struct span in;

	for (unsigned i = 0; i < 5; i++)
		ck_assert_int_eq(entries_put_record(&out, &at, ENTRY_RECORD_BOOT, 0, 10 * (i + 1), times[i], &v), 0);
	in = span_of(out.data, out.size);
	for (unsigned i = 0; i < 5; i++) {
		ck_assert_int_eq(entries_next(&in, &back, &e), 1);
		ck_assert_uint_eq(e.time_msec, times[i]);
		ck_assert_uint_eq(e.id, 10 * (i + 1));
	}
}
END_TEST

START_TEST(series_come_back)
{
	const struct path path = path_of_resource_instance(3, 0, 7, 65534);
	struct entry_cursor back = { 0 };
	_cleanup_buf_ struct buf out = { 0 };
	struct history_entry e;
	struct span in;

	ck_assert_int_eq(entries_put_series(&out, 300, 101, &path, "gw7-em1"), 0);
	in = span_of(out.data, out.size);
	ck_assert_int_eq(entries_next(&in, &back, &e), 1);
	ck_assert_int_eq(e.kind, ENTRY_SERIES);
	ck_assert_uint_eq(e.series, 300);
	ck_assert_uint_eq(e.short_id, 101);
	ck_assert(path_equal(&e.path, &path));
	ck_assert_uint_eq(e.name.n, 7);
	ck_assert_mem_eq(e.name.p, "gw7-em1", 7);
}
END_TEST

/* 300 of a counter each 5 minutes: what the bounds of the guide count on. */
START_TEST(a_reading_is_short)
{
	struct entry_cursor at = { 0 };
	_cleanup_buf_ struct buf out = { 0 };
	struct value v;

	for (uint64_t i = 0; i < 300; i++) {
		v = value_float(230.0 + (double)(i % 10) / 4);
		ck_assert_int_eq(entries_put_record(&out, &at, ENTRY_RECORD, 0, i + 1, UINT64_C(1790000000000) + i * 300000, &v), 0);
	}
	ck_assert_uint_le(out.size, 300 * 12);
}
END_TEST

/* Whatever the bytes are: an end or an error. */
START_TEST(damaged_bytes_are_no_trouble)
{
	unsigned seed = (unsigned)time(NULL);
	uint8_t bytes[64];

	for (unsigned round = 0; round < 20000; round++) {
		struct span in = span_of(bytes, 1 + (size_t)rand_r(&seed) % sizeof(bytes));
		struct entry_cursor at = { 0 };
		struct history_entry e;
		int r;

		for (size_t i = 0; i < in.n; i++)
			bytes[i] = (uint8_t)(rand_r(&seed) % (i < 2 ? 4 : 256));
		while ((r = entries_next(&in, &at, &e)) > 0) {
			_cleanup_value_ struct value v = { 0 };

			if (e.kind != ENTRY_SERIES)
				ck_assert_int_eq(entries_value(&e, &v), 0);
			else
				ck_assert_uint_le(e.name.n, sizeof(bytes));
		}
		ck_assert_int_le(r, 0);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("entry");
	TCase *tcase = tcase_create("entry");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, values_come_back);
	tcase_add_test(tcase, steps_go_both_ways);
	tcase_add_test(tcase, series_come_back);
	tcase_add_test(tcase, a_reading_is_short);
	tcase_add_test(tcase, damaged_bytes_are_no_trouble);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
