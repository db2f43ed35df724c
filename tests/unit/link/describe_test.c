/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "setup.h"

static struct arena arena;

static void setup_arena(void)
{
	setup();
	arena = (struct arena){ 0 };
}

static void teardown_arena(void)
{
	arena_done(&arena);
	teardown();
}

static const char *const areas[] = { "coil", "input", NULL };
static struct fieldway_key keys[] = {
	{ .name = "rtu.baud",
	  .scope = FIELDWAY_SCOPE_BUS,
	  .flags = FIELDWAY_KEY_REQUIRED,
	  .type = FIELDWAY_UINT,
	  .minimum = 1200,
	  .maximum = 921600,
	  .initial = "9600",
	  .unit = "baud",
	  .help = "baud rate" },
	{ .name = "area",
	  .scope = FIELDWAY_SCOPE_DEVICE | FIELDWAY_SCOPE_POINT,
	  .type = FIELDWAY_STRING,
	  .choices = areas,
	  .help = "which table" },
	{ .name = "messages.*.key",
	  .scope = FIELDWAY_SCOPE_PROFILE,
	  .flags = FIELDWAY_KEY_SECRET | FIELDWAY_KEY_LIST | FIELDWAY_KEY_CONTENT,
	  .type = FIELDWAY_STRING,
	  .help = "x" },
};

static int carry_description(const struct link_description *d, struct link_description *ret)
{
	sd_bus_message *m = start();
	int r;

	ck_assert_int_ge(link_append_description(m, d), 0);
	ck_assert_str_eq(sd_bus_message_get_signature(m, 1), LINK_TYPE_DESCRIPTION);
	m = carry(m);
	r = link_read_description(m, &arena, ret);
	sd_bus_message_unref(m);
	return r;
}

START_TEST(description_round_trip)
{
	const struct link_description from = { "modbus", "1.2", 3, keys, ARRAY_SIZE(keys) };
	struct link_description d;

	/* The message is gone when the description is looked at. */
	ck_assert_int_eq(carry_description(&from, &d), 0);
	ck_assert_str_eq(d.name, "modbus");
	ck_assert_str_eq(d.version, "1.2");
	ck_assert_uint_eq(d.capabilities, 3);
	ck_assert_uint_eq(d.n_keys, 3);
	ck_assert_str_eq(d.keys[0].name, "rtu.baud");
	ck_assert_uint_eq(d.keys[0].scope, FIELDWAY_SCOPE_BUS);
	ck_assert_uint_eq(d.keys[0].flags, FIELDWAY_KEY_REQUIRED);
	ck_assert_int_eq(d.keys[0].type, FIELDWAY_UINT);
	ck_assert(d.keys[0].minimum == 1200 && d.keys[0].maximum == 921600);
	ck_assert_ptr_null(d.keys[0].choices);
	ck_assert_str_eq(d.keys[0].initial, "9600");
	ck_assert_str_eq(d.keys[0].unit, "baud");
	ck_assert_str_eq(d.keys[0].help, "baud rate");
	ck_assert_str_eq(d.keys[1].choices[1], "input");
	ck_assert_ptr_null(d.keys[1].choices[2]);
	ck_assert_ptr_null(d.keys[1].initial);
	ck_assert_ptr_null(d.keys[1].unit);
	ck_assert_str_eq(d.keys[2].name, "messages.*.key");
	ck_assert_uint_eq(d.keys[2].scope, FIELDWAY_SCOPE_PROFILE);
	ck_assert_uint_eq(d.keys[2].flags, keys[2].flags);
}
END_TEST

START_TEST(description_without_keys)
{
	const struct link_description from = { .name = "none", .version = "" };
	struct link_description d;

	ck_assert_int_eq(carry_description(&from, &d), 0);
	ck_assert_uint_eq(d.n_keys, 0);
}
END_TEST

START_TEST(description_refused)
{
	struct fieldway_key odd[] = {
		{ .name = "", .type = FIELDWAY_UINT },
		{ .name = "k", .type = FIELDWAY_NONE },
		{ .name = "k", .type = FIELDWAY_BYTES },
	};
	struct link_description d = { .name = "untouched" };

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		const struct link_description from = { "x", "1", 0, &odd[i], 1 };

		ck_assert_int_eq(carry_description(&from, &d), -EBADMSG);
		ck_assert_str_eq(d.name, "untouched");
	}
}
END_TEST

