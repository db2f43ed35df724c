/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "update/package.h"

#define LARGEST (48u << 20)

static char folder[PATH_MAX];
static sd_event *event;
static struct package *package;
static int ends, last_error;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void ended(void *userdata, int error)
{
	ends++;
	last_error = error;
}

static void open_package(void)
{
	const struct package_config config = { .event = event, .folder = folder, .name = "five", .done = ended };

	ck_assert_int_eq(package_new(&config, &package), 0);
}

static void setup(void)
{
	strcpy(folder, "/tmp/fieldway-package-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_ge(sd_event_new(&event), 0);
	ends = 0;
	last_error = 1;
	open_package();
}

static void teardown(void)
{
	package = package_free(package);
	event = sd_event_unref(event);
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void restart(void)
{
	package = package_free(package);
	open_package();
}

/* Until the thread has said how it ended. */
static void wait_end(void)
{
	int before = ends;

	while (ends == before)
		ck_assert_int_gt(sd_event_run(event, 10 * UINT64_C(1000000)), 0);
}

static bool exists(const char *name)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return access(path, F_OK) == 0;
}

static void take_text(const char *text)
{
	ck_assert_int_eq(package_take(package, text, strlen(text)), 0);
}

static void check_content(const char *text)
{
	char found[64];
	int fd = package_open(package);
	ssize_t n;

	ck_assert_int_ge(fd, 0);
	n = read(fd, found, sizeof(found));
	close(fd);
	ck_assert_int_eq(n, (ssize_t)strlen(text));
	ck_assert_int_eq(memcmp(found, text, strlen(text)), 0);
}

START_TEST(whole)
{
	ck_assert_int_eq(package_begin(package, 0, 0, LARGEST), 0);
	take_text("first ");
	take_text("second");
	ck_assert_uint_eq(package_size(package), 12);
	ck_assert_int_eq(package_open(package), -ENOENT);
	ck_assert_int_eq(package_finish(package), 0);
	wait_end();
	ck_assert_int_eq(last_error, 0);
	ck_assert(!exists("five.part"));
	check_content("first second");
	restart();
	ck_assert_uint_eq(package_size(package), 12);
	check_content("first second");
}
END_TEST

START_TEST(dropped)
{
	ck_assert_int_eq(package_begin(package, 0, 0, LARGEST), 0);
	take_text("some");
	ck_assert_int_eq(package_finish(package), 0);
	package_drop(package);
	restart();
	ck_assert_int_eq(ends, 0);
	ck_assert(!exists("five"));
	ck_assert(!exists("five.part"));
	ck_assert_uint_eq(package_size(package), 0);
}
END_TEST

/* What was dropped says nothing about what comes next. */
START_TEST(anew)
{
	ck_assert_int_eq(package_begin(package, 0, 0, LARGEST), 0);
	take_text("old");
	ck_assert_int_eq(package_finish(package), 0);
	package_drop(package);
	ck_assert_int_eq(package_begin(package, 0, 0, LARGEST), 0);
	take_text("new");
	ck_assert_int_eq(package_finish(package), 0);
	wait_end();
	ck_assert_int_eq(ends, 1);
	ck_assert_int_eq(last_error, 0);
	check_content("new");
}
END_TEST

START_TEST(resumed)
{
	ck_assert_int_eq(package_begin(package, 0, 0, LARGEST), 0);
	take_text("first and more");
	package_stop(package);
	restart();
	ck_assert_uint_eq(package_part_size(package), 14);
	ck_assert_int_eq(package_begin(package, 5, 11, LARGEST), 0);
	ck_assert_uint_eq(package_size(package), 5);
	take_text(" later");
	ck_assert_int_eq(package_finish(package), 0);
	wait_end();
	check_content("first later");
}
END_TEST

START_TEST(too_large)
{
	ck_assert_int_eq(package_begin(package, 0, 101, 100), -EFBIG);
	ck_assert_int_eq(package_begin(package, 0, UINT64_C(1) << 60, UINT64_MAX), -ENOSPC);
	ck_assert_int_eq(package_begin(package, 0, 0, 10), 0);
	take_text("0123456789");
	ck_assert_int_eq(package_take(package, "x", 1), -EFBIG);
	ck_assert_int_eq(package_finish(package), 0);
	wait_end();
	check_content("0123456789");
}
END_TEST

/* A disk that takes no more ends it, once, and then says so to each that still brings something. */
START_TEST(disk_full)
{
	struct rlimit before, limit;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(package_begin(package, 0, 0, LARGEST), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 4;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	take_text("12345678");
	wait_end();
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert_int_eq(last_error, -EFBIG);
	ck_assert_int_eq(package_take(package, "x", 1), -EFBIG);
	package_finish(package);
	package_drop(package);
	restart();
	ck_assert_int_eq(ends, 1);
	ck_assert(!exists("five"));
}
END_TEST

/* Whoever brings more than the disk takes is told to come later, and nothing is lost. */
START_TEST(queue)
{
	static uint8_t block[64 << 10];
	unsigned waits = 0;
	struct stat st;
	int r, fd;

	ck_assert_int_eq(package_begin(package, 0, 0, LARGEST), 0);
	for (unsigned i = 0; i < LARGEST / sizeof(block); i++) {
		memset(block, (int)i, sizeof(block));
		while ((r = package_take(package, block, sizeof(block))) == -EBUSY)
			waits++;
		ck_assert_int_eq(r, 0);
	}
	ck_assert_int_eq(package_finish(package), 0);
	wait_end();
	fd = package_open(package);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_size, LARGEST);
	for (unsigned i = 0; i < LARGEST / sizeof(block); i++) {
		ck_assert_int_eq(pread(fd, block, 1, (off_t)(i * sizeof(block))), 1);
		ck_assert_uint_eq(block[0], i & 0xff);
	}
	close(fd);
	(void)waits;
}
END_TEST

START_TEST(nothing_comes)
{
	ck_assert_int_eq(package_take(package, "x", 1), -ENOENT);
	ck_assert_int_eq(package_open(package), -ENOENT);
	package_stop(package);
	package_drop(package);
}
END_TEST

/* A disk that takes nothing for now: who lets go does not wait for it, and who comes next does. */
START_TEST(let_go)
{
	char part[PATH_MAX + 16], gone[16];
	int fd;

	snprintf(part, sizeof(part), "%s/five.part", folder);
	ck_assert_int_eq(mkfifo(part, 0600), 0);
	ck_assert_int_eq(package_begin(package, 0, 0, LARGEST), 0);
	take_text("first");
	package_detach(package);
	package = package_free(package);
	fd = open(part, O_RDONLY);
	ck_assert_int_ge(fd, 0);
	/* A pipe cannot be cut to a size: it gave up, and closed it. */
	ck_assert_int_eq(read(fd, gone, sizeof(gone)), 0);
	close(fd);
	unlink(part);
	open_package();
	ck_assert_int_eq(package_begin(package, 0, 0, LARGEST), 0);
	take_text("second");
	ck_assert_int_eq(package_finish(package), 0);
	wait_end();
	check_content("second");
}
END_TEST

/* It has the part, and makes it the whole. */
START_TEST(waits_for_another)
{
	char part[PATH_MAX + 16], done[PATH_MAX + 16];
	int fd;

	snprintf(part, sizeof(part), "%s/five.part", folder);
	snprintf(done, sizeof(done), "%s/five", folder);
	fd = open(part, O_RDWR | O_CREAT, 0600);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	ck_assert_int_eq(package_begin(package, 0, 0, LARGEST), 0);
	take_text("second");
	ck_assert_int_eq(package_finish(package), 0);
	ck_assert_int_eq(rename(part, done), 0);
	ck_assert_int_eq(write(fd, "another", 7), 7);
	close(fd);
	wait_end();
	ck_assert_int_eq(last_error, 0);
	check_content("second");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("package");
	TCase *tcase = tcase_create("package");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, whole);
	tcase_add_test(tcase, dropped);
	tcase_add_test(tcase, anew);
	tcase_add_test(tcase, resumed);
	tcase_add_test(tcase, too_large);
	tcase_add_test(tcase, queue);
	tcase_add_test(tcase, nothing_comes);
	tcase_add_test(tcase, disk_full);
	tcase_add_test(tcase, let_go);
	tcase_add_test(tcase, waits_for_another);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
