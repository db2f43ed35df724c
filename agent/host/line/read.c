/* SPDX-License-Identifier: Apache-2.0 */
#include "host/line/read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "base/str.h"
#include "host/device/device.h"
#include "host/line/lesson.h"
#include "link/marshal.h"

struct read {
	struct list node; /* in the line's reads */
	struct device *device;
	sd_bus_message *call; /* NULL: answered, and its job has still to come back */
	struct reading reading;
	struct timer timer;
};

/* ---- the answer ---- */

static int append_samples(sd_bus_message *m, const struct fieldway_sample *samples, size_t n)
{
	int r = sd_bus_message_open_container(m, 'a', LINK_TYPE_SAMPLE);

	for (size_t i = 0; r >= 0 && i < n; i++) {
		struct fieldway_sample s = samples[i];

		if (!link_value_is_valid(&s.value)) {
			s.quality = FIELDWAY_INVALID;
			s.value = (struct fieldway_value){ .type = FIELDWAY_NONE };
		}
		r = link_append_sample(m, &s);
	}
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append(sd_bus_message *m, int error, const char *text,
		  const struct fieldway_sample *samples, size_t n)
{
	char clean[DEVICE_TEXT_MAX];
	int r;

	snprintf(clean, sizeof(clean), "%s", text);
	clean[utf8_valid_prefix(clean, strlen(clean))] = '\0';
	r = sd_bus_message_append(m, "is", error, clean);
	return r < 0 ? r : append_samples(m, samples, n);
}

static int append_reading(sd_bus_message *m, struct reading *r, const char *bus, const char *device)
{
	const struct fieldway_result *result = &r->result;
	char text[DEVICE_TEXT_MAX] = "";

	reading_finish(r);
	if (result->error < 0)
		snprintf(text, sizeof(text), "bus %.100s: device %.100s: %s%s%s", bus, device,
			 r->what, *r->what ? ": " : "",
			 *result->detail ? result->detail : strerror(-result->error));
	return append(m, result->error, text, r->samples, r->n_samples);
}

int read_answer(sd_bus_message *call, bool attempt, struct reading *r, const char *bus,
		const char *device)
{
	sd_bus_message *m = NULL;
	int e = sd_bus_message_new_method_return(call, &m);

	if (e >= 0 && attempt)
		e = link_append_refusals(m, NULL, 0);
	if (e >= 0)
		e = append_reading(m, r, bus, device);
	if (e >= 0)
		e = sd_bus_message_send(m);
	sd_bus_message_unref(m);
	return e;
}

int read_refuse(sd_bus_message *call, int error, const char *text)
{
	sd_bus_message *m = NULL;
	int e = sd_bus_message_new_method_return(call, &m);

	if (e >= 0)
		e = append(m, error, text, NULL, 0);
	if (e >= 0)
		e = sd_bus_message_send(m);
	sd_bus_message_unref(m);
	return e;
}

int read_known(const struct device *d, sd_bus_message *call, const uint32_t *points, size_t n)
{
	_cleanup_free_ struct fieldway_sample *samples = calloc(n + 1, sizeof(*samples));
	sd_bus_message *m = NULL;
	size_t n_samples = 0;
	int e;

	if (!samples)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct fieldway_sample *s =
			points[i] < d->values.n_slots ? &d->values.slots[points[i]].sample : NULL;

		if (s && s->boottime_usec > 0 && s->quality != FIELDWAY_FAILED)
			samples[n_samples++] = *s;
	}
	e = sd_bus_message_new_method_return(call, &m);
	if (e >= 0)
		e = append(m, 0, "", samples, n_samples);
	if (e >= 0)
		e = sd_bus_message_send(m);
	sd_bus_message_unref(m);
	return e < 0 ? e : 1;
}

static int refuse_device(const struct device *d, sd_bus_message *call, int error,
			 const char *detail)
{
	struct fieldway_result result = { .error = error };
	char text[DEVICE_TEXT_MAX];

	snprintf(result.detail, sizeof(result.detail), "%s", detail);
	device_text(d, NULL, &result, text, sizeof(text));
	return read_refuse(call, error, text);
}

