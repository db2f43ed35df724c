/* SPDX-License-Identifier: Apache-2.0 */
#include "host/device/statistics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "base/str.h"
#include "host/device/device.h"
#include "link/marshal.h"

/* The effective interval and the latency follow what is measured by this part of the difference. */
#define SMOOTHING 8

static void smooth(uint32_t *mean, uint64_t sample)
{
	int64_t bounded = (int64_t)MIN(sample, (uint64_t)UINT32_MAX);

	*mean = *mean == 0 ? (uint32_t)bounded :
			     (uint32_t)(*mean + (bounded - (int64_t)*mean) / SMOOTHING);
}

static void count_interval(struct poll_counts *c, uint64_t begun)
{
	if (c->begun_usec != 0 && begun > c->begun_usec)
		smooth(&c->effective_msec, (begun - c->begun_usec) / USEC_PER_MSEC);
	c->begun_usec = begun;
}

static void count_latency(struct poll_counts *c, uint64_t usec)
{
	c->last_usec = (uint32_t)MIN(usec, (uint64_t)UINT32_MAX);
	c->max_usec = MAX(c->max_usec, c->last_usec);
	smooth(&c->mean_usec, usec);
}

/* The newest text: one error has many causes. The same one again costs nothing. */
static void note_error(struct poll *p, const struct fieldway_result *result)
{
	const char *text = *result->detail ? result->detail : strerror(-result->error);

	if (p->counts.error == result->error && p->detail && strcmp(p->detail, text) == 0)
		return;
	p->counts.error = result->error;
	if (str_replace(&p->detail, text) >= 0)
		p->detail[utf8_valid_prefix(p->detail, strlen(p->detail))] = '\0';
}

void statistics_turn(struct poll *p, uint64_t begun, const struct job *job)
{
	struct poll_counts *c = &p->counts;
	bool answered = answer_of(job->result.error) == SCHEDULE_ANSWERED;

	c->requests += job->requests;
	c->errors += job->errors;
	c->timeouts += job->timeouts;
	c->exceptions += answered && job->result.error < 0;
	count_interval(c, begun);
	if (answered)
		count_latency(c, job->usec);
	if (job->result.error < 0)
		note_error(p, &job->result);
}

void statistics_done(struct poll *p)
{
	free(p->detail);
	free(p->exchange);
	p->detail = NULL;
	p->exchange = NULL;
}

/* ---- to the link ---- */

static struct link_request_statistics of_poll(const struct poll *p)
{
	const struct poll_counts *c = &p->counts;

	return (struct link_request_statistics){
		.text = p->request->text,
		.period_usec = p->period_usec,
		.effective_usec = (uint64_t)c->effective_msec * USEC_PER_MSEC,
		.requests = c->requests,
		.errors = c->errors,
		.timeouts = c->timeouts,
		.exceptions = c->exceptions,
		.last_usec = c->last_usec,
		.mean_usec = c->mean_usec,
		.max_usec = c->max_usec,
	};
}

static int append_polls(sd_bus_message *m, const struct device *d)
{
	_cleanup_free_ struct link_request_statistics *items = calloc(d->n_polls + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < d->n_polls; i++)
		items[i] = of_poll(&d->polls[i]);
	return link_append_request_statistics(m, items, d->n_polls);
}

/* A point's own error in its request's words, if those are about that. */
static const char *error_text(const struct poll *p, int error)
{
	if (error == 0)
		return "";
	return p && p->detail && p->counts.error == error ? p->detail : strerror(-error);
}

/* By point; NULL: no request holds it. */
static const struct poll **polls_of_points(const struct device *d, size_t n)
{
	const struct poll **polls = calloc(n + 1, sizeof(*polls));

	for (size_t i = d->n_polls; polls && i-- > 0;)
		for (size_t j = 0; j < d->polls[i].request->n_points; j++)
			polls[d->polls[i].request->points[j]] = &d->polls[i];
	return polls;
}

static int append_points(sd_bus_message *m, const struct device *d)
{
	size_t n = d->setup->type->n_points;
	_cleanup_free_ struct link_point_statistics *items = calloc(n + 1, sizeof(*items));
	_cleanup_free_ const struct poll **polls = polls_of_points(d, n);

	if (!items || !polls)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		const struct point_counts *c = &d->counts[i];

		items[i] = (struct link_point_statistics){
			.point = i,
			.good = c->good,
			.invalid = c->invalid,
			.failed = c->failed,
			.unchanged = c->unchanged,
			.conflated = c->conflated,
			.error = c->error,
			.text = error_text(polls[i], c->error),
		};
	}
	return link_append_point_statistics(m, items, n);
}

int statistics_append(sd_bus_message *m, const struct device *d)
{
	int r = append_polls(m, d);

	return r < 0 ? r : append_points(m, d);
}
