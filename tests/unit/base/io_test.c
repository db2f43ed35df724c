/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/macro.h"

/* More than a pipe has room for. */
#define LARGE (1u << 20)

static char place[] = "/tmp/io_test.XXXXXX";
static int folder;

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(place));
	folder = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(folder, 0);
}

static void teardown(void)
{
	static const char *const names[] = { "file", "other", "link", "fifo" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unlinkat(folder, names[i], 0);
	close(folder);
	rmdir(place);
}

static void put(const char *name, const char *text)
{
	_cleanup_close_ int fd = openat(folder, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_eq(io_write(fd, text, strlen(text)), 0);
}

static void *write_large(void *userdata)
{
	_cleanup_free_ char *data = malloc(LARGE);
	int *fd = userdata;

	memset(data, 'x', LARGE);
	ck_assert_int_eq(io_write(*fd, data, LARGE), 0);
	closep(fd);
	return NULL;
}

START_TEST(in_parts)
{
	_cleanup_free_ char *data = malloc(LARGE + 1);
	pthread_t thread;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, write_large, &ends[1]), 0);
	ck_assert_int_eq(io_read(ends[0], data, 10), 10);
	ck_assert_int_eq(io_read(ends[0], data, LARGE + 1), LARGE - 10);
	ck_assert_int_eq(data[LARGE - 11], 'x');
	ck_assert_int_eq(io_read(ends[0], data, 1), 0);
	pthread_join(thread, NULL);
	close(ends[0]);
}
END_TEST

START_TEST(whole_files)
{
	_cleanup_buf_ struct buf b = { 0 };

	put("file", "text");
	ck_assert_int_eq(io_read_file(folder, "file", 3, &b), -EBADMSG);
	ck_assert_int_eq(io_read_file(folder, "none", 3, &b), -ENOENT);
	ck_assert_int_eq(symlinkat("file", folder, "link"), 0);
	ck_assert_int_eq(io_read_file(folder, "link", 4, &b), -ELOOP);
	ck_assert_int_eq(mkfifoat(folder, "fifo", 0600), 0);
	ck_assert_int_eq(io_read_file(folder, "fifo", 4, &b), -EBADMSG);
	ck_assert_uint_eq(b.size, 0);
	ck_assert_int_eq(io_read_file(folder, "file", 4, &b), 0);
	ck_assert_int_eq(io_read_file(folder, "file", 4, &b), 0);
	ck_assert_uint_eq(b.size, 8);
	ck_assert_mem_eq(b.data, "texttext", 8);
}
END_TEST

START_TEST(other_names)
{
	_cleanup_buf_ struct buf b = { 0 };

	put("file", "new");
	put("other", "before");
	ck_assert_int_eq(io_rename(folder, "file", "other"), 0);
	ck_assert_int_eq(io_rename(folder, "file", "other"), -ENOENT);
	ck_assert_int_eq(io_read_file(folder, "other", 10, &b), 0);
	ck_assert_uint_eq(b.size, 3);
}
END_TEST

START_TEST(errors)
{
	char byte;

	ck_assert_int_eq(io_read(folder, &byte, 1), -EISDIR);
	ck_assert_int_eq(io_write(folder, &byte, 1), -EBADF);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("io");
	TCase *tcase = tcase_create("io");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, in_parts);
	tcase_add_test(tcase, whole_files);
	tcase_add_test(tcase, other_names);
	tcase_add_test(tcase, errors);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
