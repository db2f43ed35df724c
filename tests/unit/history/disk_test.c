/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What survives the end of the daemon, of the power, and damage. */

#define MANY 20000

static const struct history_limits roomy = {
	.memory = 256u << 10, .disk = 64u << 20, .keep_usec = 365 * USEC_PER_DAY, .thin = true
};
static char folder[] = "history-XXXXXX";

/* Of each file that is a segment, in no order. */
static unsigned each_segment(void (*f)(const char *path))
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	unsigned n = 0;
	char path[512];

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		if (!strstr(entry->d_name, ".segment"))
			continue;
		n++;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (f)
			f(path);
	}
	closedir(dir);
	return n;
}

static off_t bytes_on_disk;
static void measure(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	bytes_on_disk += st.st_size;
}

/* In place of libc's: what the disk is asked for can be seen. */
static atomic_uint n_contents_synced, n_names_synced;

int fdatasync(int fd)
{
	n_contents_synced++;
	return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
	n_names_synced++;
	return (int)syscall(SYS_fsync, fd);
}

static void setup(void)
{
	strcpy(folder, "history-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(timers_new(NULL, &timers), 0);
	disk_error = 0;
	n_damaged = n_read = 0;
}

static void remove_file(const char *path)
{
	unlink(path);
}

static void teardown(void)
{
	char path[64];

	stop();
	timers = timers_free(timers);
	each_segment(remove_file);
	snprintf(path, sizeof(path), "%s/taken", folder);
	unlink(path);
	ck_assert_int_eq(rmdir(folder), 0);
}

static void add_many(int64_t from, int64_t to)
{
	for (int64_t i = from; i < to; i++) {
		add(queue, i % 2 ? "/3303/0/5700" : "/3304/0/5700", i);
		clock_advance(USEC_PER_SEC);
	}
}

static void take_all(int64_t from, int64_t to)
{
	int64_t number;

	for (int64_t i = from; i < to; i++) {
		ck_assert(take(queue, &number, NULL, NULL));
		ck_assert_int_eq(number, i);
	}
	ck_assert(!take(queue, &number, NULL, NULL));
}

START_TEST(it_survives_the_end)
{
	int64_t number;
	uint64_t age;

	start(folder, &roomy);
	add_many(0, 10);
	stop();
	clock_advance(USEC_PER_DAY);
	start(folder, &roomy);
	ck_assert_uint_eq(n_read, 1);
	ck_assert_uint_eq(history_waiting(queue), 10);
	add_many(10, 20);
	ck_assert(take(queue, &number, NULL, &age));
	ck_assert_int_eq(number, 0);
	/* What the test itself takes comes on top. */
	ck_assert_uint_ge(age, USEC_PER_DAY + 20 * USEC_PER_SEC - USEC_PER_SEC);
	ck_assert_uint_le(age, USEC_PER_DAY + USEC_PER_HOUR);
	stop();
	start(folder, &roomy);
	take_all(1, 20);
	stop();
	ck_assert_uint_eq(each_segment(NULL), 0);
	start(folder, &roomy);
	ck_assert_uint_eq(waiting(), 0);
	/* Numbers are not given twice: what was taken says nothing of these. */
	add_many(0, 3);
	stop();
	start(folder, &roomy);
	take_all(0, 3);
	ck_assert_uint_eq(n_damaged, 0);
}
END_TEST

/* What is written is asked onto the disk: its content, and a name that is new. */
START_TEST(it_is_on_the_disk)
{
	start(folder, &roomy);
	n_contents_synced = n_names_synced = 0;
	add_many(0, 10);
	stop();
	ck_assert_uint_eq(each_segment(NULL), 1);
	ck_assert_uint_ge(n_contents_synced, 1);
	ck_assert_uint_ge(n_names_synced, 1);
	start(folder, &roomy);
}
END_TEST

/* More than the memory holds is read from the disk. */
START_TEST(the_disk_holds_more_than_memory)
{
	start(folder, &roomy);
	for (int i = 0; i < 100; i++) {
		add_many(i * 400, (i + 1) * 400);
		timers_run(timers);
	}
	ck_assert_uint_eq(waiting(), 40000);
	ck_assert_uint_eq(lost(), 0);
	stop();
	start(folder, &roomy);
	take_all(0, 40000);
	ck_assert_uint_eq(lost(), 0);
}
END_TEST

START_TEST(what_is_taken_at_once_never_gets_there)
{
	int64_t number;

	start(folder, &roomy);
	for (int64_t i = 0; i < MANY; i++) {
		add(queue, "/3303/0/5700", i);
		ck_assert(take(queue, &number, NULL, NULL));
		pass(USEC_PER_SEC);
	}
	history_flush(history);
	ck_assert_uint_eq(each_segment(NULL), 0);
}
END_TEST

/* It is written each five minutes, and all that is lost without an end is since then. */
START_TEST(a_power_cut_costs_minutes)
{
	pid_t child = fork();
	int status;

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		start(folder, &roomy);
		add_many(0, 100);
		pass(HISTORY_FLUSH_USEC);
		history_flush(history);
		add_many(100, 200);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	start(folder, &roomy);
	take_all(0, 100);
	ck_assert_uint_eq(n_damaged, 0);
}
END_TEST

static void tear(const char *path)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(truncate(path, st.st_size - 3), 0);
}

