/* SPDX-License-Identifier: Apache-2.0 */
#include "host/line/write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "base/str.h"
#include "host/device/device.h"
#include "host/line/identify.h"
#include "host/value/exponent.h"
#include "host/value/transform.h"
#include "link/host1.h"

enum write_stage {
	WRITE_QUEUED,
	WRITE_SENT,
	WRITE_VERIFYING,
	WRITE_ABANDONED, /* answered, and its job has still to come back */
};

struct write {
	struct list node; /* in the line's queued or verifying; alone while it is sent */
	struct device *device;
	uint32_t point;
	enum write_stage stage;
	sd_bus_message *call; /* also holds the text of the value */
	struct fieldway_value raw;
	int exponent;		     /* on top of the point's scale */
	struct fieldway_value proof; /* what a read-back has to show, in the point's unit */
	bool rounded;		     /* which is not what was asked for */
	uint64_t deadline_usec;
	struct timer timer;
	/* Verifying. */
	uint64_t verify_usec, verify_end_usec; /* the next read-back; the last one begins before */
	bool differs;			       /* the last one showed another value */
};

static const struct link_point *point_of(const struct write *w)
{
	return &w->device->setup->type->points[w->point];
}

/* ---- the answer ---- */

int write_refuse(sd_bus_message *call, enum fieldway_outcome outcome, int error, const char *text)
{
	char clean[DEVICE_TEXT_MAX];

	snprintf(clean, sizeof(clean), "%s", text);
	clean[utf8_valid_prefix(clean, strlen(clean))] = '\0';
	return sd_bus_reply_method_return(call, LINK_TYPE_OUTCOME, (uint8_t)outcome, error, clean);
}

static void write_free(struct write *w)
{
	struct line *l = w->device->line;

	if (l->write == w)
		l->write = NULL;
	l->n_pending--;
	timer_disarm(&w->timer);
	list_remove(&w->node);
	sd_bus_message_unref(w->call);
	free(w);
}

void write_point_text(const struct device *d, uint32_t point, char *ret, size_t size)
{
	const struct fieldway_plugin *plugin = d->bus->setup->plugin;
	const struct link_point *p = &d->setup->type->points[point];

	link_point_text(plugin->keys, plugin->n_keys, &p->settings, p->name, ret, size);
}

void write_tell(const struct device *d, sd_bus_message *call, uint32_t point,
		enum fieldway_outcome outcome, const struct fieldway_result *result)
{
	char what[LINK_POINT_TEXT_MAX], text[DEVICE_TEXT_MAX] = "";

	write_point_text(d, point, what, sizeof(what));
	if (outcome != FIELDWAY_ACCEPTED)
		device_text(d, what, result, text, sizeof(text));
	/* An answer that cannot be sent is a link that is gone. */
	(void)write_refuse(call, outcome, outcome == FIELDWAY_ACCEPTED ? 0 : result->error, text);
}

static void write_answer(struct write *w, enum fieldway_outcome outcome,
			 const struct fieldway_result *result)
{
	write_tell(w->device, w->call, w->point, outcome, result);
}

static void write_end(struct write *w, enum fieldway_outcome outcome, int error, const char *detail)
{
	struct fieldway_result result = { .error = error };

	snprintf(result.detail, sizeof(result.detail), "%s", detail ?: "");
	write_answer(w, outcome, &result);
	write_free(w);
}

/* The value is read again where it is not what was asked for, or nobody would ask for it. */
static void read_back(struct device *d, uint32_t point, enum fieldway_outcome outcome, bool rounded)
{
	int32_t poll = device_poll_of(d, point);

	if (poll < 0 || (outcome == FIELDWAY_ACCEPTED && !rounded &&
			 d->setup->type->points[point].period_usec != LINK_PERIOD_ONCE))
		return;
	device_read_soon(d, (uint32_t)poll, outcome == FIELDWAY_UNKNOWN ? 2 : 1);
}

/* ---- waiting ---- */

