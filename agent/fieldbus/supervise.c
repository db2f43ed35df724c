/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/str.h"
#include "fieldbus/internal.h"
#include "link/marshal.h"

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
#define HOST_RESTART_FIRST_USEC (500 * USEC_PER_MSEC)
#define HOST_RESTART_LAST_USEC (60 * USEC_PER_SEC)
/* More than this after its end is no host's last words. */
#define HOST_LAST_MESSAGES_MAX 1024u

static uint64_t real_usec(void)
{
	return clock_monotonic_usec() - clock_offset_usec();
}

/* At a tick without an answer. */
static bool host_is_late(struct host *h, unsigned ticks)
{
	return ++h->ticks >= ticks && real_usec() - h->asked_usec >= HOST_REAL_USEC;
}

/* ---- its end ---- */

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

	if (h->left != FIELDBUS_FAILED)
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
	process_reap(&h->process, how, sizeof(how));
	host_disconnect(h);
	host_down(h, how);
	return 0;
}

/* ---- its configuration ---- */

bool fieldbus_is_refused(const struct fieldbus *f, uint32_t bus)
{
	for (size_t i = 0; i < f->n_hosts; i++)
		if (f->hosts[i]->bus == bus && f->hosts[i]->refused)
			return true;
	return false;
}

static void host_refused(struct host *h, const char *why)
{
	h->refused = true;
	host_leave(h, FIELDBUS_FAILED, why);
	process_signal(&h->process, SIGTERM);
	host_enter_state(h, HOST_ENDING, HOST_EXIT_USEC);
}

static void host_run(struct host *h)
{
	h->running_since_usec = clock_monotonic_usec();
	h->refused = false;
	host_enter_state(h, HOST_RUNNING, HOST_TICK_USEC);
	host_devices_begin(h);
	writes_send(h);
	tasks_send(h);
}

static void host_take_answer(struct host *h, sd_bus_message *m)
{
	_cleanup_arena_ struct arena arena = { 0 };
	char why[FIELDBUS_REASON_MAX];
	struct link_refusal *refusals;
	struct refused refused;
	size_t n;

	if (link_read_refusals(m, &arena, &refusals, &n) < 0) {
		host_give_up(h, "sent a malformed answer to Configure");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (refused_find(h->fieldbus->config, h->bus, &refusals[i], &refused) < 0) {
			host_give_up(h, "refused what it was not given");
			return;
		}
	}
	if (n == 0) {
		host_run(h);
		return;
	}
	snprintf(why, sizeof(why), "refused its configuration: %.300s", refusals[0].text);
	host_refused(h, why);
	host_devices_refused(h, refusals, n);
}

static int host_configured(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const sd_bus_error *e = sd_bus_message_get_error(m);
	char why[FIELDBUS_REASON_MAX];
	struct host *h = userdata;

	(void)error;
	h->configure = sd_bus_slot_unref(h->configure);
	/* Without a reply its link has closed: that is another message. */
	if (h->state != HOST_CONFIGURING || (e && sd_bus_error_has_name(e, SD_BUS_ERROR_NO_REPLY)))
		return 1;
	if (e) {
		snprintf(why, sizeof(why), "cannot be configured: %.300s",
			 e->message && *e->message ? e->message : strerror(sd_bus_error_get_errno(e)));
		host_refused(h, why);
	} else {
		host_take_answer(h, m);
	}
	return 1;
}

static int host_device_list(const struct host *h, struct arena *arena, struct device_list *ret)
{
	const struct fieldbus *f = h->fieldbus;
	struct device_list list = { .items = arena_new(arena, f->config->n_devices * sizeof(*list.items)) };

	if (!list.items)
		return -ENOMEM;
	for (uint32_t i = 0; i < f->config->n_devices; i++)
		if (f->devices[i].host == h)
			list.items[list.n++] = i;
	*ret = list;
	return 0;
}

static int host_configure(struct host *h)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct contents contents = { 0 };
	struct device_list list;
	sd_bus_message *m = NULL;
	int r;

	h->asked_usec = real_usec();
	r = host_device_list(h, &arena, &list);
	if (r >= 0)
		r = configuration_call_new(h->fieldbus, h->link, "Configure", h->generation,
					   h->fieldbus->config, h->bus, &list, &contents, &m);
	if (r >= 0 || r == -ENOKEY)
		r = MIN(r, host_find_waiting(h, &contents));
	contents_done(&contents);
	if (r >= 0)
		r = sd_bus_message_append(m, "t", host_loan(h));
	return host_call(h, r, m, &h->configure, host_configured, h);
}

