/* SPDX-License-Identifier: Apache-2.0 */
#include "model/unit.h"

#include <errno.h>
#include <math.h>

#include "base/macro.h"
#include "base/str.h"

/*
 * Each unit as base unit = value * factor + offset, units of one dimension
 * having one base. RFC 8428 section 12.1 (first part), RFC 8798 section 3
 * (second part), and what meters and people use (third part). A divisor is
 * kept instead of a factor below 1 so that conversion rounds once, and Cel is
 * the base of temperatures because offsets in K lose digits: 32 degF is 0 Cel.
 */
struct unit {
	const char *name, *base;
	double factor, divisor, offset;
};

#define BASE(n) { n, n, 1, 1, 0 }
#define TIMES(n, b, f) { n, b, f, 1, 0 }
#define PART(n, b, d) { n, b, 1, d, 0 }

static const struct unit units[] = {
	/* RFC 8428 */
	BASE("m"), BASE("kg"), PART("g", "kg", 1000), BASE("s"), BASE("A"),
	{ "K", "Cel", 1, 1, -273.15 }, BASE("cd"),
	BASE("mol"), BASE("Hz"), BASE("rad"), BASE("sr"), BASE("N"), BASE("Pa"), BASE("J"), BASE("W"),
	BASE("C"), BASE("V"), BASE("F"), BASE("Ohm"), BASE("S"), BASE("Wb"), BASE("T"), BASE("H"),
	BASE("Cel"), BASE("lm"), BASE("lx"), BASE("Bq"), BASE("Gy"), BASE("Sv"),
	BASE("kat"), BASE("m2"), BASE("m3"), PART("l", "m3", 1000), BASE("m/s"), BASE("m/s2"),
	BASE("m3/s"), PART("l/s", "m3/s", 1000), BASE("W/m2"), BASE("cd/m2"), BASE("bit"), BASE("bit/s"),
	BASE("lat"), BASE("lon"), BASE("pH"), BASE("dB"), BASE("dBW"), BASE("Bspl"), BASE("count"),
	BASE("/"), PART("%", "/", 100), BASE("%RH"), BASE("%EL"), BASE("EL"), BASE("1/s"),
	PART("1/min", "1/s", 60), PART("beat/min", "1/s", 60), BASE("beats"), BASE("S/m"),
	/* registered later for SenML */
	TIMES("B", "bit", 8), BASE("VA"), BASE("VAs"), BASE("var"), BASE("vars"), BASE("J/m"), BASE("kg/m3"),
	{ "deg", "rad", M_PI, 180, 0 }, BASE("NTU"),
	/* RFC 8798 */
	PART("ms", "s", 1000), TIMES("min", "s", 60), TIMES("h", "s", 3600), TIMES("MHz", "Hz", 1e6),
	TIMES("kW", "W", 1000), TIMES("kVA", "VA", 1000), TIMES("kvar", "var", 1000),
	TIMES("Ah", "C", 3600), TIMES("Wh", "J", 3600), TIMES("kWh", "J", 3.6e6),
	TIMES("varh", "vars", 3600), TIMES("kvarh", "vars", 3.6e6), TIMES("kVAh", "VAs", 3.6e6),
	TIMES("Wh/km", "J/m", 3.6), TIMES("KiB", "bit", 8192), TIMES("GB", "bit", 8e9),
	TIMES("Mbit/s", "bit/s", 1e6), TIMES("B/s", "bit/s", 8), TIMES("MB/s", "bit/s", 8e6),
	PART("mV", "V", 1000), PART("mA", "A", 1000), { "dBm", "dBW", 1, 1, -30 },
	PART("ug/m3", "kg/m3", 1e9), PART("mm/h", "m/s", 3.6e6), PART("m/h", "m/s", 3600),
	PART("ppm", "/", 1e6), PART("/100", "/", 100), PART("/1000", "/", 1000), TIMES("hPa", "Pa", 100),
	PART("mm", "m", 1000), PART("cm", "m", 100), TIMES("km", "m", 1000), PART("km/h", "m/s", 3.6),
	PART("uS/cm", "S/m", 10000),
	/* the usual multiples and what instruments are labelled with */
	TIMES("kV", "V", 1000), TIMES("kA", "A", 1000), PART("uA", "A", 1e6), PART("uV", "V", 1e6),
	TIMES("MW", "W", 1e6), PART("mW", "W", 1000), TIMES("MWh", "J", 3.6e9), TIMES("kJ", "J", 1000),
	TIMES("MJ", "J", 1e6), TIMES("GJ", "J", 1e9), TIMES("VAh", "VAs", 3600), TIMES("MVA", "VA", 1e6),
	TIMES("Mvar", "var", 1e6), PART("mHz", "Hz", 1000), TIMES("kHz", "Hz", 1000),
	TIMES("GHz", "Hz", 1e9), TIMES("kPa", "Pa", 1000), TIMES("MPa", "Pa", 1e6),
	TIMES("bar", "Pa", 1e5), TIMES("mbar", "Pa", 100), TIMES("psi", "Pa", 6894.757293168361),
	TIMES("kN", "N", 1000), TIMES("kOhm", "Ohm", 1000), TIMES("MOhm", "Ohm", 1e6),
	PART("mOhm", "Ohm", 1000), PART("mg", "kg", 1e6), TIMES("t", "kg", 1000),
	{ "lb", "kg", 45359237, 1e8, 0 }, { "oz", "kg", 28349523125, 1e12, 0 },
	{ "in", "m", 254, 10000, 0 }, { "ft", "m", 3048, 10000, 0 }, { "degF", "Cel", 5, 9, -160.0 / 9 },
	PART("l/min", "m3/s", 60000), PART("l/h", "m3/s", 3.6e6), PART("m3/h", "m3/s", 3600), TIMES("kbit/s", "bit/s", 1000),
	TIMES("d", "s", 86400), PART("us", "s", 1e6), TIMES("kB", "bit", 8000), TIMES("MB", "bit", 8e6),
	TIMES("MiB", "bit", 8388608), TIMES("kW/m2", "W/m2", 1000), TIMES("Ws", "J", 1),
	TIMES("g/l", "kg/m3", 1), PART("mg/l", "kg/m3", 1000), PART("ug/l", "kg/m3", 1e6),
	PART("ppb", "/", 1e9),
};

