/* SPDX-License-Identifier: Apache-2.0 */
#include "host/event/ticket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "host/device/device.h"
#include "host/line/write.h"
#include "host/value/exponent.h"
#include "host/value/transform.h"
#include "link/host1.h"

enum ticket_stage {
	TICKET_SENT,	  /* the plugin has it */
	TICKET_ABANDONED, /* likewise, and it is answered */
	TICKET_VERIFYING,
	TICKET_READING, /* answered: only the point is to be read again */
};

/* What the plugin holds is the number, as a pointer that leads nowhere. */
struct ticket {
	struct list node;
	struct events *events;
	struct device *device;
	uintptr_t number;
	uint32_t point;
	enum ticket_stage stage;
	sd_bus_message *call;		  /* also holds the text of the value */
	struct fieldway_value raw, proof; /* the latter in the point's unit */
	bool rounded;
	uint64_t deadline_usec, kernel_deadline_usec; /* the latter without the steps of a test */
	struct timer timer;
	uint64_t verify_end_usec; /* the last read-back begins before */
	uint64_t accepted_boottime_usec;
	bool differs;
	unsigned reads; /* that are still to be asked for */
};

static const struct link_point *point_of(const struct ticket *t)
{
	return &t->device->setup->type->points[t->point];
}

static uint32_t proof_point(const struct ticket *t)
{
	int32_t point = point_of(t)->verify.point;

	return point < 0 ? t->point : (uint32_t)point;
}

static void ticket_free(struct ticket *t)
{
	timer_disarm(&t->timer);
	list_remove(&t->node);
	t->events->n_tickets--;
	sd_bus_message_unref(t->call);
	free(t);
}

/* ---- the end ---- */

/* As often as for a polled device: see read_back() of write.c. */
static unsigned reads_after(const struct ticket *t, enum fieldway_outcome outcome)
{
	if (!(point_of(t)->access & LINK_READ) || t->events->stopped || t->device->gone)
		return 0;
	if (outcome == FIELDWAY_UNKNOWN)
		return 2;
	return outcome != FIELDWAY_ACCEPTED || t->rounded ||
	       point_of(t)->period_usec == LINK_PERIOD_ONCE;
}

/* The plugin may be in a call of its own: it is asked out of the loop. */
static void read_later(struct ticket *t, enum fieldway_outcome outcome)
{
	t->stage = TICKET_READING;
	t->reads = reads_after(t, outcome);
	if (t->reads == 0 || timer_arm_in(&t->timer, 0) < 0)
		ticket_free(t);
}

static void ticket_end(struct ticket *t, enum fieldway_outcome outcome,
		       const struct fieldway_result *result)
{
	write_tell(t->device, t->call, t->point, outcome, result);
	read_later(t, outcome);
}

static void ticket_fail(struct ticket *t, enum fieldway_outcome outcome, int error,
			const char *detail)
{
	struct fieldway_result result = { .error = error };

	snprintf(result.detail, sizeof(result.detail), "%s", detail);
	ticket_end(t, outcome, &result);
}

static void ticket_differs(struct ticket *t)
{
	ticket_fail(t, FIELDWAY_REFUSED, -EILSEQ, "accepted, but the value read back differs");
}

static void ticket_unproved(struct ticket *t)
{
	ticket_fail(t, FIELDWAY_UNKNOWN, -ETIMEDOUT,
		    "accepted, but not read back before the deadline");
}

/* ---- time ---- */

/* A plugin that does not keep to a deadline at all is stuck, as a line's thread can be. */
static void ticket_is_stuck(struct ticket *t)
{
	const struct host_services *s = t->events->bus->services;
	uint64_t real = clock_monotonic_usec() - clock_offset_usec();
	uint64_t end = usec_add(t->kernel_deadline_usec, s->grace_usec);
	const struct fieldway_result result = { .error = -EDEADLK,
						.detail = "its plugin does not end it" };
	char what[LINK_POINT_TEXT_MAX], text[DEVICE_TEXT_MAX];

	/* A test may have moved the clock, but not what the plugin waits for. */
	if (real < end && timer_arm_in(&t->timer, end - real) >= 0)
		return;
	write_point_text(t->device, t->point, what, sizeof(what));
	device_text(t->device, what, &result, text, sizeof(text));
	device_enter_state(t->device, LINK_FAILED, text);
	s->stuck(s->userdata);
}

