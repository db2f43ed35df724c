/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/str.h"
#include "state/crc32.h"
#include "state/presence.h"
#include "state/record.h"
#include "tests/unit/state/rig.h"

/* The check value of CRC-32/ISO-HDLC, and that parts make the whole. */
START_TEST(test_crc32)
{
	ck_assert_uint_eq(crc32_update(0, "123456789", 9), 0xcbf43926);
	ck_assert_uint_eq(crc32_update(crc32_update(0, "1234", 4), "56789", 5), 0xcbf43926);
	ck_assert_uint_eq(crc32_update(0, NULL, 0), 0);
}
END_TEST

START_TEST(test_survives_restart)
{
	ck_assert_int_eq(state_load(state, "em1", "k", &loaded), -ENOENT);
	save("em1", "one");
	assert_loads("em1", "one");
	restart();
	assert_loads("em1", "one");
	save("em1", "two, longer");
	ck_assert_int_eq(state_flush(state), 0);
	assert_loads("em1", "two, longer");
	ck_assert_int_eq(state_load(state, "em1", "other", &loaded), -ENOENT);
	ck_assert(state_has(folder, "em1", "k"));
	ck_assert(!state_has(folder, "em1", "other"));
	ck_assert(!state_has("/nonexistent", "em1", "k"));
	save("em1", "");
	restart();
	assert_loads("em1", "");
}
END_TEST

/* By a program that has not the folder, while one has it. */
START_TEST(test_peek)
{
	ck_assert_int_eq(state_peek(folder, "a/b", "k", &loaded), -ENOENT);
	save("a/b", "text");
	ck_assert_int_eq(state_flush(state), 0);
	ck_assert_int_eq(state_peek(folder, "a/b", "k", &loaded), 0);
	ck_assert_uint_eq(loaded.size, 4);
	ck_assert_int_eq(memcmp(loaded.data, "text", 4), 0);
	ck_assert_int_eq(state_peek(folder, "a/b", "Accounts", &loaded), -EINVAL);
	ck_assert_int_eq(state_peek("/nonexistent", "a", "k", &loaded), -ENOENT);
}
END_TEST

static int list_record(void *userdata, const char *name, const char *kind)
{
	return buf_printf(userdata, "%s=%s;", name, kind);
}

static bool is_listed(const struct buf *list, const char *record)
{
	return strstr((const char *)list->data, record) != NULL;
}

static int stop_at_second(void *userdata, const char *name, const char *kind)
{
	unsigned *n = userdata;

	(void)name;
	(void)kind;
	return ++*n == 2 ? -ECANCELED : 0;
}

/* On the disk and on the way there. */
START_TEST(test_each)
{
	_cleanup_buf_ struct buf list = { 0 };
	unsigned n = 0;

	ck_assert_int_eq(state_each(state, list_record, &list), 0);
	ck_assert_uint_eq(list.size, 0);
	save("a/b c", "1");
	save("plain.dot", "2");
	save("gone", "3");
	ck_assert_int_eq(state_flush(state), 0);
	ck_assert_int_eq(state_remove(state, "gone", "k"), 0);
	ck_assert_int_eq(state_flush(state), 0);
	write_raw("records/no-record", "x", 1);
	write_raw("records/wrong%.k", "x", 1);
	state_begin(state);
	save("waits", "4");
	ck_assert_int_eq(state_remove(state, "never", "k"), 0);
	ck_assert_int_eq(state_each(state, list_record, &list), 0);
	state_end(state);
	ck_assert_int_eq(buf_append_byte(&list, 0), 0);
	ck_assert(is_listed(&list, "a/b c=k;"));
	ck_assert(is_listed(&list, "plain.dot=k;"));
	ck_assert(is_listed(&list, "waits=k;"));
	ck_assert_uint_eq(list.size, sizeof("a/b c=k;plain.dot=k;waits=k;"));
	ck_assert_int_eq(state_each(state, stop_at_second, &n), -ECANCELED);
	ck_assert_uint_eq(n, 2);
}
END_TEST

START_TEST(test_load_appends)
{
	save("a", "x");
	ck_assert_int_eq(buf_append_text(&loaded, "before "), 0);
	ck_assert_int_eq(state_load(state, "a", "k", &loaded), 0);
	ck_assert_int_eq(state_flush(state), 0);
	ck_assert_int_eq(state_load(state, "a", "k", &loaded), 0);
	ck_assert_uint_eq(loaded.size, 9);
	ck_assert_mem_eq(loaded.data, "before xx", 9);
}
END_TEST