static void write_late(struct timer *timer, void *userdata)
{
	struct write *w = userdata;
	const struct fieldway_result silence = { .error = -ETIMEDOUT,
						 .detail = "no answer before the deadline" };

	switch (w->stage) {
	case WRITE_QUEUED:
		/* The daemon may have given it up as unknown, if this process was stopped. */
		read_back(w->device, w->point, FIELDWAY_NOT_SENT, false);
		write_end(w, FIELDWAY_NOT_SENT, -ETIMEDOUT, "the line was busy until the deadline");
		return;
	case WRITE_SENT:
		write_answer(w, FIELDWAY_UNKNOWN, &silence);
		w->stage = WRITE_ABANDONED;
		return;
	case WRITE_VERIFYING:
		if (w->differs)
			write_end(w, FIELDWAY_REFUSED, -EILSEQ,
				  "accepted, but the value read back differs");
		else
			write_end(w, FIELDWAY_UNKNOWN, -ETIMEDOUT,
				  "accepted, but not read back before the deadline");
		return;
	case WRITE_ABANDONED:
		return;
	}
}

void write_cancel(struct line *l, const struct device *d, int error, const char *text)
{
	struct write *w;

	list_for_each(w, &l->queued, node)
		if (!d || w->device == d)
			write_end(w, FIELDWAY_NOT_SENT, error, d ? "offline" : text);
	if (d)
		return;
	list_for_each(w, &l->verifying, node)
		write_end(w, FIELDWAY_UNKNOWN, error, text);
}

void write_leave(struct line *l, const struct device *d)
{
	static const char text[] = "the configuration has changed";
	struct write *w;

	list_for_each(w, &l->queued, node)
		if (w->device == d)
			write_end(w, FIELDWAY_NOT_SENT, -ECANCELED, text);
	list_for_each(w, &l->verifying, node)
		if (w->device == d)
			write_end(w, FIELDWAY_UNKNOWN, -ECANCELED, text);
}

/* ---- sending ---- */

struct check {
	const struct device *device;
	uint32_t point;
};

static int check_raw(const void *userdata, const struct fieldway_value *raw, char *text,
		     size_t size)
{
	const struct check *c = userdata;
	const struct fieldway_plugin *plugin = c->device->bus->setup->plugin;
	struct fieldway_error error = { .point = -1 };
	int r = plugin->write_check(c->device->setup->driver, c->point, raw, &error);

	if (r < 0)
		snprintf(text, size, "%s", error.text);
	return r;
}

/* What stands in the way, before anything is kept: the outcome, or -1. */
static int find_obstacle(const struct device *d, unsigned n_pending, unsigned n_max, uint32_t point,
			 int *ret_error, const char **ret_text)
{
	const struct link_type *type = d->setup->type;

	if (point >= type->n_points || !(type->points[point].access & LINK_WRITE)) {
		*ret_error = -EACCES;
		*ret_text = "cannot be written";
		return FIELDWAY_REFUSED;
	}
	if (d->bus->lent_usec) {
		*ret_error = -EBUSY;
		*ret_text = "its bus is lent to another program";
		return FIELDWAY_NOT_SENT;
	}
	if (d->state == LINK_OFFLINE || d->state == LINK_FAILED) {
		*ret_error = -EHOSTDOWN;
		*ret_text = "offline";
		return FIELDWAY_NOT_SENT;
	}
	if (n_pending >= n_max) {
		*ret_error = -EBUSY;
		*ret_text = d->line ? "too many writes are waiting for the line" :
				      "too many writes have not ended";
		return FIELDWAY_NOT_SENT;
	}
	return -1;
}

int write_refuse_device(const struct device *d, sd_bus_message *call, uint32_t point,
			enum fieldway_outcome outcome, int error, const char *detail)
{
	struct fieldway_result result = { .error = error };
	char what[LINK_POINT_TEXT_MAX], text[DEVICE_TEXT_MAX];

	if (point < d->setup->type->n_points)
		write_point_text(d, point, what, sizeof(what));
	else
		snprintf(what, sizeof(what), "point number %u", point);
	snprintf(result.detail, sizeof(result.detail), "%s", detail);
	device_text(d, what, &result, text, sizeof(text));
	return write_refuse(call, outcome, error, text);
}

struct fieldway_value write_proof(const struct device *d, uint32_t point, int exponent,
				  const struct fieldway_value *raw)
{
	struct fieldway_sample s = { .quality = FIELDWAY_GOOD, .value = *raw };

	transform_forward_by(&d->setup->type->points[point], exponent, &s);
	return s.quality == FIELDWAY_GOOD ? s.value : *raw;
}

