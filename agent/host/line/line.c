/* SPDX-License-Identifier: Apache-2.0 */
#include "host/line/line.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/str.h"
#include "host/bus.h"
#include "host/device/device.h"
#include "host/device/make.h"
#include "host/device/statistics.h"
#include "host/device/take.h"
#include "host/line/attempt.h"
#include "host/line/errand.h"
#include "host/line/identify.h"
#include "host/line/learn.h"
#include "host/line/read.h"
#include "host/line/write.h"
#include "host/release.h"

/* The slowest line, 1200 baud, takes 9.2 ms for a byte. */
#define WIRE_BYTE_USEC UINT64_C(10000)
/* What a try may take beside silence: a connection to be made, a line to fall idle. */
#define TRY_TIMEOUTS 3u

/* ---- samples ---- */

static void line_take(struct line *l)
{
	const struct fieldway_request *request = l->job.request;

	if (l->job.result.error < 0)
		take_failure(l->device, request->points, request->n_points, &l->job.result,
			     l->begun_writes);
	else
		take_samples(l->device, l->job.samples, request->n_points, l->begun_writes);
}

static void line_take_and_note(struct line *l)
{
	line_take(l);
	device_note(l->device, l->poll, &l->job.result);
}

/* ---- jobs ---- */

uint64_t line_job_deadline(const struct fieldway_bus *bus, unsigned tries, uint32_t wire_bytes)
{
	uint64_t now = clock_monotonic_usec() - clock_offset_usec();

	return now + tries * (TRY_TIMEOUTS * bus->timeout_usec + wire_bytes * WIRE_BYTE_USEC) +
	       USEC_PER_SEC;
}

static uint64_t line_deadline(const struct line *l, unsigned tries, uint32_t wire_bytes)
{
	return line_job_deadline(&l->bus->setup->bus, tries, wire_bytes);
}

static void submit_job(struct line *l, enum line_work work, struct job *job)
{
	uint64_t now = clock_monotonic_usec();

	l->work = work;
	l->busy = setup_ref(l->bus->setup);
	job->tap = line_tap_now(&l->tap);
	l->begun_usec = now;
	l->begun_writes = l->n_writes;
	l->deadline_usec = job->deadline_usec;
	timer_disarm(&l->due);
	timer_arm(&l->watch,
		  job->deadline_usec + clock_offset_usec() + l->bus->services->grace_usec);
	worker_submit(l->worker, job);
}

static void submit(struct line *l, enum line_work work)
{
	submit_job(l, work, &l->job);
}

static void submit_read(struct line *l, enum line_work work, const struct fieldway_request *request,
			unsigned tries)
{
	struct job *job = &l->job;

	job->kind = JOB_READ;
	job->driver = l->device->setup->driver;
	job->request = request;
	job->tries = tries;
	job->deadline_usec = line_deadline(l, tries, request->wire_bytes);
	job->requests = job->errors = job->timeouts = 0;
	job->restored = false;
	submit(l, work);
}

static void start_identify(struct line *l, struct device *d, enum line_work work)
{
	l->device = d;
	submit_read(l, work, d->setup->identify, 1);
}

/* Only a device that is silent needs chance. */
static uint64_t chance(enum schedule_answer answer)
{
	return answer == SCHEDULE_SILENT ? random_u64() : 0;
}

static void heard(struct line *l, const struct fieldway_result *result)
{
	enum schedule_answer answer = answer_of(result->error);

	schedule_heard(&l->schedule, l->device->index, clock_monotonic_usec(), answer,
		       chance(answer));
}

static void start_poll(struct line *l)
{
	const struct schedule_device *s = &l->schedule.devices[l->turn.device];
	unsigned retries = l->bus->setup->configuration->retries;

	if (identify_is_due(l->devices[l->turn.device])) {
		start_identify(l, l->devices[l->turn.device], LINE_IDENTIFY);
		return;
	}
	l->device = l->devices[l->turn.device];
	l->poll = &l->device->polls[l->turn.entry - s->first];
	submit_read(l, LINE_POLL, learn_request(l->poll), l->turn.probe ? 1 : retries + 1);
}

