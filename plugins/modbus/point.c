/* SPDX-License-Identifier: Apache-2.0 */
#include "point.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/lib/settings.h"

const char *const area_names[] = { "coil", "discrete", "input", "holding", "identification", NULL };
const char *const address_base_names[] = { "0", "1", "modicon", NULL };

/* Application Protocol V1.1b3, section 6.21: the first objects, in order. Behind them are the device's own. */
const char *const object_names[] = {
	"vendor_name", "product_code",		"revision", "vendor_url", "product_name",
	"model_name",  "user_application_name", NULL
};

#define LAST_ADDRESS (ADDRESSES - 1)

/* The tables of a Modicon PLC: the digit before the number, which has four or five more, from 1 on. */
static const struct {
	uint64_t first, last;
	enum area area;
} modicon[] = {
	{ 400001, 465536, AREA_HOLDING },
	{ 300001, 365536, AREA_INPUT },
	{ 100001, 165536, AREA_DISCRETE },
	{ 40001, 49999, AREA_HOLDING },
	{ 30001, 39999, AREA_INPUT },
	{ 10001, 19999, AREA_DISCRETE },
	{ 1, 9999, AREA_COIL },
};

/* *area is what the point says, and becomes what a Modicon address says. */
static int take_modicon(const char *key, uint64_t number, enum area *area, uint64_t *ret,
			struct fieldway_error *error)
{
	for (size_t i = 0; i < sizeof(modicon) / sizeof(modicon[0]); i++) {
		if (number < modicon[i].first || number > modicon[i].last)
			continue;
		/* holding is what stands there when nothing does. */
		if (*area != AREA_HOLDING && *area != modicon[i].area)
			return setting_refuse(error, "area",
					      "%llu is an address of area %s, not %s",
					      (unsigned long long)number,
					      area_names[modicon[i].area], area_names[*area]);
		*area = modicon[i].area;
		*ret = number - modicon[i].first;
		return 0;
	}
	return setting_refuse(
		error, key,
		"a Modicon address is 1, 10001, 30001, 40001 and on, or has six digits");
}

/* An address as the device's manual has it, made one as on the wire. */
static int take_address(const char *key, uint64_t number, const struct point_rules *rules,
			enum area *area, uint16_t *ret, struct fieldway_error *error)
{
	uint64_t address = number;
	int r;

	switch (rules->address_base) {
	case ADDRESS_BASE_0:
		break;
	case ADDRESS_BASE_1:
		if (number == 0)
			return setting_refuse(error, key, "addresses of this device count from 1");
		address--;
		break;
	case ADDRESS_BASE_MODICON:
		r = take_modicon(key, number, area, &address, error);
		if (r < 0)
			return r;
		break;
	}
	address += rules->offset;
	if (address > LAST_ADDRESS)
		return setting_refuse(error, key, "an address is 0 to %u", LAST_ADDRESS);
	*ret = (uint16_t)address;
	return 0;
}

static int compile_area(const struct fieldway_settings *s, struct point *p,
			struct fieldway_error *error)
{
	int area = setting_choice(s, "area", area_names, AREA_HOLDING);

	if (area < 0)
		return setting_refuse(
			error, "area",
			"area is one of coil, discrete, input, holding, identification");
	p->area = (enum area)area;
	p->model = setting_has(s, "model");
	if (p->area != AREA_IDENTIFICATION && setting_has(s, "object"))
		return setting_refuse(error, "object", "only area identification has objects");
	if (!p->model && setting_has(s, "occurrence"))
		return setting_refuse(error, "occurrence", "only of a model there are several");
	return 0;
}

/* Registers of a model are counted from its own, whatever the rest of the manual does. */
static int compile_model(const struct point *p, const struct point_rules *rules,
			 struct fieldway_error *error)
{
	if (!rules->has_models)
		return setting_refuse(error, "model",
				      "a model needs base: {find: \"SunS\"} in defaults:");
	if (p->area != AREA_HOLDING)
		return setting_refuse(error, "model", "models lie in area holding, not %s",
				      area_names[p->area]);
	return 0;
}

static int compile_place(const struct fieldway_settings *s, const struct point_rules *rules,
			 struct point *p, struct fieldway_error *error)
{
	static const struct point_rules of_a_model = { 0 };
	int r;

	if (!setting_has(s, "address"))
		return setting_refuse(error, "address", "the point has no address");
	r = p->model ? compile_model(p, rules, error) : 0;
	if (r < 0)
		return r;
	return take_address("address", setting_uint(s, "address", 0),
			    p->model ? &of_a_model : rules, &p->area, &p->address, error);
}

