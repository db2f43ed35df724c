/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>

#include "plugins/modbus/point.h"
#include "setup.h"

/* As a device has it that says nothing. */
static struct point_rules rules;

static void setup(void)
{
	rules = (struct point_rules){ .max_write_registers = MAX_WRITE_REGISTERS };
}

static int compile(struct fieldway_settings settings, bool writable, struct point *ret,
		   struct fieldway_error *error)
{
	struct fieldway_point from = { .name = "p", .readable = true, .writable = writable, .settings = settings };

	return point_compile(&from, &rules, ret, error);
}

#define ck_compiles(p, writable, ...)                                                          \
	do {                                                                                   \
		struct fieldway_error _e = { 0 };                                              \
		ck_assert_msg(compile(SETTINGS(__VA_ARGS__), writable, &(p), &_e) == 0, "%s", _e.text); \
	} while (0)

#define ck_refused(expected, writable, ...)                                                     \
	do {                                                                                    \
		struct fieldway_error _e = { 0 };                                               \
		struct point _p = { .count = 4711 };                                           \
		ck_assert_int_eq(compile(SETTINGS(__VA_ARGS__), writable, &_p, &_e), -EINVAL);  \
		ck_assert_str_eq(_e.key, expected);                                             \
		ck_assert_int_eq(_e.point, -1);                                                 \
		ck_assert_uint_gt(strlen(_e.text), 5);                                          \
		ck_assert_uint_eq(_p.count, 4711);                                             \
	} while (0)

START_TEST(defaults_depend_on_the_area)
{
	struct point p;

	ck_compiles(p, false, UINT("address", 7));
	ck_assert_int_eq(p.area, AREA_HOLDING);
	ck_assert_int_eq(p.layout.type, LAYOUT_UINT16);
	ck_assert_uint_eq(p.address, 7);
	ck_assert_uint_eq(p.count, 1);
	ck_assert(!layout_is_partial(&p.layout));
	ck_compiles(p, true, TEXT("area", "coil"), UINT("address", 65535));
	ck_assert_int_eq(p.layout.type, LAYOUT_BOOL);
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
	ck_assert_uint_eq(p.layout.length, 7);
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
	ck_assert_uint_eq(p.layout.mask, 0x8000);
	ck_compiles(p, false, UINT("address", 120), TEXT("type", "bool"), UINT("bit", 3));
	ck_assert_int_eq(p.layout.type, LAYOUT_UINT16);
	ck_compiles(p, false, UINT("address", 120), TEXT("type", "uint64"), UINT("bit", 63));
	ck_refused("bit", false, UINT("address", 120), UINT("bit", 16));
	ck_refused("bit", false, UINT("address", 120), TEXT("type", "float32"), UINT("bit", 1));
	ck_refused("bit", false, UINT("address", 120), TEXT("area", "coil"), UINT("bit", 0));
}
END_TEST

START_TEST(bits_and_masks_are_written)
{
	struct point p;

	ck_compiles(p, true, UINT("address", 120), UINT("bit", 3));
	ck_assert_int_eq(p.write.function, FUNCTION_MASK_REGISTER);
	ck_assert(!point_is_merged(&p));
	ck_compiles(p, true, UINT("address", 120), UINT("mask", 0x0ff0), UINT("write.address", 9));
	ck_assert_int_eq(p.write.function, FUNCTION_MASK_REGISTER);
	ck_assert_uint_eq(p.write.address, 9);
	ck_compiles(p, true, UINT("address", 120), UINT("bit", 3), UINT("write.function", 6));
	ck_assert(point_is_merged(&p));
	ck_compiles(p, true, UINT("address", 120), TEXT("type", "uint32"), UINT("mask", 0x00ffff00), UINT("write.function", 16));
	ck_assert(point_is_merged(&p));
	ck_assert_uint_eq(p.count, 2);
	ck_refused("write.function", true, UINT("address", 120), TEXT("type", "uint32"), UINT("bit", 3));
	ck_refused("write.function", true, UINT("address", 120), UINT("write.function", 22));
	ck_refused("write.function", true, UINT("address", 120), UINT("bit", 3), UINT("write.function", 23));
	ck_refused("write.function", true, TEXT("area", "coil"), UINT("address", 120), UINT("write.function", 22));
}
END_TEST

