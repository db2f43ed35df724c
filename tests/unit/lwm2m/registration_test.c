/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "lwm2m/registration/registration.h"
#include "store/store.h"
#include "tests/unit/model/shipped.h"

static struct definitions *definitions;
static struct store *store;

static void set_up(void)
{
	definitions = shipped_definitions();
	ck_assert_int_eq(store_new(definitions, &store), 0);
}

static void tear_down(void)
{
	store_free(store);
	definitions_free(definitions);
}

static void add(uint16_t object, int instance)
{
	const struct object_definition *o = definitions_newest(definitions, object);

	ck_assert_ptr_nonnull(o);
	if (instance < 0)
		ck_assert_int_eq(store_add_object(store, o), 0);
	else
		ck_assert_int_eq(store_add_instance(store, o, instance), 0);
}

static void expect_list(enum lwm2m_version version, const char *want)
{
	const struct view view = { .definitions = definitions, .store = store, .version = version };
	_cleanup_buf_ struct buf out = { 0 };

	ck_assert_int_eq(registration_list(&view, &out), 0);
	ck_assert_int_eq(buf_append_byte(&out, 0), 0);
	ck_assert_str_eq((const char *)out.data, want);
}

#define ROOT "</>;ct=\"60 110 112 11542 11544 320 322\","
#define ROOT_1_1 "</>;ct=\"60 110 112 11542\","

/* lwm2m.md "Versions that a missing ver means": with a registration of each version. */
static const struct {
	uint16_t object;
	const char *for_1_0, *for_1_1, *for_1_2;
} versions[] = {
	{ 1, "</1/0>", "</1/0>", "</1/0>" },
	{ 2, "</2/0>", "</2/0>", "</2/0>" },
	{ 3, "</3/0>", "</3/0>", "</3/0>" },
	{ 4, "</4/0>", "</4/0>", "</4/0>" },
	{ 5, "</5/0>", "</5/0>", "</5>;ver=1.2,</5/0>" },
	{ 6, "</6/0>", "</6/0>", "</6/0>" },
	{ 7, "</7/0>", "</7/0>", "</7/0>" },
	{ 16, "</16/0>", "</16/0>", "</16/0>" },
	{ 25, "</25>;ver=2.0,</25/0>", "</25>;ver=2.0,</25/0>", "</25>;ver=2.0,</25/0>" },
	{ 3303, "</3303>;ver=1.1,</3303/0>", "</3303>;ver=1.1,</3303/0>",
	  "</3303>;ver=1.1,</3303/0>" },
	/* Never listed. */
	{ 0, "", "", "" },
	{ 21, "", "", "" },
	{ 23, "", "", "" },
};

static void expect_behind_root(enum lwm2m_version version, const char *links)
{
	const char *root = version >= LWM2M_1_2 ? ROOT : ROOT_1_1;
	char text[256];

	snprintf(text, sizeof(text), "%s%s", root, links);
	if (!*links)
		text[strlen(root) - 1] = 0;
	expect_list(version, text);
}

START_TEST(test_version)
{
	add(versions[_i].object, 0);
	expect_list(LWM2M_1_0, versions[_i].for_1_0);
	expect_behind_root(LWM2M_1_1, versions[_i].for_1_1);
	expect_behind_root(LWM2M_1_2, versions[_i].for_1_2);
}
END_TEST

/* Objects of the standard whose version of 1.1 we do not have keep their own, and say so. */
START_TEST(test_whole_list)
{
	add(3303, 7);
	add(3303, 0);
	add(0, 0);
	add(16, -1);
	add(3, 0);
	add(1, 0);
	expect_list(LWM2M_1_1, ROOT_1_1 "</1/0>,</3/0>,</16>,</3303>;ver=1.1,</3303/0>,</3303/7>");
	expect_list(LWM2M_1_0, "</1/0>,</3/0>,</16>,</3303>;ver=1.1,</3303/0>,</3303/7>");
}
END_TEST

START_TEST(test_versioned_object_without_instance)
{
	add(3303, -1);
	expect_list(LWM2M_1_2, ROOT "</3303>;ver=1.1");
}
END_TEST

START_TEST(test_empty_list)
{
	expect_list(LWM2M_1_2, "</>;ct=\"60 110 112 11542 11544 320 322\"");
	expect_list(LWM2M_1_1, "</>;ct=\"60 110 112 11542\"");
	expect_list(LWM2M_1_0, "");
}
END_TEST