static void start_verify(struct line *l, struct write *w)
{
	l->write = w;
	write_verify_what(w, &l->device, &l->poll);
	submit_read(l, LINE_VERIFY, l->poll->request, 1);
}

static void start_read(struct line *l)
{
	struct device *d = read_next_device(l);

	if (identify_is_due(d))
		start_identify(l, d, LINE_IDENTIFY_FIRST);
	else
		submit_read(l, LINE_READ, read_start(l), l->bus->setup->configuration->retries + 1);
}

static void start_write(struct line *l)
{
	struct device *d = write_next_device(l);

	if (identify_is_due(d)) {
		start_identify(l, d, LINE_IDENTIFY_FIRST);
		return;
	}
	write_start(l);
	l->job.deadline_usec = MIN(l->job.deadline_usec, line_deadline(l, l->job.tries, 0));
	submit(l, LINE_WRITE);
}

/* What somebody has asked for; writes first. */
static bool start_asked(struct line *l)
{
	if (!list_is_empty(&l->queued)) {
		start_write(l);
	} else if (!list_is_empty(&l->reads)) {
		start_read(l);
	} else if (!list_is_empty(&l->attempts)) {
		l->device = NULL;
		submit_job(l, LINE_ATTEMPT, attempt_start(l));
	} else if (!list_is_empty(&l->errands)) {
		errand_start(l);
		submit(l, LINE_ERRAND);
	} else {
		return false;
	}
	l->favoured = true;
	return true;
}

static bool start_verify_due(struct line *l, uint64_t now, uint64_t *ret_due)
{
	struct write *verify = write_next_verify(l, now, ret_due);

	if (!verify)
		return false;
	start_verify(l, verify);
	l->favoured = false;
	return true;
}

static bool start_poll_due(struct line *l, uint64_t now, uint64_t *ret_due)
{
	if (!schedule_next(&l->schedule, now, &l->turn, ret_due))
		return false;
	start_poll(l);
	l->favoured = false;
	return true;
}

/*
 * What was asked for goes ahead, but for the turn of what is due: a read-back
 * behind each write, a poll behind each of the others. Whoever asks without
 * end halves the rate of polls, and no more.
 */
static bool start_next(struct line *l, uint64_t *ret_due)
{
	uint64_t now = clock_monotonic_usec(), due = USEC_INFINITY, verify_due = USEC_INFINITY;

	if (l->favoured && start_verify_due(l, now, &verify_due))
		return true;
	if (l->favoured && list_is_empty(&l->queued) && start_poll_due(l, now, &due))
		return true;
	if (start_asked(l) || start_verify_due(l, now, &verify_due) || start_poll_due(l, now, &due))
		return true;
	*ret_due = MIN(due, verify_due);
	return false;
}

static void take_samples_room(struct line *l)
{
	if (!l->more_samples)
		return;
	free(l->job.samples);
	l->job.samples = TAKE_PTR(l->more_samples);
}

static void start_follow(struct line *l)
{
	l->follow = false;
	l->device = NULL;
	l->job.kind = JOB_FOLLOW;
	l->job.bus = &l->bus->setup->bus;
	l->job.driver = l->devices[0]->setup->driver;
	l->job.tries = 1;
	l->job.requests = l->job.errors = l->job.timeouts = 0;
	l->job.restored = false;
	l->job.deadline_usec = clock_monotonic_usec() - clock_offset_usec() + USEC_PER_SEC;
	submit(l, LINE_FOLLOW);
}

void line_follow(struct line *l)
{
	l->follow = l->worker;
	line_kick(l);
}

void line_kick(struct line *l)
{
	uint64_t due;

	if (l->work != LINE_IDLE || !l->worker || l->bus->retired || l->leaving)
		return;
	take_samples_room(l);
	if (l->follow) {
		start_follow(l);
		return;
	}
	if (l->bus->lent_usec) {
		timer_disarm(&l->due);
		if (release_line(l))
			submit(l, LINE_CLOSE);
		return;
	}
	if (start_next(l, &due))
		return;
	if (l->setup)
		guest_idle(l);
	else if (due != USEC_INFINITY)
		timer_arm(&l->due, due);
}

