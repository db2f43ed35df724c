/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "lwm2m/dm/execute_argument.h"
#include "lwm2m/failure.h"
#include "lwm2m/registration/retry.h"
#include "lwm2m/resolver.h"
#include "lwm2m/status.h"
#include "lwm2m/view.h"
#include "store/store.h"
#include "transport/message.h"
#include "tests/unit/model/shipped.h"

/* ---- retry (Core 6.2.1.1) ---- */

#define SECONDS(n) ((n) * USEC_PER_SEC)

/* Waits of consecutive failures without jitter; f: all sequences are used up. */
static const struct {
	struct retry_settings settings;
	uint64_t waits[8]; /* seconds */
	const char *failed;
} sequences[] = {
	{ { 5, 60, 86400, 1 }, { 60, 120, 240, 480, 86400, 60, 120, 240 }, "....f..." },
	{ { 5, 60, 86400, 2 }, { 60, 120, 240, 480, 86400, 60, 120, 240 }, "........" },
	{ { 2, 10, 100, 2 }, { 10, 100, 10, 100, 10, 100, 10, 100 }, "...f.f.f" },
	{ { 1, 60, 30, 3 }, { 30, 30, 30, 30, 30, 30, 30, 30 }, "..ffffff" },
	/* No further sequence: kept alive at the default's pace. */
	{ { 2, 10, RETRY_NEVER, 5 }, { 10, 86400, 10, 86400, 10, 86400, 10, 86400 }, ".f.f.f.f" },
	/* Whatever a server writes there, no wait is longer than a week. */
	{ { 8, 400000, UINT64_MAX, 1 },
	  { 400000, 604800, 604800, 604800, 604800, 604800, 604800, 604800 },
	  ".......f" },
	{ { UINT64_MAX, UINT64_MAX, 1, 1 },
	  { 604800, 604800, 604800, 604800, 604800, 604800, 604800, 604800 },
	  "........" },
	{ { 0, 60, 90, 0 }, { 90, 90, 90, 90, 90, 90, 90, 90 }, "ffffffff" },
	/* Nor is any nothing: a server that refuses at once would be asked without end, and in step. */
	{ { 3, 0, 0, 1 }, { 1, 1, 1, 1, 1, 1, 1, 1 }, "..f..f.." },
};

START_TEST(test_sequence)
{
	struct retry retry = { 0 };
	bool failed;

	for (size_t i = 0; i < 8; i++) {
		ck_assert_uint_eq(retry_next_usec(&retry, &sequences[_i].settings, 0, &failed),
				  SECONDS(sequences[_i].waits[i]));
		ck_assert_int_eq(failed, sequences[_i].failed[i] == 'f');
	}
}
END_TEST

START_TEST(test_defaults)
{
	const struct retry_settings d = RETRY_DEFAULTS;

	ck_assert_uint_eq(d.attempts, 5);
	ck_assert_uint_eq(d.first_wait_s, 60);
	ck_assert_uint_eq(d.sequence_wait_s, 86400);
	ck_assert_uint_eq(d.sequences, 1);
}
END_TEST

START_TEST(test_jitter_only_lengthens)
{
	const struct retry_settings settings = RETRY_DEFAULTS;
	uint64_t smallest = UINT64_MAX, largest = 0, random = 88172645463325252u;
	bool failed;

	for (int i = 0; i < 10000; i++) {
		struct retry retry = { 0 };
		uint64_t wait;

		random ^= random << 13, random ^= random >> 7, random ^= random << 17;
		wait = retry_next_usec(&retry, &settings, random, &failed);
		smallest = MIN(smallest, wait);
		largest = MAX(largest, wait);
	}
	ck_assert_uint_ge(smallest, SECONDS(60));
	ck_assert_uint_le(largest, SECONDS(75));
	/* And spreads over all of it. */
	ck_assert_uint_le(smallest, SECONDS(61));
	ck_assert_uint_ge(largest, SECONDS(74));
}
END_TEST

START_TEST(test_success_begins_anew)
{
	const struct retry_settings settings = { 2, 10, 100, 2 };
	struct retry retry = { 0 };
	bool failed;

	for (int i = 0; i < 3; i++)
		retry_next_usec(&retry, &settings, 0, &failed);
	retry_reset(&retry);
	ck_assert_uint_eq(retry_next_usec(&retry, &settings, 0, &failed), SECONDS(10));
	ck_assert_uint_eq(retry_next_usec(&retry, &settings, 0, &failed), SECONDS(100));
	ck_assert(!failed);
}
END_TEST

/* ---- Execute's arguments (Core 6.3.5) ---- */

