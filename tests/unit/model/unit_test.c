/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/macro.h"
#include "base/str.h"
#include "model/unit.h"

/* One line a dimension, each unit with its size in the first one of the line; offsets are apart. */
static const struct dimension {
	struct {
		const char *name;
		double size;
	} units[16];
} dimensions[] = {
	{ { { "m", 1 },
	    { "mm", 1e-3 },
	    { "cm", 1e-2 },
	    { "km", 1e3 },
	    { "in", 0.0254 },
	    { "ft", 0.3048 } } },
	{ { { "kg", 1 },
	    { "g", 1e-3 },
	    { "mg", 1e-6 },
	    { "t", 1e3 },
	    { "lb", 0.45359237 },
	    { "oz", 0.028349523125 } } },
	{ { { "s", 1 },
	    { "ms", 1e-3 },
	    { "us", 1e-6 },
	    { "min", 60 },
	    { "h", 3600 },
	    { "d", 86400 } } },
	{ { { "A", 1 }, { "mA", 1e-3 }, { "uA", 1e-6 }, { "kA", 1e3 } } },
	{ { { "V", 1 }, { "mV", 1e-3 }, { "uV", 1e-6 }, { "kV", 1e3 } } },
	{ { { "Hz", 1 }, { "mHz", 1e-3 }, { "kHz", 1e3 }, { "MHz", 1e6 }, { "GHz", 1e9 } } },
	{ { { "Pa", 1 },
	    { "hPa", 100 },
	    { "kPa", 1e3 },
	    { "MPa", 1e6 },
	    { "bar", 1e5 },
	    { "mbar", 100 },
	    { "psi", 6894.757293168361 } } },
	{ { { "W", 1 }, { "mW", 1e-3 }, { "kW", 1e3 }, { "MW", 1e6 } } },
	{ { { "J", 1 },
	    { "kJ", 1e3 },
	    { "MJ", 1e6 },
	    { "GJ", 1e9 },
	    { "Wh", 3600 },
	    { "kWh", 3.6e6 },
	    { "MWh", 3.6e9 },
	    { "Ws", 1 } } },
	{ { { "VA", 1 }, { "kVA", 1e3 }, { "MVA", 1e6 } } },
	{ { { "var", 1 }, { "kvar", 1e3 }, { "Mvar", 1e6 } } },
	{ { { "VAs", 1 }, { "VAh", 3600 }, { "kVAh", 3.6e6 } } },
	{ { { "vars", 1 }, { "varh", 3600 }, { "kvarh", 3.6e6 } } },
	{ { { "C", 1 }, { "Ah", 3600 } } },
	{ { { "Ohm", 1 }, { "mOhm", 1e-3 }, { "kOhm", 1e3 }, { "MOhm", 1e6 } } },
	{ { { "N", 1 }, { "kN", 1e3 } } },
	{ { { "m3", 1 }, { "l", 1e-3 } } },
	{ { { "m3/s", 1 },
	    { "l/s", 1e-3 },
	    { "l/min", 1e-3 / 60 },
	    { "l/h", 1e-3 / 3600 },
	    { "m3/h", 1.0 / 3600 } } },
	{ { { "m/s", 1 }, { "km/h", 1 / 3.6 }, { "m/h", 1.0 / 3600 }, { "mm/h", 1e-3 / 3600 } } },
	{ { { "/", 1 },
	    { "%", 0.01 },
	    { "/100", 0.01 },
	    { "/1000", 1e-3 },
	    { "ppm", 1e-6 },
	    { "ppb", 1e-9 } } },
	{ { { "1/s", 1 }, { "1/min", 1.0 / 60 }, { "beat/min", 1.0 / 60 } } },
	{ { { "bit", 1 },
	    { "B", 8 },
	    { "kB", 8e3 },
	    { "KiB", 8192 },
	    { "MB", 8e6 },
	    { "MiB", 8388608 },
	    { "GB", 8e9 } } },
	{ { { "bit/s", 1 }, { "kbit/s", 1e3 }, { "Mbit/s", 1e6 }, { "B/s", 8 }, { "MB/s", 8e6 } } },
	{ { { "kg/m3", 1 }, { "ug/m3", 1e-9 }, { "g/l", 1 }, { "mg/l", 1e-3 }, { "ug/l", 1e-6 } } },
	{ { { "J/m", 1 }, { "Wh/km", 3.6 } } },
	{ { { "S/m", 1 }, { "uS/cm", 1e-4 } } },
	{ { { "W/m2", 1 }, { "kW/m2", 1e3 } } },
	{ { { "rad", 1 }, { "deg", M_PI / 180 } } },
	{ { { "K", 1 }, { "Cel", 1 }, { "degF", 5.0 / 9 } } },
	{ { { "dBW", 1 }, { "dBm", 1 } } },
	/* Alone in their dimensions. */
	{ { { "cd", 1 } } },
	{ { { "mol", 1 } } },
	{ { { "sr", 1 } } },
	{ { { "F", 1 } } },
	{ { { "S", 1 } } },
	{ { { "Wb", 1 } } },
	{ { { "T", 1 } } },
	{ { { "H", 1 } } },
	{ { { "lm", 1 } } },
	{ { { "lx", 1 } } },
	{ { { "Bq", 1 } } },
	{ { { "Gy", 1 } } },
	{ { { "Sv", 1 } } },
	{ { { "kat", 1 } } },
	{ { { "m2", 1 } } },
	{ { { "m/s2", 1 } } },
	{ { { "cd/m2", 1 } } },
	{ { { "lat", 1 } } },
	{ { { "lon", 1 } } },
	{ { { "pH", 1 } } },
	{ { { "dB", 1 } } },
	{ { { "Bspl", 1 } } },
	{ { { "count", 1 } } },
	{ { { "%RH", 1 } } },
	{ { { "%EL", 1 } } },
	{ { { "EL", 1 } } },
	{ { { "beats", 1 } } },
	{ { { "NTU", 1 } } },
};

