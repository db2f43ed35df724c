/* SPDX-License-Identifier: Apache-2.0 */
#include "host/release.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "host/device/device.h"
#include "host/event/events.h"
#include "host/line/attempt.h"
#include "host/line/errand.h"
#include "host/line/identify.h"
#include "host/line/line.h"
#include "host/line/read.h"
#include "host/line/write.h"

static void answer(struct host_bus *b)
{
	if (b->lent_call)
		(void)sd_bus_reply_method_return(b->lent_call, NULL);
	b->lent_call = sd_bus_message_unref(b->lent_call);
}

static bool all_closed(const struct host_bus *b)
{
	for (size_t i = 0; i < b->n_lines; i++)
		if (b->lines[i]->worker && !b->lines[i]->closed)
			return false;
	return list_is_empty(&b->guests) && list_is_empty(&b->leaving);
}

static void enter_state(struct host_bus *b, enum link_state state, const char *what)
{
	char text[DEVICE_TEXT_MAX];

	for (size_t i = 0; i < b->n_devices; i++) {
		struct device *d = b->devices[i];

		snprintf(text, sizeof(text), "bus %s: device %s: %s", bus_name(b),
			 d->setup->link->name, what);
		text[utf8_valid_prefix(text, strlen(text))] = '\0';
		device_enter_state(d, state, text);
	}
}

/* "lent until 2026-11-25 17:40:12 UTC"; without a wall clock how long. */
static void lent_text(uint64_t usec, char *ret, size_t size)
{
	time_t end = (time_t)((clock_realtime_usec() + usec) / USEC_PER_SEC);
	char duration[FORMAT_USEC_MAX], date[32];
	struct tm tm;

	if (clock_realtime_is_plausible() && gmtime_r(&end, &tm) &&
	    strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm) > 0)
		snprintf(ret, size, "lent until %s UTC", date);
	else
		snprintf(ret, size, "lent to another program for %s", format_usec(usec, duration));
}

void release_tell_new(struct host_bus *b)
{
	uint64_t now = clock_monotonic_usec();
	char text[DEVICE_TEXT_MAX], what[96];

	lent_text(b->lent_usec > now ? b->lent_usec - now : 0, what, sizeof(what));
	for (size_t i = 0; i < b->n_devices; i++) {
		struct device *d = b->devices[i];

		if (d->state != LINK_UNKNOWN)
			continue;
		snprintf(text, sizeof(text), "bus %s: device %s: %s", bus_name(b),
			 d->setup->link->name, what);
		text[utf8_valid_prefix(text, strlen(text))] = '\0';
		device_enter_state(d, LINK_FAILED, text);
	}
}

/* ---- back ---- */

static void line_resume(struct line *l)
{
	struct schedule *s = &l->schedule;

	/* Nobody knows what the other program has done: everything is read anew. */
	for (size_t i = 0; i < s->n_devices; i++) {
		backoff_reset(&s->devices[i].backoff);
		identify_forget(l->devices[i]);
	}
	schedule_init(s, s->offline_after, s->entries, s->n_entries, s->devices, s->n_devices);
	schedule_start(s, clock_monotonic_usec(), l->place, MAX(l->bus->n_entries, (size_t)1));
	l->closed = false;
	line_kick(l);
}

static void take_back(struct host_bus *b)
{
	const struct fieldway_plugin *plugin = b->setup->plugin;

	if (!b->lent_usec)
		return;
	b->lent_usec = 0;
	timer_disarm(&b->lent_timer);
	answer(b);
	enter_state(b, LINK_UNKNOWN, "it was lent to another program and is taken back");
	for (size_t i = 0; i < b->n_lines; i++)
		line_resume(b->lines[i]);
	if (b->events && b->events->session && plugin->bus_release)
		plugin->bus_release(b->events->session, false);
}

static void lent_over(struct timer *timer, void *userdata)
{
	take_back(userdata);
}

/* ---- away ---- */

static void close_all(struct host_bus *b)
{
	static const char text[] = "its bus is lent to another program";
	const struct fieldway_plugin *plugin = b->setup->plugin;

	for (size_t i = 0; i < b->n_lines; i++) {
		write_cancel(b->lines[i], NULL, -EBUSY, text);
		errands_cancel(b->lines[i], -EBUSY, text);
		read_cancel(b->lines[i], NULL, -EBUSY, text);
		attempts_cancel(b->lines[i], -EBUSY, text);
		line_kick(b->lines[i]);
	}
	guests_retire(b, -EBUSY, text);
	if (b->events && b->events->session && plugin->bus_release)
		plugin->bus_release(b->events->session, true);
}

static int lend(struct host_bus *b, sd_bus_message *call, uint64_t usec)
{
	bool first = !b->lent_usec;
	char text[96];
	int r;

	r = timer_arm_in(&b->lent_timer, usec);
	if (r < 0)
		return r;
	/* One that still waits for the same is told the same. */
	answer(b);
	b->lent_call = sd_bus_message_ref(call);
	lent_text(usec, text, sizeof(text));
	enter_state(b, LINK_FAILED, text);
	b->lent_usec = usec_add(clock_monotonic_usec(), usec);
	if (first)
		close_all(b);
	release_check(b);
	return 0;
}

int release_begin(struct host_bus *b, sd_bus_message *call, uint64_t usec)
{
	if (usec > RELEASE_USEC_MAX)
		return -EINVAL;
	if (!b->lent_timer.timers)
		timer_init(&b->lent_timer, b->services->timers, lent_over, b);
	if (b->events && b->events->session && !b->setup->plugin->bus_release)
		return -EOPNOTSUPP;
	if (usec > 0)
		return lend(b, call, usec);
	take_back(b);
	return sd_bus_reply_method_return(call, NULL);
}

void release_from_start(struct host_bus *b, uint64_t usec)
{
	timer_init(&b->lent_timer, b->services->timers, lent_over, b);
	/* It must not take what is another's. */
	if (lend(b, NULL, MIN(usec, RELEASE_USEC_MAX)) < 0)
		b->services->stuck(b->services->userdata);
}

bool release_line(struct line *l)
{
	if (l->closed)
		return false;
	l->device = NULL;
	l->job.kind = JOB_CLOSE;
	l->job.tries = 1;
	l->job.requests = l->job.errors = l->job.timeouts = 0;
	l->job.restored = false;
	l->job.deadline_usec = clock_monotonic_usec() - clock_offset_usec() + USEC_PER_SEC;
	return true;
}

void release_check(struct host_bus *b)
{
	if (all_closed(b))
		answer(b);
}

void release_line_closed(struct line *l)
{
	l->closed = true;
	release_check(l->bus);
}

void release_done(struct host_bus *b)
{
	if (!b->lent_usec)
		return;
	timer_disarm(&b->lent_timer);
	answer(b);
}
