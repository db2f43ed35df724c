/* SPDX-License-Identifier: Apache-2.0 */
#include "host/host.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "host/bus.h"
#include "host/calls.h"
#include "host/change.h"
#include "host/line/attempt.h"
#include "host/memory.h"
#include "host/sandbox/sandbox.h"
#include "host/services.h"
#include "host/setup/describe.h"
#include "link/marshal.h"

struct host {
	sd_event *event;
	struct timers *timers;
	sd_bus *link;
	struct loader *loader;
	struct workers *workers;
	struct values *values;
	struct host_services services;
	struct attempts *attempts;
	struct log_budget log_budget;
	struct memory memory;
	struct timer farewell;
	const char *plugins; /* folder */
	bool shut;
	struct sandbox sandbox;
	struct list buses, retired; /* struct host_bus */
};

/* ---- buses ---- */

static bool name_is_free(const struct host *h, const char *name)
{
	struct host_bus *b;

	list_for_each(b, &h->retired, node)
		if (streq(bus_name(b), name))
			return false;
	return true;
}

struct host_bus *host_find_bus(const struct host *h, const char *name)
{
	struct host_bus *b;

	list_for_each(b, &h->buses, node)
		if (streq(bus_name(b), name))
			return b;
	return NULL;
}

/* For systemctl, in whose list hosts have but numbers. */
static void tell(const struct host_bus *b)
{
	sd_notifyf(0, "STATUS=Bus %s: %zu devices on %zu lines", bus_name(b), b->n_devices,
		   b->n_lines);
}

/* Ports and connections belong to the old bus until its last thread has closed them. */
static void bus_ended(struct host_bus *old, void *userdata)
{
	struct host *h = userdata;
	struct host_bus *b = host_find_bus(h, bus_name(old));

	list_remove(&old->node);
	if (b && !b->started && !b->retired && name_is_free(h, bus_name(b)))
		bus_start(b);
	bus_free(old);
}

/* One of another plugin takes the place of what is there. */
static void adopt_bus(struct host *h, struct host_bus *b)
{
	struct host_bus *old = host_find_bus(h, bus_name(b));

	if (old) {
		list_remove(&old->node);
		list_append(&h->retired, &old->node);
	}
	list_append(&h->buses, &b->node);
	if (old)
		bus_retire(old, bus_ended, h);
	if (!b->started && name_is_free(h, bus_name(b)))
		bus_start(b);
}

static size_t count_lines(const struct host *h, const char *without)
{
	struct host_bus *b;
	size_t n = 0;

	list_for_each(b, &h->buses, node)
		if (!streq(bus_name(b), without))
			n += b->n_lines;
	return n;
}

static size_t count_buses(const struct host *h)
{
	struct host_bus *b;
	size_t n = 0;

	list_for_each(b, &h->buses, node)
		n++;
	return n;
}

/* ---- replies ---- */

struct attempts *host_attempts(struct host *h)
{
	return h->attempts;
}

int reply_end(sd_bus_message *reply, int r)
{
	if (r >= 0)
		r = sd_bus_message_send(reply);
	sd_bus_message_unref(reply);
	return r < 0 ? r : 1;
}

static int reply_refusals(sd_bus_message *call, const struct refusals *refusals)
{
	sd_bus_message *reply = NULL;
	int r = sd_bus_message_new_method_return(call, &reply);

	if (r >= 0)
		r = link_append_refusals(reply, refusals->items, refusals->n);
	return reply_end(reply, r);
}

static int on_ping(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	uint8_t level;
	int r = sd_bus_message_read(m, "y", &level);

	if (r < 0)
		return r;
	log_set_level(MIN(level, LOG_DEBUG));
	return sd_bus_reply_method_return(m, NULL);
}