/* ---- Register and Update ---- */

static void expect_queries(const struct message *m, const char *want)
{
	char text[1200] = "";
	size_t n = 0;

	for (unsigned i = 0; i < m->n_query; i++)
		n += snprintf(text + n, sizeof(text) - n, "%s%.*s", i > 0 ? "&" : "",
			      (int)m->query[i].n, (const char *)m->query[i].p);
	ck_assert_str_eq(text, want);
}

START_TEST(test_register)
{
	struct registration_query query;
	struct message m;

	ck_assert_int_eq(registration_register(&m, &query, "urn:dev:os:1-gw", 86400, LWM2M_1_2, false), 0);
	ck_assert_int_eq(m.type, MESSAGE_CON);
	ck_assert_int_eq(m.code, CODE_POST);
	ck_assert_int_eq(m.content_format, 40);
	ck_assert_uint_eq(m.n_path, 1);
	ck_assert_mem_eq(m.path[0].p, "rd", 2);
	expect_queries(&m, "ep=urn:dev:os:1-gw&lt=86400&lwm2m=1.2&b=U");
	ck_assert_int_eq(registration_register(&m, &query, "x", 4294967294u, LWM2M_1_0, false), 0);
	expect_queries(&m, "ep=x&lt=4294967294&lwm2m=1.0&b=U");
}
END_TEST

/* A Uri-Query option ends at 255 bytes. */
START_TEST(test_longest_name)
{
	struct registration_query query;
	char name[ENDPOINT_NAME_MAX + 2];
	struct message m;

	memset(name, 'x', sizeof(name));
	name[ENDPOINT_NAME_MAX] = 0;
	ck_assert_int_eq(registration_register(&m, &query, name, 60, LWM2M_1_1, false), 0);
	ck_assert_uint_eq(m.query[0].n, QUERY_MAX);
	name[ENDPOINT_NAME_MAX] = 'x';
	name[ENDPOINT_NAME_MAX + 1] = 0;
	ck_assert_int_eq(registration_register(&m, &query, name, 60, LWM2M_1_1, false), -ENAMETOOLONG);
}
END_TEST

START_TEST(test_update)
{
	const struct span location[] = { span_of("rd", 2), span_of("4711", 4) };
	struct span many[MESSAGE_SEGMENTS_MAX + 1] = { 0 };
	struct registration_query query;
	struct message m;

	ck_assert_int_eq(registration_update(&m, &query, location, 2, UINT32_MAX), 0);
	ck_assert_int_eq(m.type, MESSAGE_CON);
	ck_assert_int_eq(m.code, CODE_POST);
	ck_assert_int_eq(m.content_format, -1);
	ck_assert_uint_eq(m.n_path, 2);
	ck_assert_mem_eq(m.path[1].p, "4711", 4);
	ck_assert_uint_eq(m.n_query, 0);
	ck_assert_int_eq(registration_update(&m, &query, location, 2, 120), 0);
	expect_queries(&m, "lt=120");
	ck_assert_int_eq(registration_update(&m, &query, many, MESSAGE_SEGMENTS_MAX + 1, 120),
			 -ENOBUFS);
}
END_TEST

/* lwm2m.md "Timing" */
static const struct {
	uint32_t lifetime_s;
	uint64_t usec;
} refreshes[] = {
	{ 0, USEC_INFINITY },
	{ 1, USEC_PER_SEC / 2 },
	{ 60, 30 * USEC_PER_SEC },
	{ 185, 92500000 },
	{ 186, 93 * USEC_PER_SEC },
	{ 200, 107 * USEC_PER_SEC },
	{ 3600, 3507 * USEC_PER_SEC },
	{ UINT32_MAX, (UINT32_MAX - UINT64_C(93)) * USEC_PER_SEC },
};

START_TEST(test_refresh)
{
	ck_assert_uint_eq(registration_refresh_usec(refreshes[_i].lifetime_s), refreshes[_i].usec);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("registration");
	TCase *tcase = tcase_create("registration");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, test_version, 0, ARRAY_SIZE(versions));
	tcase_add_test(tcase, test_whole_list);
	tcase_add_test(tcase, test_versioned_object_without_instance);
	tcase_add_test(tcase, test_empty_list);
	tcase_add_test(tcase, test_register);
	tcase_add_test(tcase, test_longest_name);
	tcase_add_test(tcase, test_update);
	tcase_add_loop_test(tcase, test_refresh, 0, ARRAY_SIZE(refreshes));
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
