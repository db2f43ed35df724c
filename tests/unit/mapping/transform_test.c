/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "mapping/transform.h"

/* 2^53 + 1: the first integer that no double holds. */
#define BEYOND INT64_C(9007199254740993)

#define BOOL(v) { .type = FIELDWAY_BOOL, .boolean = v }
#define INT(v) { .type = FIELDWAY_INT, .integer = v }
#define UINT(v) { .type = FIELDWAY_UINT, .unsignd = v }
#define REAL(v) { .type = FIELDWAY_FLOAT, .real = v }
#define TEXT(v) { .type = FIELDWAY_STRING, .data = v, .size = sizeof(v) - 1 }
#define BYTES(v) { .type = FIELDWAY_BYTES, .data = v, .size = sizeof(v) - 1 }

/* The resource's value as text (content format 0), or NULL and the error. */
struct forward {
	struct fieldway_value from;
	enum value_type type;
	const char *text;
	int error;
};

static void check_text(const struct value *v, enum value_type type, const char *text)
{
	_cleanup_free_ char *got = NULL;

	ck_assert_int_eq(v->type, type);
	ck_assert_int_eq(value_format_text(v, &got), 0);
	ck_assert_str_eq(got, text);
}

static const struct forward pairs[] = {
	{ BOOL(true), VALUE_STRING, "1", 0 },
	{ BOOL(true), VALUE_INTEGER, "1", 0 },
	{ BOOL(true), VALUE_UNSIGNED, "1", 0 },
	{ BOOL(true), VALUE_FLOAT, "1", 0 },
	{ BOOL(true), VALUE_BOOLEAN, "1", 0 },
	{ BOOL(false), VALUE_BOOLEAN, "0", 0 },
	{ BOOL(true), VALUE_TIME, "1", 0 },
	{ BOOL(true), VALUE_OPAQUE, NULL, -EINVAL },
	{ BOOL(true), VALUE_CORELNK, NULL, -EINVAL },
	{ BOOL(true), VALUE_OBJLNK, NULL, -EINVAL },
	{ BOOL(true), VALUE_NONE, NULL, -EINVAL },

	{ INT(-7), VALUE_STRING, "-7", 0 },
	{ INT(-7), VALUE_INTEGER, "-7", 0 },
	{ INT(7), VALUE_UNSIGNED, "7", 0 },
	{ INT(-7), VALUE_UNSIGNED, NULL, -ERANGE },
	{ INT(-7), VALUE_FLOAT, "-7", 0 },
	{ INT(-7), VALUE_BOOLEAN, "1", 0 },
	{ INT(0), VALUE_BOOLEAN, "0", 0 },
	{ INT(1700000000), VALUE_TIME, "1700000000", 0 },
	{ INT(7), VALUE_OPAQUE, NULL, -EINVAL },
	{ INT(7), VALUE_CORELNK, NULL, -EINVAL },
	{ INT(7), VALUE_OBJLNK, NULL, -EINVAL },
	{ INT(BEYOND), VALUE_INTEGER, "9007199254740993", 0 },
	{ INT(BEYOND), VALUE_STRING, "9007199254740993", 0 },
	{ INT(BEYOND), VALUE_UNSIGNED, "9007199254740993", 0 },
	{ INT(BEYOND), VALUE_FLOAT, "9007199254740992", 0 }, /* its magnitude */
	{ INT(INT64_MIN), VALUE_INTEGER, "-9223372036854775808", 0 },

	{ UINT(7), VALUE_STRING, "7", 0 },
	{ UINT(7), VALUE_INTEGER, "7", 0 },
	{ UINT(7), VALUE_UNSIGNED, "7", 0 },
	{ UINT(7), VALUE_FLOAT, "7", 0 },
	{ UINT(7), VALUE_BOOLEAN, "1", 0 },
	{ UINT(7), VALUE_TIME, "7", 0 },
	{ UINT(7), VALUE_OPAQUE, NULL, -EINVAL },
	{ UINT(7), VALUE_CORELNK, NULL, -EINVAL },
	{ UINT(UINT64_MAX), VALUE_UNSIGNED, "18446744073709551615", 0 },
	{ UINT(UINT64_MAX), VALUE_STRING, "18446744073709551615", 0 },
	{ UINT(UINT64_MAX), VALUE_INTEGER, NULL, -ERANGE },

	{ REAL(230.2), VALUE_STRING, "230.2", 0 },
	{ REAL(230.2), VALUE_FLOAT, "230.2", 0 },
	{ REAL(230.2), VALUE_INTEGER, "230", 0 }, /* the nearest whole number */
	{ REAL(229.7), VALUE_INTEGER, "230", 0 },
	{ REAL(-0.7), VALUE_INTEGER, "-1", 0 },
	{ REAL(229.7), VALUE_UNSIGNED, "230", 0 },
	{ REAL(-1), VALUE_UNSIGNED, NULL, -ERANGE },
	{ REAL(1e300), VALUE_INTEGER, NULL, -ERANGE },
	{ REAL(0.25), VALUE_BOOLEAN, "1", 0 },
	{ REAL(0), VALUE_BOOLEAN, "0", 0 },
	{ REAL(229.7), VALUE_TIME, "230", 0 },
	{ REAL(1), VALUE_OPAQUE, NULL, -EINVAL },
	{ REAL(NAN), VALUE_FLOAT, NULL, -ERANGE },
	{ REAL(NAN), VALUE_BOOLEAN, NULL, -ERANGE },
	{ REAL(NAN), VALUE_STRING, NULL, -ERANGE },
	{ REAL(NAN), VALUE_INTEGER, NULL, -ERANGE },
	{ REAL(INFINITY), VALUE_FLOAT, NULL, -ERANGE },

	{ TEXT("SDM630"), VALUE_STRING, "SDM630", 0 },
	{ TEXT(""), VALUE_STRING, "", 0 },
	{ TEXT("</3/0>"), VALUE_CORELNK, "</3/0>", 0 },
	{ TEXT("7"), VALUE_INTEGER, NULL, -EINVAL },
	{ TEXT("7"), VALUE_UNSIGNED, NULL, -EINVAL },
	{ TEXT("7"), VALUE_FLOAT, NULL, -EINVAL },
	{ TEXT("7"), VALUE_TIME, NULL, -EINVAL },
	{ TEXT("1"), VALUE_BOOLEAN, NULL, -EINVAL },
	{ TEXT("7"), VALUE_OPAQUE, NULL, -EINVAL },
	{ TEXT("3:0"), VALUE_OBJLNK, "3:0", 0 },
	{ TEXT("3"), VALUE_OBJLNK, NULL, -EINVAL },
	{ TEXT("3:65536"), VALUE_OBJLNK, NULL, -EINVAL },

	{ BYTES("\x00\x01"), VALUE_OPAQUE, "AAE=", 0 },
	{ BYTES("ab"), VALUE_STRING, NULL, -EINVAL },
	{ BYTES("ab"), VALUE_CORELNK, NULL, -EINVAL },
	{ BYTES("ab"), VALUE_INTEGER, NULL, -EINVAL },
	{ BYTES("ab"), VALUE_UNSIGNED, NULL, -EINVAL },
	{ BYTES("ab"), VALUE_FLOAT, NULL, -EINVAL },
	{ BYTES("ab"), VALUE_BOOLEAN, NULL, -EINVAL },
	{ BYTES("ab"), VALUE_TIME, NULL, -EINVAL },

	{ { .type = FIELDWAY_NONE }, VALUE_INTEGER, NULL, -EINVAL },
	{ { .type = FIELDWAY_NONE }, VALUE_STRING, NULL, -EINVAL },
};

