/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "ctl/files/file.h"
#include "ctl/keys/keyring.h"

static char folder[64], path[128];

static void setup(void)
{
	strcpy(folder, "/tmp/fieldway-keyring-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	sprintf(path, "%s/plant.psk", folder);
}

static void teardown(void)
{
	unlink(path);
	rmdir(folder);
}

static void put_file(const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

static void has_file(const char *text, mode_t mode)
{
	struct stat st;
	char *read;
	size_t size;

	ck_assert_int_eq(file_read(path, 4096, &read, &size), 0);
	ck_assert_str_eq(read, text);
	ck_assert_uint_eq(size, strlen(text));
	free(read);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, mode);
}

START_TEST(makes_a_file)
{
	_cleanup_(keyring_freep) struct keyring *k = NULL;

	ck_assert_int_eq(keyring_read(path, &k), 0);
	ck_assert_uint_eq(keyring_count(k), 0);
	ck_assert_int_eq(keyring_put(k, "urn:dev:x", (const uint8_t *)"\x01\xff", 2), 0);
	ck_assert(keyring_has(k, "urn:dev:x"));
	ck_assert(!keyring_has(k, "urn:dev"));
	ck_assert_int_eq(keyring_write(k), 0);
	has_file("urn:dev:x:01ff\n", 0640);
}
END_TEST

START_TEST(keeps_what_is_not_its_own)
{
	_cleanup_(keyring_freep) struct keyring *k = NULL, *more = NULL;

	put_file("# by hand: 11\n\n a : 00 \nb:01\n", 0600);
	/* A blank inside is no key; the daemon would refuse it, and so it is not touched. */
	ck_assert_int_eq(keyring_read(path, &k), -EBADMSG);
	put_file("# by hand: 11\n\n  a:00\t\nb:01", 0600);
	ck_assert_int_eq(keyring_read(path, &k), 0);
	ck_assert_uint_eq(keyring_count(k), 2);
	ck_assert(keyring_has(k, "a"));
	ck_assert_int_eq(keyring_read("/nonexistent/x", &more), 0);
	ck_assert_int_eq(keyring_put(more, "b", (const uint8_t *)"\x02", 1), 0);
	ck_assert_int_eq(keyring_put(more, "c", (const uint8_t *)"\x03", 1), 0);
	ck_assert_int_eq(keyring_merge(k, more), 0);
	ck_assert_int_eq(keyring_write(k), 0);
	has_file("# by hand: 11\n\n  a:00\t\nb:02\nc:03\n", 0600);
}
END_TEST

START_TEST(takes_no_file_that_others_read)
{
	_cleanup_(keyring_freep) struct keyring *k = NULL;

	put_file("a:00\n", 0644);
	ck_assert_int_eq(keyring_read(path, &k), -EPERM);
	put_file("a:0\n", 0600);
	ck_assert_int_eq(keyring_read(path, &k), -EBADMSG);
	has_file("a:0\n", 0600);
}
END_TEST

START_TEST(takes_no_identity_that_would_be_another)
{
	static const char *const wrong[] = { "", "#a", " a", "\ta", "a\nb", "a\rb" };
	_cleanup_(keyring_freep) struct keyring *k = NULL;

	ck_assert_int_eq(keyring_read(path, &k), 0);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		ck_assert_int_eq(keyring_put(k, wrong[i], (const uint8_t *)"\x01", 1), -EINVAL);
	ck_assert_uint_eq(keyring_count(k), 0);
}
END_TEST

/* ---- files in general ---- */

START_TEST(replaces_whole_files)
{
	char link[160], target[160];

	ck_assert_int_eq(file_replace(path, "one", 3, &rights_plain, true), 0);
	has_file("one", 0644);
	ck_assert_int_eq(file_replace(path, "two", 3, &rights_plain, true), -EEXIST);
	has_file("one", 0644);
	/* What is there keeps its rights, but a secret is nobody else's. */
	ck_assert_int_eq(chmod(path, 0604), 0);
	ck_assert_int_eq(file_replace(path, "two", 3, &rights_plain, false), 0);
	has_file("two", 0604);
	ck_assert_int_eq(file_replace(path, "three", 5, &rights_secret, false), 0);
	has_file("three", 0600);
	sprintf(link, "%s/link", folder);
	ck_assert_int_eq(symlink("plant.psk", link), 0);
	ck_assert_int_eq(file_replace(link, "four", 4, &rights_plain, false), 0);
	has_file("four", 0600);
	ck_assert_int_eq(readlink(link, target, sizeof(target)), 9);
	ck_assert_int_eq(unlink(link), 0);
}
END_TEST

START_TEST(leaves_nothing_behind)
{
	char inside[160];

	sprintf(inside, "%s/none/x", folder);
	ck_assert_int_eq(file_replace(inside, "x", 1, &rights_plain, false), -ENOENT);
	ck_assert_int_eq(file_make_folder(inside, &rights_secret), 0);
	ck_assert_int_eq(file_make_folder(inside, &rights_secret), 0);
	ck_assert_int_eq(file_replace(inside, "x", 1, &rights_plain, false), 0);
	ck_assert_int_eq(unlink(inside), 0);
	sprintf(inside, "%s/none", folder);
	/* Else a temporary file lies there. */
	ck_assert_int_eq(rmdir(inside), 0);
}
END_TEST

START_TEST(reads_up_to_a_limit)
{
	char *text;
	size_t size;

	put_file("12345", 0600);
	ck_assert_int_eq(file_read(path, 4, &text, &size), -EFBIG);
	ck_assert_int_eq(file_read(path, 5, &text, &size), 0);
	ck_assert_str_eq(text, "12345");
	free(text);
	ck_assert_int_eq(file_read(folder, 5, &text, &size), -EISDIR);
	ck_assert_int_eq(file_read("/dev/zero", 5, &text, &size), -EFBIG);
	ck_assert_int_eq(file_read("/nonexistent", 5, &text, &size), -ENOENT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("keyring");
	TCase *tcase = tcase_create("keyring");
	SRunner *runner;
	int failed;

	umask(022);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, makes_a_file);
	tcase_add_test(tcase, keeps_what_is_not_its_own);
	tcase_add_test(tcase, takes_no_file_that_others_read);
	tcase_add_test(tcase, takes_no_identity_that_would_be_another);
	tcase_add_test(tcase, replaces_whole_files);
	tcase_add_test(tcase, leaves_nothing_behind);
	tcase_add_test(tcase, reads_up_to_a_limit);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
