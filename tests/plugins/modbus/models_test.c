/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "plugins/modbus/identification.h"
#include "plugins/modbus/models.h"
#include "setup.h"

/* What is learnt of a device step by step: where its models are, which objects it has. */

/* A device's holding registers: some, and none elsewhere. */
struct device {
	uint32_t first;
	size_t n;
	uint16_t registers[24];
};

#define SUNS 0x5375, 0x6e53

static const struct {
	const char *name;
	struct device device;
	enum walk_state state;
	unsigned steps;
	struct model models[3];
	size_t n;
} walks[] = {
	{ "at the second place",
	  { 50000, 12, { SUNS, 1, 2, 0, 0, 103, 0, 1, 1, 9, 0xffff } },
	  WALK_DONE,
	  6,
	  { { 1, 2, 50002 }, { 103, 0, 50006 }, { 1, 1, 50008 } },
	  3 },
	{ "at the last", { 0, 4, { SUNS, 0xffff, 0 } }, WALK_DONE, 4, { { 0 } }, 0 },
	{ "another word", { 40000, 4, { 0x5375, 0x6e54, 1, 0 } }, WALK_LOST, 3, { { 0 } }, 0 },
	{ "nothing at all", { 100, 0, { 0 } }, WALK_LOST, 3, { { 0 } }, 0 },
	{ "no end", { 40000, 6, { SUNS, 1, 2, 7, 8 } }, WALK_DONE, 3, { { 1, 2, 40002 } }, 1 },
	{ "half an end",
	  { 40000, 7, { SUNS, 1, 2, 7, 8, 0xffff } },
	  WALK_DONE,
	  3,
	  { { 1, 2, 40002 } },
	  1 },
	{ "beyond all addresses",
	  { 40000, 6, { SUNS, 1, 65535, 0, 0 } },
	  WALK_DONE,
	  2,
	  { { 1, 65535, 40002 } },
	  1 },
};

/* NULL: the device does not have all of them. */
static const uint8_t *read_device(const struct device *d, uint16_t address, uint16_t count,
				  uint8_t *bytes)
{
	for (uint32_t i = address; i < (uint32_t)address + count; i++) {
		if (i < d->first || i >= d->first + d->n)
			return NULL;
		*bytes++ = (uint8_t)(d->registers[i - d->first] >> 8);
		*bytes++ = (uint8_t)d->registers[i - d->first];
	}
	return bytes - 2 * count;
}

static struct base make_base(void)
{
	const struct fieldway_settings s = SETTINGS(TEXT("base.find", "SunS"));
	struct fieldway_error error = { 0 };
	struct base base;

	ck_assert_msg(base_compile(&s, &base, &error) == 0, "%s", error.text);
	return base;
}

START_TEST(chains)
{
	struct base base = make_base();
	struct walk walk = { 0 };
	uint16_t address, count;
	uint8_t bytes[MAX_FIND_BYTES];
	unsigned steps = 0;

	while (walk_wants(&base, &walk, &address, &count)) {
		walk_feed(&base, &walk, read_device(&walks[_i].device, address, count, bytes));
		steps++;
	}
	ck_assert_int_eq(walk.state, walks[_i].state);
	ck_assert_uint_eq(steps, walks[_i].steps);
	ck_assert_uint_eq(walk.n, walks[_i].n);
	for (size_t i = 0; i < walk.n; i++) {
		ck_assert_uint_eq(walk.models[i].id, walks[_i].models[i].id);
		ck_assert_uint_eq(walk.models[i].length, walks[_i].models[i].length);
		ck_assert_uint_eq(walk.models[i].address, walks[_i].models[i].address);
	}
}
END_TEST

START_TEST(an_endless_chain_ends)
{
	struct base base = make_base();
	static struct walk walk;
	uint16_t address, count;
	unsigned steps = 0;

	for (walk = (struct walk){ 0 }; walk_wants(&base, &walk, &address, &count); steps++)
		walk_feed(&base, &walk,
			  steps ? (const uint8_t *)"\0\1\0\0" : (const uint8_t *)"SunS");
	ck_assert_int_eq(walk.state, WALK_DONE);
	ck_assert_uint_eq(walk.n, MAX_MODELS);
	ck_assert_uint_eq(steps, 1 + MAX_MODELS);
}
END_TEST