static int write_new(struct device *d, sd_bus_message *call, uint32_t point, uint64_t deadline_usec,
		     const struct fieldway_value *value, const struct fieldway_value *raw)
{
	struct write *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->device = d;
	w->point = point;
	w->raw = *raw;
	w->exponent = exponents_of(d->exponents, point);
	w->proof = write_proof(d, point, w->exponent, raw);
	w->rounded = !value_is_near(&w->proof, value, 0);
	w->deadline_usec = usec_add(deadline_usec, clock_offset_usec());
	timer_init(&w->timer, d->bus->services->timers, write_late, w);
	if (timer_arm(&w->timer, w->deadline_usec) < 0) {
		free(w);
		return -ENOMEM;
	}
	w->call = sd_bus_message_ref(call);
	list_append(&d->line->queued, &w->node);
	d->line->n_pending++;
	/* Polls that have begun by now show what was before. */
	d->written[point] = ++d->line->n_writes;
	return 0;
}

/* Without its power of ten nobody knows what the register would have to hold. */
static int refuse_exponent(struct device *d, sd_bus_message *call, uint32_t point, int exponent)
{
	const struct link_type *type = d->setup->type;
	uint32_t of = (uint32_t)type->points[point].scale10;
	int32_t poll = device_poll_of(d, of);
	char text[128];

	snprintf(text, sizeof(text), "its scale10, point %.40s, %s", type->points[of].name,
		 exponent == EXPONENT_INVALID ? "is not within -10 to 10" :
						"has not been read yet");
	if (poll >= 0)
		device_read_soon(d, (uint32_t)poll, 1);
	return write_refuse_device(d, call, point, FIELDWAY_NOT_SENT, -EBUSY, text);
}

/* What a write of this value has to send; else it is answered, see write_prepare(). */
static int find_raw(struct device *d, sd_bus_message *call, uint32_t point,
		    const struct fieldway_value *value, struct fieldway_value *ret_raw)
{
	const struct check check = { d, point };
	int exponent = exponents_of(d->exponents, point), r;
	char text[256] = "";

	if (exponent == EXPONENT_UNKNOWN || exponent == EXPONENT_INVALID) {
		r = refuse_exponent(d, call, point, exponent);
		return r < 0 ? r : 1;
	}
	r = transform_inverse(&d->setup->type->points[point], exponent, value, check_raw, &check,
			      ret_raw, text, sizeof(text));
	if (r >= 0)
		return 0;
	r = write_refuse_device(d, call, point, FIELDWAY_REFUSED, r, text);
	return r < 0 ? r : 1;
}

int write_prepare(struct device *d, unsigned n_pending, unsigned n_max, sd_bus_message *call,
		  uint32_t point, uint64_t deadline_usec, const struct fieldway_value *value,
		  struct fieldway_value *ret_raw)
{
	const char *obstacle = NULL;
	int outcome, r = 0;

	outcome = find_obstacle(d, n_pending, n_max, point, &r, &obstacle);
	if (outcome >= 0) {
		r = write_refuse_device(d, call, point, (enum fieldway_outcome)outcome, r,
					obstacle);
		return r < 0 ? r : 1;
	}
	if (usec_add(deadline_usec, clock_offset_usec()) <= clock_monotonic_usec()) {
		read_back(d, point, FIELDWAY_NOT_SENT, false);
		r = write_refuse_device(d, call, point, FIELDWAY_NOT_SENT, -ETIMEDOUT,
					"it came to the plugin host after its deadline");
		return r < 0 ? r : 1;
	}
	return find_raw(d, call, point, value, ret_raw);
}

int write_begin(struct device *d, sd_bus_message *call, uint32_t point, uint64_t deadline_usec,
		const struct fieldway_value *value)
{
	struct fieldway_value raw;
	int r = write_prepare(d, d->line->n_pending, LINE_WRITES_MAX, call, point, deadline_usec,
			      value, &raw);

	return r != 0 ? MIN(r, 0) : write_new(d, call, point, deadline_usec, value, &raw);
}

static uint64_t time_left(const struct write *w)
{
	uint64_t now = clock_monotonic_usec();

	return w->deadline_usec > now ? w->deadline_usec - now : 0;
}

struct device *write_next_device(const struct line *l)
{
	return list_entry(l->queued.next, struct write, node)->device;
}

void write_start(struct line *l)
{
	struct write *w = list_entry(l->queued.next, struct write, node);
	struct job *job = &l->job;

	list_remove(&w->node);
	w->stage = WRITE_SENT;
	timer_arm(&w->timer, usec_add(w->deadline_usec, WRITE_GRACE_USEC));
	l->write = w;
	l->device = w->device;
	job->kind = JOB_WRITE;
	job->driver = w->device->setup->driver;
	job->point = w->point;
	job->value = w->raw;
	job->tries = l->bus->setup->configuration->retries + 1;
	job->deadline_usec = clock_monotonic_usec() - clock_offset_usec() + time_left(w);
	job->requests = job->errors = job->timeouts = 0;
	job->restored = false;
}