static int compile_bit(const struct fieldway_settings *s, struct point *p,
		       struct fieldway_error *error)
{
	static const struct layout_rules rules = { .initial = LAYOUT_BOOL, .max_length = 1 };
	int r = layout_compile(s, &rules, &p->layout, error);

	if (r < 0)
		return r;
	if (layout_is_partial(&p->layout))
		return setting_refuse(error, setting_has(s, "bit") ? "bit" : "mask",
				      "area %s holds single bits already", area_names[p->area]);
	if (p->layout.type != LAYOUT_BOOL)
		return setting_refuse(error, "type",
				      "area %s holds single bits: its type is bool, not %s",
				      area_names[p->area], layout_type_name(&p->layout));
	p->count = 1;
	return 0;
}

static int compile_layout(const struct fieldway_settings *s, struct point *p,
			  struct fieldway_error *error)
{
	static const struct layout_rules rules = { .registers = true,
						   .initial = LAYOUT_UINT16,
						   .max_length = MAX_ANSWER_BYTES };
	int r;

	if (area_has_bits(p->area))
		return compile_bit(s, p, error);
	r = layout_compile(s, &rules, &p->layout, error);
	if (r < 0)
		return r;
	p->count = p->layout.size / 2;
	return 0;
}

/* "vendor_name", or "0". */
static int find_object(const struct fieldway_settings *s)
{
	const struct fieldway_value *v = setting_find(s, "object");
	char text[4] = "", *end;
	unsigned long number;
	int named;

	named = setting_choice(s, "object", object_names, -1);
	if (named >= 0 || !v || v->type != FIELDWAY_STRING || v->size == 0 ||
	    v->size >= sizeof(text))
		return named;
	memcpy(text, v->data, v->size);
	number = strtoul(text, &end, 10);
	return *end || number >= OBJECTS ? -1 : (int)number;
}

static int compile_object(const struct fieldway_settings *s, struct point *p,
			  struct fieldway_error *error)
{
	static const struct layout_rules rules = { .rest = true,
						   .initial = LAYOUT_STRING,
						   .max_length = MAX_OBJECT_BYTES };
	int object = find_object(s), r;

	if (object < 0)
		return setting_refuse(
			error, "object",
			setting_has(s, "object") ?
				"an object has one of seven names, or a number 0 to 255" :
				"area identification needs object: vendor_name or another");
	if (setting_has(s, "address"))
		return setting_refuse(error, "address",
				      "area identification has objects, no addresses");
	if (p->model)
		return setting_refuse(error, "model", "area identification has no models");
	if (p->writable)
		return setting_refuse(error, "area", "area identification cannot be written");
	p->address = (uint16_t)object;
	p->count = 1;
	r = layout_compile(s, &rules, &p->layout, error);
	/* A number is more often the type of `defaults:` than what is meant. */
	if (r >= 0 && p->layout.type != LAYOUT_STRING && p->layout.type != LAYOUT_BYTES)
		return setting_refuse(error, "type", "an object is a string or bytes, no %s",
				      layout_type_name(&p->layout));
	return r;
}

static bool function_is_known(uint64_t function)
{
	return function == FUNCTION_WRITE_COIL || function == FUNCTION_WRITE_REGISTER ||
	       function == FUNCTION_WRITE_COILS || function == FUNCTION_WRITE_REGISTERS ||
	       function == FUNCTION_MASK_REGISTER || function == FUNCTION_WRITE_AND_READ;
}

bool point_is_merged(const struct point *p)
{
	return p->writable && layout_is_partial(&p->layout) &&
	       p->write.function != FUNCTION_MASK_REGISTER;
}

static int check_size(const struct point *p, const struct point_rules *rules,
		      struct fieldway_error *error)
{
	if (p->write.function == FUNCTION_WRITE_AND_READ && p->count > MAX_WRITE_READ_REGISTERS)
		return setting_refuse(error, "write.function",
				      "function 23 writes at most %u registers",
				      MAX_WRITE_READ_REGISTERS);
	if (!area_has_bits(p->area) && p->count > rules->max_write_registers)
		return setting_refuse(
			error,
			layout_type_name(&p->layout)[0] == 's' ? "length" : "max_write_registers",
			"the point has %u registers, a request writes at most %u", p->count,
			rules->max_write_registers);
	return 0;
}