static const struct {
	const char *text;
	bool good;
} arguments[] = {
	{ "", true },
	{ "5", true },
	{ "2='10.3'", true },
	{ "7,0='https://www.oma.org'", true },
	{ "0,1,2,3,4", true },
	{ "0='',1=''", true },
	{ "9='a=b,c'", true }, /* comma and equals sign are characters */
	{ "1,1", false },      /* no digit twice */
	{ "1,2,1='x'", false },
	{ "10", false },
	{ "a", false },
	{ ",", false },
	{ "1,", false },
	{ ",1", false },
	{ "1=", false },
	{ "1='", false },
	{ "1=x", false },
	{ "1='x", false },
	{ "1='x'y", false },
	{ "1='x','y'", false },
	{ "1 ", false },
	{ "1, 2", false },
	{ "1='a b'", false },
	{ "1='it''s'", false },
	{ "1='\"'", false },
	{ "1='\\'", false },
	{ "1='\x01'", false },
	{ "1='\xc3\xa9'", false },
	{ "=", false },
	{ "'1'", false },
};

START_TEST(test_argument)
{
	ck_assert_int_eq(execute_argument_check(arguments[_i].text, strlen(arguments[_i].text)),
			 arguments[_i].good ? 0 : -EINVAL);
}
END_TEST

START_TEST(test_argument_edges)
{
	static char text[EXECUTE_ARGUMENT_MAX + 2];

	ck_assert_int_eq(execute_argument_check(NULL, 0), 0);
	ck_assert_int_eq(execute_argument_check("1\0", 2), -EINVAL);
	/* Nothing behind the size is looked at. */
	ck_assert_int_eq(execute_argument_check("1='x'", 3), -EINVAL);
	ck_assert_int_eq(execute_argument_check("12", 1), 0);
	memset(text, 'x', sizeof(text));
	memcpy(text, "0='", 3);
	text[EXECUTE_ARGUMENT_MAX - 1] = '\'';
	ck_assert_int_eq(execute_argument_check(text, EXECUTE_ARGUMENT_MAX), 0);
	text[EXECUTE_ARGUMENT_MAX - 1] = 'x';
	text[EXECUTE_ARGUMENT_MAX] = '\'';
	ck_assert_int_eq(execute_argument_check(text, EXECUTE_ARGUMENT_MAX + 1), -EINVAL);
}
END_TEST

/* ---- status ---- */

static const struct {
	int error;
	uint8_t code;
} codes[] = {
	{ -EINVAL, CODE(4, 00) },    { -ERANGE, CODE(4, 00) },	  { -EEXIST, CODE(4, 00) },
	{ -EFBIG, CODE(4, 00) },     { -EBADMSG, CODE(4, 00) },	  { -EACCES, CODE(4, 01) },
	{ -ENOENT, CODE(4, 04) },    { -EPERM, CODE(4, 05) },	  { -ENOMEDIUM, CODE(4, 06) },
	{ -EMSGSIZE, CODE(4, 13) },  { -EIO, CODE(5, 00) },	  { -EREMOTEIO, CODE(5, 00) },
	{ -EHOSTDOWN, CODE(5, 03) }, { -EBUSY, CODE(5, 03) },	  { -ENODATA, CODE(5, 03) },
	{ -ESTALE, CODE(5, 03) },    { -ETIMEDOUT, CODE(5, 04) }, { -EPROTONOSUPPORT, CODE(4, 15) },
	{ -EXDEV, CODE(5, 00) },     { -ECANCELED, CODE(5, 00) }, /* no row */
};

START_TEST(test_code_of_error)
{
	ck_assert_uint_eq(status_code(codes[_i].error), codes[_i].code);
}
END_TEST

static const struct {
	uint8_t code;
	int error;
} errors[] = {
	{ CODE(2, 01), 0 },	  { CODE(2, 04), 0 },	       { CODE(2, 05), 0 },
	{ CODE(4, 00), -EINVAL }, { CODE(4, 01), -EACCES },    { CODE(4, 03), -ECONNREFUSED },
	{ CODE(4, 04), -ENOENT }, { CODE(4, 05), -EPERM },     { CODE(4, 06), -ENOMEDIUM },
	{ CODE(4, 12), -EPROTO }, { CODE(4, 13), -EMSGSIZE },  { CODE(4, 15), -EPROTONOSUPPORT },
	{ CODE(5, 00), -EIO },	  { CODE(5, 03), -EHOSTDOWN }, { CODE(5, 04), -ETIMEDOUT },
	{ CODE(4, 29), -EINVAL }, { CODE(5, 02), -EIO },       { CODE(3, 00), -EIO },
};

START_TEST(test_error_of_code)
{
	ck_assert_int_eq(status_error(errors[_i].code), errors[_i].error);
}
END_TEST