START_TEST(test_pair_forward)
{
	const struct forward *row = &pairs[_i];
	const struct config_point point = { .name = "p" };
	const struct resource_definition resource = { .type = row->type };
	_cleanup_value_ struct value v = { 0 };
	struct transform t;

	ck_assert_int_eq(transform_init(&t, &point, &resource, NULL), 0);
	ck_assert_int_eq(transform_forward(&t, &row->from, &v), row->error);
	if (row->error == 0)
		check_text(&v, row->type, row->text);
	else
		ck_assert_int_eq(v.type, VALUE_NONE);
}
END_TEST

/* ---- units ---- */

static const struct {
	const char *point, *resource, *row; /* units */
	struct fieldway_value from;
	enum value_type type;
	const char *text;
} units[] = {
	{ "kWh", "Wh", NULL, REAL(1234.5), VALUE_FLOAT, "1234500" },
	{ "kWh", "Wh", NULL, REAL(1.005), VALUE_FLOAT,
	  "1005" }, /* 1.005 * 1000 is 1004.9999999999999 */
	{ "kWh", "Wh", NULL, REAL(0.0011), VALUE_FLOAT, "1.1" },
	{ "kWh", "Wh", NULL, REAL(16.1), VALUE_INTEGER, "16100" },
	{ "kWh", "Wh", NULL, INT(-3), VALUE_FLOAT, "-3000" },
	{ "kWh", "Wh", NULL, UINT(3), VALUE_INTEGER, "3000" },
	{ "kWh", "Wh", NULL, INT(BEYOND / 1000), VALUE_INTEGER, "9007199254740000" },
	{ "kWh", "Wh", NULL, INT(9007199254740993), VALUE_INTEGER, "9007199254740993000" },
	{ "kWh", "Wh", NULL, UINT(18014398509481985), VALUE_UNSIGNED, "18014398509481985000" },
	{ "Wh", "kWh", NULL, REAL(1234500), VALUE_FLOAT, "1234.5" },
	{ "Wh", "kWh", NULL, INT(1), VALUE_FLOAT, "0.001" },
	{ "mV", "V", NULL, INT(230215), VALUE_FLOAT, "230.215" },
	{ "V", "mV", NULL, REAL(3.3), VALUE_INTEGER, "3300" },
	{ "V", "mV", NULL, REAL(3.3), VALUE_STRING, "3300" },
	{ "degF", "Cel", NULL, INT(212), VALUE_FLOAT, "100" },
	{ "degF", "Cel", NULL, INT(32), VALUE_FLOAT, "0" },
	{ "Cel", "Cel", NULL, REAL(230.2), VALUE_FLOAT, "230.2" },
	{ "%", "/100", NULL, REAL(37.5), VALUE_FLOAT, "37.5" },
	{ "V", NULL, "mV", REAL(0.5), VALUE_FLOAT, "500" }, /* {point: p, unit: mV} */
	{ "V", "V", "mV", REAL(0.5), VALUE_FLOAT, "0.5" },  /* the object's own unit wins */
	{ "V", NULL, NULL, REAL(230.2), VALUE_FLOAT, "230.2" },
	{ NULL, "V", NULL, REAL(230.2), VALUE_FLOAT, "230.2" },
	{ NULL, NULL, "V", INT(BEYOND), VALUE_INTEGER, "9007199254740993" },
};