static int check_function(const struct point *p, struct fieldway_error *error)
{
	enum function function = p->write.function;
	bool coils = function == FUNCTION_WRITE_COIL || function == FUNCTION_WRITE_COILS;
	bool one = function == FUNCTION_WRITE_REGISTER || function == FUNCTION_MASK_REGISTER;

	if (coils != area_has_bits(p->area))
		return setting_refuse(error, "write.function", "function %d does not write %s",
				      function, area_has_bits(p->area) ? "coils" : "registers");
	if (one && p->count != 1)
		return setting_refuse(error, "write.function",
				      "function %d writes one register, the point has %u", function,
				      p->count);
	if (function == FUNCTION_MASK_REGISTER && !layout_is_partial(&p->layout))
		return setting_refuse(
			error, "write.function",
			"function 22 writes bits: the point has neither bit: nor mask:");
	if (function == FUNCTION_WRITE_AND_READ && layout_is_partial(&p->layout))
		return setting_refuse(error, "write.function",
				      "function 23 writes whole registers, not some of their bits");
	if (function == FUNCTION_WRITE_AND_READ && p->area != AREA_HOLDING)
		return setting_refuse(error, "write.function",
				      "function 23 reads back area holding, not %s",
				      area_names[p->area]);
	return 0;
}

static enum function default_function(const struct point *p)
{
	if (area_has_bits(p->area))
		return FUNCTION_WRITE_COIL;
	if (layout_is_partial(&p->layout))
		return FUNCTION_MASK_REGISTER;
	return p->count == 1 ? FUNCTION_WRITE_REGISTER : FUNCTION_WRITE_REGISTERS;
}

static int compile_write_address(const struct fieldway_settings *s, const struct point_rules *rules,
				 struct point *p, struct fieldway_error *error)
{
	static const struct point_rules of_a_model = { 0 };
	enum area area = area_has_bits(p->area) ? AREA_COIL : AREA_HOLDING, said = area;
	int r;

	p->write.address = p->address;
	if (setting_has(s, "write.address")) {
		r = take_address("write.address", setting_uint(s, "write.address", 0),
				 p->model ? &of_a_model : rules, &said, &p->write.address, error);
		if (r < 0)
			return r;
		if (said != area)
			return setting_refuse(error, "write.address",
					      "what lies in area %s cannot be written there",
					      area_names[p->area]);
	} else if (p->area == AREA_DISCRETE || p->area == AREA_INPUT) {
		return setting_refuse(error, "area",
				      "area %s cannot be written: it needs write.address",
				      area_names[p->area]);
	}
	if ((unsigned)p->write.address + p->count > ADDRESSES)
		return setting_refuse(error, "write.address",
				      "the value would end behind address %u", LAST_ADDRESS);
	return 0;
}

static int compile_write(const struct fieldway_settings *s, const struct point_rules *rules,
			 struct point *p, struct fieldway_error *error)
{
	uint64_t function = setting_uint(s, "write.function", default_function(p));
	int r;

	if (!p->writable && setting_has(s, "write.address"))
		return setting_refuse(error, "write.address", "the point is not written: its access is r");
	if (!p->writable)
		return 0;
	r = compile_write_address(s, rules, p, error);
	if (r < 0)
		return r;
	if (!function_is_known(function))
		return setting_refuse(error, "write.function",
				      "the functions that write are 5, 6, 15, 16, 22, 23");
	p->write.function = (enum function)function;
	r = check_function(p, error);
	return r < 0 ? r : check_size(p, rules, error);
}

static int compile_table(const struct fieldway_settings *s, const struct point_rules *rules,
			 struct point *p, struct fieldway_error *error)
{
	int r = compile_place(s, rules, p, error);

	if (r >= 0)
		r = compile_layout(s, p, error);
	if (r < 0)
		return r;
	if ((unsigned)p->address + p->count > ADDRESSES)
		return setting_refuse(error, "address", "the value would end behind address %u",
				      LAST_ADDRESS);
	return compile_write(s, rules, p, error);
}

int point_compile(const struct fieldway_point *from, const struct point_rules *rules,
		  struct point *ret, struct fieldway_error *error)
{
	const struct fieldway_settings *s = &from->settings;
	struct point p = { .readable = from->readable, .writable = from->writable };
	int r;

	r = compile_area(s, &p, error);
	if (r >= 0)
		r = p.area == AREA_IDENTIFICATION ? compile_object(s, &p, error) :
						    compile_table(s, rules, &p, error);
	if (r < 0)
		return r;
	*ret = p;
	return 0;
}