START_TEST(written_and_read_back)
{
	struct point p;

	ck_compiles(p, true, UINT("address", 1), UINT("write.function", 23));
	ck_compiles(p, true, UINT("address", 1), TEXT("type", "string"), UINT("length", 242), UINT("write.function", 23));
	ck_assert_uint_eq(p.count, 121);
	ck_refused("write.function", true, UINT("address", 1), TEXT("type", "string"), UINT("length", 243), UINT("write.function", 23));
	ck_refused("write.function", true, TEXT("area", "input"), UINT("address", 1), UINT("write.address", 1), UINT("write.function", 23));
}
END_TEST

START_TEST(small_writes)
{
	struct point p;

	rules.max_write_registers = 2;
	ck_compiles(p, true, UINT("address", 1), TEXT("type", "int32"));
	ck_refused("max_write_registers", true, UINT("address", 1), TEXT("type", "int64"));
}
END_TEST

static const struct {
	enum address_base base;
	const char *area;
	uint64_t address;
	enum area expected_area;
	int expected; /* -1: refused */
} addresses[] = {
	{ ADDRESS_BASE_0, "holding", 0, AREA_HOLDING, 0 },
	{ ADDRESS_BASE_1, "holding", 1, AREA_HOLDING, 0 },
	{ ADDRESS_BASE_1, "coil", 65536, AREA_COIL, 65535 },
	{ ADDRESS_BASE_1, "input", 0, AREA_INPUT, -1 },
	{ ADDRESS_BASE_1, "input", 65537, AREA_INPUT, -1 },
	{ ADDRESS_BASE_MODICON, "holding", 40001, AREA_HOLDING, 0 },
	{ ADDRESS_BASE_MODICON, "holding", 49999, AREA_HOLDING, 9998 },
	{ ADDRESS_BASE_MODICON, "holding", 400001, AREA_HOLDING, 0 },
	{ ADDRESS_BASE_MODICON, "holding", 465536, AREA_HOLDING, 65535 },
	{ ADDRESS_BASE_MODICON, "holding", 30005, AREA_INPUT, 4 },
	{ ADDRESS_BASE_MODICON, "input", 365536, AREA_INPUT, 65535 },
	{ ADDRESS_BASE_MODICON, "discrete", 10001, AREA_DISCRETE, 0 },
	{ ADDRESS_BASE_MODICON, "holding", 100002, AREA_DISCRETE, 1 },
	{ ADDRESS_BASE_MODICON, "coil", 1, AREA_COIL, 0 },
	{ ADDRESS_BASE_MODICON, "coil", 9999, AREA_COIL, 9998 },
	{ ADDRESS_BASE_MODICON, "holding", 0, AREA_HOLDING, -1 },
	{ ADDRESS_BASE_MODICON, "holding", 40000, AREA_HOLDING, -1 },
	{ ADDRESS_BASE_MODICON, "holding", 20001, AREA_HOLDING, -1 },
	{ ADDRESS_BASE_MODICON, "holding", 465537, AREA_HOLDING, -1 },
	{ ADDRESS_BASE_MODICON, "input", 40001, AREA_INPUT, -1 },
};

START_TEST(manuals_count_in_many_ways)
{
	const struct fieldway_point from = { .name = "p", .readable = true,
					     .settings = SETTINGS(TEXT("area", addresses[_i].area),
								  UINT("address", addresses[_i].address)) };
	struct fieldway_error error = { 0 };
	struct point p;
	int r;

	rules.address_base = addresses[_i].base;
	r = point_compile(&from, &rules, &p, &error);
	ck_assert_int_eq(r, addresses[_i].expected < 0 ? -EINVAL : 0);
	if (r < 0)
		return;
	ck_assert_int_eq(p.area, addresses[_i].expected_area);
	ck_assert_uint_eq(p.address, addresses[_i].expected);
}
END_TEST

