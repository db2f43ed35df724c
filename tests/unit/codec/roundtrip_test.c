/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "tests/unit/codec/fixture.h"

/*
 * What is written reads back as the same values, for every type and format. The
 * values follow from a seed; FIELDWAY_SEED=N runs another one.
 */

#define ROUNDS 400
#define INSTANCES 3
#define DATA_MAX 300

static uint64_t seed, state;

/* SplitMix64, for its one line of state. */
static uint64_t next_random(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Edges of every width, and anything between. */
static uint64_t random_bits(void)
{
	uint64_t power = UINT64_C(1) << next_random() % 64;

	switch (next_random() % 4) {
	case 0:
		return power;
	case 1:
		return power - 1;
	case 2:
		return 0 - power;
	default:
		return next_random() >> next_random() % 64;
	}
}

static double random_double(void)
{
	uint64_t bits = next_random();
	double v;

	if (next_random() % 4 == 0)
		return (float)ldexp((double)(int32_t)bits, -(int)(next_random() % 40));
	if (next_random() % 4 == 0)
		return (double)(int64_t)random_bits();
	memcpy(&v, &bits, sizeof(v));
	return isfinite(v) ? v : 0.1;
}

/* One character of any length, surrogates left out. */
static size_t random_character(char *at)
{
	static const uint32_t limits[] = { 0x80, 0x80, 0x800, 0xd800, 0x110000 };
	uint32_t c = (uint32_t)(next_random() % limits[next_random() % ARRAY_SIZE(limits)]);

	if (c >= 0xd800 && c < 0xe000)
		c = '"';
	if (c < 0x80)
		return (size_t)(at[0] = (char)c, 1);
	if (c < 0x800) {
		at[0] = (char)(0xc0 | c >> 6);
		at[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		at[0] = (char)(0xe0 | c >> 12);
		at[1] = (char)(0x80 | (c >> 6 & 63));
		at[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	at[0] = (char)(0xf0 | c >> 18);
	at[1] = (char)(0x80 | (c >> 12 & 63));
	at[2] = (char)(0x80 | (c >> 6 & 63));
	at[3] = (char)(0x80 | (c & 63));
	return 4;
}

static struct value random_bytes(enum value_type type)
{
	size_t size = 0, wanted = next_random() % (next_random() % 8 ? 20 : DATA_MAX);
	char data[DATA_MAX + 4];
	struct value v;

	while (size < wanted) {
		if (type == VALUE_OPAQUE)
			data[size++] = (char)next_random();
		else
			size += random_character(data + size);
	}
	ck_assert_int_eq(value_set_bytes(&v, type, data, size), 0);
	return v;
}

static struct value random_value(enum value_type type)
{
	switch (type) {
	case VALUE_STRING:
	case VALUE_CORELNK:
	case VALUE_OPAQUE:
		return random_bytes(type);
	case VALUE_INTEGER:
		return value_integer((int64_t)random_bits());
	case VALUE_TIME:
		return value_time((int64_t)random_bits());
	case VALUE_UNSIGNED:
		return value_unsigned(random_bits());
	case VALUE_FLOAT:
		return value_float(random_double());
	case VALUE_BOOLEAN:
		return value_boolean(next_random() % 2);
	case VALUE_OBJLNK:
		return value_objlnk((uint16_t)next_random(), (uint16_t)next_random());
	case VALUE_NONE:
	case VALUE_TYPES:
		break;
	}
	ck_abort();
}

static void add(struct records *records, struct path path)
{
	enum value_type type = path.resource % FIXTURE_MULTIPLE;
	struct value value = random_value(type);

	ck_assert_int_eq(records_add(records, &path, &value, 0), 0);
}

/* One instance: each resource may be there, the multiple ones with some of their instances. */
static void add_instance(struct records *records, uint16_t id)
{
	for (uint16_t type = VALUE_STRING; type < VALUE_TYPES; type++)
		if (next_random() % 2)
			add(records, path_of_resource(FIXTURE_OBJECT, id, type));
	for (uint16_t type = VALUE_STRING; type < VALUE_TYPES; type++)
		for (unsigned ri = next_random() % 3; ri < 70000;
		     ri = (ri + 1) * (1 + next_random() % 300))
			if (next_random() % 2 && ri < ID_NONE)
				add(records,
				    path_of_resource_instance(FIXTURE_OBJECT, id,
							      type + FIXTURE_MULTIPLE, ri));
}

static void check(const struct codec *codec, const struct path *base, const struct records *records)
{
	_cleanup_records_ struct records back = { 0 };
	_cleanup_free_ char *hex = NULL;
	struct buf out = { 0 };
	const char *reason = "?";
	int r;

	r = codec->encode(base, records->items, records->n, false, &out);
	ck_assert_msg(r == 0, "%s, seed %" PRIu64 ": %s", codec->name, seed, strerror(-r));
	hex = hex_encode(out.data, out.size);
	r = codec->decode(base, span_of(out.data, out.size), fixture_lookup, NULL, &back, &reason);
	ck_assert_msg(r == 0, "%s, seed %" PRIu64 ": %s: %s", codec->name, seed, reason, hex);
	ck_assert_msg(back.n == records->n, "%s, seed %" PRIu64 ": %s", codec->name, seed, hex);
	for (size_t i = 0; i < back.n; i++)
		ck_assert_msg(path_equal(&back.items[i].path, &records->items[i].path) &&
				      value_equal(&back.items[i].value, &records->items[i].value),
			      "%s, seed %" PRIu64 ", record %zu: %s", codec->name, seed, i, hex);
	buf_done(&out);
}

START_TEST(test_objects)
{
	const struct codec *codec = codecs[_i];
	struct path base = path_of_object(FIXTURE_OBJECT), instance;

	for (unsigned round = 0; round < ROUNDS && !codec->single; round++) {
		_cleanup_records_ struct records records = { 0 };

		for (uint16_t id = 0; id < INSTANCES; id++)
			add_instance(&records, id * 300);
		check(codec, &base, &records);
		records_done(&records);
		add_instance(&records, 7);
		instance = path_of_instance(FIXTURE_OBJECT, 7);
		check(codec, &instance, &records);
	}
}
END_TEST

START_TEST(test_values)
{
	const struct codec *codec = codecs[_i];

	for (unsigned round = 0; round < 20 * ROUNDS; round++) {
		_cleanup_records_ struct records records = { 0 };
		uint16_t type = VALUE_STRING + round % (VALUE_TYPES - VALUE_STRING);
		struct path path = path_of_resource(FIXTURE_OBJECT, 0, type);

		if (next_random() % 2)
			path = path_of_resource_instance(FIXTURE_OBJECT, 0, type + FIXTURE_MULTIPLE,
							 65534);
		if (codec->format == FORMAT_OPAQUE && type != VALUE_OPAQUE)
			continue;
		add(&records, path);
		check(codec, &path, &records);
	}
}
END_TEST

/* Any limit of the buffer is kept, and a failure leaves nothing behind. */
START_TEST(test_limits)
{
	const struct codec *codec = codecs[_i];
	struct path base = path_of_instance(FIXTURE_OBJECT, 0);
	_cleanup_records_ struct records records = { 0 };
	struct buf whole = { 0 };

	if (codec->single) {
		base = path_of_resource(FIXTURE_OBJECT, 0, VALUE_OPAQUE);
		add(&records, base);
	} else {
		add_instance(&records, 0);
	}
	ck_assert_int_eq(codec->encode(&base, records.items, records.n, false, &whole), 0);
	for (size_t limit = 2; limit < whole.size + 1; limit++) {
		struct buf out = { .limit = limit };

		ck_assert_int_eq(buf_append_byte(&out, 'x'), 0);
		ck_assert_int_eq(codec->encode(&base, records.items, records.n, false, &out),
				 -EMSGSIZE);
		ck_assert_uint_eq(out.size, 1);
		buf_done(&out);
	}
	buf_done(&whole);
}
END_TEST

static void setup(void)
{
	const char *text = getenv("FIELDWAY_SEED");

	seed = 20240613;
	if (text)
		ck_assert_int_eq(parse_u64(text, &seed), 0);
	state = seed;
}

int main(void)
{
	Suite *suite = suite_create("roundtrip");
	TCase *tcase = tcase_create("roundtrip");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_loop_test(tcase, test_objects, 0, (int)n_codecs);
	tcase_add_loop_test(tcase, test_values, 0, (int)n_codecs);
	tcase_add_loop_test(tcase, test_limits, 0, (int)n_codecs);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