static const struct unit *unit(const char *name)
{
	const struct unit *u = unit_find(name, NULL);

	ck_assert_msg(u, "%s", name);
	ck_assert_str_eq(unit_name(u), name);
	return u;
}

START_TEST(converts_within_a_dimension)
{
	const struct dimension *d = &dimensions[_i];

	for (size_t a = 0; a < ARRAY_SIZE(d->units) && d->units[a].name; a++) {
		for (size_t b = 0; b < ARRAY_SIZE(d->units) && d->units[b].name; b++) {
			double factor = 0, offset = 0, wanted = d->units[a].size / d->units[b].size;

			ck_assert_int_eq(unit_conversion(unit(d->units[a].name),
							 unit(d->units[b].name), &factor, &offset),
					 0);
			ck_assert_msg(fabs(factor - wanted) <= 1e-14 * wanted, "%s to %s: %.17g",
				      d->units[a].name, d->units[b].name, factor);
			if (a == b)
				ck_assert(factor == 1 && offset == 0);
		}
	}
}
END_TEST

START_TEST(refuses_other_dimensions)
{
	const struct dimension *d = &dimensions[_i];

	for (size_t other = 0; other < ARRAY_SIZE(dimensions); other++) {
		for (size_t a = 0;
		     a < ARRAY_SIZE(d->units) && d->units[a].name && other != (size_t)_i; a++) {
			double factor = 3, offset = 4;

			ck_assert_int_eq(unit_conversion(unit(d->units[a].name),
							 unit(dimensions[other].units[0].name),
							 &factor, &offset),
					 -EXDEV);
			ck_assert(factor == 3 && offset == 4);
		}
	}
}
END_TEST

/* What a user would notice: these come out without a rounding error. */
static const struct {
	const char *from, *to;
	double value, result;
} exact[] = {
	{ "kWh", "Wh", 1, 1000 },
	{ "kWh", "Wh", 1234.5, 1234500 },
	{ "Wh", "kWh", 500, 0.5 },
	{ "Cel", "K", 0, 273.15 },
	{ "K", "Cel", 273.15, 0 },
	{ "degF", "Cel", 32, 0 },
	{ "degF", "Cel", 212, 100 },
	{ "degF", "Cel", -40, -40 },
	{ "Cel", "degF", 0, 32 },
	{ "Cel", "degF", 100, 212 },
	{ "dBm", "dBW", 30, 0 },
	{ "dBW", "dBm", -30, 0 },
	{ "%", "/100", 42.5, 42.5 },
	{ "%", "/", 50, 0.5 },
	{ "/", "%", 0.07, 7.000000000000001 },
	{ "bar", "Pa", 1, 100000 },
	{ "hPa", "mbar", 1013.25, 1013.25 },
	{ "km/h", "m/s", 36, 10 },
	{ "m/s", "km/h", 10, 36 },
	{ "lb", "kg", 1, 0.45359237 },
	{ "ft", "in", 1, 12 },
	{ "KiB", "B", 1, 1024 },
	{ "l/min", "m3/h", 1000, 60 },
	{ "h", "ms", 1, 3600000 },
};

START_TEST(adds_no_rounding_of_its_own)
{
	double factor, offset, result;

	ck_assert_int_eq(
		unit_conversion(unit(exact[_i].from), unit(exact[_i].to), &factor, &offset), 0);
	result = exact[_i].value * factor + offset;
	ck_assert_msg(result == exact[_i].result, "%s to %s: %.17g", exact[_i].from, exact[_i].to,
		      result);
}
END_TEST

static const struct {
	const char *name, *near;
} unknown[] = {
	{ "kwh", "kWh" }, { "Pascal", NULL },  { "mbr", "mbar" },	    { "degFF", "degF" },
	{ "°C", "Cel" },  { "Volt", "V" },     { "degC", "Cel" },	    { "cel", "Cel" },
	{ "rpm", "1/min" }, { "kVArh", "kvarh" }, { "v", "V" }, { "KW", "kW" }, { "kOhms", "kOhm" }, { "fathom-furlongs", NULL },
};

START_TEST(knows_near_names)
{
	const char *near = "untouched?";

	ck_assert_ptr_null(unit_find(unknown[_i].name, &near));
	if (unknown[_i].near)
		ck_assert_str_eq(near, unknown[_i].near);
	else
		ck_assert_msg(!near, "%s", near);
	ck_assert_ptr_null(unit_find(unknown[_i].name, NULL));
}
END_TEST

START_TEST(takes_names_to_the_letter)
{
	/* SenML units are case-sensitive: milli is not mega. */
	ck_assert_ptr_ne(unit("mW"), unit("MW"));
	ck_assert_ptr_ne(unit("s"), unit("S"));
	ck_assert_ptr_null(unit_find("v", NULL));
	ck_assert_ptr_null(unit_find("", NULL));
	ck_assert_ptr_null(unit_find(" V", NULL));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("unit");
	TCase *tcase = tcase_create("unit");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, converts_within_a_dimension, 0, ARRAY_SIZE(dimensions));
	tcase_add_loop_test(tcase, refuses_other_dimensions, 0, ARRAY_SIZE(dimensions));
	tcase_add_loop_test(tcase, adds_no_rounding_of_its_own, 0, ARRAY_SIZE(exact));
	tcase_add_loop_test(tcase, knows_near_names, 0, ARRAY_SIZE(unknown));
	tcase_add_test(tcase, takes_names_to_the_letter);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