START_TEST(test_names)
{
	char longest[STATE_FILE_NAME_MAX - 1], one_more[STATE_FILE_NAME_MAX];

	memset(longest, 'n', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	memset(one_more, 'n', sizeof(one_more));
	one_more[sizeof(one_more) - 1] = '\0';
	save("urn:dev/os.x", "one");
	save("../up", "two");
	save(".", "three");
	save(longest, "four");
	ck_assert_int_eq(state_save(state, one_more, "k", "x", 1), -ENAMETOOLONG);
	ck_assert_int_eq(state_load(state, one_more, "k", &loaded), -ENAMETOOLONG);
	ck_assert_int_eq(state_remove(state, one_more, "k"), -ENAMETOOLONG);
	restart();
	assert_loads("urn:dev/os.x", "one");
	assert_loads("../up", "two");
	assert_loads(".", "three");
	assert_loads(longest, "four");
	ck_assert_int_eq(access(path_in("records/urn%3Adev%2Fos.x.k"), F_OK), 0);
	ck_assert_int_eq(state_save(state, "", "k", "x", 1), -EINVAL);
	ck_assert_int_eq(state_save(state, "a", "", "x", 1), -EINVAL);
	ck_assert_int_eq(state_save(state, "a", "x.y", "x", 1), -EINVAL);
	ck_assert_int_eq(state_save(state, "a", "../k", "x", 1), -EINVAL);
}
END_TEST

START_TEST(test_limits)
{
	_cleanup_free_ uint8_t *data = calloc(1, STATE_RECORD_MAX + 1);

	ck_assert_int_eq(state_save(state, "a", "k", data, STATE_RECORD_MAX + 1), -EFBIG);
	ck_assert_int_eq(state_save(state, "a", "k", data, STATE_RECORD_MAX), 0);
	restart();
	ck_assert_int_eq(state_load(state, "a", "k", &loaded), 0);
	ck_assert_uint_eq(loaded.size, STATE_RECORD_MAX);
}
END_TEST

/* Nothing can be written away, so what waits reaches its limit: a folder stops each write. */
START_TEST(test_pending_is_bounded)
{
	_cleanup_free_ uint8_t *data = calloc(1, STATE_RECORD_MAX);
	char name[32], path[64];

	for (unsigned n = 0; n <= STATE_PENDING_MAX / STATE_RECORD_MAX; n++) {
		snprintf(name, sizeof(name), "n%u", n);
		snprintf(path, sizeof(path), "temporary/%s.k", name);
		ck_assert_int_eq(mkdir(path_in(path), 0700), 0);
		ck_assert_int_eq(state_save(state, name, "k", data, STATE_RECORD_MAX),
				 n < STATE_PENDING_MAX / STATE_RECORD_MAX ? 0 : -ENOBUFS);
	}
	ck_assert_int_eq(state_save(state, "small", "k", data, 1), -ENOBUFS);
}
END_TEST

START_TEST(test_modes)
{
	struct stat st;

	save("a", "x");
	ck_assert_int_eq(state_flush(state), 0);
	ck_assert_int_eq(stat(path_in("records"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(stat(path_in("records/a.k"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(stat(path_in("temporary/a.k"), &st), -1);
}
END_TEST

START_TEST(test_makes_folder)
{
	struct state *other = NULL;
	struct stat st;

	ck_assert_int_eq(state_new(path_in("new"), NULL, &other), 0);
	ck_assert_int_eq(stat(path_in("new"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	state_free(other);
	ck_assert_int_eq(state_new(path_in("no/parent"), NULL, &other), -ENOENT);
}
END_TEST

START_TEST(test_locked)
{
	struct state *second = NULL;

	ck_assert_int_eq(state_new(folder, NULL, &second), -EBUSY);
	ck_assert_ptr_null(second);
}
END_TEST

START_TEST(test_remove)
{
	save("a", "x");
	ck_assert_int_eq(state_remove(state, "a", "k"), 0);
	ck_assert_int_eq(state_load(state, "a", "k", &loaded), -ENOENT);
	restart();
	ck_assert_int_eq(state_load(state, "a", "k", &loaded), -ENOENT);
	save("a", "x");
	ck_assert_int_eq(state_flush(state), 0);
	ck_assert_int_eq(state_remove(state, "a", "k"), 0);
	save("a", "y");
	ck_assert_int_eq(state_flush(state), 0);
	assert_loads("a", "y");
	ck_assert_int_eq(state_remove(state, "a", "k"), 0);
	ck_assert_int_eq(state_remove(state, "never", "k"), 0);
	ck_assert_int_eq(state_flush(state), 0);
	ck_assert_int_eq(access(path_in("records/a.k"), F_OK), -1);
}
END_TEST

/* Whatever a record is cut to, it is refused, kept for people, and can be saved anew. */
START_TEST(test_every_truncation)
{
	uint8_t raw[64];
	size_t size;

	save("a", "content");
	ck_assert_int_eq(state_flush(state), 0);
	size = read_raw("records/a.k", raw, sizeof(raw));
	ck_assert_uint_eq(size, STATE_RECORD_HEADER_BYTES + 7);
	for (size_t cut = 0; cut < size; cut++) {
		write_raw("records/a.k", raw, cut);
		ck_assert_int_eq(state_load(state, "a", "k", &loaded), -EBADMSG);
		ck_assert_int_eq(state_load(state, "a", "k", &loaded), -ENOENT);
		ck_assert_int_eq(access(path_in("quarantine/a.k"), F_OK), 0);
	}
	ck_assert_uint_eq(loaded.size, 0);
	save("a", "again");
	restart();
	assert_loads("a", "again");
}
END_TEST

START_TEST(test_every_flipped_bit)
{
	uint8_t raw[64];
	size_t size;

	save("a", "content");
	ck_assert_int_eq(state_flush(state), 0);
	size = read_raw("records/a.k", raw, sizeof(raw));
	for (size_t bit = 0; bit < 8 * size; bit++) {
		raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
		write_raw("records/a.k", raw, size);
		ck_assert_int_eq(state_load(state, "a", "k", &loaded), -EBADMSG);
		raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	raw[size] = 0;
	write_raw("records/a.k", raw, size + 1);
	ck_assert_int_eq(state_load(state, "a", "k", &loaded), -EBADMSG);
	write_raw("records/a.k", raw, size);
	assert_loads("a", "content");
}
END_TEST

START_TEST(test_later_version)
{
	static const char content[] = "from the future";
	uint8_t raw[STATE_RECORD_HEADER_BYTES + sizeof(content)];
	uint32_t crc;

	state_record_header(content, sizeof(content), raw);
	memcpy(raw + STATE_RECORD_HEADER_BYTES, content, sizeof(content));
	raw[5] = STATE_RECORD_VERSION + 1;
	crc = crc32_update(crc32_update(0, raw, 12), content, sizeof(content));
	for (unsigned i = 0; i < 4; i++)
		raw[12 + i] = (uint8_t)(crc >> (24 - 8 * i));
	write_raw("records/a.k", raw, sizeof(raw));
	restart();
	ck_assert_int_eq(state_load(state, "a", "k", &loaded), -EPROTO);
	ck_assert_int_eq(access(path_in("quarantine/a.k"), F_OK), 0);
}
END_TEST

START_TEST(test_not_a_file)
{
	ck_assert_int_eq(mkdir(path_in("records/a.k"), 0700), 0);
	ck_assert_int_eq(symlink("/dev/zero", path_in("records/b.k")), 0);
	ck_assert_int_eq(mkfifo(path_in("records/c.k"), 0600), 0);
	restart();
	ck_assert_int_eq(state_load(state, "a", "k", &loaded), -EBADMSG);
	ck_assert_int_eq(state_load(state, "b", "k", &loaded), -EBADMSG);
	ck_assert_int_eq(state_load(state, "c", "k", &loaded), -EBADMSG);
}
END_TEST

/* Ten thousand have one, and as many ask in vain. */
START_TEST(test_who_has_a_record)
{
	static struct presence presence;
	unsigned wrong = 0;
	char name[32];

	for (unsigned i = 0; i < 20000; i += 2) {
		snprintf(name, sizeof(name), "gw-e%u.account-101", i);
		presence_add(&presence, name);
	}
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "gw-e%u.account-101", i);
		if (i % 2 == 0)
			ck_assert(presence_may_have(&presence, name));
		else
			wrong += presence_may_have(&presence, name);
	}
	ck_assert_uint_lt(wrong, 1000);
}
END_TEST

/* What a crash leaves before the rename: half a temporary file beside the whole record. */
START_TEST(test_crash_before_rename)
{
	save("a", "old");
	state = state_free(state);
	write_raw("temporary/a.k", "FWST", 4);
	write_raw("temporary/b.k", "", 0);
	ck_assert_int_eq(state_new(folder, NULL, &state), 0);
	assert_loads("a", "old");
	ck_assert_int_eq(access(path_in("temporary/a.k"), F_OK), -1);
	ck_assert_int_eq(access(path_in("temporary/b.k"), F_OK), -1);
	save("a", "new");
	restart();
	assert_loads("a", "new");
}
END_TEST

START_TEST(test_coalesces)
{
	struct state_statistics statistics;
	char text[16];

	for (unsigned i = 0; i < 2000; i++) {
		snprintf(text, sizeof(text), "%u", i);
		save("a", text);
	}
	ck_assert_int_eq(state_flush(state), 0);
	state_get_statistics(state, &statistics);
	ck_assert_uint_eq(statistics.written + statistics.coalesced, 2000);
	ck_assert_uint_eq(statistics.failed, 0);
	/* An fsync takes longer than a save, so most of them must have met one that waited. */
	ck_assert_uint_gt(statistics.coalesced, 0);
	restart();
	assert_loads("a", "1999");
}
END_TEST

START_TEST(test_many_records)
{
	char name[16];

	for (unsigned i = 0; i < 3 * 64 + 5; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		save(name, name);
	}
	restart();
	for (unsigned i = 0; i < 3 * 64 + 5; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		assert_loads(name, name);
	}
}
END_TEST

/* A folder in the way of the temporary file: works as root too, unlike a mode. */
START_TEST(test_failure_is_kept_and_retried)
{
	struct state_statistics statistics;

	save("a", "old");
	ck_assert_int_eq(state_flush(state), 0);
	ck_assert_int_eq(mkdir(path_in("temporary/a.k"), 0700), 0);
	save("a", "new");
	ck_assert_int_eq(state_flush(state), -EISDIR);
	assert_loads("a", "new");
	/* The others do not wait for it. */
	save("b", "x");
	ck_assert_int_eq(state_flush(state), -EISDIR);
	ck_assert_int_eq(access(path_in("records/b.k"), F_OK), 0);
	save("a", "newest");
	ck_assert_int_eq(state_flush(state), -EISDIR);
	ck_assert_int_eq(rmdir(path_in("temporary/a.k")), 0);
	ck_assert_int_eq(state_flush(state), 0);
	state_get_statistics(state, &statistics);
	ck_assert_uint_ge(statistics.failed, 3);
	restart();
	assert_loads("a", "newest");
}
END_TEST

START_TEST(test_failure_at_stop)
{
	save("a", "old");
	ck_assert_int_eq(state_flush(state), 0);
	ck_assert_int_eq(mkdir(path_in("temporary/a.k"), 0700), 0);
	save("a", "new");
	state = state_free(state);
	ck_assert_int_eq(rmdir(path_in("temporary/a.k")), 0);
	ck_assert_int_eq(state_new(folder, NULL, &state), 0);
	assert_loads("a", "old");
}
END_TEST

struct report {
	unsigned failed, recovered;
	int error;
};

static void note(unsigned n, int error, void *userdata)
{
	struct report *report = userdata;

	report->failed += n;
	report->recovered += n == 0;
	if (error != 0)
		report->error = error;
}

START_TEST(test_handler)
{
	struct report report = { 0 };
	sd_event *event = NULL;

	state_free(state);
	ck_assert_int_ge(sd_event_new(&event), 0);
	ck_assert_int_eq(state_new(folder, event, &state), 0);
	state_set_handler(state, note, &report);
	save("b", "good");
	ck_assert_int_eq(state_flush(state), 0);
	ck_assert_int_eq(sd_event_run(event, 0), 0);
	ck_assert_int_eq(mkdir(path_in("temporary/a.k"), 0700), 0);
	save("a", "x");
	ck_assert_int_gt(sd_event_run(event, UINT64_MAX), 0);
	ck_assert_uint_eq(report.failed, 1);
	ck_assert_int_eq(report.error, -EISDIR);
	ck_assert_uint_eq(report.recovered, 0);
	ck_assert_int_eq(rmdir(path_in("temporary/a.k")), 0);
	ck_assert_int_eq(state_flush(state), 0);
	ck_assert_int_gt(sd_event_run(event, UINT64_MAX), 0);
	ck_assert_uint_eq(report.recovered, 1);
	ck_assert_uint_eq(report.failed, 1);
	state = state_free(state);
	sd_event_unref(event);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("state");
	TCase *tcase = tcase_create("state");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, rig_set_up, rig_tear_down);
	tcase_add_test(tcase, test_crc32);
	tcase_add_test(tcase, test_survives_restart);
	tcase_add_test(tcase, test_peek);
	tcase_add_test(tcase, test_each);
	tcase_add_test(tcase, test_load_appends);
	tcase_add_test(tcase, test_names);
	tcase_add_test(tcase, test_limits);
	tcase_add_test(tcase, test_pending_is_bounded);
	tcase_add_test(tcase, test_modes);
	tcase_add_test(tcase, test_makes_folder);
	tcase_add_test(tcase, test_locked);
	tcase_add_test(tcase, test_remove);
	tcase_add_test(tcase, test_every_truncation);
	tcase_add_test(tcase, test_every_flipped_bit);
	tcase_add_test(tcase, test_later_version);
	tcase_add_test(tcase, test_not_a_file);
	tcase_add_test(tcase, test_who_has_a_record);
	tcase_add_test(tcase, test_crash_before_rename);
	tcase_add_test(tcase, test_coalesces);
	tcase_add_test(tcase, test_many_records);
	tcase_add_test(tcase, test_failure_is_kept_and_retried);
	tcase_add_test(tcase, test_failure_at_stop);
	tcase_add_test(tcase, test_handler);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