static const struct unit *unit_of(const char *name)
{
	const struct unit *u = name ? unit_find(name, NULL) : NULL;

	ck_assert(!name || u);
	return u;
}

START_TEST(test_units)
{
	const struct config_point point = { .name = "p", .unit = unit_of(units[_i].point) };
	char own[8] = "";
	const struct resource_definition resource = {
		.type = units[_i].type,
		.unit = units[_i].resource ? strcpy(own, units[_i].resource) : NULL,
	};
	_cleanup_value_ struct value v = { 0 };
	struct transform t;

	ck_assert_int_eq(transform_init(&t, &point, &resource, unit_of(units[_i].row)), 0);
	ck_assert_int_eq(transform_forward(&t, &units[_i].from, &v), 0);
	check_text(&v, units[_i].type, units[_i].text);
}
END_TEST

/* No reading with three decimals comes out beside its whole number, nor goes back beside itself. */
START_TEST(test_every_thousandth)
{
	const struct config_point point = { .name = "p", .unit = unit_of("kWh") };
	char own[] = "Wh";
	const struct resource_definition resource = { .type = VALUE_FLOAT, .unit = own };
	struct fieldway_value reading = REAL(0), back;
	struct transform t;
	struct value v;

	ck_assert_int_eq(transform_init(&t, &point, &resource, NULL), 0);
	for (int i = -1000; i < 200000; i++) {
		reading.real = i / 1000.0;
		ck_assert_int_eq(transform_forward(&t, &reading, &v), 0);
		ck_assert_double_eq(v.real, i);
		ck_assert_int_eq(transform_inverse(&t, &v, &back), 0);
		ck_assert_double_eq(back.real, reading.real);
	}
}
END_TEST

