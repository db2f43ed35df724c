/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>

#include "plugins/modbus/point.h"
#include "setup.h"

static int compile(struct fieldway_settings settings, bool writable, struct point *ret,
		   struct fieldway_error *error)
{
	struct fieldway_point from = { .name = "p", .readable = true, .writable = writable, .settings = settings };

	return point_compile(&from, ret, error);
}

#define ck_compiles(p, writable, ...)                                                          \
	do {                                                                                   \
		struct fieldway_error _e = { 0 };                                              \
		ck_assert_msg(compile(SETTINGS(__VA_ARGS__), writable, &(p), &_e) == 0, "%s", _e.text); \
	} while (0)

#define ck_refused(expected, writable, ...)                                                     \
	do {                                                                                    \
		struct fieldway_error _e = { 0 };                                               \
		struct point _p = { .length = 4711 };                                           \
		ck_assert_int_eq(compile(SETTINGS(__VA_ARGS__), writable, &_p, &_e), -EINVAL);  \
		ck_assert_str_eq(_e.key, expected);                                             \
		ck_assert_int_eq(_e.point, -1);                                                 \
		ck_assert_uint_gt(strlen(_e.text), 5);                                          \
		ck_assert_uint_eq(_p.length, 4711);                                             \
	} while (0)

START_TEST(defaults_depend_on_the_area)
{
	struct point p;

	ck_compiles(p, false, UINT("address", 7));
	ck_assert_int_eq(p.area, AREA_HOLDING);
	ck_assert_int_eq(p.data, DATA_UINT16);
	ck_assert_uint_eq(p.address, 7);
	ck_assert_uint_eq(p.count, 1);
	ck_assert_int_eq(p.bit, -1);
	ck_compiles(p, true, TEXT("area", "coil"), UINT("address", 65535));
	ck_assert_int_eq(p.data, DATA_BOOL);
	ck_assert_int_eq(p.write.function, FUNCTION_WRITE_COIL);
	ck_assert_uint_eq(p.write.address, 65535);
}
END_TEST

START_TEST(functions_follow_the_size)
{
	struct point p;

	ck_compiles(p, true, UINT("address", 100));
	ck_assert_int_eq(p.write.function, FUNCTION_WRITE_REGISTER);
	ck_compiles(p, true, UINT("address", 100), TEXT("type", "int32"));
	ck_assert_int_eq(p.write.function, FUNCTION_WRITE_REGISTERS);
	ck_compiles(p, true, UINT("address", 100), UINT("write.address", 2100), UINT("write.function", 16));
	ck_assert_int_eq(p.write.function, FUNCTION_WRITE_REGISTERS);
	ck_assert_uint_eq(p.write.address, 2100);
	ck_compiles(p, true, TEXT("area", "input"), UINT("address", 1), UINT("write.address", 9));
	ck_assert_int_eq(p.write.function, FUNCTION_WRITE_REGISTER);
	ck_compiles(p, true, TEXT("area", "coil"), UINT("address", 1), UINT("write.function", 15));
	ck_assert_int_eq(p.write.function, FUNCTION_WRITE_COILS);
}
END_TEST

START_TEST(sizes_of_the_types)
{
	static const struct {
		const char *type;
		unsigned count;
	} rows[] = { { "bool", 1 },   { "int16", 1 },  { "uint16", 1 },	 { "int32", 2 },   { "uint32", 2 },
		     { "int64", 4 },  { "uint64", 4 }, { "float32", 2 }, { "float64", 4 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct point p;

		ck_compiles(p, false, UINT("address", 0), TEXT("type", rows[i].type));
		ck_assert_msg(p.count == rows[i].count, "%s", rows[i].type);
		ck_compiles(p, false, UINT("address", 65536 - rows[i].count), TEXT("type", rows[i].type));
		if (rows[i].count > 1)
			ck_refused("address", false, UINT("address", 65537 - rows[i].count),
				   TEXT("type", rows[i].type));
	}
}
END_TEST

START_TEST(strings_have_a_length)
{
	struct point p;

	ck_compiles(p, true, UINT("address", 0), TEXT("type", "string"), UINT("length", 7));
	ck_assert_uint_eq(p.count, 4);
	ck_assert_uint_eq(p.length, 7);
	ck_compiles(p, false, UINT("address", 0), TEXT("type", "string"), UINT("length", 250));
	ck_assert_uint_eq(p.count, 125);
	ck_refused("length", false, UINT("address", 0), TEXT("type", "string"));
	ck_refused("length", false, UINT("address", 0), TEXT("type", "string"), UINT("length", 251));
	ck_refused("length", true, UINT("address", 0), TEXT("type", "string"), UINT("length", 250));
	ck_refused("length", false, UINT("address", 0), UINT("length", 4));
}
END_TEST

START_TEST(bits_are_of_integers)
{
	struct point p;

	ck_compiles(p, false, UINT("address", 120), UINT("bit", 15));
	ck_assert_int_eq(p.bit, 15);
	ck_compiles(p, false, UINT("address", 120), TEXT("type", "bool"), UINT("bit", 3));
	ck_assert_int_eq(p.data, DATA_UINT16);
	ck_compiles(p, false, UINT("address", 120), TEXT("type", "uint64"), UINT("bit", 63));
	ck_refused("bit", false, UINT("address", 120), UINT("bit", 16));
	ck_refused("bit", false, UINT("address", 120), TEXT("type", "float32"), UINT("bit", 1));
	ck_refused("bit", false, UINT("address", 120), TEXT("area", "coil"), UINT("bit", 0));
	ck_refused("bit", true, UINT("address", 120), UINT("bit", 0));
}
END_TEST

START_TEST(wrong_settings)
{
	ck_refused("address", false, TEXT("area", "input"));
	ck_refused("address", false, UINT("address", 65536));
	ck_refused("area", false, TEXT("area", "coils"), UINT("address", 1));
	ck_refused("type", false, TEXT("type", "float"), UINT("address", 1));
	ck_refused("type", false, TEXT("area", "discrete"), TEXT("type", "float32"), UINT("address", 1));
	ck_refused("order", false, TEXT("order", "ABDC"), UINT("address", 1));
	ck_refused("area", true, TEXT("area", "discrete"), UINT("address", 1));
	ck_refused("area", true, TEXT("area", "input"), UINT("address", 1));
	ck_refused("write.address", true, UINT("address", 1), UINT("write.address", 65536));
	ck_refused("write.function", true, UINT("address", 1), UINT("write.function", 5));
	ck_refused("write.function", true, UINT("address", 1), UINT("write.function", 7));
	ck_refused("write.function", true, UINT("address", 1), TEXT("type", "int32"), UINT("write.function", 6));
	ck_refused("write.function", true, TEXT("area", "coil"), UINT("address", 1), UINT("write.function", 16));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("modbus/point");
	TCase *t = tcase_create("compile");
	SRunner *runner;
	int failed;

	tcase_add_test(t, defaults_depend_on_the_area);
	tcase_add_test(t, functions_follow_the_size);
	tcase_add_test(t, sizes_of_the_types);
	tcase_add_test(t, strings_have_a_length);
	tcase_add_test(t, bits_are_of_integers);
	tcase_add_test(t, wrong_settings);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