static int on_describe(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct host *h = userdata;
	const struct fieldway_plugin *plugin;
	sd_bus_message *reply = NULL;
	char text[256] = "";
	const char *name;
	int r;

	r = sd_bus_message_read(m, "s", &name);
	if (r < 0)
		return r;
	r = loader_get(h->loader, name, &plugin, text, sizeof(text));
	if (r < 0)
		return sd_bus_error_set_errnof(error, r, "%s", text);
	r = sd_bus_message_new_method_return(m, &reply);
	if (r >= 0)
		r = describe_append(reply, plugin);
	return reply_end(reply, r);
}

/* The plugin is loaded, and nothing has been opened before this. */
static void shut(struct host *h)
{
	if (!h->shut)
		sandbox_enter(h->plugins, &h->sandbox);
	h->shut = true;
}

int host_read_setup(struct host *h, sd_bus_message *m, enum setup_kind kind,
		    struct refusals *refusals, struct setup **ret)
{
	struct link_configuration *c;
	int r;

	r = link_read_configuration(m, &c);
	if (r < 0)
		return r;
	if (kind == SETUP_BUS && !*c->bus.name) {
		const struct refusal_place place = { .device_id = -1, .point_index = -1 };

		link_configuration_free(c);
		r = refusals_add(refusals, &place, NULL, "a bus needs a name");
		return r < 0 ? r : -EINVAL;
	}
	r = setup_new(h->loader, c, kind, refusals, ret);
	if (r >= 0)
		shut(h);
	return r;
}

DEFINE_FREEP(struct setup *, setup_free)

static int refuse_size(struct refusals *refusals, const char *bus, const char *what, size_t n,
		       size_t most)
{
	const struct refusal_place place = { .bus = bus, .device_id = -1, .point_index = -1 };
	int r = refusals_add(refusals, &place, NULL, "%zu %s, one host has at most %zu", n, what,
			     most);

	return r < 0 ? r : -EINVAL;
}

static int check_size(const struct host *h, const struct bus_change *c, struct refusals *refusals)
{
	const char *name = c->setup->bus.name;
	size_t lines = count_lines(h, name) + c->n_lines;

	if (lines > HOST_LINES_MAX)
		return refuse_size(refusals, name, "lines", lines, HOST_LINES_MAX);
	if (count_buses(h) >= HOST_BUSES_MAX && !host_find_bus(h, name))
		return refuse_size(refusals, name, "buses", HOST_BUSES_MAX + 1, HOST_BUSES_MAX);
	return 0;
}

/* Takes the setup on success. */
static int set_up(struct host *h, struct host_bus *b, struct setup *s, struct refusals *refusals)
{
	struct bus_change c;
	int r;

	r = bus_change_init(&c, b, s);
	if (r >= 0)
		r = check_size(h, &c, refusals);
	if (r >= 0)
		r = bus_change_commit(&c);
	bus_change_done(&c);
	return r;
}

static int set_up_new(struct host *h, struct setup *s, uint64_t lend_usec,
		      struct refusals *refusals)
{
	struct host_bus *b;
	int r;

	r = bus_new(&h->services, &b);
	if (r < 0)
		return r;
	b->lend_usec = lend_usec;
	r = set_up(h, b, s, refusals);
	if (r < 0)
		bus_free(b);
	else
		adopt_bus(h, b);
	return r;
}

static int configure(struct host *h, sd_bus_message *m, struct refusals *refusals)
{
	_cleanup_(setup_freep) struct setup *s = NULL;
	uint64_t lend_usec;
	struct host_bus *b;
	int r;

	r = host_read_setup(h, m, SETUP_BUS, refusals, &s);
	if (r >= 0)
		r = sd_bus_message_read(m, "t", &lend_usec);
	if (r < 0)
		return r;
	b = host_find_bus(h, s->bus.name);
	if (b && !b->started)
		b->lend_usec = lend_usec;
	r = b && b->setup->plugin == s->plugin ? set_up(h, b, s, refusals) :
						 set_up_new(h, s, lend_usec, refusals);
	if (r >= 0)
		tell(host_find_bus(h, TAKE_PTR(s)->bus.name));
	return r;
}

static int on_configure(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	_cleanup_(refusals_done) struct refusals refusals = { 0 };
	int r = configure(userdata, m, &refusals);

	return r < 0 && r != -EINVAL ? r : reply_refusals(m, &refusals);
}

