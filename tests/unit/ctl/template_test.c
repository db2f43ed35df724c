/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "ctl/keys/template.h"

static const struct template_values values = {
	.server = "plant",
	.uri = "coaps://h:5684",
	.endpoint = "urn:\"x\",y",
	.name = "m1",
	.identity = "id",
	.key = (const uint8_t *)"\x01\xff\x80",
	.size = 3,
};

static const struct {
	const char *text, *expanded;
} texts[] = {
	{ "", "" },
	{ "{server} {uri} {name} {identity} {key} {key_base64}\n", "plant coaps://h:5684 m1 id 01ff80 Af+A\n" },
	{ "{endpoint}|{endpoint:json}|{endpoint:csv}", "urn:\"x\",y|\"urn:\\\"x\\\",y\"|\"urn:\"\"x\"\",y\"" },
	{ "{name:csv},{key:json}", "m1,\"01ff80\"" },
	/* Braces that are no placeholder. */
	{ "{\"a\":{}, {b c} {", "{\"a\":{}, {b c} {" },
	{ "{{key}}", "{01ff80}" },
};

START_TEST(expands)
{
	_cleanup_buf_ struct buf out = { 0 };
	const char *wrong;
	size_t size;

	ck_assert_int_eq(template_check(texts[_i].text, &wrong, &size), 0);
	ck_assert_int_eq(template_expand(texts[_i].text, &values, &out), 0);
	ck_assert_uint_eq(out.size, strlen(texts[_i].expanded));
	ck_assert_int_eq(memcmp(out.data ?: (uint8_t *)"", texts[_i].expanded, out.size), 0);
}
END_TEST

static const struct {
	const char *text, *wrong;
} wrongs[] = {
	{ "a {keys} b", "{keys}" },
	{ "{key:xml}", "{key:xml}" },
	{ "{key} {:json}", "{:json}" },
};

START_TEST(refuses_what_looks_like_one)
{
	const char *wrong;
	size_t size;

	ck_assert_int_eq(template_check(wrongs[_i].text, &wrong, &size), -EINVAL);
	ck_assert_uint_eq(size, strlen(wrongs[_i].wrong));
	ck_assert_int_eq(strncmp(wrong, wrongs[_i].wrong, size), 0);
}
END_TEST

START_TEST(has_its_own)
{
	static const char *const names[] = { "leshan", "csv" };
	const char *wrong;
	size_t size;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ck_assert_int_eq(template_check(template_find(names[i])->each, &wrong, &size), 0);
	ck_assert_ptr_null(template_find("lesham"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("template");
	TCase *tcase = tcase_create("template");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, expands, 0, ARRAY_SIZE(texts));
	tcase_add_loop_test(tcase, refuses_what_looks_like_one, 0, ARRAY_SIZE(wrongs));
	tcase_add_test(tcase, has_its_own);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
