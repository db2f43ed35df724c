/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/buf.h"
#include "install/record.h"
#include "state/state.h"
#include "update/package.h"

/*
 * What the daemon and fieldway-install keep, without them: for
 * power_cut_test.py, which cuts the power at each of its calls.
 *
 *	write FOLDER   "begun NAME N" before version N of something is written,
 *	               "kept NAME N" once its writer has promised that it stays; of a
 *	               package's part nobody has
 *	check FOLDER   "NAME N" for each, N 0 where there is none, "NAME damaged"
 *
 * A record's every third version is its removal. Version 1 of the package is a
 * part, 2 the whole.
 */

#define VERSIONS 4u
#define CHUNK 3000u
#define PACKAGE_BYTES (2 * CHUNK)
#define HANDLER "debian"

/* From FIRST_OF_GROUP on they are written together. */
static const char *const records[] = { "plain", "with/slash", "group-large", "group-2", "group-3" };
#define FIRST_OF_GROUP 2
#define RECORDS (sizeof(records) / sizeof(records[0]))

__attribute__((noreturn)) static void fail(const char *what, int r)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-r));
	exit(EXIT_FAILURE);
}

static void check(const char *what, int r)
{
	if (r < 0)
		fail(what, r);
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	fflush(stdout);
}

/* ---- records ---- */

/* One of them takes several pages. */
static size_t record_size(size_t record, unsigned version)
{
	return record == FIRST_OF_GROUP ? 20000 + version : 1 + version;
}

static void save(struct state *s, size_t record, unsigned version)
{
	static uint8_t content[30000];
	size_t size = record_size(record, version);

	memset(content, (int)('a' + version), size);
	check("save", version % 3 == 0 ? state_remove(s, records[record], "test") :
					 state_save(s, records[record], "test", content, size));
}

static void say_records(const char *word, size_t from, size_t to, unsigned version)
{
	for (size_t i = from; i < to; i++)
		say("%s %s %u\n", word, records[i], version);
}

/* Those alone first: what a group brings to the disk would bring them along. */
static void write_records(const char *folder)
{
	struct state *s;

	check("state", state_new(folder, NULL, &s));
	for (unsigned version = 1; version <= VERSIONS; version++) {
		say_records("begun", 0, FIRST_OF_GROUP, version);
		for (size_t i = 0; i < FIRST_OF_GROUP; i++)
			save(s, i, version);
		check("flush", state_flush(s));
		say_records("kept", 0, FIRST_OF_GROUP, version);
		say_records("begun", FIRST_OF_GROUP, RECORDS, version);
		state_begin(s);
		for (size_t i = FIRST_OF_GROUP; i < RECORDS; i++)
			save(s, i, version);
		state_end(s);
		check("flush", state_flush(s));
		say_records("kept", FIRST_OF_GROUP, RECORDS, version);
	}
	state_free(s);
}

static unsigned version_of(size_t record, const struct buf *content)
{
	unsigned version = content->size > 0 ? content->data[0] - 'a' : 0;

	if (content->size != record_size(record, version))
		return 0;
	for (size_t i = 0; i < content->size; i++)
		if (content->data[i] != content->data[0])
			return 0;
	return version;
}

static void check_records(const char *folder)
{
	struct state *s;

	check("state", state_new(folder, NULL, &s));
	for (size_t i = 0; i < RECORDS; i++) {
		_cleanup_buf_ struct buf content = { 0 };
		int r = state_load(s, records[i], "test", &content);

		if (r == -ENOENT)
			say("%s 0\n", records[i]);
		else if (r < 0 || version_of(i, &content) == 0)
			say("%s damaged\n", records[i]);
		else
			say("%s %u\n", records[i], version_of(i, &content));
	}
	state_free(s);
}

/* ---- a package ---- */

static void fill(uint8_t *bytes)
{
	for (unsigned i = 0; i < PACKAGE_BYTES; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
}

static void package_ended(void *userdata, int error)
{
	check("package", error);
	sd_event_exit(userdata, 0);
}

static struct package *open_package(const char *folder, sd_event *event)
{
	const struct package_config config = {
		.event = event, .folder = folder, .name = "5", .done = package_ended, .userdata = event
	};
	struct package *p;

	check("package", package_new(&config, &p));
	return p;
}

/* The first half, a restart, and from there on. */
static void write_package(const char *folder)
{
	uint8_t bytes[PACKAGE_BYTES];
	struct package *p;
	sd_event *event;
	uint64_t there;

	fill(bytes);
	check("event", sd_event_new(&event));
	p = open_package(folder, event);
	say("begun package 1\n");
	check("begin", package_begin(p, 0, 0, PACKAGE_BYTES));
	check("take", package_take(p, bytes, CHUNK));
	package_stop(p);
	package_free(p);
	p = open_package(folder, event);
	there = package_part_size(p);
	say("begun package 2\n");
	check("begin", package_begin(p, there, 0, PACKAGE_BYTES));
	check("take", package_take(p, bytes + there, PACKAGE_BYTES - there));
	check("finish", package_finish(p));
	check("loop", sd_event_loop(event));
	say("kept package 2\n");
	package_free(p);
	sd_event_unref(event);
}

/* Is what the file has the beginning of the package? */
static bool is_beginning(const char *folder, const char *name, ssize_t *ret_size)
{
	uint8_t bytes[PACKAGE_BYTES], read_bytes[PACKAGE_BYTES + 1];
	char path[4096];
	int fd;

	fill(bytes);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	*ret_size = fd < 0 ? 0 : read(fd, read_bytes, sizeof(read_bytes));
	if (fd >= 0)
		close(fd);
	return *ret_size >= 0 && *ret_size <= (ssize_t)sizeof(bytes) &&
	       memcmp(bytes, read_bytes, (size_t)*ret_size) == 0;
}

static void check_package(const char *folder)
{
	ssize_t part, whole;

	if (!is_beginning(folder, "5.part", &part) || !is_beginning(folder, "5", &whole) ||
	    (whole > 0 && whole != PACKAGE_BYTES))
		say("package damaged\n");
	else
		say("package %d\n", whole > 0 ? 2 : part >= (ssize_t)CHUNK);
}

/* ---- how installations ended ---- */

static void write_result(const char *folder)
{
	struct install_record record = { .id = "a1", .stage = INSTALL_RUNNING, .boot = "boot" };
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	check("folder", fd);
	for (unsigned version = 1; version <= VERSIONS; version++) {
		record.code = (uint8_t)version;
		say("begun result %u\n", version);
		check("result", install_record_write(fd, HANDLER, &record));
		say("kept result %u\n", version);
	}
	close(fd);
}

static void check_result(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct install_record record = { 0 };
	int r = install_record_read(fd, HANDLER, &record);

	if (r < 0 && r != -ENOENT)
		say("result damaged\n");
	else
		say("result %u\n", r < 0 ? 0u : record.code);
	close(fd);
}

int main(int argc, char **argv)
{
	char state[4096], packages[4096], results[4096];

	if (argc != 3)
		return EXIT_FAILURE;
	snprintf(state, sizeof(state), "%s/state", argv[2]);
	snprintf(packages, sizeof(packages), "%s/state/packages", argv[2]);
	snprintf(results, sizeof(results), "%s/results", argv[2]);
	if (strcmp(argv[1], "write") == 0) {
		write_records(state);
		write_package(packages);
		write_result(results);
	} else {
		check_records(state);
		check_package(packages);
		check_result(results);
	}
	return EXIT_SUCCESS;
}
