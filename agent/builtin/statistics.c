/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/timer.h"
#include "builtin/internal.h"

/*
 * Object 7, Core appendix E.8: the traffic of the endpoint's own accounts, from
 * Start to Stop, or for as long as Collection Period says.
 */
#define OBJECT 7

enum {
	STATISTICS_TX = 2,
	STATISTICS_RX = 3,
	STATISTICS_LARGEST = 4,
	STATISTICS_AVERAGE = 5,
	STATISTICS_START = 6,
	STATISTICS_STOP = 7,
	STATISTICS_PERIOD = 8,
};

/* Who observes it hears of new figures so often. */
#define LOOK_USEC (10 * USEC_PER_SEC)
#define BYTES_OF_KB 1024u
#define PERIOD_MAX_S INT64_C(4294967295)

struct statistics {
	struct builtin *builtin;
	bool collecting;
	uint64_t started_usec;
	struct builtin_traffic last;  /* totals, when they were looked at last */
	struct builtin_traffic since; /* Start */
	struct timer timer;
};

static struct path path_in(uint16_t resource)
{
	return path_of_resource(OBJECT, 0, resource);
}

/* Of a counter that only grows, unless an account has gone with what it had counted. */
static uint64_t grown(uint64_t now, uint64_t before)
{
	return now >= before ? now - before : now;
}

/* What the accounts have counted since the last look. */
static void look(struct statistics *s)
{
	struct builtin *b = s->builtin;
	struct builtin_traffic now = { 0 };

	b->ports->traffic(b->endpoint, &now);
	s->since.sent_bytes += grown(now.sent_bytes, s->last.sent_bytes);
	s->since.received_bytes += grown(now.received_bytes, s->last.received_bytes);
	s->since.payload_bytes += grown(now.payload_bytes, s->last.payload_bytes);
	s->since.datagrams += grown(now.datagrams, s->last.datagrams);
	s->since.largest = MAX(s->since.largest, now.largest);
	s->last = now;
}

static void show(struct statistics *s)
{
	const struct builtin_traffic *t = &s->since;
	const struct {
		uint16_t resource;
		uint64_t value;
	} values[] = {
		{ STATISTICS_TX, t->sent_bytes / BYTES_OF_KB },
		{ STATISTICS_RX, t->received_bytes / BYTES_OF_KB },
		{ STATISTICS_LARGEST, t->largest },
		{ STATISTICS_AVERAGE, t->datagrams > 0 ? t->payload_bytes / t->datagrams : 0 },
	};
	struct builtin *b = s->builtin;

	store_begin(b->store);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		builtin_set(b, OBJECT, 0, values[i].resource, value_integer((int64_t)values[i].value));
	store_end(b->store);
}

static void bring_up_to_date(struct statistics *s)
{
	if (!s->collecting)
		return;
	look(s);
	show(s);
}

/* ---- its time ---- */

/* USEC_INFINITY: until somebody stops it. */
static uint64_t end_usec(const struct statistics *s)
{
	const struct path path = path_in(STATISTICS_PERIOD);
	struct value period = { 0 };

	if (store_read(s->builtin->store, &path, true, &period, NULL) < 0 || period.integer <= 0)
		return USEC_INFINITY;
	return usec_add(s->started_usec, (uint64_t)period.integer * USEC_PER_SEC);
}

static void arm(struct statistics *s)
{
	timer_arm(&s->timer, MIN(end_usec(s), usec_add(clock_monotonic_usec(), LOOK_USEC)));
}

static void stop(struct statistics *s)
{
	bring_up_to_date(s);
	s->collecting = false;
	timer_disarm(&s->timer);
}

static void look_again(struct timer *timer, void *userdata)
{
	struct statistics *s = userdata;

	(void)timer;
	if (clock_monotonic_usec() >= end_usec(s)) {
		stop(s);
		return;
	}
	bring_up_to_date(s);
	arm(s);
}

static void start(struct statistics *s)
{
	struct builtin *b = s->builtin;

	b->ports->forget_largest(b->endpoint);
	look(s);
	s->since = (struct builtin_traffic){ 0 };
	s->collecting = true;
	s->started_usec = clock_monotonic_usec();
	show(s);
	arm(s);
}

/* ---- what servers do ---- */

static void statistics_refresh(void *userdata, const struct path *path, uint64_t period_usec, backing_done done,
			       void *done_userdata)
{
	struct builtin *b = userdata;

	(void)path;
	if (period_usec == UINT64_MAX || period_usec < LOOK_USEC)
		bring_up_to_date(b->statistics);
	done(done_userdata, 0, NULL);
}

static void statistics_execute(void *userdata, const struct path *path, const char *argument, backing_done done,
			       void *done_userdata)
{
	struct builtin *b = userdata;

	(void)argument;
	if (path->resource == STATISTICS_START)
		start(b->statistics);
	else
		stop(b->statistics);
	done(done_userdata, 0, NULL);
}

static int period_check(void *userdata, const struct path *path, const struct value *value, char **ret_reason)
{
	(void)userdata;
	(void)path;
	(void)ret_reason;
	return value->integer < 0 || value->integer > PERIOD_MAX_S ? -ERANGE : 0;
}

/* Also of a collection that runs. */
static void period_changed(void *userdata, const struct path *path, const struct value *value)
{
	struct builtin *b = userdata;

	(void)path;
	(void)value;
	if (b->statistics->collecting)
		arm(b->statistics);
}

static const struct backing_ops figure_ops = { .refresh = statistics_refresh };
static const struct backing_ops order_ops = { .execute = statistics_execute };
static const struct backing_ops period_ops = { .check = period_check, .changed = period_changed };

static int add_resources(struct builtin *b)
{
	const struct {
		uint16_t resource;
		const struct backing_ops *ops;
	} resources[] = {
		{ STATISTICS_TX, &figure_ops },	   { STATISTICS_RX, &figure_ops },
		{ STATISTICS_LARGEST, &figure_ops }, { STATISTICS_AVERAGE, &figure_ops },
		{ STATISTICS_START, &order_ops },    { STATISTICS_STOP, &order_ops },
		{ STATISTICS_PERIOD, &period_ops },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(resources) && r >= 0; i++) {
		const struct path path = path_in(resources[i].resource);

		r = builtin_back(b, &path, resources[i].ops);
	}
	return r;
}

static int make(struct builtin *b, struct timers *timers)
{
	struct statistics *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->builtin = b;
	timer_init(&s->timer, timers, look_again, s);
	b->statistics = s;
	return 0;
}

struct statistics *statistics_free(struct statistics *s)
{
	if (s)
		timer_disarm(&s->timer);
	free(s);
	return NULL;
}

int statistics_init(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v)
{
	const struct object_definition *object = definitions_newest(definitions, OBJECT);
	const struct path period = path_in(STATISTICS_PERIOD);
	int r;

	/* Without clocks there is nothing to collect for; its definition may be taken away. */
	if (!v->timers || !object)
		return 0;
	r = b->statistics ? 0 : make(b, v->timers);
	if (r >= 0)
		r = store_add_instance(b->store, object, 0);
	if (r >= 0)
		r = add_resources(b);
	if (r >= 0 && store_quality(b->store, &period) == STORE_NEVER) {
		r = builtin_set(b, OBJECT, 0, STATISTICS_PERIOD, value_integer(0));
		show(b->statistics);
	}
	return r;
}