static void ticket_abandon(struct ticket *t)
{
	const struct fieldway_result silence = { .error = -ETIMEDOUT,
						 .detail = "no answer before the deadline" };

	write_tell(t->device, t->call, t->point, FIELDWAY_UNKNOWN, &silence);
	t->stage = TICKET_ABANDONED;
	if (timer_arm_in(&t->timer, t->events->bus->services->grace_usec) < 0)
		ticket_is_stuck(t);
}

static void ticket_verify(struct ticket *t)
{
	const uint32_t point = proof_point(t);

	if (clock_monotonic_usec() >= t->deadline_usec) {
		if (t->differs)
			ticket_differs(t);
		else
			ticket_unproved(t);
		return;
	}
	/* Whatever sample comes meanwhile moves this. */
	if (timer_arm(&t->timer, t->deadline_usec) < 0)
		ticket_unproved(t);
	else
		events_read(t->events, t->device, &point, 1);
}

static void ticket_read(struct ticket *t)
{
	struct events *e = t->events;
	struct device *d = t->device;
	const uint32_t point = t->point;

	t->reads--;
	if (t->reads == 0 || timer_arm_in(&t->timer, POLL_AGAIN_USEC) < 0)
		ticket_free(t);
	events_read(e, d, &point, 1);
}

static void ticket_due(struct timer *timer, void *userdata)
{
	struct ticket *t = userdata;

	switch (t->stage) {
	case TICKET_SENT:
		ticket_abandon(t);
		return;
	case TICKET_ABANDONED:
		ticket_is_stuck(t);
		return;
	case TICKET_VERIFYING:
		ticket_verify(t);
		return;
	case TICKET_READING:
		ticket_read(t);
		return;
	}
}

/* ---- what is heard ---- */

static void verify_begin(struct ticket *t)
{
	uint64_t now = clock_monotonic_usec();

	t->stage = TICKET_VERIFYING;
	t->accepted_boottime_usec = clock_boottime_usec();
	t->verify_end_usec = MIN(usec_add(now, point_of(t)->verify.within_usec), t->deadline_usec);
	if (timer_arm(&t->timer, now) < 0)
		ticket_unproved(t);
}

static void verify_again(struct ticket *t)
{
	uint64_t next = usec_add(clock_monotonic_usec(), WRITE_VERIFY_STEP_USEC);

	if (next <= t->verify_end_usec && timer_arm(&t->timer, next) >= 0)
		return;
	if (t->differs)
		ticket_differs(t);
	else
		ticket_unproved(t);
}

static void ticket_compare(struct ticket *t, const struct fieldway_sample *s)
{
	if (s->quality != FIELDWAY_FAILED && s->boottime_usec < t->accepted_boottime_usec)
		return;
	if (s->quality == FIELDWAY_GOOD &&
	    value_is_near(&s->value, &t->proof, point_of(t)->verify.tolerance)) {
		ticket_end(t, FIELDWAY_ACCEPTED, NULL);
		return;
	}
	t->differs = t->differs || s->quality != FIELDWAY_FAILED;
	verify_again(t);
}

void ticket_heard(struct events *e, const struct device *d, const struct fieldway_sample *s)
{
	struct ticket *t;

	list_for_each(t, &e->tickets, node)
		if (t->stage == TICKET_VERIFYING && t->device == d && proof_point(t) == s->point)
			ticket_compare(t, s);
}

/* ---- the plugin's word ---- */

static struct ticket *find_ticket(const struct events *e, const struct fieldway_ticket *handle)
{
	struct ticket *t;

	list_for_each(t, &e->tickets, node)
		if (t->number == (uintptr_t)handle &&
		    (t->stage == TICKET_SENT || t->stage == TICKET_ABANDONED))
			return t;
	return NULL;
}

