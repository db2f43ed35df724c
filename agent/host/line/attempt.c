/* SPDX-License-Identifier: Apache-2.0 */
#include "host/line/attempt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "base/str.h"
#include "host/device/device.h"
#include "host/line/errand.h"
#include "host/line/line.h"
#include "host/line/read.h"
#include "host/line/reading.h"

struct attempts {
	const struct host_services *services;
	struct list own; /* those with a line of their own */
	unsigned n;
};

struct attempt {
	struct list node; /* in its line's attempts, or among those that have their own */
	struct attempts *all;
	struct line *line;     /* shared, or NULL */
	struct worker *worker; /* of its own line, or NULL */
	struct setup *setup;
	bool is_lent; /* the setup is the guest's */
	sd_bus_message *call; /* NULL: answered, and its job has still to come back */
	struct reading reading;
	struct job job;
	bool working;
	uint64_t deadline_usec; /* the kernel's clock */
	struct timer timer;
};

static const struct setup_device *device_of(const struct attempt *a)
{
	return &a->setup->devices[0];
}

static void tell(struct attempt *a)
{
	/* An answer that cannot be sent is a link that is gone. */
	if (a->call)
		(void)read_answer(a->call, true, &a->reading, a->setup->bus.name, device_of(a)->link->name);
	a->call = sd_bus_message_unref(a->call);
}

static struct attempt *attempt_free(struct attempt *a)
{
	if (!a)
		return NULL;
	if (a->line && a->line->attempt == a)
		a->line->attempt = NULL;
	a->all->n--;
	timer_disarm(&a->timer);
	list_remove(&a->node);
	worker_free(a->worker);
	sd_bus_message_unref(a->call);
	reading_done(&a->reading);
	free(a->job.samples);
	free(a->job.text);
	if (!a->is_lent)
		setup_free(a->setup);
	free(a);
	return NULL;
}

/* What was told goes away, when its thread has ended. */
static void leave(struct attempt *a)
{
	tell(a);
	if (a->worker)
		worker_stop(a->worker);
	else if (!a->working)
		attempt_free(a);
}

static void end(struct attempt *a, int error, const char *text)
{
	struct fieldway_result why = { .error = error };

	snprintf(why.detail, sizeof(why.detail), "%s", text);
	reading_stop(&a->reading, &why, "");
	leave(a);
}

static void attempt_late(struct timer *timer, void *userdata)
{
	(void)timer;
	end(userdata, -ETIMEDOUT, "not all was read before the deadline");
}

/* ---- its requests ---- */

static struct job *next_job(struct attempt *a)
{
	const struct fieldway_request *request = reading_next(&a->reading);
	unsigned tries = a->setup->configuration->retries + 1;
	struct job *job = &a->job;

	job->kind = JOB_READ;
	job->driver = device_of(a)->driver;
	job->request = request;
	job->tries = tries;
	job->deadline_usec = MIN(a->deadline_usec,
				 line_job_deadline(&a->setup->bus, tries, request->wire_bytes));
	job->requests = job->errors = job->timeouts = 0;
	job->restored = false;
	a->working = true;
	return job;
}

/* True: it goes on. */
static bool take(struct attempt *a)
{
	a->working = false;
	if (a->call)
		(void)reading_take(&a->reading, a->job.samples, &a->job.result);
	return a->call && reading_next(&a->reading);
}

/* ---- over a line of its own ---- */

static void own_came_back(struct worker *w, struct job *job, void *userdata)
{
	struct attempt *a = userdata;

	if (!job)
		attempt_free(a);
	else if (take(a))
		worker_submit(w, next_job(a));
	else
		leave(a);
}

static int start_own(struct attempt *a)
{
	const struct worker_config config = {
		.plugin = a->setup->plugin,
		.bus = &a->setup->bus,
		.first = device_of(a)->driver,
		.done = own_came_back,
		.userdata = a,
	};
	int r = worker_new(a->all->services->workers, &config, &a->worker);

	if (r < 0)
		return r;
	list_append(&a->all->own, &a->node);
	worker_submit(a->worker, next_job(a));
	return 0;
}

/* ---- over one that is shared ---- */

struct job *attempt_start(struct line *l)
{
	l->attempt = list_entry(l->attempts.next, struct attempt, node);
	return next_job(l->attempt);
}

void attempt_done(struct line *l)
{
	struct attempt *a = l->attempt;

	l->attempt = NULL;
	if (!take(a))
		leave(a);
}

void attempts_cancel(struct line *l, int error, const char *text)
{
	struct attempt *a;

	list_for_each(a, &l->attempts, node)
		end(a, error, text);
}

/* ---- begin ---- */

