/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "gateway/registry/internal.h"

/* What is recorded goes to its servers. */

struct outbox {
	struct list ready; /* recordings.ready; in none while one is on its way, and while there is nothing to send */
	struct account *account;
	struct history_queue *queue;
	uint64_t last_id;	  /* of what is on its way */
	size_t n;		  /* values of it */
	struct path path;	  /* of its first */
	uint64_t not_before_usec; /* after an error */
	bool on_its_way;
	/* What a server refuses is looked for by halves. */
	size_t width;	 /* so many at a time */
	bool probing;	 /* it refuses the oldest, and is asked whether it takes another one */
	bool takes;	 /* it does */
	unsigned probes; /* that it did not take, in a row */
};

static struct outbox *outbox_of(struct account *a)
{
	struct recordings *all = &a->registry->recordings;
	struct outbox *d = a->outbox;

	if (d || !all->history)
		return d;
	d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	list_init(&d->ready);
	d->account = a;
	d->width = HISTORY_SEND_VALUES;
	if (history_queue(all->history, a->name, a->server->terms.short_id, &d->queue) < 0) {
		free(d);
		return NULL;
	}
	a->outbox = d;
	return d;
}

struct outbox *outbox_free(struct outbox *d)
{
	if (d)
		list_remove(&d->ready);
	free(d);
	return NULL;
}

uint64_t outbox_waiting(const struct account *a)
{
	return a->outbox ? history_waiting(a->outbox->queue) : 0;
}

void outbox_forget(struct account *a)
{
	for (const struct account *other = a->endpoint->accounts; other; other = other->next)
		if (other->server->terms.short_id == a->server->terms.short_id && streq(other->name, a->name))
			return;
	if (a->outbox)
		history_forget(a->outbox->queue);
}

/* ---- one after the other ---- */

static void pump_in(struct recordings *all, uint64_t delay_usec)
{
	const uint64_t due_usec = usec_add(clock_monotonic_usec(), delay_usec);

	if (!timer_is_armed(&all->pump) || all->pump.due_usec > due_usec)
		timer_arm(&all->pump, due_usec);
}

/* Has it something to send, and may it? Then it stands in line. */
static void stand_in_line(struct outbox *d, uint64_t not_before_usec)
{
	struct recordings *all = &d->account->registry->recordings;

	d->not_before_usec = not_before_usec;
	if (!d->on_its_way && list_is_empty(&d->ready) && history_waiting(d->queue) > 0 &&
	    client_is_registered(d->account->client) && client_takes_send(d->account->client))
		list_append(&all->ready, &d->ready);
	if (!list_is_empty(&d->ready))
		pump_in(all, not_before_usec > 0 ? HISTORY_PACE_USEC : HISTORY_GATHER_USEC);
}

void outbox_wake(struct account *a)
{
	const struct history *h = a->registry->recordings.history;
	struct outbox *d;

	if (!h || !list_is_empty(&a->leaving))
		return;
	/* Of what is not recorded any more something may be left. */
	if (!a->outbox && !a->endpoint->recording && !history_find(h, a->name, a->server->terms.short_id))
		return;
	d = outbox_of(a);
	if (d)
		stand_in_line(d, 0);
}

int outbox_add(struct account *a, const struct path *path, const struct value *value, uint64_t boottime_usec)
{
	struct outbox *d = outbox_of(a);
	int r = d ? history_add(d->queue, path, value, boottime_usec) : -ENOMEM;

	/* One that has just failed waits all the same. */
	if (r >= 0 && list_is_empty(&d->ready))
		stand_in_line(d, d->not_before_usec);
	return r;
}

static void go_on(struct outbox *d)
{
	stand_in_line(d, 0);
	pump_in(&d->account->registry->recordings, HISTORY_PACE_USEC);
}

static void wait_for_server(struct outbox *d, int error, const char *reason)
{
	const struct account *a = d->account;
	const struct log_about about = { .endpoint = a->name, .server = a->server->terms.name };

	if (error == -EREMOTE || error == -EAGAIN)
		log_info(&about, "%s: server %s does not take what was recorded: %s", a->name, about.server,
			 reason ?: "");
	d->probing = d->takes = false;
	stand_in_line(d, usec_add(clock_monotonic_usec(), HISTORY_RETRY_USEC));
}