/* ---- its start ---- */

static int host_connect(struct host *h, int fd)
{
	int r;

	r = link_new(h->fieldbus->event, fd, false, &h->link);
	if (r >= 0)
		r = sd_bus_add_filter(h->link, &h->filter, host_receive, h);
	if (r >= 0)
		r = sd_event_add_io(h->fieldbus->event, &h->exit_source, h->process.pidfd, EPOLLIN,
				    host_exited, h);
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
	h->generation = ++h->fieldbus->generation;
	h->clock_usec = 0;
	h->told = false;
	r = host_connect(h, fd);
	if (r >= 0) {
		host_enter_state(h, HOST_CONFIGURING, HOST_TICK_USEC);
		host_follow_clock(h);
		r = host_configure(h);
	}
	return r;
}

static void host_start(struct host *h)
{
	char why[FIELDBUS_REASON_MAX], how[64] = "";
	int r = host_launch(h);

	if (r >= 0)
		return;
	if (r == -ENOPKG)
		snprintf(why, sizeof(why), "cannot start: no program %s", h->fieldbus->host_program);
	else if (r == -ENOKEY)
		snprintf(why, sizeof(why), "waits for the keys or files of its devices");
	else
		snprintf(why, sizeof(why), "cannot start: %s",
			 r == -E2BIG ? "more devices or points than one host takes" : strerror(-r));
	process_signal(&h->process, SIGKILL);
	process_wait(&h->process, HOST_EXIT_USEC);
	process_reap(&h->process, how, sizeof(how));
	host_disconnect(h);
	host_leave(h, FIELDBUS_FAILED, why);
	h->told = false;
	host_down(h, "");
}

/* ---- its watchdog ---- */

static int host_pinged(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct host *h = userdata;

	(void)m;
	(void)error;
	h->ping = sd_bus_slot_unref(h->ping);
	h->ticks = 0;
	return 1;
}

/* Only as a whole can a bus be set up: it starts again. */
static bool host_goes_on(struct host *h)
{
	char why[FIELDBUS_REASON_MAX];
	uint32_t device;

	if (!contents_are_used(host_bus(h)->plugin) || !host_may_go_on(h, &device))
		return false;
	snprintf(why, sizeof(why), "ends, as there is now what device %.64s lacked",
		 h->fieldbus->config->devices[device].name);
	host_leave(h, FIELDBUS_UNKNOWN, why);
	process_signal(&h->process, SIGTERM);
	host_enter_state(h, HOST_ENDING, HOST_EXIT_USEC);
	return true;
}

static void host_watch(struct host *h)
{
	sd_bus_message *m = NULL;
	int r;

	if (host_goes_on(h))
		return;

	if (h->ping) {
		if (host_is_late(h, HOST_PING_TICKS))
			host_give_up(h, "did not answer");
		return;
	}
	h->asked_usec = real_usec();
	r = link_call_new(h->link, "Ping", &m);
	host_call(h, r, m, &h->ping, host_pinged, h);
}

static void host_tick(struct timer *timer, void *userdata)
{
	struct host *h = userdata;

	host_arm(h, HOST_TICK_USEC);
	h->n_told = 0;
	host_follow_clock(h);
	switch (h->state) {
	case HOST_DOWN:
		if (host_may_run(h))
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
	return !h->fieldbus->off[h->bus];
}

static void host_switch_off(struct host *h)
{
	bool runs = h->state == HOST_CONFIGURING || h->state == HOST_RUNNING;

	host_leave(h, FIELDBUS_FAILED, "is switched off");
	h->told = false;
	if (runs) {
		process_signal(&h->process, SIGTERM);
		host_enter_state(h, HOST_ENDING, HOST_EXIT_USEC);
	}
	/* With one that is ending anyway the reason is another one now. */
	host_devices_leave(h);
}

void host_switch(struct host *h, bool on)
{
	struct log_about about = host_about(h);

	log_notice(&about, "bus %s is switched %s", about.bus, on ? "on" : "off");
	if (!on) {
		host_switch_off(h);
		return;
	}
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
	free(h);
	return NULL;
}
