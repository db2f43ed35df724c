/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macro.h"
#include "fieldbus/fieldbus.h"
#include "gateway/configuration/reader.h"

/* Reading a configuration while the loop goes on. */

static char folder[] = "/tmp/fieldway-reader-XXXXXX";
static char *objects;
static sd_event *event;
static struct reader *reader;
static struct reading result;
static unsigned n_done;

static const char *host_program;

static char *path_of(const char *name)
{
	char *path;

	ck_assert_int_ge(asprintf(&path, "%s/%s", folder, name), 0);
	return path;
}

static void write_file(const char *name, const char *text)
{
	_cleanup_free_ char *path = path_of(name);
	FILE *f;

	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void setup(void)
{
	const char *top = getenv("abs_top_srcdir");

	strcpy(folder + sizeof(folder) - sizeof("XXXXXX"), "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_ge(asprintf(&objects, "%s/objects", top ? top : "."), 0);
	ck_assert_int_ge(sd_event_new(&event), 0);
	result = (struct reading){ 0 };
	n_done = 0;
	host_program = "/nonexistent";
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *place)
{
	(void)st;
	(void)type;
	(void)place;
	return remove(path);
}

static void teardown(void)
{
	reader = reader_free(reader);
	reading_done(&result);
	event = sd_event_unref(event);
	ck_assert_int_eq(nftw(folder, remove_entry, 4, FTW_DEPTH | FTW_PHYS), 0);
	free(objects);
}

static void done(void *userdata, struct reading *reading)
{
	ck_assert_ptr_eq(userdata, &n_done);
	result = *reading;
	n_done++;
	reader = reader_free(reader);
}

static void start(const struct config *before, struct config_files *files)
{
	const struct reader_config config = {
		.event = event,
		.sources = { .objects_folder = objects,
			     .host_program = host_program,
			     .plugin_folder = "/nonexistent",
			     .host_name = "gw",
			     .machine_id = "0123456789abcdef0123456789abcdef",
			     .plugins_optional = true },
		.config_folder = folder,
		.state_folder = folder,
		.before = before,
		.files = files,
	};

	ck_assert_int_ge(reader_new(&config, done, &n_done, &reader), 0);
}

static void read_all(const struct config *before, struct config_files *files)
{
	start(before, files);
	while (n_done == 0)
		ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
}

START_TEST(a_good_one)
{
	struct loaded before;

	write_file("fieldway.yaml", "schema: 1\ngateway: {name: one}\n");
	read_all(NULL, NULL);
	ck_assert_int_eq(result.error, 0);
	ck_assert_str_eq(result.loaded.config->gateway.name, "one");
	ck_assert_ptr_null(result.difference);
	before = result.loaded;
	result.loaded = (struct loaded){ 0 };
	reading_done(&result);
	n_done = 0;
	write_file("fieldway.yaml", "schema: 1\ngateway: {name: two}\nservers:\n"
				    "  - {name: plant, short_id: 101, uri: \"coap://127.0.0.1\"}\n");
	read_all(before.config, NULL);
	ck_assert_int_eq(result.error, 0);
	ck_assert_ptr_eq(result.difference->before, before.config);
	ck_assert_ptr_eq(result.difference->after, result.loaded.config);
	ck_assert_uint_eq(result.difference->servers[0].before, CONFIG_NONE);
	loaded_done(&before);
}
END_TEST

START_TEST(a_wrong_one)
{
	_cleanup_free_ char *text = NULL;

	write_file("fieldway.yaml", "schema: 1\ngatewy: {name: one}\n");
	read_all(NULL, NULL);
	ck_assert_int_eq(result.error, -EINVAL);
	ck_assert_ptr_null(result.loaded.config);
	text = strndup((const char *)result.errors.text.data, result.errors.text.size);
	ck_assert_ptr_nonnull(strstr(text, "fieldway.yaml:2:1: "));
}
END_TEST

/* Files that were kept are read instead of the folders. */
START_TEST(files_by_hand)
{
	char name[] = "fieldway.yaml", text[] = "schema: 1\ngateway: {name: kept}\n";
	const struct config_file file = { CONFIG_PLACE_MAIN, false, name, text, sizeof(text) - 1 };
	struct config_files *files = NULL;

	write_file("fieldway.yaml", "schema: 1\ngateway: {name: one}\n");
	ck_assert_int_eq(config_files_new(&files), 0);
	ck_assert_int_eq(config_files_add(files, &file), 0);
	read_all(NULL, files);
	ck_assert_int_eq(result.error, 0);
	ck_assert_str_eq(result.loaded.config->gateway.name, "kept");
}
END_TEST

/* Whoever frees it hears nothing any more. */
START_TEST(freed_before_it_is_done)
{
	write_file("fieldway.yaml", "schema: 1\n");
	start(NULL, NULL);
	reader = reader_free(reader);
	ck_assert_int_ge(sd_event_run(event, 0), 0);
	ck_assert_uint_eq(n_done, 0);
}
END_TEST

/* A plugin that takes its time: its host never answers, and nobody waits for the deadline. */
START_TEST(freed_while_a_plugin_is_asked)
{
	static const char program[] = "#!/bin/sh\necho > \"${0%/*}/asked\"\nexec sleep 60\n";
	_cleanup_free_ char *program_path = path_of("host"), *asked = path_of("asked"),
			    *buses = path_of("buses.d");
	uint64_t begun;
	int fd;

	write_file("host", program);
	ck_assert_int_eq(chmod(program_path, 0700), 0);
	ck_assert_int_eq(mkfifo(asked, 0600), 0);
	ck_assert_int_eq(mkdir(buses, 0700), 0);
	write_file("fieldway.yaml", "schema: 1\n");
	write_file("buses.d/lan.yaml", "schema: 1\nbus: lan\nplugin: modbus\n");
	host_program = program_path;
	start(NULL, NULL);
	fd = open(asked, O_RDONLY | O_CLOEXEC); /* waits for the other end */
	ck_assert_int_ge(fd, 0);
	close(fd);
	begun = clock_monotonic_usec();
	reader = reader_free(reader);
	ck_assert_uint_lt(clock_monotonic_usec() - begun, FIELDBUS_DESCRIBE_USEC - USEC_PER_SEC);
	ck_assert_int_ge(sd_event_run(event, 0), 0);
	ck_assert_uint_eq(n_done, 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("reader");
	TCase *t = tcase_create("reader");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_good_one);
	tcase_add_test(t, a_wrong_one);
	tcase_add_test(t, files_by_hand);
	tcase_add_test(t, freed_before_it_is_done);
	tcase_add_test(t, freed_while_a_plugin_is_asked);
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