static void accepted(struct outbox *d)
{
	d->probes = 0;
	/* The oldest one goes again now: if that is refused, then for itself. */
	d->takes = d->probing;
	if (!d->probing) {
		history_taken(d->queue, d->last_id);
		d->width = MIN(d->width * 2, (size_t)HISTORY_SEND_VALUES);
	}
	d->probing = false;
	go_on(d);
}

static void give_up(struct outbox *d, const char *reason)
{
	const struct account *a = d->account;
	char path[PATH_TEXT_MAX];
	const struct log_about about = { .endpoint = a->name,
					 .server = a->server->terms.name,
					 .path = path_format(&d->path, path) };

	if (log_budget_take(&a->registry->recordings.refused, NULL))
		log_warning(&about, "%s: server %s refuses a recorded value of %s and takes others, it is given up: %s",
			    a->name, about.server, path, reason);
	d->takes = false;
	history_give_up(d->queue, d->last_id);
}

/*
 * Who refuses a message may refuse one of its values, and the others must not wait behind
 * that; or all, and then nothing may get lost. So it is looked for by halves, and one that is refused
 * alone is given up only between whose refusals another one was taken.
 */
static void refused(struct outbox *d, const char *reason)
{
	if (d->probing || (d->n == 1 && !d->takes && history_waiting(d->queue) < 2)) {
		d->probes += d->probing;
		wait_for_server(d, -EREMOTE, reason);
		return;
	}
	if (d->n > 1)
		d->width = d->n / 2;
	else if (d->takes)
		give_up(d, reason);
	else
		d->probing = true;
	go_on(d);
}

static void sent(void *userdata, int error, const char *reason)
{
	struct outbox *d = userdata;

	d->on_its_way = false;
	if (error >= 0)
		accepted(d);
	else if (error == -EREMOTE)
		refused(d, reason ?: "");
	else
		wait_for_server(d, error, reason);
}

/* All but one of those behind the oldest, from the last on; each time another one. */
static void choose_probe(const struct outbox *d, struct records *records)
{
	size_t chosen = records->n < 2 ? 0 : records->n - 1 - d->probes % (records->n - 1);

	for (size_t i = 0; i < records->n; i++)
		if (i != chosen)
			value_done(&records->items[i].value);
	records->items[0] = records->items[chosen];
	records->n = 1;
}

/* 0: it is on its way; 1: there is nothing to send any more. */
static int send_next(struct outbox *d)
{
	struct history_batch batch;
	int r;

	do {
		r = history_peek(d->queue, d->probing ? HISTORY_SEND_VALUES : d->width,
				 d->probing ? SIZE_MAX : HISTORY_SEND_BYTES, &batch);
		if (r < 0)
			return r;
		if (batch.records.n == 0)
			return 1;
		if (d->probing)
			choose_probe(d, &batch.records);
		d->path = batch.records.items[0].path;
		d->n = batch.records.n;
		r = client_send_records(d->account->client, &batch.records, sent, d);
		records_done(&batch.records);
		/* Nothing of it is there any more, or the server's to read. */
		if (r == -ENODATA && !d->probing)
			history_taken(d->queue, batch.last_id);
	} while (r == -ENODATA && !d->probing);
	if (r >= 0) {
		d->on_its_way = true;
		d->last_id = batch.last_id;
	} else if (r == -ENODATA) {
		d->probes++;
		d->probing = false;
	}
	return r;
}

static void pump_one(struct outbox *d)
{
	int r;

	list_remove(&d->ready);
	r = send_next(d);
	/* Who is not registered, or muted, is woken when that is over. */
	if (r < 0 && r != -EHOSTDOWN && r != -EACCES && r != -EOPNOTSUPP)
		stand_in_line(d, usec_add(clock_monotonic_usec(), r == -EBUSY ? USEC_PER_SEC : HISTORY_RETRY_USEC));
}

