/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "base/str.h"
#include "fieldbus/internal.h"
#include "link/marshal.h"

/* The host ends what it was asked so much earlier that its own, better answer is here in time. */
#define INQUIRY_MARGIN_USEC (300 * USEC_PER_MSEC)

static struct inquiry *inquiry_free(struct inquiry *q)
{
	timer_disarm(&q->timer);
	list_remove(&q->list);
	q->host->n_inquiries--;
	sd_bus_slot_unref(q->slot);
	if (q->kind->release)
		q->kind->release(q);
	free(q);
	return NULL;
}

/* Once; what comes later is not told any more. */
static void inquiry_fail(struct inquiry *q, int error, const char *what)
{
	const struct config *config = q->host->fieldbus->config;
	const char *device = q->device == NO_DEVICE ? NULL : config->devices[q->device].name;
	char text[INQUIRY_TEXT_MAX];
	bool over = q->over;

	timer_disarm(&q->timer);
	q->over = true;
	if (over)
		return;
	snprintf(text, sizeof(text), "bus %.100s: %s%.100s%s%.250s", host_bus(q->host)->name,
		 device ? "device " : "", device ?: "", device ? ": " : "", what);
	text[utf8_valid_prefix(text, strlen(text))] = '\0';
	q->kind->fail(q, error, text);
}

static void inquiry_expired(struct timer *timer, void *userdata)
{
	(void)timer;
	/* ctl/line/scan_units.c knows it by these words. */
	inquiry_fail(userdata, -ETIMEDOUT, "its plugin host did not answer in time");
}

static void inquiry_take(struct inquiry *q, sd_bus_message *m)
{
	char why[FIELDBUS_REASON_MAX];
	int r;

	if (q->over)
		return;
	timer_disarm(&q->timer);
	r = q->kind->take(q, m);
	if (r >= 0) {
		q->over = true;
		return;
	}
	if (r != -ENOMEM) {
		snprintf(why, sizeof(why), "sent a malformed answer to %s", q->kind->member);
		host_give_up(q->host, why);
	}
	inquiry_fail(q, r, r == -ENOMEM ? strerror(ENOMEM) : "its plugin host gave a malformed answer");
}

static int inquiry_answered(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const sd_bus_error *e = sd_bus_message_get_error(m);
	struct inquiry *q = userdata;

	(void)error;
	if (!e)
		inquiry_take(q, m);
	else if (sd_bus_error_has_name(e, SD_BUS_ERROR_NO_REPLY))
		inquiry_fail(q, -ECONNRESET, "its plugin host ended before it answered");
	else
		inquiry_fail(q, -MAX(sd_bus_error_get_errno(e), 1), e->message ?: "its plugin host failed");
	inquiry_free(q);
	return 1;
}

int inquiry_host_check(const struct fieldbus *f, const struct host *h)
{
	if (f->stopping || !h || h->state != HOST_RUNNING)
		return -EHOSTDOWN;
	return h->n_inquiries < FIELDBUS_INQUIRIES_MAX ? 0 : -EBUSY;
}

uint64_t inquiry_deadline(uint64_t usec)
{
	/* The kernel's clock has no steps of a test in it. */
	uint64_t now = clock_monotonic_usec() - clock_offset_usec();

	return usec_add(now, usec > INQUIRY_MARGIN_USEC ? usec - INQUIRY_MARGIN_USEC : 0);
}

int inquiry_send(struct inquiry *q, struct host *h, int r, sd_bus_message *m, uint64_t usec)
{
	q->host = h;
	list_append(&h->inquiries, &q->list);
	h->n_inquiries++;
	timer_init(&q->timer, h->fieldbus->timers, inquiry_expired, q);
	if (r >= 0)
		r = timer_arm_in(&q->timer, usec);
	host_follow_clock(h);
	r = host_call(h, r, m, &q->slot, inquiry_answered, q);
	if (r >= 0)
		return 0;
	inquiry_free(q);
	return r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE ? -EHOSTDOWN : r;
}

void inquiries_end(struct host *h, bool canceled)
{
	while (!list_is_empty(&h->inquiries)) {
		struct inquiry *q = list_entry(h->inquiries.next, struct inquiry, list);

		inquiry_fail(q, canceled ? -ECANCELED : -ECONNRESET,
			     canceled ? "canceled" : "its plugin host ended before it answered");
		inquiry_free(q);
	}
}

void inquiries_forget(struct host *h, const void *userdata)
{
	struct inquiry *q;

	list_for_each(q, &h->inquiries, list)
		if (q->userdata == userdata)
			q->over = true;
}

void inquiries_cancel(struct host *h, uint32_t device, const char *why)
{
	struct inquiry *q;

	list_for_each(q, &h->inquiries, list) {
		if (q->device != device)
			continue;
		inquiry_fail(q, -ECANCELED, why);
		q->device = NO_DEVICE;
	}
}

void inquiries_renumber(struct host *h, const uint32_t *devices_after)
{
	struct inquiry *q;

	list_for_each(q, &h->inquiries, list)
		if (q->device != NO_DEVICE)
			q->device = devices_after[q->device];
}

/* ---- LINK_TYPE_READING, the answer of two of them ---- */

int inquiry_take_reading(struct sd_bus_message *m, fieldbus_read_done done, void *userdata,
			 size_t n_points)
{
	_cleanup_free_ struct fieldway_sample *samples = NULL;
	const char *detail;
	size_t n;
	int r, error;

	r = sd_bus_message_read(m, "is", &error, &detail);
	if (r <= 0 || error > 0 || link_check_text(detail) < 0)
		return -EBADMSG;
	r = link_read_samples(m, &samples, &n);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (samples[i].point >= n_points)
			return -EBADMSG;
	done(userdata, error, detail, samples, n);
	return 0;
}
