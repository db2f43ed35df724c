/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "host/line/worker.h"
#include "suite.h"

/* A line whose every operation does what a script says. */

struct fieldway_driver {
	int unused;
};

struct fieldway_line {
	int unused;
};

static struct fieldway_driver driver;
static struct fieldway_line the_line;

static const struct step {
	char what; /* 'o' open, 'r' read, 'w' write, 'c' close; 0: the end */
	int error;
	enum fieldway_outcome outcome;
	bool broken;
} * script;
static const struct step nothing;
static bool wrong;

/* Only the worker's thread takes steps while it has a job. */
static struct step take(char what)
{
	static const struct step bad = { .error = -EPROTO };

	if (script->what != what) {
		fprintf(stderr, "'%c' instead of '%c'\n", what, script->what ?: '.');
		wrong = true;
		return bad;
	}
	return *script++;
}

static int line_open(const struct fieldway_bus *bus, const struct fieldway_driver *first,
		     struct fieldway_line **ret, struct fieldway_result *result)
{
	struct step s = take('o');

	if (s.error == 0)
		*ret = &the_line;
	return s.error;
}

static void line_close(struct fieldway_line *line)
{
	if (script->what)
		take('c');
}

static int line_read(struct fieldway_line *line, const struct fieldway_driver *d,
		     const struct fieldway_request *request, uint64_t deadline_usec,
		     struct fieldway_sample *samples, char *text, size_t text_size,
		     struct fieldway_result *result, bool *ret_broken)
{
	struct step s = take('r');

	*result = (struct fieldway_result){ .error = s.error };
	*ret_broken = s.broken;
	return s.error;
}

static enum fieldway_outcome line_write(struct fieldway_line *line, const struct fieldway_driver *d,
					uint32_t point, const struct fieldway_value *value,
					uint64_t deadline_usec, struct fieldway_result *result,
					bool *ret_broken)
{
	struct step s = take('w');

	*result = (struct fieldway_result){ .error = s.error };
	*ret_broken = s.broken;
	return s.outcome;
}

#define RESTS 3
static sem_t rested;
static unsigned rests;

/* Wants its thread again a little later, some times. */
static uint64_t line_rest(struct fieldway_line *line)
{
	uint64_t now = clock_monotonic_usec();

	if (rests >= RESTS)
		return UINT64_MAX;
	sem_post(&rested);
	return ++rests < RESTS ? now + 10000 : UINT64_MAX;
}

static const struct fieldway_plugin plugin = {
	.line_rest = line_rest,
	.line_open = line_open,
	.line_close = line_close,
	.read = line_read,
	.write = line_write,
};

static sd_event *event;
static struct workers *workers;
static struct worker *worker;
static unsigned came_back;
static bool ended;

static void done(struct worker *w, struct job *job, void *userdata)
{
	ck_assert_ptr_eq(userdata, &plugin);
	if (job)
		came_back++;
	else
		ended = true;
}

static void setup(void)
{
	const struct worker_config config = { .plugin = &plugin,
					      .first = &driver,
					      .done = done,
					      .userdata = (void *)(uintptr_t)&plugin };

	wrong = ended = false;
	came_back = 0;
	rests = RESTS;
	ck_assert_int_eq(sem_init(&rested, 0, 0), 0);
	ck_assert_int_ge(sd_event_new(&event), 0);
	ck_assert_int_eq(workers_new(event, &workers), 0);
	ck_assert_int_eq(worker_new(workers, &config, &worker), 0);
}

static void teardown(void)
{
	worker = worker_free(worker);
	workers = workers_free(workers);
	event = sd_event_unref(event);
}

static struct job run(enum job_kind kind, unsigned tries, uint64_t within_usec,
		      const struct step *steps)
{
	struct job job = { .kind = kind,
			   .driver = &driver,
			   .tries = tries,
			   .deadline_usec = clock_monotonic_usec() + within_usec };
	unsigned before = came_back;

	script = steps;
	worker_submit(worker, &job);
	while (came_back == before)
		ck_assert_int_ge(sd_event_run(event, 10 * USEC_PER_SEC), 0);
	ck_assert(!wrong);
	ck_assert_msg(!script->what, "'%c' was not done", script->what);
	script = &nothing;
	return job;
}

#define STEPS(...) ((const struct step[]){ __VA_ARGS__, { 0 } })
#define LONG (10 * USEC_PER_SEC)

START_TEST(the_line_stays_open)
{
	struct job job = run(JOB_READ, 2, LONG, STEPS({ 'o' }, { 'r' }));

	ck_assert_int_eq(job.result.error, 0);
	ck_assert_uint_eq(job.requests, 1);
	ck_assert_uint_eq(job.errors, 0);
	ck_assert(!job.restored);
	job = run(JOB_WRITE, 2, LONG, STEPS({ 'w', 0, FIELDWAY_ACCEPTED }));
	ck_assert_int_eq(job.outcome, FIELDWAY_ACCEPTED);
	ck_assert_uint_eq(job.requests, 1);
}
END_TEST

/* Without a job, as often as it wants; a job comes at any time. */
START_TEST(line_that_rests)
{
	rests = 0; /* the worker has no line yet */
	run(JOB_READ, 1, LONG, STEPS({ 'o' }, { 'r' }));
	for (int i = 0; i < RESTS; i++)
		ck_assert_int_eq(sem_wait(&rested), 0);
	run(JOB_READ, 1, LONG, STEPS({ 'r' }));
	ck_assert_int_eq(sem_trywait(&rested), -1);
}
END_TEST