START_TEST(test_other_dimension)
{
	const struct config_point point = { .name = "p", .unit = unit_of("V") };
	char watt[] = "W";
	const struct resource_definition resource = { .type = VALUE_FLOAT, .unit = watt };
	struct transform t;

	ck_assert_int_eq(transform_init(&t, &point, &resource, NULL), -EXDEV);
}
END_TEST

/* Which unit 5701 names. */
START_TEST(test_unit_names)
{
	const struct config_point volts = { .name = "p", .unit = unit_of("V") },
				  plain = { .name = "q" };
	char own[] = "mV";
	const struct resource_definition fixed = { .type = VALUE_FLOAT, .unit = own },
					 open = { .type = VALUE_FLOAT };
	struct transform t;

	ck_assert_int_eq(transform_init(&t, &volts, &fixed, unit_of("kV")), 0);
	ck_assert_str_eq(transform_unit(&t, unit_of("kV")), "mV");
	ck_assert_int_eq(transform_init(&t, &volts, &open, unit_of("kV")), 0);
	ck_assert_str_eq(transform_unit(&t, unit_of("kV")), "kV");
	ck_assert_int_eq(transform_init(&t, &volts, &open, NULL), 0);
	ck_assert_str_eq(transform_unit(&t, NULL), "V");
	ck_assert_int_eq(transform_init(&t, &plain, &open, NULL), 0);
	ck_assert_ptr_null(transform_unit(&t, NULL));
}
END_TEST

/* ---- back to the device ---- */

static struct config_label labels[] = { { 0, (char *)"stop" },
					{ 1, (char *)"forward" },
					{ 2, (char *)"reverse" } };
static const struct config_point enumerated = { .name = "mode",
						.labels = labels,
						.n_labels = ARRAY_SIZE(labels) };

static const struct forward label_pairs[] = {
	{ UINT(2), VALUE_STRING, "reverse", 0 },
	{ UINT(2), VALUE_INTEGER, "2", 0 },
	{ REAL(1), VALUE_STRING, "forward", 0 },
	{ BOOL(true), VALUE_STRING, "forward", 0 },
	{ UINT(9), VALUE_STRING, "9", 0 }, /* what the device says is told, known or not */
	{ UINT(9), VALUE_INTEGER, "9", 0 },
	{ TEXT("stop"), VALUE_STRING, "stop", 0 },
};

START_TEST(test_labels_forward)
{
	const struct forward *row = &label_pairs[_i];
	const struct resource_definition resource = { .type = row->type };
	_cleanup_value_ struct value v = { 0 };
	struct transform t;

	ck_assert_int_eq(transform_init(&t, &enumerated, &resource, NULL), 0);
	ck_assert_int_eq(transform_forward(&t, &row->from, &v), row->error);
	check_text(&v, row->type, row->text);
}
END_TEST

static const struct config_point plain = { .name = "p" };
static const struct config_point bounded = {
	.name = "speed", .range = { .present = true, .minimum = 0, .maximum = 50 }
};

struct inverse {
	const struct config_point *point;
	enum value_type type;
	const char *text; /* what the server writes */
	struct fieldway_value want;
	int error;
};

START_TEST(test_links_are_written_as_text)
{
	const struct resource_definition resource = { .type = VALUE_OBJLNK };
	const struct transform t = { .point = &plain, .resource = &resource, .factor = 1 };
	const struct value link = value_objlnk(65535, 65534), number = value_integer(5);
	struct fieldway_value got;
	char text[LINK_TEXT_MAX];

	ck_assert_int_eq(transform_write(&t, &link, text, &got), 0);
	ck_assert_int_eq(got.type, FIELDWAY_STRING);
	ck_assert_uint_eq(got.size, strlen("65535:65534"));
	ck_assert_str_eq(got.data, "65535:65534");
	/* All else as it is. */
	ck_assert_int_eq(transform_write(&t, &number, text, &got), 0);
	ck_assert_int_eq(got.integer, 5);
}
END_TEST

