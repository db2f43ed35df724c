/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/device/parts.h"
#include "host/value/sample.h"

/*
 * The event-driven devices of a bus at work: what struct fieldway_host promises
 * a plugin. Internal to the host; shared by events.c, lend.c, ticket.c. The
 * plugin is never called from within a call of its own.
 */

/*
 * Samples of one device in one second that go on as they come. Of what is more
 * each point's last one goes on at the second's end; the others are counted as
 * conflated.
 */
#define EVENTS_RATE_MAX 1000u
/* Text or bytes of a sample; what is longer is INVALID. */
#define EVENTS_TEXT_MAX LINK_SAMPLE_BYTES_MAX
/* Watches and timers that one bus has at a time. */
#define EVENTS_LENT_MAX 20000u
/* Writes of one bus that the plugin has not ended. One more is NOT_SENT with -EBUSY. */
#define EVENTS_WRITES_MAX 64u

struct events_device {
	struct device *device;
	struct sample_thinner *points;
	struct timer due; /* the end of a window of its points, or it is back */
	bool back;	  /* all that is read of it is to be read again */
	struct timer silence;
	uint64_t silence_usec; /* so long without a sample makes it OFFLINE; 0: never */
	uint64_t heard_usec;
	/* The second that is under way. */
	uint64_t second_usec; /* its end */
	unsigned n_samples;
};

struct events {
	struct fieldway_host host;
	struct host_bus *bus;
	struct fieldway_session *session; /* NULL: not started, or stopped */
	struct setup *known;		  /* what the session has its bus and drivers of */
	struct events_device **devices;
	size_t n_devices;
	const char *line; /* the name of its wire, for recordings; of the bus's setup */
	struct list watches, timers;
	size_t n_lent;
	struct list tickets; /* struct ticket */
	unsigned n_tickets;
	uintptr_t last_ticket;
	struct list scans; /* struct scan */
	unsigned n_scans;
	uint64_t misuses; /* calls of the plugin that its contract does not allow */
	struct log_budget log_budget;
	bool stopped;
};

/* ---- events.c ---- */

/* Without devices yet. 0 or -ENOMEM. */
int events_new(struct host_bus *b, struct events **ret);
struct events *events_free(struct events *e);
int events_device_new(struct events *e, struct device *d, struct events_device **ret);
struct events_device *events_device_free(struct events_device *ed); /* takes NULL */
/* What cannot start is FAILED. */
void events_start(struct events *e);
/* One that comes to a session that is at work. */
void events_device_begin(struct events_device *ed);
/* No more calls by the plugin; what it was lent is taken back, its writes end. */
void events_stop(struct events *e);
/* These points are wanted now, if the plugin can be asked. Not from within a call of the plugin. */
void events_read(struct events *e, const struct device *d, const uint32_t *points, size_t n);
/* What waits of the point is no longer true, nor what was read before this moment. */
void events_forget(struct events *e, struct device *d, uint32_t point);
/*
 * A sample in the point's unit, on its way up the link: thinned first. It goes
 * on by take_put(), perhaps later.
 */
void events_put(struct events *e, struct device *d, struct fieldway_sample *s);
/* Counts and tells a call that the contract does not allow. */
void events_misused(struct events *e, const char *what);

/* ---- lend.c: watches and timers ---- */

int lend_watch(const struct fieldway_host *host, int fd, uint32_t events,
	       fieldway_watch_handler handler, void *userdata, struct fieldway_watch **ret);
int lend_watch_set(struct fieldway_watch *watch, uint32_t events);
void lend_watch_free(struct fieldway_watch *watch);
int lend_timer(const struct fieldway_host *host, fieldway_timer_handler handler, void *userdata,
	       struct fieldway_timer **ret);
void lend_timer_set(struct fieldway_timer *timer, uint64_t monotonic_usec);
void lend_timer_free(struct fieldway_timer *timer);
/* All that the plugin has not given back. */
void lend_end(struct events *e);

static inline struct events *events_of(const struct fieldway_host *host)
{
	return (struct events *)((uintptr_t)host - offsetof(struct events, host));
}