/* ---- devices ---- */

struct device *host_find_device(const struct host *h, uint64_t generation, uint32_t id)
{
	struct host_bus *b;
	struct device *d;

	list_for_each(b, &h->buses, node) {
		d = b->setup->configuration->generation == generation ? bus_find(b, id) : NULL;
		if (d)
			return d;
	}
	return NULL;
}

static _unused_ int on_clock(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct host *h = userdata;
	uint64_t usec;
	int r = sd_bus_message_read(m, "t", &usec);

	if (r < 0)
		return r;
	clock_advance(usec);
	timers_run(h->timers);
	return sd_bus_reply_method_return(m, NULL);
}

static int on_service(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct host *h = userdata;

	return services_call(h->loader, &h->buses, m, error);
}

/* The most that one message of each kind can have is in link/host1.h. */
static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Describe", "s", LINK_TYPE_DESCRIPTION, on_describe,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Configure", LINK_TYPE_CONFIGURE "t", LINK_TYPE_REFUSALS, on_configure,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Decode", LINK_TYPE_CONFIGURE "u" LINK_TYPE_CELLS LINK_TYPE_INPUTS,
		      LINK_TYPE_REFUSALS LINK_TYPE_SAMPLES, sample_call,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Raw", LINK_TYPE_RAW, LINK_TYPE_RAW_ANSWER, on_service,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Scan", LINK_TYPE_SCAN, LINK_TYPE_SCAN_ANSWER, on_service,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Release", LINK_TYPE_RELEASE, "", on_service, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Record", LINK_TYPE_RECORD, LINK_TYPE_RECORD_ANSWER, on_service,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Ping", "y", "", on_ping, SD_BUS_VTABLE_UNPRIVILEGED),
#ifdef TEST_CLOCK
	SD_BUS_METHOD("Clock", "t", "", on_clock, SD_BUS_VTABLE_UNPRIVILEGED),
#endif
	SD_BUS_VTABLE_END,
};

/* ---- the end ---- */

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct host *h = userdata;

	return sd_event_exit(h->event, EXIT_SUCCESS);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
	struct host *h = userdata;

	return sd_event_exit(h->event, EXIT_SUCCESS);
}

/* The daemon gives a host one bus, or a part of one. */
static void log_end(const struct host *h, const char *text)
{
	struct host_bus *b;

	list_for_each(b, &h->buses, node) {
		const struct log_about about = { .bus = bus_name(b) };

		log_error(&about, "bus %s: %s", about.bus, text);
	}
}

static void on_lost(void *userdata)
{
	struct host *h = userdata;

	log_end(h, "the daemon takes no values of this plugin host any more");
	sd_event_exit(h->event, EXIT_FAILURE);
}

static void on_farewell(struct timer *timer, void *userdata)
{
	struct host *h = userdata;

	sd_event_exit(h->event, EXIT_FAILURE);
}

static void on_stuck(void *userdata)
{
	struct host *h = userdata;

	if (timer_is_armed(&h->farewell))
		return;
	log_end(h, "this plugin host cannot go on and is to be replaced");
	if (timer_arm_in(&h->farewell, HOST_FAREWELL_USEC) < 0)
		on_farewell(&h->farewell, h);
}

/* ---- life ---- */

static int add_signals(struct host *h)
{
	static const int signals[] = { SIGTERM, SIGINT };
	sigset_t set;
	int r;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&set, signals[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	/* A peer that has closed a connection must be an error of write(), in every thread. */
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		r = sd_event_add_signal(h->event, NULL, signals[i], on_signal, h);
		if (r < 0)
			return r;
	}
	return 0;
}