START_TEST(test_names)
{
	char text[STATUS_TEXT_MAX];

	ck_assert_str_eq(status_format(CODE(4, 03), text), "4.03 Forbidden");
	ck_assert_str_eq(status_format(CODE(5, 00), text), "5.00 Internal Server Error");
	ck_assert_str_eq(status_format(CODE(4, 15), text), "4.15 Unsupported Content-Format");
	ck_assert_str_eq(status_format(CODE(7, 31), text), "7.31");
}
END_TEST

/* ---- failures ---- */

static const struct {
	struct failure failure;
	const char *text;
} failures[] = {
	/* The answer is the truth, whatever errno it travels as. */
	{ { -ECONNREFUSED, CODE(4, 03), -1 },
	  "it answered 4.03 Forbidden: does it know this endpoint, secured like this?" },
	{ { -EIO, CODE(5, 00), -1 }, "it answered 5.00 Internal Server Error" },
	{ { -EIO, CODE(5, 31), -1 }, "it answered 5.31" },
	{ { -EACCES, 0, 115 },
	  "it sent TLS alert 115, unknown_psk_identity: compare `identity` with what it knows" },
	{ { -ECONNABORTED, 0, 0 }, "it sent TLS alert 0, close_notify" },
	{ { -ECONNABORTED, 0, 200 }, "it sent TLS alert 200" },
	{ { -ECONNREFUSED, 0, -1 }, "nobody listens at its port" },
	{ { -EXDEV, 0, -1 }, "Invalid cross-device link" },
};

START_TEST(test_failure)
{
	char text[FAILURE_TEXT_MAX];

	ck_assert_str_eq(failure_format(&failures[_i].failure, text), failures[_i].text);
}
END_TEST

/* Transport table 5.2.10-1. */
START_TEST(test_alerts)
{
	static const int final[] = { 42, 43, 44, 45, 46, 48, 49, 112, 113, 114, 115 };
	unsigned n = 0;

	for (int alert = -1; alert < 256; alert++) {
		bool expected = n < ARRAY_SIZE(final) && final[n] == alert;

		ck_assert_int_eq(status_alert_is_final(alert), expected);
		n += expected;
	}
	ck_assert_uint_eq(n, ARRAY_SIZE(final));
}
END_TEST

/* ---- paths of requests ---- */

static const struct {
	const char *text; /* segments */
	int error;
	const char *path;
} targets[] = {
	{ "", 0, "/" },
	{ "/", 0, "/" }, /* one empty segment */
	{ "/3", 0, "/3" },
	{ "/3/0", 0, "/3/0" },
	{ "/3/0/11", 0, "/3/0/11" },
	{ "/3/0/11/0", 0, "/3/0/11/0" },
	{ "/65534/65534/65534/65534", 0, "/65534/65534/65534/65534" },
	{ "/3/0/11/0/0", -EPERM, NULL },
	{ "/rd", -ENOENT, NULL }, /* a prefix, once there are any */
	{ "/.well-known/core", -ENOENT, NULL },
	{ "/d01/3303/0/5700/1", -ENOENT, NULL },
	{ "/3/x", -EPERM, NULL },
	{ "/3//0", -EPERM, NULL },
	{ "/3/", -EPERM, NULL },
	{ "/03", -EPERM, NULL },
	{ "/3/00", -EPERM, NULL },
	{ "/65535", -EPERM, NULL },
	{ "/3/65535", -EPERM, NULL },
	{ "/65536", -EPERM, NULL },
	{ "/3/+1", -EPERM, NULL },
	{ "/99999999999999999999", -EPERM, NULL },
};

START_TEST(test_target)
{
	struct span segments[8];
	const char *p = targets[_i].text;
	char text[PATH_TEXT_MAX];
	struct path path;
	unsigned n = 0;

	while (*p == '/') {
		size_t size = strcspn(++p, "/");

		segments[n++] = span_of(p, size);
		p += size;
	}
	ck_assert_int_eq(resolver_path(segments, n, &path), targets[_i].error);
	if (targets[_i].path)
		ck_assert_str_eq(path_format(&path, text), targets[_i].path);
}
END_TEST

/* ---- what a registration's version shows ---- */

static struct definitions *definitions;
static struct store *store;

static void set_up_store(void)
{
	static const uint16_t objects[] = { 1, 3, 3303 };

	definitions = shipped_definitions();
	ck_assert_int_eq(store_new(definitions, &store), 0);
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		ck_assert_int_eq(
			store_add_instance(store, definitions_newest(definitions, objects[i]), 0),
			0);
}

