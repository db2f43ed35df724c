/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "host/event/events.h"

struct fieldway_watch {
	struct list node;
	struct events *events;
	sd_event_source *source;
	fieldway_watch_handler handler;
	void *userdata;
};

struct fieldway_timer {
	struct list node;
	struct events *events;
	struct timer timer;
	fieldway_timer_handler handler;
	void *userdata;
};

static int check_lending(struct events *e)
{
	if (e->stopped)
		return -ESHUTDOWN;
	if (e->n_lent < EVENTS_LENT_MAX)
		return 0;
	events_misused(e, "wants too many watches and timers");
	return -EMFILE;
}

/* ---- watches ---- */

static int watch_ready(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct fieldway_watch *w = userdata;

	w->handler(w->userdata, revents);
	return 0;
}

int lend_watch(const struct fieldway_host *host, int fd, uint32_t events,
	       fieldway_watch_handler handler, void *userdata, struct fieldway_watch **ret)
{
	struct events *e = events_of(host);
	struct fieldway_watch *w;
	int r;

	r = check_lending(e);
	if (r < 0)
		return r;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->events = e;
	w->handler = handler;
	w->userdata = userdata;
	r = sd_event_add_io(e->bus->services->event, &w->source, fd, events, watch_ready, w);
	if (r < 0) {
		free(w);
		return r;
	}
	list_append(&e->watches, &w->node);
	e->n_lent++;
	*ret = w;
	return 0;
}

int lend_watch_set(struct fieldway_watch *w, uint32_t events)
{
	int r = sd_event_source_set_io_events(w->source, events);

	return r < 0 ? r : 0;
}

void lend_watch_free(struct fieldway_watch *w)
{
	if (!w)
		return;
	sd_event_source_disable_unref(w->source);
	list_remove(&w->node);
	w->events->n_lent--;
	free(w);
}

/* ---- timers ---- */

static void timer_due(struct timer *timer, void *userdata)
{
	struct fieldway_timer *t = userdata;

	t->handler(t->userdata);
}

int lend_timer(const struct fieldway_host *host, fieldway_timer_handler handler, void *userdata,
	       struct fieldway_timer **ret)
{
	struct events *e = events_of(host);
	struct fieldway_timer *t;
	int r;

	r = check_lending(e);
	if (r < 0)
		return r;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->events = e;
	t->handler = handler;
	t->userdata = userdata;
	timer_init(&t->timer, e->bus->services->timers, timer_due, t);
	list_append(&e->timers, &t->node);
	e->n_lent++;
	*ret = t;
	return 0;
}

/* The plugin's clock is the kernel's, without the steps of a test. */
void lend_timer_set(struct fieldway_timer *t, uint64_t monotonic_usec)
{
	uint64_t due = usec_add(monotonic_usec, clock_offset_usec());

	if (due == USEC_INFINITY)
		timer_disarm(&t->timer);
	/* A plugin whose timers never come is as good as stuck. */
	else if (timer_arm(&t->timer, due) < 0)
		t->events->bus->services->stuck(t->events->bus->services->userdata);
}

void lend_timer_free(struct fieldway_timer *t)
{
	if (!t)
		return;
	timer_disarm(&t->timer);
	list_remove(&t->node);
	t->events->n_lent--;
	free(t);
}

void lend_end(struct events *e)
{
	struct fieldway_watch *w;
	struct fieldway_timer *t;

	list_for_each(w, &e->watches, node)
		lend_watch_free(w);
	list_for_each(t, &e->timers, node)
		lend_timer_free(t);
}