START_TEST(description_text_refused)
{
	struct fieldway_key odd = { .name = "k", .type = FIELDWAY_UINT, .help = "\xff" };
	const struct link_description from = { "x", "1", 0, &odd, 1 };
	sd_bus_message *m = start();

	ck_assert_int_eq(link_append_description(m, &from), -EINVAL);
	sd_bus_message_unref(m);
}
END_TEST

/* One more key, or one more choice of a key, than the limit is malformed. */
START_TEST(description_limits)
{
	static struct fieldway_key many[LINK_KEYS_MAX + 1];
	static const char *choices[LINK_CHOICES_MAX + 2];
	struct link_description d, from = { "x", "1", 0, many, LINK_KEYS_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct fieldway_key){ .name = "k", .type = FIELDWAY_BOOL };
	for (size_t i = 0; i < LINK_CHOICES_MAX; i++)
		choices[i] = "c";
	many[0].choices = choices;
	ck_assert_int_eq(carry_description(&from, &d), 0);
	ck_assert_uint_eq(d.n_keys, LINK_KEYS_MAX);
	ck_assert_str_eq(d.keys[0].choices[LINK_CHOICES_MAX - 1], "c");
	from.n_keys++;
	ck_assert_int_eq(carry_description(&from, &d), -EBADMSG);
	choices[LINK_CHOICES_MAX] = "c";
	from.n_keys = 1;
	ck_assert_int_eq(carry_description(&from, &d), -EBADMSG);
}
END_TEST

START_TEST(description_malformed)
{
	struct link_description d;
	sd_bus_message *m = start();

	ck_assert_int_ge(sd_bus_message_append(m, "sst", "x", "1", UINT64_C(0)), 0);
	ck_assert_int_ge(sd_bus_message_append(m, "a(s)", 1, "key"), 0);
	m = carry(m);
	ck_assert_int_eq(link_read_description(m, &arena, &d), -EBADMSG);
	sd_bus_message_unref(m);
}
END_TEST