static const struct inverse inverses[] = {
	{ &plain, VALUE_STRING, "hello", TEXT("hello"), 0 },
	{ &plain, VALUE_STRING, "", TEXT(""), 0 },
	{ &plain, VALUE_INTEGER, "-7", INT(-7), 0 },
	{ &plain, VALUE_INTEGER, "9007199254740993", INT(BEYOND), 0 },
	{ &plain, VALUE_UNSIGNED, "18446744073709551615", UINT(UINT64_MAX), 0 },
	{ &plain, VALUE_FLOAT, "230.2", REAL(230.2), 0 },
	{ &plain, VALUE_BOOLEAN, "1", BOOL(true), 0 },
	{ &plain, VALUE_TIME, "1700000000", INT(1700000000), 0 },
	{ &plain, VALUE_OPAQUE, "AAE=", BYTES("\x00\x01"), 0 },
	{ &plain, VALUE_OBJLNK, "3:0", { 0 }, -EINVAL },
	{ &plain, VALUE_CORELNK, "</3/0>", TEXT("</3/0>"), 0 },
	{ &enumerated, VALUE_STRING, "reverse", INT(2), 0 },
	{ &enumerated, VALUE_STRING, "sideways", { 0 }, -EINVAL },
	{ &enumerated, VALUE_STRING, "Reverse", { 0 }, -EINVAL },
	{ &enumerated, VALUE_STRING, "2", { 0 }, -EINVAL }, /* labels or nothing */
	{ &enumerated, VALUE_INTEGER, "2", INT(2), 0 },
	{ &enumerated, VALUE_INTEGER, "3", { 0 }, -EINVAL },
	{ &enumerated, VALUE_FLOAT, "1.5", { 0 }, -EINVAL },
	{ &enumerated, VALUE_BOOLEAN, "1", BOOL(true), 0 },
	{ &bounded, VALUE_FLOAT, "0", REAL(0), 0 },
	{ &bounded, VALUE_FLOAT, "50", REAL(50), 0 },
	{ &bounded, VALUE_FLOAT, "50.1", { 0 }, -ERANGE },
	{ &bounded, VALUE_FLOAT, "-0.1", { 0 }, -ERANGE },
	{ &bounded, VALUE_INTEGER, "51", { 0 }, -ERANGE },
	{ &bounded, VALUE_UNSIGNED, "18446744073709551615", { 0 }, -ERANGE },
	{ &bounded, VALUE_STRING, "12.5", REAL(12.5),
	  0 }, /* a String resource shows a number as a decimal */
	{ &bounded, VALUE_STRING, "51", { 0 }, -ERANGE },
	{ &bounded, VALUE_STRING, "fast", { 0 }, -EINVAL },
};

static void check_same(const struct fieldway_value *got, const struct fieldway_value *want)
{
	ck_assert_int_eq(got->type, want->type);
	switch (want->type) {
	case FIELDWAY_NONE:
		break;
	case FIELDWAY_BOOL:
		ck_assert_int_eq(got->boolean, want->boolean);
		break;
	case FIELDWAY_INT:
		ck_assert_int_eq(got->integer, want->integer);
		break;
	case FIELDWAY_UINT:
		ck_assert_uint_eq(got->unsignd, want->unsignd);
		break;
	case FIELDWAY_FLOAT:
		ck_assert_double_eq(got->real, want->real);
		break;
	case FIELDWAY_STRING:
	case FIELDWAY_BYTES:
		ck_assert_uint_eq(got->size, want->size);
		ck_assert_mem_eq(got->data, want->data, want->size);
		break;
	}
}

