/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"
#include "config/config.h"

static char folder[PATH_MAX];
static struct config_files *files;
static struct yaml_errors errors;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static const char *path_of(const char *name)
{
	static char path[PATH_MAX + 128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void make_folder(const char *name)
{
	ck_assert_int_eq(mkdir(path_of(name), 0755), 0);
}

static void put(const char *name, const char *text)
{
	FILE *file = fopen(path_of(name), "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void setup(void)
{
	strcpy(folder, "/tmp/fieldway-config-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	make_folder("etc");
	make_folder("usr");
}

static void teardown(void)
{
	files = config_files_free(files);
	yaml_errors_done(&errors);
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int read_files(void)
{
	char etc[PATH_MAX + 8], usr[PATH_MAX + 8];

	snprintf(etc, sizeof(etc), "%s/etc", folder);
	snprintf(usr, sizeof(usr), "%s/usr", folder);
	return config_files_read(etc, usr, &errors, &files);
}

static const struct config_file *assert_file(size_t i, enum config_place place, bool shared,
					     const char *name, const char *text)
{
	const struct config_file *file = config_files_item(files, i);

	ck_assert_int_eq(file->place, place);
	ck_assert_int_eq(file->shared, shared);
	ck_assert_str_eq(file->name, path_of(name));
	ck_assert_str_eq(file->text, text);
	ck_assert_uint_eq(file->size, strlen(text));
	return file;
}

static const char devices[] =
	"schema: 1\ndevices:\n  - {name: x, each: \"csv:tables/a.csv\"}\n"
	"  - {name: y, each: \"csv:tables/a.csv\"}\n  - {name: z, each: \"csv:missing.csv\"}\n"
	"endpoints: [{name: e, each: csv:b.csv}]\n";

static void fill(void)
{
	make_folder("etc/buses.d");
	make_folder("etc/devices.d");
	make_folder("etc/profiles.d");
	make_folder("etc/objects.d");
	make_folder("etc/tables");
	make_folder("usr/profiles.d");
	make_folder("usr/objects");
	put("etc/fieldway.yaml", "schema: 1\n");
	put("etc/buses.d/b.yaml", "b");
	put("etc/buses.d/a.yaml", "a");
	put("etc/buses.d/c.yml", "c");
	put("etc/buses.d/.hidden.yaml", "no");
	put("etc/buses.d/a.yaml~", "no");
	put("etc/devices.d/d.yaml", devices);
	put("etc/profiles.d/p.yaml", "own");
	put("usr/profiles.d/p.yaml", "shared");
	put("usr/objects/1.yaml", "object");
	put("etc/objects.d/1.yaml", "own object");
	put("etc/tables/a.csv", "n\n1\n");
	put("etc/b.csv", "n\n2\n");
}

static void assert_filled(void)
{
	ck_assert_uint_eq(config_files_count(files), 11);
	assert_file(0, CONFIG_PLACE_MAIN, false, "etc/fieldway.yaml", "schema: 1\n");
	assert_file(1, CONFIG_PLACE_BUSES, false, "etc/buses.d/a.yaml", "a");
	assert_file(2, CONFIG_PLACE_BUSES, false, "etc/buses.d/b.yaml", "b");
	assert_file(3, CONFIG_PLACE_BUSES, false, "etc/buses.d/c.yml", "");
	assert_file(4, CONFIG_PLACE_DEVICES, false, "etc/devices.d/d.yaml", devices);
	assert_file(5, CONFIG_PLACE_PROFILES, true, "usr/profiles.d/p.yaml", "shared");
	assert_file(6, CONFIG_PLACE_PROFILES, false, "etc/profiles.d/p.yaml", "own");
	assert_file(7, CONFIG_PLACE_OBJECTS, true, "usr/objects/1.yaml", "object");
	assert_file(8, CONFIG_PLACE_OBJECTS, false, "etc/objects.d/1.yaml", "own object");
	assert_file(9, CONFIG_PLACE_TABLES, false, "etc/tables/a.csv", "n\n1\n");
	assert_file(10, CONFIG_PLACE_TABLES, false, "etc/b.csv", "n\n2\n");
}

START_TEST(places)
{
	fill();
	ck_assert_int_eq(read_files(), 0);
	ck_assert_uint_eq(errors.n, 0);
	assert_filled();
}
END_TEST

START_TEST(nothing)
{
	ck_assert_int_eq(read_files(), 0);
	ck_assert_uint_eq(config_files_count(files), 0);
	files = config_files_free(files);
	ck_assert_int_eq(config_files_read("/nonexistent", NULL, &errors, &files), 0);
	ck_assert_uint_eq(config_files_count(files), 0);
}
END_TEST

/* A pipe, a folder and a link to nothing are no files, and the rest is still looked at. */
START_TEST(unreadable)
{
	_cleanup_free_ char *expected = NULL;

	make_folder("etc/buses.d");
	make_folder("etc/buses.d/a.yaml");
	ck_assert_int_eq(mkfifo(path_of("etc/fieldway.yaml"), 0600), 0);
	ck_assert_int_eq(symlink("nowhere", path_of("etc/buses.d/b.yaml")), 0);
	put("etc/devices.d", "a file");
	ck_assert_int_eq(read_files(), -EINVAL);
	ck_assert_ptr_null(files);
	ck_assert_int_gt(asprintf(&expected,
				  "%s/etc/fieldway.yaml:1:1: cannot be read: no regular file\n"
				  "%s/etc/buses.d/a.yaml:1:1: cannot be read: Is a directory\n"
				  "%s/etc/buses.d/b.yaml:1:1: cannot be read: a link to nothing\n"
				  "%s/etc/devices.d:1:1: cannot be read: Not a directory\n",
				  folder, folder, folder, folder),
			 0);
	buf_append_byte(&errors.text, 0);
	ck_assert_str_eq((char *)errors.text.data, expected);
}
END_TEST

START_TEST(too_large)
{
	int fd = open(path_of("etc/fieldway.yaml"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_eq(ftruncate(fd, (off_t)YAML_BYTES_MAX + (1 << 20)), 0);
	close(fd);
	ck_assert_int_eq(read_files(), -EINVAL);
	ck_assert_ptr_nonnull(memmem(errors.text.data, errors.text.size, "larger than", 11));
}
END_TEST

START_TEST(record)
{
	_cleanup_buf_ struct buf b = { 0 }, again = { 0 };

	fill();
	ck_assert_int_eq(read_files(), 0);
	ck_assert_int_eq(config_files_save(files, &b), 0);
	files = config_files_free(files);
	ck_assert_int_eq(config_files_load(span_of(b.data, b.size), &files), 0);
	assert_filled();
	ck_assert_int_eq(config_files_save(files, &again), 0);
	ck_assert_uint_eq(b.size, again.size);
	ck_assert_mem_eq(b.data, again.data, b.size);
}
END_TEST

/* Every cut and every changed byte is refused or gives something that can be saved again. */
START_TEST(damaged_record)
{
	_cleanup_buf_ struct buf b = { 0 };

	fill();
	ck_assert_int_eq(read_files(), 0);
	ck_assert_int_eq(config_files_save(files, &b), 0);
	files = config_files_free(files);
	for (size_t n = 0; n < b.size; n++) {
		ck_assert_int_eq(config_files_load(span_of(b.data, n), &files), -EBADMSG);
		ck_assert_ptr_null(files);
	}
	for (size_t i = 0; i < b.size; i++) {
		_cleanup_buf_ struct buf again = { 0 };

		b.data[i] ^= 0xff;
		if (config_files_load(span_of(b.data, b.size), &files) == 0)
			ck_assert_int_eq(config_files_save(files, &again), 0);
		files = config_files_free(files);
		b.data[i] ^= 0xff;
	}
	ck_assert_int_eq(buf_append_byte(&b, 0), 0);
	ck_assert_int_eq(config_files_load(span_of(b.data, b.size), &files), -EBADMSG);
}
END_TEST

START_TEST(too_many)
{
	_cleanup_buf_ struct buf b = { 0 };

	buf_append_byte(&b, 1);
	buf_append_be(&b, CONFIG_FILES_MAX + 1, 4);
	for (unsigned i = 0; i <= CONFIG_FILES_MAX; i++) {
		buf_append_be(&b, CONFIG_PLACE_BUSES, 1);
		buf_append_be(&b, 0, 1);
		buf_append_be(&b, 1, 4);
		buf_append_be(&b, 0, 4);
		buf_append_byte(&b, 'x');
	}
	ck_assert_int_eq(config_files_load(span_of(b.data, b.size), &files), -EBADMSG);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("config files");
	TCase *t = tcase_create("files");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, places);
	tcase_add_test(t, nothing);
	tcase_add_test(t, unreadable);
	tcase_add_test(t, too_large);
	tcase_add_test(t, record);
	tcase_add_test(t, damaged_record);
	tcase_add_test(t, too_many);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *runner = srunner_create(suite());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