static void pump(struct timer *timer, void *userdata)
{
	struct registry *r = userdata;
	struct recordings *all = &r->recordings;
	const uint64_t now_usec = clock_monotonic_usec();
	uint64_t next = USEC_INFINITY;
	struct outbox *d;

	if (!history_is_read(all->history))
		return;
	list_for_each(d, &all->ready, ready)
		if (d->not_before_usec <= now_usec) {
			pump_one(d);
			break;
		}
	list_for_each(d, &all->ready, ready)
		next = MIN(next, d->not_before_usec);
	next = next < USEC_INFINITY ? MAX(next, usec_add(now_usec, HISTORY_PACE_USEC)) : next;
	if (next < USEC_INFINITY)
		timer_arm(timer, next);
}

/* ---- all of them ---- */

static void told_disk(void *userdata, int error)
{
	const struct registry *r = userdata;

	if (error < 0)
		log_error(LOG_ABOUT_ID(MESSAGE_HISTORY_NOT_WRITTEN),
			  "what is recorded cannot be written to %s/history and stays in memory: %s",
			  r->config.state_folder, strerror(-error));
	else
		log_notice(NULL, "what is recorded can be written to %s/history again", r->config.state_folder);
}

static void told_damaged(void *userdata, const char *file)
{
	const struct registry *r = userdata;

	log_warning(NULL, "%s/history/%s is damaged: what was recorded there is lost in part", r->config.state_folder,
		    file);
}

static void wake_endpoint(struct endpoint *e)
{
	for (struct account *a = e->accounts; a; a = a->next)
		outbox_wake(a);
}

static void told_read(void *userdata)
{
	struct registry *r = userdata;

	wake_endpoint(&r->host);
	for (size_t i = 0; i < r->config.config->n_endpoints; i++)
		wake_endpoint(r->endpoints[i]);
}

static void told_lost(void *userdata, uint64_t n)
{
	struct registry *r = userdata;
	struct recordings *all = &r->recordings;

	if (log_budget_take(&all->lost, NULL))
		log_warning(LOG_ABOUT_ID(MESSAGE_HISTORY_FULL),
			    "history: %" PRIu64
			    " recorded values are gone since the start: over its bounds, too old, or refused",
			    n);
}

static const struct history_ops history_ops = {
	.disk = told_disk, .damaged = told_damaged, .read = told_read, .lost = told_lost
};

void recordings_init(struct registry *r)
{
	list_init(&r->recordings.ready);
	timer_init(&r->recordings.pump, r->config.timers, pump, r);
}

static bool are_wanted(const struct config *c)
{
	for (size_t i = 0; i < c->n_types; i++)
		if (c->types[i]->n_recorded > 0)
			return true;
	return false;
}

static int open_history(struct registry *r, const struct history_limits *limits)
{
	_cleanup_free_ char *folder = NULL;

	if (asprintf(&folder, "%s/history", r->config.state_folder) < 0) {
		folder = NULL;
		return -ENOMEM;
	}
	/* What was recorded when something was still goes out, or grows too old. */
	if (!are_wanted(r->config.config) && access(folder, F_OK) < 0)
		return 0;
	return history_new(folder, r->config.timers, limits, &history_ops, r, &r->recordings.history);
}

void recordings_follow(struct registry *r)
{
	const struct config_history *c = &r->config.config->history;
	const struct history_limits limits = {
		.memory = (size_t)c->memory, .disk = c->disk, .keep_usec = c->keep_usec, .thin = c->thin
	};
	int error;

	if (r->recordings.history) {
		history_set_limits(r->recordings.history, &limits);
		return;
	}
	error = open_history(r, &limits);
	if (error < 0)
		log_error(NULL, "%s/history: nothing is recorded: %s", r->config.state_folder, strerror(-error));
}

void recordings_done(struct registry *r)
{
	if (r->recordings.history)
		timer_disarm(&r->recordings.pump);
	r->recordings.history = history_free(r->recordings.history);
}

void recordings_count(const struct registry *r, struct history_counts *ret)
{
	*ret = (struct history_counts){ 0 };
	if (r->recordings.history)
		history_count(r->recordings.history, ret);
}