static void verify_begin(struct write *w)
{
	uint64_t now = clock_monotonic_usec();

	w->stage = WRITE_VERIFYING;
	w->verify_usec = now;
	w->verify_end_usec = MIN(usec_add(now, point_of(w)->verify.within_usec), w->deadline_usec);
	timer_arm(&w->timer, w->deadline_usec);
	w->device->line->write = NULL;
	list_append(&w->device->line->verifying, &w->node);
}

static void forget(struct device *d, uint32_t point)
{
	values_forget(&d->values, point);
	exponents_forget(d->exponents, point);
}

void write_done(struct line *l)
{
	struct write *w = l->write;
	struct job *job = &l->job;

	if (job->outcome == FIELDWAY_ACCEPTED)
		job->result = (struct fieldway_result){ 0 };
	/* What was read before must not follow the answer up the link. */
	if (job->outcome == FIELDWAY_ACCEPTED || job->outcome == FIELDWAY_UNKNOWN)
		forget(w->device, w->point);
	if (!line_is_over(l)) {
		if (job->outcome == FIELDWAY_ACCEPTED && point_of(w)->verify.enabled &&
		    w->stage == WRITE_SENT) {
			verify_begin(w);
			return;
		}
		read_back(w->device, w->point, job->outcome, w->rounded);
	}
	if (w->stage == WRITE_SENT)
		write_answer(w, job->outcome, &job->result);
	write_free(w);
}

/* ---- reading back ---- */

struct write *write_next_verify(struct line *l, uint64_t now, uint64_t *ret_due_usec)
{
	uint64_t due = USEC_INFINITY;
	struct write *w;

	list_for_each(w, &l->verifying, node) {
		if (identify_is_due(w->device))
			continue;
		if (w->verify_usec <= now)
			return w;
		due = MIN(due, w->verify_usec);
	}
	*ret_due_usec = due;
	return NULL;
}

static uint32_t proof_point(const struct write *w)
{
	int32_t point = point_of(w)->verify.point;

	return point < 0 ? w->point : (uint32_t)point;
}

void write_verify_what(const struct write *w, struct device **ret_device, struct poll **ret_poll)
{
	/* setup_new() has seen to it that the point can be read. */
	int32_t poll = device_poll_of(w->device, proof_point(w));

	*ret_device = w->device;
	*ret_poll = &w->device->polls[MAX(poll, 0)];
}

static const struct fieldway_sample *find_sample(const struct fieldway_sample *samples, size_t n,
						 uint32_t point)
{
	for (size_t i = 0; i < n; i++)
		if (samples[i].point == point)
			return &samples[i];
	return NULL;
}

static void verify_differs(struct write *w)
{
	uint64_t now = clock_monotonic_usec();

	w->differs = true;
	w->verify_usec = usec_add(now, WRITE_VERIFY_STEP_USEC);
	if (w->verify_usec > w->verify_end_usec)
		write_end(w, FIELDWAY_REFUSED, -EILSEQ,
			  "accepted, but the value read back differs");
}

static void verify_failed(struct write *w, const struct fieldway_result *result)
{
	uint64_t now = clock_monotonic_usec();

	w->verify_usec = usec_add(now, WRITE_VERIFY_STEP_USEC);
	if (w->verify_usec <= w->verify_end_usec)
		return;
	write_answer(w, FIELDWAY_UNKNOWN, result);
	write_free(w);
}

void write_verify(struct line *l, struct device *d, const struct fieldway_sample *samples, size_t n,
		  const struct write *asked, const struct fieldway_result *result)
{
	const struct fieldway_sample *s;
	struct write *w;

	list_for_each(w, &l->verifying, node) {
		if (w->device != d)
			continue;
		s = find_sample(samples, n, proof_point(w));
		if (s && s->quality == FIELDWAY_GOOD &&
		    value_is_near(&s->value, &w->proof, point_of(w)->verify.tolerance))
			write_end(w, FIELDWAY_ACCEPTED, 0, NULL);
		else if (s)
			verify_differs(w);
		else if (w == asked)
			verify_failed(w, result);
	}
}