START_TEST(silence_is_tried_again)
{
	struct job job = run(JOB_READ, 3, LONG,
			     STEPS({ 'o' }, { 'r', -ETIMEDOUT }, { 'r', -EBADMSG }, { 'r' }));

	ck_assert_int_eq(job.result.error, 0);
	ck_assert_uint_eq(job.requests, 3);
	ck_assert_uint_eq(job.errors, 2);
	ck_assert_uint_eq(job.timeouts, 1);
	job = run(JOB_READ, 2, LONG, STEPS({ 'r', -ETIMEDOUT }, { 'r', -ETIMEDOUT }));
	ck_assert_int_eq(job.result.error, -ETIMEDOUT);
	/* Not when there is no time left. */
	job = run(JOB_READ, 2, 0, STEPS({ 'r', -ETIMEDOUT }));
	ck_assert_uint_eq(job.requests, 1);
}
END_TEST

START_TEST(an_exception_is_an_answer)
{
	struct job job = run(JOB_READ, 3, LONG, STEPS({ 'o' }, { 'r', -ENXIO }));

	ck_assert_int_eq(job.result.error, -ENXIO);
	ck_assert_uint_eq(job.errors, 1);
	ck_assert_uint_eq(job.timeouts, 0);
}
END_TEST

START_TEST(a_broken_line_is_opened_again)
{
	struct job job = run(JOB_READ, 2, LONG,
			     STEPS({ 'o' }, { 'r', -ENODEV, 0, true }, { 'c' }, { 'o' }, { 'r' }));

	ck_assert_int_eq(job.result.error, 0);
	ck_assert(!job.restored);
}
END_TEST

START_TEST(a_line_that_comes_back)
{
	struct job job = run(JOB_READ, 1, LONG, STEPS({ 'o', -ECONNREFUSED }));

	ck_assert_int_eq(job.result.error, -ECONNREFUSED);
	ck_assert_uint_eq(job.errors, 1);
	job = run(JOB_READ, 2, LONG, STEPS({ 'o', -ENODEV }, { 'o', -ENODEV }));
	ck_assert(!job.restored);
	job = run(JOB_READ, 1, LONG, STEPS({ 'o' }, { 'r' }));
	ck_assert(job.restored);
	job = run(JOB_READ, 1, LONG, STEPS({ 'r' }));
	ck_assert(!job.restored);
}
END_TEST

START_TEST(only_what_was_not_sent_is_sent_again)
{
	struct job job =
		run(JOB_WRITE, 3, LONG, STEPS({ 'o' }, { 'w', -ETIMEDOUT, FIELDWAY_UNKNOWN }));

	ck_assert_int_eq(job.outcome, FIELDWAY_UNKNOWN);
	ck_assert_uint_eq(job.timeouts, 1);
	job = run(JOB_WRITE, 3, LONG, STEPS({ 'w', -EINVAL, FIELDWAY_REFUSED }));
	ck_assert_int_eq(job.outcome, FIELDWAY_REFUSED);
	job = run(JOB_WRITE, 3, LONG, STEPS({ 'w', -ERANGE, FIELDWAY_NOT_SENT }));
	ck_assert_int_eq(job.result.error, -ERANGE);
	job = run(JOB_WRITE, 3, LONG,
		  STEPS({ 'w', -ECONNREFUSED, FIELDWAY_NOT_SENT, true }, { 'c' },
			{ 'o', -ECONNREFUSED }, { 'o' }, { 'w', 0, FIELDWAY_ACCEPTED }));
	ck_assert_int_eq(job.outcome, FIELDWAY_ACCEPTED);
	ck_assert_int_eq(job.result.error, 0);
	job = run(JOB_WRITE, 2, LONG,
		  STEPS({ 'w', -ECONNREFUSED, FIELDWAY_NOT_SENT },
			{ 'w', -ECONNREFUSED, FIELDWAY_NOT_SENT }));
	ck_assert_int_eq(job.outcome, FIELDWAY_NOT_SENT);
}
END_TEST

START_TEST(a_stopped_worker_closes_its_line_and_says_so)
{
	run(JOB_READ, 1, LONG, STEPS({ 'o' }, { 'r' }));
	script = STEPS({ 'c' });
	worker_stop(worker);
	while (!ended)
		ck_assert_int_ge(sd_event_run(event, LONG), 0);
	ck_assert(!script->what && !wrong);
}
END_TEST

START_TEST(a_job_given_before_the_stop_is_done)
{
	struct job job = { .kind = JOB_READ,
			   .driver = &driver,
			   .tries = 1,
			   .deadline_usec = clock_monotonic_usec() + LONG };

	script = STEPS({ 'o' }, { 'r' }, { 'c' });
	worker_submit(worker, &job);
	worker_stop(worker);
	while (!ended)
		workers_wait(workers, 10000);
	ck_assert_uint_eq(came_back, 1);
	ck_assert(!script->what && !wrong);
}
END_TEST

static void add(TCase *t)
{
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_line_stays_open);
	tcase_add_test(t, line_that_rests);
	tcase_add_test(t, silence_is_tried_again);
	tcase_add_test(t, an_exception_is_an_answer);
	tcase_add_test(t, a_broken_line_is_opened_again);
	tcase_add_test(t, a_line_that_comes_back);
	tcase_add_test(t, only_what_was_not_sent_is_sent_again);
	tcase_add_test(t, a_stopped_worker_closes_its_line_and_says_so);
	tcase_add_test(t, a_job_given_before_the_stop_is_done);
}

int main(void)
{
	return run_suite("worker", add);
}