START_TEST(what_is_torn_off_is_the_last_frame)
{
	start(folder, &roomy);
	add_many(0, 100);
	history_flush(history);
	add_many(100, 200);
	stop();
	ck_assert_uint_eq(each_segment(tear), 1);
	start(folder, &roomy);
	ck_assert_uint_eq(n_damaged, 1);
	ck_assert_uint_eq(history_waiting(queue), 100);
	take_all(0, 100);
}
END_TEST

static off_t damage_at;
static void damage(const char *path)
{
	int fd = open(path, O_RDWR);
	uint8_t byte;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pread(fd, &byte, 1, damage_at), 1);
	byte ^= 0x40;
	ck_assert_int_eq(pwrite(fd, &byte, 1, damage_at), 1);
	close(fd);
}

/* Each byte of a small file, one after the other: what comes is a part of what was, in order. */
START_TEST(damage_anywhere)
{
	off_t size;
	int64_t number, last;

	start(folder, &roomy);
	add_many(0, 6);
	history_flush(history);
	add_many(6, 12);
	stop();
	bytes_on_disk = 0;
	ck_assert_uint_eq(each_segment(measure), 1);
	size = bytes_on_disk;
	for (damage_at = 0; damage_at < size; damage_at++) {
		if (each_segment(damage) == 0)
			break;
		n_damaged = 0;
		start(folder, &roomy);
		ck_assert_uint_ge(n_damaged, 1);
		ck_assert_uint_eq(history_waiting(queue), waiting());
		last = -1;
		/* Not taken: the file stays as it is. */
		struct history_batch batch;
		ck_assert_int_eq(history_peek(queue, 100, SIZE_MAX, &batch), 0);
		for (size_t i = 0; i < batch.records.n; i++) {
			number = batch.records.items[i].value.integer;
			ck_assert_int_gt(number, last);
			ck_assert_int_lt(number, 12);
			last = number;
		}
		records_done(&batch.records);
		stop();
		if (each_segment(damage) == 0) {
			/* Nothing of it was whole: it has gone. Again. */
			start(folder, &roomy);
			add_many(0, 6);
			history_flush(history);
			add_many(6, 12);
			stop();
		}
	}
	ck_assert_int_eq(damage_at, size);
	start(folder, &roomy);
	take_all(0, 12);
}
END_TEST

START_TEST(what_was_taken_is_not_known_any_more)
{
	struct history_batch batch;
	char path[64];

	start(folder, &roomy);
	add_many(0, 10);
	history_flush(history);
	ck_assert_int_eq(history_peek(queue, 4, SIZE_MAX, &batch), 0);
	history_taken(queue, batch.last_id);
	records_done(&batch.records);
	stop();
	snprintf(path, sizeof(path), "%s/taken", folder);
	damage_at = 0;
	damage(path);
	start(folder, &roomy);
	ck_assert_uint_eq(n_damaged, 1);
	/* Told twice rather than not at all. */
	take_all(0, 10);
}
END_TEST

static void fill(bool thin)
{
	const struct history_limits tight = {
		.memory = 64u << 10, .disk = 128u << 10, .keep_usec = 365 * USEC_PER_DAY, .thin = thin
	};

	start(folder, &tight);
	for (int i = 0; i < 200; i++) {
		add_many(i * 200, (i + 1) * 200);
		history_flush(history);
	}
	history_flush(history);
	bytes_on_disk = 0;
	each_segment(measure);
	ck_assert_int_le(bytes_on_disk, 128 << 10);
	ck_assert_int_gt(bytes_on_disk, 64 << 10);
	ck_assert_uint_eq(waiting() + lost(), 200 * 200);
	ck_assert_uint_gt(lost(), 0);
	stop();
	start(folder, &tight);
	ck_assert_uint_eq(history_waiting(queue), waiting());
	ck_assert_uint_eq(n_damaged, 0);
}

START_TEST(the_oldest_goes_from_the_disk)
{
	fill(false);
	take_all(200 * 200 - (int64_t)history_waiting(queue), 200 * 200);
}
END_TEST