START_TEST(refusals_round_trip)
{
	const struct link_refusal from[] = {
		{ -1, -1, NULL, "the bus" },
		{ 7, 3, "address", "bus b: device m1: point v" },
	};
	struct link_refusal *refusals;
	sd_bus_message *m = start();
	size_t n;

	ck_assert_int_ge(link_append_refusals(m, from, ARRAY_SIZE(from)), 0);
	ck_assert_str_eq(sd_bus_message_get_signature(m, 1), LINK_TYPE_REFUSALS);
	m = carry(m);
	ck_assert_int_eq(link_read_refusals(m, &arena, &refusals, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(refusals[0].device, -1);
	ck_assert_str_eq(refusals[0].key, "");
	ck_assert_str_eq(refusals[0].text, "the bus");
	ck_assert_int_eq(refusals[1].device, 7);
	ck_assert_int_eq(refusals[1].point, 3);
	ck_assert_str_eq(refusals[1].key, "address");
	sd_bus_message_unref(m);
}
END_TEST

START_TEST(refusals_refused)
{
	static struct link_refusal many[LINK_REFUSALS_MAX + 1];
	struct link_refusal *refusals;
	sd_bus_message *m = start();
	size_t n;

	ck_assert_int_eq(link_append_refusals(m, many, ARRAY_SIZE(many)), -EINVAL);
	sd_bus_message_unref(m);
	m = start();
	ck_assert_int_ge(sd_bus_message_append(m, "a(iiss)", 1, -2, 0, "", ""), 0);
	m = carry(m);
	ck_assert_int_eq(link_read_refusals(m, &arena, &refusals, &n), -EBADMSG);
	sd_bus_message_unref(m);
	m = start();
	ck_assert_int_ge(sd_bus_message_open_container(m, 'a', LINK_TYPE_REFUSAL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		ck_assert_int_ge(sd_bus_message_append(m, "(iiss)", 0, 0, "", ""), 0);
	ck_assert_int_ge(sd_bus_message_close_container(m), 0);
	m = carry(m);
	ck_assert_int_eq(link_read_refusals(m, &arena, &refusals, &n), -EBADMSG);
	sd_bus_message_unref(m);
}
END_TEST

START_TEST(explanations_round_trip)
{
	struct link_request requests[] = { { LINK_PERIOD_ONCE, "input 0-17", 45 },
					   { 1000000, "coil 1", 12 } };
	const struct link_explanation with = { 5, "10.0.0.1:502/0", requests,
					       ARRAY_SIZE(requests) };
	const struct link_explanation without = { 6, "10.0.0.1:502/0", NULL, 0 };
	struct link_explanation *e;
	sd_bus_message *m = start();
	size_t n;

	ck_assert_int_ge(sd_bus_message_open_container(m, 'a', LINK_TYPE_EXPLANATION), 0);
	ck_assert_int_ge(link_append_explanation(m, &with), 0);
	ck_assert_int_ge(link_append_explanation(m, &without), 0);
	ck_assert_int_ge(sd_bus_message_close_container(m), 0);
	ck_assert_str_eq(sd_bus_message_get_signature(m, 1), LINK_TYPE_EXPLANATIONS);
	m = carry(m);
	ck_assert_int_eq(link_read_explanations(m, &arena, &e, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(e[0].device, 5);
	ck_assert_str_eq(e[0].line, "10.0.0.1:502/0");
	ck_assert_uint_eq(e[0].n_requests, 2);
	ck_assert_uint_eq(e[0].requests[0].period_usec, LINK_PERIOD_ONCE);
	ck_assert_str_eq(e[0].requests[1].text, "coil 1");
	ck_assert_uint_eq(e[0].requests[1].wire_bytes, 12);
	ck_assert_uint_eq(e[1].device, 6);
	ck_assert_uint_eq(e[1].n_requests, 0);
	sd_bus_message_unref(m);
}
END_TEST

START_TEST(explanations_refused)
{
	struct link_explanation *e;
	sd_bus_message *m = start();
	size_t n;

	ck_assert_int_ge(sd_bus_message_append(m, "a(us)", 1, 5, "line"), 0);
	m = carry(m);
	ck_assert_int_eq(link_read_explanations(m, &arena, &e, &n), -EBADMSG);
	sd_bus_message_unref(m);
}
END_TEST

/* What people read of a point: its name, and where it lies. */
START_TEST(point_text)
{
	static const struct fieldway_key places[] = {
		{ .name = "area", .flags = FIELDWAY_KEY_PLACE, .initial = "holding" },
		{ .name = "type", .initial = "uint16" },
		{ .name = "address", .flags = FIELDWAY_KEY_PLACE },
		{ .name = "write.address", .flags = FIELDWAY_KEY_PLACE },
	};
	struct fieldway_setting settings[] = {
		{ "address", { .type = FIELDWAY_UINT, .unsignd = 52 } },
		{ "type", { .type = FIELDWAY_STRING, .data = "int16", .size = 5 } },
		{ "area", { .type = FIELDWAY_STRING, .data = "input", .size = 5 } },
		{ "write.address", { .type = FIELDWAY_UINT, .unsignd = 2100 } },
	};
	struct fieldway_settings some = { settings, 3 };
	char text[LINK_POINT_TEXT_MAX], little[16];

	link_point_text(places, ARRAY_SIZE(places), &some, "power", text, sizeof(text));
	ck_assert_str_eq(text, "point power (input 52)");
	some.n = 4;
	link_point_text(places, ARRAY_SIZE(places), &some, "power", text, sizeof(text));
	ck_assert_str_eq(text, "point power (input 52 write.address 2100)");
	some.n = 2;
	link_point_text(places, ARRAY_SIZE(places), &some, "power", text, sizeof(text));
	ck_assert_str_eq(text, "point power (holding 52)");
	link_point_text(NULL, 0, &some, "power", text, sizeof(text));
	ck_assert_str_eq(text, "point power");
	/* Cut, but not within a character. */
	link_point_text(places, ARRAY_SIZE(places), &some, "12345678\u00e9", little, sizeof(little));
	ck_assert_str_eq(little, "point 12345678");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("describe");
	TCase *tcase = tcase_create("describe");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup_arena, teardown_arena);
	tcase_add_test(tcase, description_round_trip);
	tcase_add_test(tcase, description_without_keys);
	tcase_add_test(tcase, description_refused);
	tcase_add_test(tcase, description_text_refused);
	tcase_add_test(tcase, description_limits);
	tcase_add_test(tcase, description_malformed);
	tcase_add_test(tcase, refusals_round_trip);
	tcase_add_test(tcase, refusals_refused);
	tcase_add_test(tcase, explanations_round_trip);
	tcase_add_test(tcase, explanations_refused);
	tcase_add_test(tcase, point_text);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