START_TEST(places_of_ones_own)
{
	const struct fieldway_settings s =
		SETTINGS(TEXT("base.find", "SunS++"), UINT("base.at", 65533), UINT("base.at", 7));
	struct fieldway_error error = { 0 };
	struct walk walk = { 0 };
	uint16_t address, count;
	struct base base;

	ck_assert_msg(base_compile(&s, &base, &error) == 0, "%s", error.text);
	ck_assert(walk_wants(&base, &walk, &address, &count));
	ck_assert_uint_eq(address, 65533);
	ck_assert_uint_eq(count, 3);
	/* Behind it there is no room for anything. */
	walk_feed(&base, &walk, (const uint8_t *)"SunS++");
	ck_assert_int_eq(walk.state, WALK_DONE);
	walk = (struct walk){ 0 };
	walk_feed(&base, &walk, NULL);
	ck_assert(walk_wants(&base, &walk, &address, &count));
	ck_assert_uint_eq(address, 7);
}
END_TEST

static int wish(struct wishes *w, struct fieldway_settings s)
{
	struct fieldway_error error = { 0 };

	return wishes_add(w, &s, &error);
}

START_TEST(equal_wishes_are_one)
{
	struct wishes w = { 0 };

	ck_assert_int_eq(wish(&w, SETTINGS(UINT("model", 101), UINT("model", 103))), 1);
	ck_assert_int_eq(wish(&w, SETTINGS(UINT("model", 103))), 2);
	ck_assert_int_eq(wish(&w, SETTINGS(UINT("model", 103), UINT("occurrence", 2))), 3);
	ck_assert_int_eq(wish(&w, SETTINGS(UINT("model", 101), UINT("model", 103))), 1);
	ck_assert_int_eq(wish(&w, SETTINGS(UINT("model", 103), UINT("occurrence", 1))), 2);
	ck_assert_int_eq(wish(&w, SETTINGS(UINT("model", 0xffff))), -EINVAL);
	ck_assert_int_eq(wish(&w, SETTINGS(UINT("model", 0))), -EINVAL);
	ck_assert_int_eq(wish(&w, SETTINGS(UINT("model", 1), UINT("occurrence", 129))), -EINVAL);
	for (uint64_t i = 4; i <= MAX_WISHES; i++)
		ck_assert_int_eq(wish(&w, SETTINGS(UINT("model", 1000 + i))), (int)i);
	ck_assert_int_eq(wish(&w, SETTINGS(UINT("model", 5000))), -EINVAL);
	wishes_done(&w);
	ck_assert_uint_eq(w.n, 0);
}
END_TEST

START_TEST(a_model_ends)
{
	const struct model m = { .id = 103, .length = 2, .address = 40002 },
			   last = { .id = 1, .length = 65535, .address = 65530 };

	ck_assert_uint_eq(model_clip(&m, 0, 10), 4);
	ck_assert_uint_eq(model_clip(&m, 3, 1), 1);
	ck_assert_uint_eq(model_clip(&m, 3, 2), 1);
	ck_assert_uint_eq(model_clip(&m, 4, 1), 0);
	ck_assert_uint_eq(model_clip(&m, 65535, 1), 0);
	ck_assert_uint_eq(model_clip(&last, 0, 100), 6);
	ck_assert_uint_eq(model_clip(&last, 6, 1), 0);
}
END_TEST

/* ---- identification ---- */

static struct collection want(const char *objects, uint8_t *bytes, size_t room)
{
	struct point points[16] = { 0 };
	uint32_t indices[16], n = 0;
	struct fieldway_request request = { .points = indices };
	struct collection c;

	for (; objects[n] != 'x'; n++) {
		points[n].address = (uint8_t)objects[n];
		indices[n] = n;
	}
	request.n_points = n;
	collection_init(&c, points, &request, bytes, room);
	return c;
}

