/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/str.h"
#include "fieldbus/internal.h"
#include "link/host1.h"

/*
 * Deadlines are counted in ticks, each of which gives the loop a turn: a
 * process that was stopped for a while hears the answer that lies in its
 * socket before it ends a host for being late. Where a test moves the clock,
 * a host has so much real time for its answer all the same.
 */
#define HOST_TICK_USEC (5 * USEC_PER_SEC)
#define HOST_PING_TICKS 2u
#define HOST_CONFIGURE_TICKS 6u
#define HOST_REAL_USEC (2 * USEC_PER_SEC)
#define HOST_WAIT_USEC (50 * USEC_PER_MSEC)
#define HOST_RESTART_FIRST_USEC (500 * USEC_PER_MSEC)
#define HOST_RESTART_LAST_USEC (60 * USEC_PER_SEC)
/* More than this after its end is no host's last words. */
#define HOST_LAST_MESSAGES_MAX 1024u

uint64_t host_real_usec(void)
{
	return clock_monotonic_usec() - clock_offset_usec();
}

/* At a tick without an answer. */
static bool host_is_late(struct host *h, unsigned ticks)
{
	return ++h->ticks >= ticks && host_real_usec() - h->asked_usec >= HOST_REAL_USEC;
}

/* ---- its end ---- */

/*
 * Before its process is reaped: a child that another thread spawns has a copy of
 * that descriptor until it executes, and a source whose descriptor was closed
 * first would stay in the loop's epoll set behind it, freed.
 */
static void host_disconnect(struct host *h)
{
	h->configure = sd_bus_slot_unref(h->configure);
	h->ping = sd_bus_slot_unref(h->ping);
	h->clock = sd_bus_slot_unref(h->clock);
	h->filter = sd_bus_slot_unref(h->filter);
	h->link = link_free(h->link);
	h->exit_source = sd_event_source_disable_unref(h->exit_source);
}

static void host_log_end(struct host *h, uint64_t delay)
{
	struct log_about about = host_about(h);
	char text[FORMAT_USEC_MAX];

	about.message_id = MESSAGE_HOST_ENDED;
	log_error(&about, "bus %s: plugin host %s; the next one starts %s%s", about.bus, h->reason,
		  delay > 0 ? "in " : "at once",
		  delay > 0 ? format_usec(delay / USEC_PER_MSEC * USEC_PER_MSEC, text) : "");
}

/* how: its exit status; one that was sent away for what it said needs no more reason than that. */
static void host_down(struct host *h, const char *how)
{
	uint64_t delay = host_delay(h);
	size_t n = strlen(h->reason);

	if (h->left == FIELDBUS_UNKNOWN)
		snprintf(h->reason + n, sizeof(h->reason) - n, " (%s)", how);
	if (host_may_run(h))
		host_log_end(h, delay);
	host_enter_state(h, HOST_DOWN, delay);
	host_devices_leave(h);
	writes_end(h, false, "its plugin host ended");
	inquiries_end(h, false);
	tasks_lost(h);
}

static int host_exited(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct host *h = userdata;
	char how[64] = "";

	(void)source;
	(void)fd;
	(void)events;
	/* What it had said before is as good as ever. */
	for (unsigned i = 0; i < HOST_LAST_MESSAGES_MAX && sd_bus_process(h->link, NULL) > 0; i++)
		;
	host_lost(h);
	host_disconnect(h);
	process_reap(&h->process, how, sizeof(how));
	host_down(h, how);
	return 0;
}

/* ---- what is asked of it all the time ---- */

static int host_pinged(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct host *h = userdata;

	(void)m;
	(void)error;
	h->ping = sd_bus_slot_unref(h->ping);
	h->ticks = 0;
	return 1;
}

/* It brings the level to log from on. */
static int host_ping(struct host *h)
{
	sd_bus_message *m = NULL;
	int r = link_call_new(h->link, "Ping", &m);

	h->asked_usec = host_real_usec();
	if (r >= 0)
		r = sd_bus_message_append(m, "y", (uint8_t)log_level_of("host"));
	return host_call(h, r, m, &h->ping, host_pinged, h);
}

/* ---- its start ---- */

void host_run(struct host *h)
{
	if (h->state == HOST_CONFIGURING) {
		h->running_since_usec = clock_monotonic_usec();
		host_enter_state(h, HOST_RUNNING, HOST_TICK_USEC);
	}
	h->ticks = 0;
	h->refused = false;
	host_devices_begin(h);
	writes_send(h);
	tasks_send(h);
}

static int host_connect(struct host *h, int fd)
{
	int r;

	r = link_new(h->fieldbus->event, fd, false, &h->link);
	if (r >= 0)
		r = sd_bus_add_filter(h->link, &h->filter, host_receive, h);
	if (r >= 0)
		r = sd_event_add_io(h->fieldbus->event, &h->exit_source, h->process.fd,
				    process_events(&h->process), host_exited, h);
	return r;
}

static int host_launch(struct host *h)
{
	const struct fieldbus_config launcher = fieldbus_launcher(h->fieldbus);
	int fd, r;

	r = process_launch(&launcher, &h->process, &fd);
	if (r < 0)
		return r;
	h->launches++;
	h->generation = h->first_generation = ++h->fieldbus->generation;
	h->clock_usec = 0;
	h->told = false;
	host_number(h);
	r = host_connect(h, fd);
	if (r >= 0) {
		host_enter_state(h, HOST_CONFIGURING, HOST_TICK_USEC);
		host_follow_clock(h);
		/* It answers in order, and may come to no other Ping. */
		r = host_ping(h);
	}
	return r < 0 ? r : host_configure(h);
}