static int open_link(struct host *h, int fd)
{
	int r;

	r = link_new(h->event, fd, true, &h->link);
	if (r < 0)
		return r;
	r = sd_bus_add_object_vtable(h->link, NULL, LINK_PATH, LINK_INTERFACE, vtable, h);
	if (r >= 0)
		r = sd_bus_add_object_vtable(h->link, NULL, LINK_PATH, LINK_INTERFACE, calls_vtable,
					     h);
	if (r < 0)
		return r;
	return sd_bus_match_signal(h->link, NULL, "org.freedesktop.DBus.Local",
				   "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local",
				   "Disconnected", on_disconnected, h);
}

static int host_setup(struct host *h, const struct host_options *options)
{
	int r;

	h->plugins = options->plugins;
	list_init(&h->buses);
	list_init(&h->retired);
	h->log_budget.limit = HOST_LOG_MAX;
	r = sd_event_default(&h->event);
	if (r >= 0)
		r = sd_event_set_watchdog(h->event, 1);
	if (r >= 0)
		r = timers_new(h->event, &h->timers);
	if (r >= 0)
		r = loader_new(options->plugins, &h->loader);
	if (r >= 0)
		r = workers_new(h->event, &h->workers);
	if (r >= 0)
		r = add_signals(h);
	if (r < 0) {
		close(options->fd);
		return r;
	}
	timer_init(&h->farewell, h->timers, on_farewell, h);
	r = open_link(h, options->fd);
	if (r >= 0)
		r = attempts_new(&h->services, &h->attempts);
	return r < 0 ? r : values_new(h->link, h->timers, on_lost, h, &h->values);
}

static bool list_has_ended(struct list *buses)
{
	struct host_bus *b;

	list_for_each(b, buses, node)
		if (!bus_has_ended(b))
			return false;
	return true;
}

static void free_buses(struct list *buses)
{
	struct host_bus *b;

	list_for_each(b, buses, node)
		bus_free(b);
}

static void forget_bus(struct host_bus *b, void *userdata)
{
}

/*
 * Threads that wait for a device end with the process, and what they use must
 * stay until then: in that case everything does.
 */
static bool stop_buses(struct host *h)
{
	uint64_t end = usec_add(clock_monotonic_usec(), HOST_JOIN_USEC);
	struct host_bus *b;

	list_for_each(b, &h->buses, node)
		bus_retire(b, forget_bus, NULL);
	attempts_stop(h->attempts);
	while (!list_has_ended(&h->buses) || !list_has_ended(&h->retired) ||
	       !attempts_have_ended(h->attempts)) {
		if (clock_monotonic_usec() >= end)
			return false;
		workers_wait(h->workers, HOST_JOIN_USEC / USEC_PER_MSEC);
	}
	return true;
}

static struct host *host_free(struct host *h)
{
	if (!stop_buses(h)) {
		h->link = link_free(h->link);
		return NULL;
	}
	free_buses(&h->buses);
	free_buses(&h->retired);
	attempts_free(h->attempts);
	values_free(h->values);
	memory_done(&h->memory);
	if (h->timers)
		timer_disarm(&h->farewell);
	link_free(h->link);
	workers_free(h->workers);
	loader_free(h->loader);
	timers_free(h->timers);
	sd_event_unref(h->event);
	free(h);
	return NULL;
}

int host_run(const struct host_options *options)
{
	struct host *h = calloc(1, sizeof(*h));
	int r;

	if (!h) {
		close(options->fd);
		return EXIT_FAILURE;
	}
	r = host_setup(h, options);
	h->services = (struct host_services){
		.event = h->event,
		.link = h->link,
		.timers = h->timers,
		.workers = h->workers,
		.values = h->values,
		.log_budget = &h->log_budget,
		.grace_usec = options->grace_usec ?: LINE_GRACE_USEC,
		.stuck = on_stuck,
		.userdata = h,
	};
	if (r >= 0) {
		memory_watch(&h->memory, &h->services, &h->buses);
		sd_notify(0, "READY=1\nSTATUS=Without a bus so far");
		r = sd_event_loop(h->event);
	}
	/* The daemon went before the link was made. */
	if (r == -ECONNRESET)
		r = 0;
	if (r < 0)
		log_error(NULL, "cannot run: %s", strerror(-r));
	host_free(h);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
