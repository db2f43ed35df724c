/* SPDX-License-Identifier: Apache-2.0 */
#include "host/device/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "base/str.h"
#include "host/line/identify.h"
#include "host/line/read.h"
#include "host/line/write.h"
#include "link/marshal.h"

enum schedule_answer answer_of(int error)
{
	switch (error) {
	case 0:
	case -EINVAL:
	case -ENXIO:
	case -EOPNOTSUPP:
	case -EBUSY:
	case -EREMOTEIO:
		return SCHEDULE_ANSWERED;
	default:
		return SCHEDULE_SILENT;
	}
}

void device_text(const struct device *d, const char *what, const struct fieldway_result *result,
		 char *ret, size_t size)
{
	snprintf(ret, size, "bus %s: device %s: %s%s%s", bus_name(d->bus), d->setup->link->name,
		 what ?: "", what ? ": " : "",
		 *result->detail ? result->detail : strerror(-result->error));
	ret[utf8_valid_prefix(ret, strlen(ret))] = '\0';
}

/* A noisy device has its own budget: it must not hide what another has to say. */
void device_log(int level, struct device *d, const char *text)
{
	const struct log_about about = { .device = d->setup->link->name, .bus = bus_name(d->bus) };
	unsigned own = 0, all = 0;

	if (!log_is_on(level) || !log_budget_take(&d->log_budget, &own) ||
	    !log_budget_take(d->bus->services->log_budget, &all))
		return;
	if (own > 0)
		log_notice(&about, "bus %s: device %s: %u messages were left out", about.bus,
			   about.device, own);
	if (all > 0)
		log_notice(NULL, "%u messages about devices were left out", all);
	log_full(level, &about, "%s", text);
}

static int send_state(const struct device *d, const char *reason)
{
	const struct link_counters *c = &d->values.counters;
	sd_bus_message *m = NULL;
	int r;

	r = link_check_queue(d->bus->services->link);
	if (r >= 0)
		r = link_call_new(d->bus->services->link, "State", &m);
	if (r >= 0)
		r = sd_bus_message_set_expect_reply(m, 0);
	if (r >= 0)
		r = sd_bus_message_append(m, LINK_TYPE_STATE,
					  d->bus->setup->configuration->generation,
					  d->setup->link->id, (uint8_t)d->state, reason,
					  c->requests, c->errors, c->timeouts, c->conflated);
	if (r >= 0)
		r = sd_bus_send(d->bus->services->link, m, NULL);
	sd_bus_message_unref(m);
	return r;
}

/* True, and remembered, where it is another than before. */
static bool reason_is_news(struct device *d, const char *reason)
{
	if (streq(d->reason ?: "", reason))
		return false;
	free(d->reason);
	/* Without memory it is told once more. */
	d->reason = *reason ? strdup(reason) : NULL;
	return true;
}

/* The daemon, which hears of it, logs it. */
static void log_state(struct device *d, const char *reason)
{
	char text[DEVICE_TEXT_MAX];

	snprintf(text, sizeof(text), "bus %s: device %s: online", bus_name(d->bus),
		 d->setup->link->name);
	device_log(LOG_DEBUG, d, d->state == LINK_ONLINE ? text : reason);
}

void device_enter_state(struct device *d, enum link_state state, const char *reason)
{
	bool changes = d->state != state;
	int r;

	if (d->bus->retired)
		return;
	/* What is wrong can change while it is wrong: first the cable, then the baud rate. */
	if (!reason_is_news(d, reason) && !changes)
		return;
	d->state = state;
	if (changes)
		log_state(d, reason);
	r = send_state(d, reason);
	/* A state that is lost would never be told again. */
	if (r < 0 && !link_is_gone(r))
		d->bus->services->stuck(d->bus->services->userdata);
}

/* The line itself cannot be used: no device can be blamed. */
static bool is_local(int error)
{
	return error == -ENODEV || error == -EMFILE || error == -ENOMEM || error == -EACCES;
}

void device_settle(struct device *d, const struct fieldway_result *result, const char *what)
{
	char text[DEVICE_TEXT_MAX];

	/* What was under way when the bus was lent says nothing about now. */
	if (d->bus->lent_usec)
		return;
	switch (d->line->schedule.devices[d->index].state) {
	case SCHEDULE_UNKNOWN:
		return;
	case SCHEDULE_ONLINE:
		device_enter_state(d, LINK_ONLINE, "");
		return;
	case SCHEDULE_OFFLINE:
		device_text(d, what, result, text, sizeof(text));
		device_enter_state(d, is_local(result->error) ? LINK_FAILED : LINK_OFFLINE, text);
		write_cancel(d->line, d, -EHOSTDOWN, text);
		read_cancel(d->line, d, -EHOSTDOWN, "offline");
		identify_forget(d);
		return;
	}
}

/*
 * An exception is the request's own, silence only where the device goes on
 * answering others: what makes it offline is told with that.
 */
static bool failure_is_news(const struct device *d, const struct poll_health *h, int error)
{
	unsigned offline_after = d->bus->setup->configuration->offline_after;

	if (h->told == error)
		return false;
	return answer_of(error) == SCHEDULE_ANSWERED ||
	       (h->silences > MAX(offline_after, POLL_SILENCES) && d->state != LINK_OFFLINE &&
		d->state != LINK_FAILED);
}

void device_note(struct device *d, struct poll *poll, const struct fieldway_result *result)
{
	static const struct fieldway_result again = { .detail = "answered again" };
	struct poll_health *h = &poll->health;
	char text[DEVICE_TEXT_MAX];

	if (answer_of(result->error) == SCHEDULE_ANSWERED)
		h->silences = 0;
	else if (h->silences < UINT8_MAX)
		h->silences++;
	if (result->error < 0 ? !failure_is_news(d, h, result->error) : !h->told)
		return;
	h->told = result->error;
	device_text(d, poll->request->text, result->error < 0 ? result : &again, text, sizeof(text));
	device_log(result->error < 0 ? LOG_WARNING : LOG_NOTICE, d, text);
}

int32_t device_poll_of(const struct device *d, uint32_t point)
{
	for (size_t i = 0; i < d->n_polls; i++)
		for (size_t j = 0; j < d->polls[i].request->n_points; j++)
			if (d->polls[i].request->points[j] == point)
				return (int32_t)i;
	return -1;
}

void device_read_soon(struct device *d, uint32_t poll, unsigned good)
{
	struct schedule *s = &d->line->schedule;
	struct poll_health *h = &d->polls[poll].health;

	h->owed = (uint8_t)MAX((unsigned)h->owed, good);
	h->again = 0;
	schedule_hasten(s, d->index, s->devices[d->index].first + poll, clock_monotonic_usec());
}

void device_read(struct device *d, uint32_t poll, int error)
{
	struct schedule *s = &d->line->schedule;
	struct poll_health *h = &d->polls[poll].health;

	if (h->owed == 0)
		return;
	if (error < 0)
		h->again = (uint8_t)MIN(h->again + 1u, POLL_AGAIN_DOUBLED);
	else
		h->owed--;
	if (h->owed > 0)
		schedule_hasten(s, d->index, s->devices[d->index].first + poll,
				usec_add(clock_monotonic_usec(), POLL_AGAIN_USEC << h->again));
}