static void ticket_done(struct ticket *t, enum fieldway_outcome outcome,
			const struct fieldway_result *result)
{
	/* What was read before must not follow the answer up the link. */
	if (outcome == FIELDWAY_ACCEPTED || outcome == FIELDWAY_UNKNOWN)
		events_forget(t->events, t->device, t->point);
	if (t->stage == TICKET_ABANDONED)
		read_later(t, outcome);
	else if (outcome == FIELDWAY_ACCEPTED && point_of(t)->verify.enabled &&
		 !t->events->stopped && !t->device->gone)
		verify_begin(t);
	else
		ticket_end(t, outcome, result);
}

/* The text is the plugin's; so is the error, which is never good news. */
static struct fieldway_result clean_result(const struct fieldway_result *result)
{
	struct fieldway_result clean = result ? *result : (struct fieldway_result){ 0 };

	if (clean.error >= 0)
		clean.error = -EIO;
	clean.detail[sizeof(clean.detail) - 1] = '\0';
	return clean;
}

void ticket_written(const struct fieldway_host *host, struct fieldway_ticket *handle,
		    enum fieldway_outcome outcome, const struct fieldway_result *result)
{
	const struct fieldway_result clean = clean_result(result);
	struct events *e = events_of(host);
	struct ticket *t = find_ticket(e, handle);

	if (!t) {
		events_misused(e, "ends a write that it does not have");
		return;
	}
	if (outcome > FIELDWAY_UNKNOWN) {
		events_misused(e, "ends a write in a way that does not exist");
		outcome = FIELDWAY_UNKNOWN;
	}
	ticket_done(t, outcome, &clean);
}

/* ---- the beginning and the very end ---- */

static int ticket_new(struct events *e, struct device *d, uint64_t deadline_usec,
		      struct ticket **ret)
{
	struct ticket *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->events = e;
	t->device = d;
	t->kernel_deadline_usec = deadline_usec;
	t->deadline_usec = usec_add(deadline_usec, clock_offset_usec());
	timer_init(&t->timer, e->bus->services->timers, ticket_due, t);
	if (timer_arm(&t->timer, usec_add(t->deadline_usec, WRITE_GRACE_USEC)) < 0) {
		free(t);
		return -ENOMEM;
	}
	t->number = ++e->last_ticket;
	list_append(&e->tickets, &t->node);
	e->n_tickets++;
	*ret = t;
	return 0;
}

static void hand_over(struct ticket *t)
{
	struct events *e = t->events;

	/* It may end in there. */
	e->bus->setup->plugin->bus_write(e->session, t->device->index, t->point, &t->raw,
					 t->kernel_deadline_usec,
					 (struct fieldway_ticket *)t->number);
}

int ticket_begin(struct events *e, struct device *d, sd_bus_message *call, uint32_t point,
		 uint64_t deadline_usec, const struct fieldway_value *value)
{
	struct fieldway_value raw;
	struct ticket *t;
	int r;

	r = write_prepare(d, e->n_tickets, EVENTS_WRITES_MAX, call, point, deadline_usec, value,
			  &raw);
	if (r != 0)
		return MIN(r, 0);
	if (!e->session)
		return write_refuse_device(d, call, point, FIELDWAY_NOT_SENT, -EBUSY,
					   "its bus has not started yet");
	r = ticket_new(e, d, deadline_usec, &t);
	if (r < 0)
		return r;
	t->call = sd_bus_message_ref(call);
	t->point = point;
	t->raw = raw;
	t->proof = write_proof(d, point, exponents_of(d->exponents, point), &raw);
	t->rounded = !value_is_near(&t->proof, value, 0);
	events_forget(e, d, point);
	hand_over(t);
	return 0;
}

static void ticket_cancel(struct ticket *t)
{
	switch (t->stage) {
	case TICKET_SENT:
	case TICKET_VERIFYING:
		ticket_fail(t, FIELDWAY_UNKNOWN, -ECANCELED, "the configuration has changed");
		return;
	case TICKET_ABANDONED:
	case TICKET_READING:
		ticket_free(t);
		return;
	}
}

void tickets_leave(struct events *e, const struct device *d)
{
	struct ticket *t;

	list_for_each(t, &e->tickets, node)
		if (t->device == d)
			ticket_cancel(t);
}

void tickets_end(struct events *e)
{
	struct ticket *t;

	list_for_each(t, &e->tickets, node)
		ticket_cancel(t);
}