void host_start_text(const struct host *h, int r, char *ret, size_t size)
{
	if (r == -ENOPKG)
		snprintf(ret, size, "cannot start: %s %s",
			 h->fieldbus->host_socket ? "nobody listens at" : "no program",
			 h->fieldbus->host_socket ?: h->fieldbus->host_program);
	else if (r == -ENOKEY)
		snprintf(ret, size, "waits for the keys or files of its devices");
	else
		snprintf(ret, size, "cannot start: %s",
			 r == -E2BIG ? "more devices or points than one host takes" : strerror(-r));
}

static void host_start(struct host *h)
{
	char why[FIELDBUS_REASON_MAX], how[64] = "";
	int r = host_launch(h);

	if (r >= 0)
		return;
	host_start_text(h, r, why, sizeof(why));
	process_signal(&h->process, SIGKILL);
	process_wait_killed(&h->process, HOST_EXIT_USEC);
	host_disconnect(h);
	process_reap(&h->process, how, sizeof(how));
	host_leave(h, FIELDBUS_FAILED, why);
	h->told = false;
	host_down(h, "");
}

/* ---- its watchdog ---- */

/* What one of its devices lacked is there: it is told of that one, too. */
static bool host_goes_on(struct host *h)
{
	struct log_about about = host_about(h);
	uint32_t device;

	if (!contents_are_used(host_bus(h)->plugin) || !host_may_go_on(h, &device))
		return false;
	about.device = h->fieldbus->config->devices[device].name;
	log_notice(&about, "bus %s: there is now what device %s lacked", about.bus, about.device);
	host_change(h);
	return true;
}

static void host_watch(struct host *h)
{
	/* One that is told anew answers that in its time. */
	if (h->configure) {
		if (host_is_late(h, HOST_CONFIGURE_TICKS))
			host_give_up(h, "did not take its configuration");
		return;
	}
	if (host_goes_on(h))
		return;
	if (h->ping) {
		if (host_is_late(h, HOST_PING_TICKS))
			host_give_up(h, "did not answer");
		return;
	}
	host_ping(h);
}

static void host_tick(struct timer *timer, void *userdata)
{
	struct host *h = userdata;

	host_arm(h, HOST_TICK_USEC);
	if (h->changed && (h->state == HOST_CONFIGURING || h->state == HOST_RUNNING)) {
		host_reconfigure(h);
		return;
	}
	h->n_told = 0;
	host_follow_clock(h);
	switch (h->state) {
	case HOST_DOWN:
		/* What it wants to open is held by those that end. */
		if (leavers_hold(h->fieldbus))
			host_arm(h, HOST_WAIT_USEC);
		else if (host_may_run(h))
			host_start(h);
		break;
	case HOST_CONFIGURING:
		if (host_is_late(h, HOST_CONFIGURE_TICKS))
			host_give_up(h, "did not take its configuration");
		break;
	case HOST_RUNNING:
		host_watch(h);
		break;
	case HOST_ENDING:
		process_signal(&h->process, SIGKILL);
		host_devices_leave(h);
		break;
	}
}

/* ---- fieldbus_enable() ---- */

bool host_may_run(const struct host *h)
{
	return !bus_is_off(h->fieldbus, h->bus);
}

static void host_switch_off(struct host *h)
{
	bool runs = h->state == HOST_CONFIGURING || h->state == HOST_RUNNING;

	host_leave(h, bus_off_state(h->fieldbus, h->bus), "is switched off");
	h->told = false;
	if (runs) {
		process_signal(&h->process, SIGTERM);
		host_enter_state(h, HOST_ENDING, HOST_EXIT_USEC);
	}
	/* With one that is ending anyway the reason is another one now. */
	host_devices_leave(h);
}

void host_switch(struct host *h)
{
	struct log_about about = host_about(h);
	char text[FIELDBUS_REASON_MAX];

	if (!host_may_run(h)) {
		bus_off_text(h->fieldbus, h->bus, text, sizeof(text));
		log_notice(&about, "%s", text);
		host_switch_off(h);
		return;
	}
	log_notice(&about, "bus %s is switched on", about.bus);
	h->hurried = false;
	backoff_reset(&h->backoff);
	/* One that has not ended yet is followed by another. */
	host_leave(h, FIELDBUS_UNKNOWN, "is switched on");
	h->told = false;
	host_devices_leave(h);
	if (h->state == HOST_DOWN)
		host_arm(h, 0);
}

/* ---- */

int host_new(struct fieldbus *f, uint32_t bus, struct host **ret)
{
	struct host *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		return -ENOMEM;
	h->fieldbus = f;
	h->bus = bus;
	h->backoff = (struct backoff){ HOST_RESTART_FIRST_USEC, HOST_RESTART_LAST_USEC, 0 };
	h->log_budget.limit = FIELDBUS_LOG_MAX;
	list_init(&h->writes);
	list_init(&h->inquiries);
	timer_init(&h->timer, f->timers, host_tick, h);
	r = timer_arm_in(&h->timer, 0);
	if (r < 0) {
		free(h);
		return r;
	}
	*ret = h;
	return 0;
}

void host_dismiss(struct host *h)
{
	timer_disarm(&h->timer);
	host_disconnect(h);
	process_signal(&h->process, SIGTERM);
	h->state = HOST_DOWN;
}

struct host *host_free(struct host *h)
{
	if (!h)
		return NULL;
	timer_disarm(&h->timer);
	host_disconnect(h);
	free(h->members);
	free(h);
	return NULL;
}