START_TEST(the_disk_is_thinned)
{
	int64_t number, last = -1;

	fill(true);
	ck_assert(take(queue, &number, NULL, NULL));
	ck_assert_int_eq(number, 0);
	while (take(queue, &number, NULL, NULL)) {
		ck_assert_int_gt(number, last);
		last = number;
	}
	ck_assert_int_eq(last, 200 * 200 - 1);
}
END_TEST

/* A disk that takes nothing: memory does, and the disk again as soon as it can. */
START_TEST(a_full_disk)
{
	const struct rlimit nothing = { .rlim_cur = 16, .rlim_max = RLIM_INFINITY };
	struct rlimit before;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	start(folder, &roomy);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &nothing), 0);
	add_many(0, 5000);
	history_flush(history);
	ck_assert_int_eq(disk_error, -EFBIG);
	ck_assert_uint_eq(waiting(), 5000);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	add_many(5000, 5010);
	history_flush(history);
	ck_assert_int_eq(disk_error, 0);
	stop();
	start(folder, &roomy);
	ck_assert_uint_eq(n_damaged, 0);
	take_all(0, 5010);
}
END_TEST

/* A server that has all of its own is told the next value without a look at what waits for another one. */
START_TEST(who_has_all_is_not_looked_for)
{
	const struct history_limits tight = { .memory = 128u << 10, .disk = 64u << 20, .keep_usec = 365 * USEC_PER_DAY };
	struct history_queue *prompt;
	int64_t number;

	start(folder, &tight);
	prompt = queue_of("ep", 102);
	add(prompt, "/3303/0/5700", 1);
	ck_assert(take(prompt, &number, NULL, NULL));
	add_many(0, MANY);
	history_flush(history);
	add(prompt, "/3303/0/5700", 2);
	/* Who looks there finds that. */
	ck_assert_uint_gt(each_segment(tear), 2);
	ck_assert(take(prompt, &number, NULL, NULL));
	ck_assert_int_eq(number, 2);
	ck_assert_uint_eq(n_damaged, 0);
	ck_assert(take(queue, &number, NULL, NULL));
	ck_assert_uint_gt(n_damaged, 0);
}
END_TEST

/* With thousands of queues a segment has few values of one: the loop does not wait until so many are together. */
START_TEST(a_batch_looks_at_so_many_segments)
{
	const struct history_limits tight = { .memory = 128u << 10, .disk = 64u << 20, .keep_usec = 365 * USEC_PER_DAY };
	const int64_t n = 2 * HISTORY_PEEK_SEGMENTS_MAX, between = 2000;
	struct history_batch batch;
	struct history_queue *few;
	int64_t next = 0;

	start(folder, &tight);
	few = queue_of("ep", 102);
	for (int64_t i = 0; i < n; i++) {
		add(few, "/3303/0/5700", i);
		add_many(i * between, (i + 1) * between);
		timers_run(timers);
	}
	if (_i == 1) {
		stop();
		start(folder, &tight);
		few = queue_of("ep", 102);
	}
	for (unsigned batches = 0; next < n; batches++) {
		ck_assert_uint_lt(batches, 3);
		ck_assert_int_eq(history_peek(few, 200, SIZE_MAX, &batch), 0);
		ck_assert_uint_gt(batch.records.n, 0);
		ck_assert_uint_le(batch.records.n, HISTORY_PEEK_SEGMENTS_MAX);
		for (size_t i = 0; i < batch.records.n; i++)
			ck_assert_int_eq(batch.records.items[i].value.integer, next++);
		history_taken(few, batch.last_id);
		records_done(&batch.records);
	}
	ck_assert_uint_eq(history_waiting(few), 0);
	ck_assert_uint_eq(lost(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("disk");
	TCase *tcase = tcase_create("disk");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, it_survives_the_end);
	tcase_add_test(tcase, it_is_on_the_disk);
	tcase_add_test(tcase, the_disk_holds_more_than_memory);
	tcase_add_test(tcase, what_is_taken_at_once_never_gets_there);
	tcase_add_test(tcase, a_power_cut_costs_minutes);
	tcase_add_test(tcase, what_is_torn_off_is_the_last_frame);
	tcase_add_test(tcase, damage_anywhere);
	tcase_add_test(tcase, what_was_taken_is_not_known_any_more);
	tcase_add_test(tcase, the_oldest_goes_from_the_disk);
	tcase_add_test(tcase, the_disk_is_thinned);
	tcase_add_test(tcase, a_full_disk);
	tcase_add_test(tcase, who_has_all_is_not_looked_for);
	tcase_add_loop_test(tcase, a_batch_looks_at_so_many_segments, 0, 2);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