static void check_inverse(const struct transform *t, const char *text,
			  const struct fieldway_value *want, int error)
{
	_cleanup_value_ struct value v = { 0 };
	struct fieldway_value got = { .type = FIELDWAY_NONE };

	ck_assert_int_eq(value_parse_text(text, strlen(text), t->resource->type, &v), 0);
	ck_assert_int_eq(transform_inverse(t, &v, &got), error);
	check_same(&got, want);
}

START_TEST(test_inverse)
{
	const struct resource_definition resource = { .type = inverses[_i].type };
	struct transform t;

	ck_assert_int_eq(transform_init(&t, inverses[_i].point, &resource, NULL), 0);
	check_inverse(&t, inverses[_i].text, &inverses[_i].want, inverses[_i].error);
}
END_TEST

static const struct {
	const char *point, *resource;
	enum value_type type;
	const char *text;
	struct fieldway_value want;
} inverse_units[] = {
	{ "kWh", "Wh", VALUE_FLOAT, "1234500", REAL(1234.5) },
	{ "kWh", "Wh", VALUE_FLOAT, "1005", REAL(1.005) },
	{ "kWh", "Wh", VALUE_INTEGER, "1", REAL(0.001) },
	{ "Wh", "kWh", VALUE_FLOAT, "1.005", REAL(1005) },
	{ "mV", "V", VALUE_FLOAT, "3.3", REAL(3300) },
	{ "degF", "Cel", VALUE_FLOAT, "100", REAL(212) },
	{ "V", "V", VALUE_INTEGER, "9007199254740993", INT(BEYOND) },
};

START_TEST(test_inverse_units)
{
	const struct config_point point = { .name = "p", .unit = unit_of(inverse_units[_i].point) };
	char own[8];
	const struct resource_definition resource = {
		.type = inverse_units[_i].type, .unit = strcpy(own, inverse_units[_i].resource)
	};
	struct transform t;

	ck_assert_int_eq(transform_init(&t, &point, &resource, NULL), 0);
	check_inverse(&t, inverse_units[_i].text, &inverse_units[_i].want, 0);
}
END_TEST

/* `range:` is of the value in the point's unit, whatever the resource counts in. */
START_TEST(test_range_is_in_the_points_unit)
{
	const struct config_point point = { .name = "p",
					    .unit = unit_of("kWh"),
					    .range = bounded.range };
	char own[] = "Wh";
	const struct resource_definition resource = { .type = VALUE_FLOAT, .unit = own };
	const struct fieldway_value top = REAL(50), none = { 0 };
	struct transform t;

	ck_assert_int_eq(transform_init(&t, &point, &resource, NULL), 0);
	check_inverse(&t, "50000", &top, 0);
	check_inverse(&t, "50001", &none, -ERANGE);
}
END_TEST

/* A number that is none has no place in any register. */
START_TEST(test_not_a_number_is_not_written)
{
	const struct resource_definition resource = { .type = VALUE_FLOAT };
	const double strange[] = { NAN, INFINITY, -INFINITY };
	struct fieldway_value got;
	struct transform t;

	ck_assert_int_eq(transform_init(&t, &plain, &resource, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(strange); i++) {
		struct value v = value_float(strange[i]);

		ck_assert_int_eq(transform_inverse(&t, &v, &got), -EINVAL);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("transform");
	TCase *tcase = tcase_create("transform");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, test_pair_forward, 0, ARRAY_SIZE(pairs));
	tcase_add_loop_test(tcase, test_units, 0, ARRAY_SIZE(units));
	tcase_add_test(tcase, test_every_thousandth);
	tcase_add_test(tcase, test_other_dimension);
	tcase_add_test(tcase, test_unit_names);
	tcase_add_loop_test(tcase, test_labels_forward, 0, ARRAY_SIZE(label_pairs));
	tcase_add_test(tcase, test_links_are_written_as_text);
	tcase_add_loop_test(tcase, test_inverse, 0, ARRAY_SIZE(inverses));
	tcase_add_loop_test(tcase, test_inverse_units, 0, ARRAY_SIZE(inverse_units));
	tcase_add_test(tcase, test_range_is_in_the_points_unit);
	tcase_add_test(tcase, test_not_a_number_is_not_written);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
