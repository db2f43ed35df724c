/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"
#include "gateway/configuration/content.h"
#include "secret/secret.h"

/* Which line of which file is a device's. */

static char folder[] = "/tmp/fieldway-content-XXXXXX";
static struct secret_store *store;

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, 0640), 0);
}

static void setup(void)
{
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(secret_store_new(folder, &store), 0);
	put("t", "A4:C1:38:00:11:AB:01\na4:c1:38:00:11:cd:02\nroof:03\n");
	put("k", "0a0b\n");
	put("c", "whole\n");
}

static void teardown(void)
{
	static const char *const names[] = { "t", "k", "c" };
	char path[128];

	store = secret_store_free(store);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

static const struct {
	struct fieldbus_content what;
	int r;
	const char *bytes;
} cases[] = {
	{ { "file:k", FIELDWAY_KEY_SECRET, "x", NULL }, 0, "\x0a\x0b" },
	{ { "table:t", FIELDWAY_KEY_SECRET, "x", "A4:C1:38:00:11:AB" }, 0, "\x01" },
	{ { "table:t", FIELDWAY_KEY_SECRET, "x", "a4:c1:38:00:11:ab" }, 0, "\x01" },
	{ { "table:t", FIELDWAY_KEY_SECRET, "x", "A4:C1:38:00:11:CD" }, 0, "\x02" },
	{ { "table:t", FIELDWAY_KEY_SECRET, "roof", "A4:C1:38:00:11:EF" }, 0, "\x03" },
	{ { "table:t", FIELDWAY_KEY_SECRET, "roof", NULL }, 0, "\x03" },
	{ { "table:t", FIELDWAY_KEY_SECRET, "x", "a4:c1:38:00:11:ef" },
	  -ENOKEY,
	  "\"A4:C1:38:00:11:EF\"" },
	{ { "table:t", FIELDWAY_KEY_SECRET, "x", NULL }, -ENOKEY, "\"x\"" },
	{ { "table:t", FIELDWAY_KEY_SECRET, "", NULL }, -ENOKEY, "t" },
	{ { "file:none", FIELDWAY_KEY_SECRET, "x", NULL }, -ENOENT, "none" },
	{ { "c", FIELDWAY_KEY_CONTENT, "b", NULL }, 0, "whole\n" },
	{ { "none", FIELDWAY_KEY_CONTENT, "b", NULL }, -ENOENT, "none" },
};

START_TEST(contents)
{
	uint8_t *bytes = NULL;
	size_t size = 0;
	int r = content_find(store, &cases[_i].what, &bytes, &size);

	ck_assert_msg(r == cases[_i].r, "%d: %s", r, secret_reason(store));
	if (r < 0) {
		ck_assert_msg(strstr(secret_reason(store), cases[_i].bytes), "%s",
			      secret_reason(store));
		return;
	}
	ck_assert_uint_eq(size, strlen(cases[_i].bytes));
	ck_assert_mem_eq(bytes, cases[_i].bytes, size);
	secret_free(bytes, size);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("content");
	TCase *c = tcase_create("content");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, contents, 0, ARRAY_SIZE(cases));
	suite_add_tcase(suite, c);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