/* What stands on nameplates, where SenML has another name that is not near. */
static const char *const other_names[][2] = {
	{ "Volt", "V" },      { "volt", "V" },	     { "Volts", "V" },	 { "Amp", "A" },
	{ "amp", "A" },	      { "Ampere", "A" },     { "Watt", "W" },	 { "watt", "W" },
	{ "Hertz", "Hz" },    { "hz", "Hz" },	     { "°C", "Cel" },	 { "degC", "Cel" },
	{ "Celsius", "Cel" }, { "celsius", "Cel" },  { "°F", "degF" },	 { "percent", "%" },
	{ "%rH", "%RH" },     { "%rh", "%RH" },	     { "ohm", "Ohm" },	 { "Ω", "Ohm" },
	{ "m³", "m3" },	      { "m³/h", "m3/h" },    { "m²", "m2" },	 { "kWH", "kWh" },
	{ "°", "deg" },	      { "sec", "s" },	     { "L", "l" },	 { "µs", "us" },
	{ "rpm", "1/min" },   { "RPM", "1/min" },     { "VArh", "varh" },	 { "kVArh", "kvarh" },
	{ "1", "/" },	      { "µg/m³", "ug/m3" },   { "KW", "kW" },	 { "Nm3/h", "m3/h" },
	{ "litre", "l" },     { "liter", "l" },	     { "VAr", "var" },	 { "kVAr", "kvar" },
};

static const char *unit_near(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(other_names); i++)
		if (streq(other_names[i][0], name))
			return other_names[i][1];
	return str_nearest(name, names, n);
}

const struct unit *unit_find(const char *name, const char **ret_near)
{
	const char *names[ARRAY_SIZE(units)];

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (streq(units[i].name, name))
			return &units[i];
		names[i] = units[i].name;
	}
	if (ret_near)
		*ret_near = unit_near(name, names, ARRAY_SIZE(units));
	return NULL;
}

const char *unit_name(const struct unit *u)
{
	return u->name;
}

int unit_conversion(const struct unit *from, const struct unit *to, double *ret_factor, double *ret_offset)
{
	if (!streq(from->base, to->base))
		return -EXDEV;
	/* One division of two exact products: kWh -> Wh is 1000, not 999.9999. */
	*ret_factor = (from->factor * to->divisor) / (from->divisor * to->factor);
	*ret_offset = (from->offset - to->offset) * to->divisor / to->factor;
	return 0;
}