static void tell(struct read *r)
{
	/* An answer that cannot be sent is a link that is gone. */
	if (r->call)
		(void)read_answer(r->call, false, &r->reading, bus_name(r->device->bus),
				  r->device->setup->link->name);
	r->call = sd_bus_message_unref(r->call);
}

static struct read *read_free(struct read *r)
{
	struct line *l = r->device->line;

	if (l->read == r)
		l->read = NULL;
	l->n_reads--;
	timer_disarm(&r->timer);
	list_remove(&r->node);
	sd_bus_message_unref(r->call);
	reading_done(&r->reading);
	free(r);
	return NULL;
}

/* ---- ends before its time ---- */

static void end(struct read *r, int error, const char *text)
{
	struct fieldway_result why = { .error = error };

	snprintf(why.detail, sizeof(why.detail), "%s", text);
	reading_stop(&r->reading, &why, "read");
	tell(r);
	/* The job has a hold on its request. */
	if (r->device->line->read != r)
		read_free(r);
}

static void read_late(struct timer *timer, void *userdata)
{
	end(userdata, -ETIMEDOUT, "not all was read before the deadline");
}

void read_cancel(struct line *l, const struct device *d, int error, const char *text)
{
	struct read *r;

	list_for_each(r, &l->reads, node)
		if (!d || r->device == d)
			end(r, error, text);
}

void read_follow(struct line *l)
{
	struct read *r;

	list_for_each(r, &l->reads, node) {
		if (r->device->gone)
			continue;
		r->reading.setup = r->device->bus->setup;
		r->reading.device = r->device->setup;
	}
}

/* ---- begin ---- */

static int add_requests(struct read *r)
{
	struct device *d = r->device;
	int e = 0;

	for (size_t i = 0; e >= 0 && i < d->n_polls; i++)
		e = reading_add(&r->reading, d->polls[i].request);
	return e;
}

static int read_new(struct device *d, sd_bus_message *call, const uint32_t *points, size_t n,
		    uint64_t deadline_usec, struct read **ret)
{
	struct read *r = calloc(1, sizeof(*r));
	int e;

	if (!r)
		return -ENOMEM;
	list_init(&r->node);
	r->device = d;
	r->call = sd_bus_message_ref(call);
	d->line->n_reads++;
	timer_init(&r->timer, d->bus->services->timers, read_late, r);
	e = reading_init(&r->reading, d->bus->setup, d->setup, d->exponents, points, n);
	if (e >= 0)
		e = add_requests(r);
	if (e >= 0)
		e = timer_arm(&r->timer, usec_add(deadline_usec, clock_offset_usec()));
	if (e < 0) {
		read_free(r);
		return -ENOMEM;
	}
	*ret = r;
	return 0;
}

int read_begin(struct device *d, sd_bus_message *call, const uint32_t *points, size_t n,
	       uint64_t deadline_usec)
{
	struct read *r;
	int e;

	if (d->state == LINK_OFFLINE || d->state == LINK_FAILED)
		return refuse_device(d, call, -EHOSTDOWN, "offline");
	if (d->line->n_reads >= LINE_READS_MAX)
		return refuse_device(d, call, -EBUSY, "too many reads are waiting for the line");
	e = read_new(d, call, points, n, deadline_usec, &r);
	if (e < 0)
		return e;
	if (reading_next(&r->reading)) {
		list_append(&d->line->reads, &r->node);
		return 0;
	}
	tell(r);
	read_free(r);
	return 0;
}

/* ---- work ---- */

struct device *read_next_device(const struct line *l)
{
	return list_is_empty(&l->reads) ? NULL :
					  list_entry(l->reads.next, struct read, node)->device;
}

const struct fieldway_request *read_start(struct line *l)
{
	l->read = list_entry(l->reads.next, struct read, node);
	l->device = l->read->device;
	return reading_next(&l->read->reading);
}

bool read_take(struct line *l)
{
	struct read *r = l->read;
	bool is_retried = l->job.request->n_points > 1 && lesson_is_refusal(l->job.result.error);

	if (r->call)
		(void)reading_take(&r->reading, l->job.samples, &l->job.result);
	return !is_retried;
}

void read_done(struct line *l)
{
	struct read *r = l->read;

	l->read = NULL;
	if (r->call && reading_next(&r->reading))
		return;
	tell(r);
	read_free(r);
}
