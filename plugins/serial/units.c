/* SPDX-License-Identifier: Apache-2.0 */
#include "units.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"

enum dimension {
	MASS,
	LENGTH,
	SPEED,
	TEMPERATURE,
	PRESSURE,
	ENERGY,
	POWER,
	VOLUME,
	VOLTAGE,
	CURRENT,
};

/* value in the dimension's first unit = value * factor + offset */
struct unit_row {
	const char *name;
	enum dimension dimension;
	double factor, offset;
};

/* Exact factors: SI Brochure, 9th edition; NIST SP 811, appendix B.8 for those of other systems. */
static const struct unit_row units[] = {
	{ "kg", MASS, 1, 0 },
	{ "g", MASS, 0.001, 0 },
	{ "mg", MASS, 0.000001, 0 },
	{ "t", MASS, 1000, 0 },
	{ "lb", MASS, 0.45359237, 0 },
	{ "oz", MASS, 0.028349523125, 0 },
	{ "ct", MASS, 0.0002, 0 },
	{ "m", LENGTH, 1, 0 },
	{ "mm", LENGTH, 0.001, 0 },
	{ "cm", LENGTH, 0.01, 0 },
	{ "km", LENGTH, 1000, 0 },
	{ "in", LENGTH, 0.0254, 0 },
	{ "ft", LENGTH, 0.3048, 0 },
	{ "m/s", SPEED, 1, 0 },
	{ "km/h", SPEED, 1 / 3.6, 0 },
	{ "kn", SPEED, 1852.0 / 3600, 0 },
	{ "mph", SPEED, 0.44704, 0 },
	{ "Cel", TEMPERATURE, 1, 0 },
	{ "C", TEMPERATURE, 1, 0 },
	{ "K", TEMPERATURE, 1, -273.15 },
	{ "degF", TEMPERATURE, 5.0 / 9, -160.0 / 9 },
	{ "F", TEMPERATURE, 5.0 / 9, -160.0 / 9 },
	{ "Pa", PRESSURE, 1, 0 },
	{ "hPa", PRESSURE, 100, 0 },
	{ "kPa", PRESSURE, 1000, 0 },
	{ "MPa", PRESSURE, 1000000, 0 },
	{ "mbar", PRESSURE, 100, 0 },
	{ "bar", PRESSURE, 100000, 0 },
	{ "psi", PRESSURE, 6894.757293168, 0 },
	{ "Wh", ENERGY, 1, 0 },
	{ "kWh", ENERGY, 1000, 0 },
	{ "MWh", ENERGY, 1000000, 0 },
	{ "J", ENERGY, 1.0 / 3600, 0 },
	{ "MJ", ENERGY, 1000.0 / 3.6, 0 },
	{ "GJ", ENERGY, 1000000.0 / 3.6, 0 },
	{ "W", POWER, 1, 0 },
	{ "kW", POWER, 1000, 0 },
	{ "MW", POWER, 1000000, 0 },
	{ "m3", VOLUME, 1, 0 },
	{ "l", VOLUME, 0.001, 0 },
	{ "L", VOLUME, 0.001, 0 },
	{ "ml", VOLUME, 0.000001, 0 },
	{ "V", VOLTAGE, 1, 0 },
	{ "mV", VOLTAGE, 0.001, 0 },
	{ "kV", VOLTAGE, 1000, 0 },
	{ "A", CURRENT, 1, 0 },
	{ "mA", CURRENT, 0.001, 0 },
};

static const struct unit_row *find(struct slice name)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (slice_equals(name, units[i].name, strlen(units[i].name)))
			return &units[i];
	return NULL;
}

int unit_check(struct slice unit)
{
	return find(unit) ? 0 : -ENOENT;
}

/* 123.4 g are 0.1234 kg: what factors that have no exact double add behind the 15th digit is nobody's. */
static double tidy(double value)
{
	char text[40];

	snprintf(text, sizeof(text), "%.15g", value);
	return strtod(text, NULL);
}

int unit_convert(double value, struct slice from, struct slice to, double *ret)
{
	const struct unit_row *a = find(from), *b = find(to);

	if (!a || !b)
		return -ENOENT;
	if (a->dimension != b->dimension)
		return -EDOM;
	*ret = a == b ? value : tidy((value * a->factor + a->offset - b->offset) / b->factor);
	return 0;
}