static void tear_down_store(void)
{
	store_free(store);
	definitions_free(definitions);
}

static struct view view_of(enum lwm2m_version version)
{
	return (struct view){ .definitions = definitions, .store = store, .version = version };
}

static const struct {
	uint16_t object;
	uint16_t versions[3]; /* for 1.0, 1.1, 1.2 */
} seen[] = {
	{ 1, { VERSION(1, 0), VERSION(1, 1), VERSION(1, 2) } },
	{ 3, { VERSION(1, 0), VERSION(1, 1), VERSION(1, 2) } },
	{ 3303,
	  { VERSION(1, 1), VERSION(1, 1), VERSION(1, 1) } }, /* IPSO's own, whatever LwM2M says */
};

START_TEST(test_object_versions)
{
	for (unsigned i = 0; i < 3; i++) {
		struct view view = view_of(LWM2M_1_0 + i);

		ck_assert_uint_eq(view_object(&view, seen[_i].object)->version,
				  seen[_i].versions[i]);
	}
}
END_TEST

START_TEST(test_newer_resources_are_absent)
{
	const struct path mute = path_of_resource(1, 0, 23), lifetime = path_of_resource(1, 0, 1),
			  tariff = path_of_resource(3, 0, 23);
	const struct value yes = value_boolean(true), number = value_integer(60);
	_cleanup_records_ struct records records = { 0 };
	struct view old = view_of(LWM2M_1_0), middle = view_of(LWM2M_1_1), new = view_of(LWM2M_1_2);

	ck_assert_int_eq(store_update_one(store, &mute, &yes), 0);
	ck_assert_int_eq(store_update_one(store, &lifetime, &number), 0);
	ck_assert(!view_exists(&old, &mute));
	ck_assert(view_exists(&middle, &mute));
	ck_assert(view_exists(&new, &mute));
	ck_assert(view_exists(&old, &lifetime));
	ck_assert_ptr_null(view_resource(&old, &mute));
	ck_assert_ptr_nonnull(view_resource(&middle, &mute));
	ck_assert_ptr_nonnull(view_lookup(&middle, &mute));
	ck_assert_ptr_null(view_resource(&new, &tariff));

	ck_assert_int_eq(records_add_copy(&records, &lifetime, &number, 0), 0);
	ck_assert_int_eq(records_add_copy(&records, &mute, &yes, 0), 0);
	view_filter(&old, &records);
	ck_assert_uint_eq(records.n, 1);
	ck_assert(path_equal(&records.items[0].path, &lifetime));
	view_filter(&new, &records);
	ck_assert_uint_eq(records.n, 1);
}
END_TEST

START_TEST(test_what_the_store_lacks)
{
	const struct path paths[] = { path_of_object(5), path_of_instance(3, 1),
				      path_of_resource(3, 0, 2), path_of_resource(5, 0, 3) };
	struct view view = view_of(LWM2M_1_2);
	const struct path there = path_of_instance(3, 0), root = { .depth = 0 };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		ck_assert(!view_exists(&view, &paths[i]));
	ck_assert(view_exists(&view, &there));
	ck_assert(view_exists(&view, &root));
	ck_assert_ptr_null(view_object(&view, 5));
	ck_assert_ptr_null(view_resource(&view, &paths[3]));
	ck_assert_ptr_null(view_resource(&view, &there));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lwm2m");
	TCase *pure = tcase_create("pure"), *of_store = tcase_create("view");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, pure);
	tcase_add_loop_test(pure, test_sequence, 0, ARRAY_SIZE(sequences));
	tcase_add_test(pure, test_defaults);
	tcase_add_test(pure, test_jitter_only_lengthens);
	tcase_add_test(pure, test_success_begins_anew);
	tcase_add_loop_test(pure, test_argument, 0, ARRAY_SIZE(arguments));
	tcase_add_test(pure, test_argument_edges);
	tcase_add_loop_test(pure, test_code_of_error, 0, ARRAY_SIZE(codes));
	tcase_add_loop_test(pure, test_error_of_code, 0, ARRAY_SIZE(errors));
	tcase_add_test(pure, test_alerts);
	tcase_add_test(pure, test_names);
	tcase_add_loop_test(pure, test_failure, 0, ARRAY_SIZE(failures));
	tcase_add_loop_test(pure, test_target, 0, ARRAY_SIZE(targets));
	suite_add_tcase(suite, of_store);
	tcase_add_checked_fixture(of_store, set_up_store, tear_down_store);
	tcase_add_loop_test(of_store, test_object_versions, 0, ARRAY_SIZE(seen));
	tcase_add_test(of_store, test_newer_resources_are_absent);
	tcase_add_test(of_store, test_what_the_store_lacks);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