START_TEST(bases_hold_for_writes_too)
{
	struct point p;

	rules.address_base = ADDRESS_BASE_MODICON;
	ck_compiles(p, true, UINT("address", 30005), UINT("write.address", 40007));
	ck_assert_uint_eq(p.write.address, 6);
	ck_compiles(p, true, UINT("address", 10001), UINT("write.address", 2));
	ck_assert_int_eq(p.area, AREA_DISCRETE);
	ck_assert_uint_eq(p.write.address, 1);
	ck_refused("write.address", true, UINT("address", 30005), UINT("write.address", 30007));
	ck_refused("area", true, UINT("address", 10001), UINT("write.address", 40007));
	rules.address_base = ADDRESS_BASE_1;
	rules.offset = 1000;
	ck_compiles(p, true, UINT("address", 1), UINT("write.address", 10));
	ck_assert_uint_eq(p.address, 1000);
	ck_assert_uint_eq(p.write.address, 1009);
	ck_refused("address", false, UINT("address", 65000));
	/* Whatever the manual counts from: tables of models count from the model. */
	rules.offset = 0;
	rules.has_models = true;
	ck_compiles(p, true, UINT("model", 103), UINT("address", 14), UINT("write.address", 0));
	ck_assert_uint_eq(p.address, 14);
	ck_assert_uint_eq(p.write.address, 0);
}
END_TEST

START_TEST(models_need_a_base)
{
	struct point p;

	ck_refused("model", false, UINT("model", 103), UINT("address", 14));
	rules.has_models = true;
	ck_compiles(p, false, UINT("model", 103), UINT("address", 14));
	ck_assert_uint_eq(p.model, 1);
	ck_refused("model", false, TEXT("area", "input"), UINT("model", 103), UINT("address", 14));
	ck_refused("occurrence", false, UINT("occurrence", 2), UINT("address", 14));
	ck_refused("address", false, UINT("model", 103));
}
END_TEST

START_TEST(objects_of_the_identification)
{
	struct point p;

	ck_compiles(p, false, TEXT("area", "identification"), TEXT("object", "revision"));
	ck_assert_uint_eq(p.address, 2);
	ck_assert_int_eq(p.layout.type, LAYOUT_STRING);
	ck_compiles(p, false, TEXT("area", "identification"), TEXT("object", "255"), TEXT("type", "bytes"));
	ck_assert_uint_eq(p.address, 255);
	ck_refused("object", false, TEXT("area", "identification"));
	ck_refused("object", false, TEXT("area", "identification"), TEXT("object", "256"));
	ck_refused("object", false, TEXT("area", "identification"), TEXT("object", "serial"));
	ck_refused("object", false, TEXT("area", "identification"), TEXT("object", "1x"));
	ck_refused("type", false, TEXT("area", "identification"), TEXT("object", "0"), TEXT("type", "uint16"));
	ck_refused("object", false, UINT("address", 1), TEXT("object", "revision"));
	ck_refused("address", false, TEXT("area", "identification"), TEXT("object", "0"), UINT("address", 1));
	ck_refused("area", true, TEXT("area", "identification"), TEXT("object", "0"));
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

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, defaults_depend_on_the_area);
	tcase_add_test(t, functions_follow_the_size);
	tcase_add_test(t, sizes_of_the_types);
	tcase_add_test(t, strings_have_a_length);
	tcase_add_test(t, bits_are_of_integers);
	tcase_add_test(t, bits_and_masks_are_written);
	tcase_add_test(t, written_and_read_back);
	tcase_add_test(t, small_writes);
	tcase_add_loop_test(t, manuals_count_in_many_ways, 0, sizeof(addresses) / sizeof(addresses[0]));
	tcase_add_test(t, bases_hold_for_writes_too);
	tcase_add_test(t, models_need_a_base);
	tcase_add_test(t, objects_of_the_identification);
	tcase_add_test(t, wrong_settings);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