static size_t longest_request(const struct setup_device *d)
{
	size_t longest = 1;

	for (size_t i = 0; i < d->n_polls; i++)
		longest = MAX(longest, d->polls[i].request->n_points);
	return longest;
}

static int fill(struct attempt *a)
{
	const struct setup_device *d = device_of(a);
	_cleanup_free_ uint32_t *points = calloc(d->type->n_points + 1, sizeof(*points));
	int r;

	a->job.samples = calloc(longest_request(d), sizeof(*a->job.samples));
	a->job.text = malloc(SETUP_TEXT_BYTES);
	if (!points || !a->job.samples || !a->job.text)
		return -ENOMEM;
	for (uint32_t i = 0; i < d->type->n_points; i++)
		points[i] = i;
	r = reading_init(&a->reading, a->setup, d, NULL, points, d->type->n_points);
	for (size_t i = 0; r >= 0 && i < d->n_polls; i++)
		r = reading_add(&a->reading, d->polls[i].request);
	return r;
}

/* Owns the setup from here on, also on failure. */
static int attempt_new(struct attempts *all, struct setup *setup, sd_bus_message *call,
		       uint64_t deadline_usec, struct attempt **ret)
{
	struct attempt *a = calloc(1, sizeof(*a));
	int r;

	if (!a) {
		setup_free(setup);
		return -ENOMEM;
	}
	list_init(&a->node);
	a->all = all;
	all->n++;
	a->setup = setup;
	a->call = sd_bus_message_ref(call);
	a->deadline_usec = deadline_usec;
	timer_init(&a->timer, all->services->timers, attempt_late, a);
	r = fill(a);
	if (r >= 0)
		r = timer_arm(&a->timer, usec_add(deadline_usec, clock_offset_usec()));
	if (r < 0) {
		attempt_free(a);
		return r;
	}
	*ret = a;
	return 0;
}

static int start_on_bus(struct attempt *a, struct host_bus *b)
{
	struct line *l = errand_find_line(b, device_of(a)->line);
	int r = l ? 0 : guest_new(b, a->setup, &l);

	if (r < 0)
		return r;
	a->is_lent = a->setup == l->setup;
	a->line = l;
	list_append(&l->attempts, &a->node);
	line_kick(l);
	return 0;
}

static int start(struct attempt *a, struct host_bus *b)
{
	int r;

	if (!reading_next(&a->reading)) {
		leave(a);
		return 0;
	}
	r = b ? start_on_bus(a, b) : start_own(a);
	if (r < 0)
		attempt_free(a);
	return r;
}

/* What stands in the way, or NULL. */
static const char *find_obstacle(const struct attempts *all, const struct setup *setup,
				 const struct host_bus *b, int *ret_error)
{
	const struct line *l = b ? errand_find_line(b, setup->devices[0].line) : NULL;

	*ret_error = -EBUSY;
	if (all->n >= ATTEMPTS_MAX)
		return "too many attempts are under way";
	if (b && !b->started)
		return "its port is still held by the configuration before";
	if (b && b->lent_usec)
		return "its bus is lent to another program";
	if (l && !l->worker)
		return "its line has no thread";
	*ret_error = -EOPNOTSUPP;
	return setup->devices[0].io == FIELDWAY_IO_EVENTS ? "it speaks by itself and cannot be asked" : NULL;
}

static int refuse(struct setup *setup, sd_bus_message *call, int error, const char *why)
{
	struct reading nothing = { .result = { .error = error } };
	int r;

	snprintf(nothing.result.detail, sizeof(nothing.result.detail), "%s", why);
	r = read_answer(call, true, &nothing, setup->bus.name, setup->devices[0].link->name);
	setup_free(setup);
	return r;
}

int attempt_begin(struct attempts *all, struct host_bus *b, struct setup *setup, sd_bus_message *call,
		  uint64_t deadline_usec)
{
	const char *obstacle;
	struct attempt *a;
	int r, error;

	obstacle = find_obstacle(all, setup, b, &error);
	if (obstacle)
		return refuse(setup, call, error, obstacle);
	r = attempt_new(all, setup, call, deadline_usec, &a);
	return r < 0 ? r : start(a, b);
}

/* ---- all ---- */

int attempts_new(const struct host_services *services, struct attempts **ret)
{
	struct attempts *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->services = services;
	list_init(&a->own);
	*ret = a;
	return 0;
}

void attempts_stop(struct attempts *all)
{
	struct attempt *a;

	if (!all)
		return;
	list_for_each(a, &all->own, node)
		end(a, -ECANCELED, "the plugin host ends");
}

bool attempts_have_ended(const struct attempts *a)
{
	return !a || list_is_empty(&a->own);
}

struct attempts *attempts_free(struct attempts *a)
{
	free(a);
	return NULL;
}