static uint32_t poll_index(const struct line *l)
{
	return (uint32_t)(l->poll - l->device->polls);
}

static void poll_done(struct line *l)
{
	const struct fieldway_result *result = &l->job.result;
	enum schedule_answer answer = answer_of(result->error);

	statistics_turn(l->poll, l->begun_usec, &l->job);
	exchange_keep(l->poll, &l->exchange);
	schedule_done(&l->schedule, &l->turn, l->begun_usec, clock_monotonic_usec(), answer,
		      result->error < 0, chance(answer));
	if (!l->poll->lesson)
		device_read(l->device, poll_index(l), result->error);
	if (!learn_is_answer(l->poll, result))
		line_take_and_note(l);
	device_settle(l->device, result, l->job.request->text);
}

static void verify_done(struct line *l)
{
	heard(l, &l->job.result);
	line_take_and_note(l);
	device_settle(l->device, &l->job.result, l->job.request->text);
}

/* For whoever waits, and for all others as a poll's answer. */
static void read_answered(struct line *l)
{
	const struct fieldway_result *result = &l->job.result;
	bool is_final;

	if (!line_is_over(l) && !identify_still(l))
		return;
	is_final = read_take(l);
	if (line_is_over(l))
		return;
	heard(l, result);
	if (is_final)
		line_take(l);
	device_settle(l->device, result, l->job.request->text);
	write_verify(l, l->device, l->job.samples, result->error < 0 ? 0 : l->job.request->n_points,
		     NULL, result);
}

/* What is heard from a write counts for its device as a poll's answer does. */
static void write_heard(struct line *l)
{
	const struct job *job = &l->job;
	char what[LINK_POINT_TEXT_MAX];
	bool local = job->outcome == FIELDWAY_NOT_SENT &&
		     answer_of(job->result.error) == SCHEDULE_ANSWERED;

	/* Refused by the plugin itself: nothing was heard at all. */
	if (local || job->result.error == -ERANGE)
		return;
	write_point_text(l->device, job->point, what, sizeof(what));
	heard(l, &job->result);
	device_settle(l->device, &job->result, what);
}

static void count(struct link_counters *c, const struct job *job)
{
	c->requests += job->requests;
	c->errors += job->errors;
	c->timeouts += job->timeouts;
}

/* Whatever hangs on the line now. */
static void restored(struct line *l)
{
	schedule_restored(&l->schedule, clock_monotonic_usec());
	for (size_t i = 0; i < l->n_devices; i++)
		identify_forget(l->devices[i]);
}

static void job_done(struct line *l, const struct job *job)
{
	enum line_work work = l->work;
	size_t n = l->job.result.error < 0 ? 0 : 1;

	l->work = LINE_IDLE;
	timer_disarm(&l->watch);
	if (l->device)
		count(&l->device->values.counters, job);
	if (job->restored)
		restored(l);
	switch (work) {
	case LINE_IDLE:
		return;
	case LINE_IDENTIFY:
	case LINE_IDENTIFY_FIRST:
		if (!line_is_over(l))
			identify_done(l, work == LINE_IDENTIFY);
		return;
	case LINE_ATTEMPT:
		attempt_done(l);
		return;
	case LINE_READ:
		read_answered(l);
		read_done(l);
		return;
	case LINE_POLL:
	case LINE_VERIFY:
		if (line_is_over(l) || !identify_still(l))
			return;
		if (work == LINE_POLL)
			poll_done(l);
		else
			verify_done(l);
		write_verify(l, l->device, l->job.samples, n * l->job.request->n_points,
			     work == LINE_VERIFY ? l->write : NULL, &l->job.result);
		if (work == LINE_POLL)
			learn_done(l->device, poll_index(l), &l->job.result);
		return;
	case LINE_WRITE:
		if (!line_is_over(l))
			write_heard(l);
		write_done(l);
		return;
	case LINE_ERRAND:
		errand_done(l);
		return;
	case LINE_CLOSE:
		release_line_closed(l);
		return;
	case LINE_FOLLOW:
		setup_free(l->known);
		l->known = setup_ref(l->busy);
		return;
	}
}