START_TEST(categories_follow_the_objects)
{
	struct collection basic = want("\0\2x", NULL, 0), regular = want("\0\6x", NULL, 0),
			  extended = want("\x80x", NULL, 0);
	uint8_t pdu[IDENTIFICATION_REQUEST_BYTES];

	ck_assert_int_eq(collection_category(&basic), CATEGORY_BASIC);
	ck_assert_int_eq(collection_category(&regular), CATEGORY_REGULAR);
	ck_assert_int_eq(collection_category(&extended), CATEGORY_EXTENDED);
	collection_ask(&regular, CATEGORY_REGULAR, pdu);
	ck_assert_mem_eq(pdu, "\x2b\x0e\2\0", 4);
}
END_TEST

/* The example of section 6.21: a basic identification in two answers. */
START_TEST(a_stream_in_two_answers)
{
	static const char first[] = "\x2b\x0e\x01\x01\xff\x02\x02\x00\x16"
				    "Company identification"
				    "\x01\x0f"
				    "Product code XX";
	static const char second[] = "\x2b\x0e\x01\x01\x00\x00\x01\x02\x05"
				     "V2.11";
	uint8_t bytes[64], pdu[IDENTIFICATION_REQUEST_BYTES];
	struct collection c = want("\0\2x", bytes, sizeof(bytes));

	ck_assert_int_eq(collection_take(&c, (const uint8_t *)first, sizeof(first) - 1), 0);
	collection_ask(&c, CATEGORY_BASIC, pdu);
	ck_assert_mem_eq(pdu, "\x2b\x0e\1\2", 4);
	ck_assert_int_eq(collection_take(&c, (const uint8_t *)second, sizeof(second) - 1), 1);
	ck_assert_uint_eq(c.size, 24 + 7);
	ck_assert_mem_eq(bytes + 24, "\2\5V2.11", 7);
}
END_TEST

static const struct {
	const char *answer;
	size_t size;
	int expected;
} answers[] = {
#define ANSWER(x, expected)                                                                        \
	{                                                                                          \
		(x), sizeof(x) - 1, (expected)                                                     \
	}
	ANSWER("\x2b\x0e\1\1\xff\1\1\0\1A", 0),
	ANSWER("\x2b\x0e\1\1\0\0\1\0\1A", 1),
	ANSWER("\x2b\x0e\1\1\xff\1\2\0\1A\2\1B", 1), /* has all that is wanted */
	ANSWER("\x2b\x0e\1\1\xff\0\0", 1), /* more, but nothing new: would go on for ever */
	ANSWER("\x2b\x0e\1\1\0\0\0", 1),
	ANSWER("\x2b\x0e\1\1\0\0", -EBADMSG),
	ANSWER("\x2b\x0d\1\1\0\0\1\0\1A", -EBADMSG),
	ANSWER("\x2b\x0e\1\1\0\0\1\0\2A", -EBADMSG), /* cut off */
	ANSWER("\x2b\x0e\1\1\0\0\1\0", -EBADMSG),
	ANSWER("\x2b\x0e\1\1\0\0\1\0\5ABCDE", -EBADMSG), /* no room */
	ANSWER("\x2b\x0e\1\1\xff\0\1\5\3ABC", 0),	 /* nobody wants it */
};

START_TEST(answers_of_all_kinds)
{
	uint8_t bytes[6], *exact = malloc(answers[_i].size);
	struct collection c = want("\0\2x", bytes, sizeof(bytes));

	/* Where a sanitizer sees a byte too far. */
	memcpy(exact, answers[_i].answer, answers[_i].size);
	ck_assert_int_eq(collection_take(&c, exact, answers[_i].size), answers[_i].expected);
	free(exact);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("modbus/models");
	TCase *t = tcase_create("models"), *identification = tcase_create("identification");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(t, chains, 0, sizeof(walks) / sizeof(walks[0]));
	tcase_add_test(t, an_endless_chain_ends);
	tcase_add_test(t, places_of_ones_own);
	tcase_add_test(t, equal_wishes_are_one);
	tcase_add_test(t, a_model_ends);
	tcase_add_test(identification, categories_follow_the_objects);
	tcase_add_test(identification, a_stream_in_two_answers);
	tcase_add_loop_test(identification, answers_of_all_kinds, 0,
			    sizeof(answers) / sizeof(answers[0]));
	suite_add_tcase(s, t);
	suite_add_tcase(s, identification);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