/* What the job was out of may go now. */
static void job_is_over(struct line *l)
{
	if (l->device && l->device->gone)
		l->device = device_free(l->device);
	l->poll = NULL;
	l->busy = setup_free(l->busy);
}

static void line_ended(struct line *l)
{
	struct host_bus *b = l->bus;

	l->worker = worker_free(l->worker);
	b->n_workers--;
	if (l->setup)
		guest_ended(l);
	else if (l->leaving)
		line_free(l);
	release_check(b);
	if (!b->retired)
		bus_start_lines(b);
	if (b->n_workers == 0 && b->ended)
		b->ended(b, b->userdata);
}

static void worker_came_back(struct worker *w, struct job *job, void *userdata)
{
	struct line *l = userdata;

	if (!job) {
		line_ended(l);
		return;
	}
	job_done(l, job);
	job_is_over(l);
	/* Behind the answers to writes: what a device holds stands, not what was asked for. */
	values_flush(l->bus->services->values);
	line_kick(l);
}

/* ---- the line ---- */

static void line_due(struct timer *timer, void *userdata)
{
	struct line *l = userdata;

	if (l->setup)
		guest_due(l);
	else
		line_kick(l);
}

static void line_stuck(struct timer *timer, void *userdata)
{
	struct line *l = userdata;
	const struct fieldway_result result = { .error = -EDEADLK,
						.detail = "stuck, its host is replaced" };
	uint64_t real = clock_monotonic_usec() - clock_offset_usec();
	uint64_t end = l->deadline_usec + l->bus->services->grace_usec;
	char what[DEVICE_TEXT_MAX], text[DEVICE_TEXT_MAX];

	/* A test may have moved the clock, but not what the worker waits for. */
	if (real < end) {
		timer_arm_in(timer, end - real);
		return;
	}
	snprintf(what, sizeof(what), "line %.256s", l->name);
	for (size_t i = 0; i < l->bus->n_devices; i++) {
		device_text(l->bus->devices[i], what, &result, text, sizeof(text));
		device_enter_state(l->bus->devices[i], LINK_FAILED, text);
	}
	l->bus->services->stuck(l->bus->services->userdata);
}

int line_start(struct line *l)
{
	const struct worker_config config = {
		.plugin = l->bus->setup->plugin,
		.bus = &l->bus->setup->bus,
		.first = l->setup ? l->setup->devices[0].driver : l->devices[0]->setup->driver,
		.done = worker_came_back,
		.userdata = l,
	};
	struct timers *timers = l->bus->services->timers;
	int r;

	timer_init(&l->due, timers, line_due, l);
	timer_init(&l->watch, timers, line_stuck, l);
	/* Both are armed where nothing can be done about a lack of memory. */
	r = timers_reserve(timers, 2);
	if (r >= 0)
		r = worker_new(l->bus->services->workers, &config, &l->worker);
	if (r < 0)
		return r;
	l->known = setup_ref(l->bus->setup);
	l->bus->n_workers++;
	schedule_start(&l->schedule, clock_monotonic_usec(), l->place,
		       MAX(l->bus->n_entries, (size_t)1));
	line_kick(l);
	return 0;
}

static void cancel_all(struct line *l)
{
	write_cancel(l, NULL, -ECANCELED, "the configuration has changed");
	read_cancel(l, NULL, -ECANCELED, "the configuration has changed");
	errands_cancel(l, -ECANCELED, "the configuration has changed");
	attempts_cancel(l, -ECANCELED, "the configuration has changed");
}

void line_retire(struct line *l)
{
	cancel_all(l);
	if (!l->worker)
		return;
	timer_disarm(&l->due);
	worker_stop(l->worker);
}

void line_leave(struct line *l)
{
	l->n_devices = l->schedule.n_devices = l->schedule.n_entries = 0;
	l->leaving = true;
	list_append(&l->bus->leaving, &l->node);
	line_retire(l);
	if (!l->worker)
		line_free(l);
}
