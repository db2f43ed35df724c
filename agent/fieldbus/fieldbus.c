/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/str.h"
#include "fieldbus/local_internal.h"

#ifdef TEST_CLOCK
static const bool test_clock_is_built = true;
#else
static const bool test_clock_is_built = false;
#endif

/* What all hosts together may take to end: this blocks the loop. */
#define STOP_USEC (500 * USEC_PER_MSEC)

/* After anything that the loop has done: one of those may have been a step of the clock. */
static int fieldbus_follow_clock(sd_event_source *source, void *userdata)
{
	struct fieldbus *f = userdata;

	(void)source;
	for (size_t i = 0; i < f->n_hosts; i++)
		host_follow_clock(f->hosts[i]);
	return 0;
}

static int fieldbus_set_up(struct fieldbus *f, const struct fieldbus_config *config)
{
	int r;

	r = config->host_socket ? str_replace(&f->host_socket, config->host_socket) : 0;
	if (r >= 0)
		r = str_replace(&f->host_program, config->host_program);
	if (r >= 0)
		r = str_replace(&f->plugin_folder, config->plugin_folder);
	if (r >= 0 && config->event && test_clock_is_built)
		r = sd_event_add_post(config->event, &f->clock_source, fieldbus_follow_clock, f);
	return r;
}

DEFINE_FREEP(struct fieldbus *, fieldbus_free)

int fieldbus_new(const struct fieldbus_config *config, const struct fieldbus_ops *ops, void *userdata,
		 struct fieldbus **ret)
{
	_cleanup_(fieldbus_freep) struct fieldbus *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -ENOMEM;
	f->event = config->event;
	f->timers = config->timers;
	f->content = config->content;
	f->stop_fd = config->stop_fd;
	f->userdata = userdata;
	if (ops)
		f->ops = *ops;
	list_init(&f->plugins);
	list_init(&f->tasks);
	list_init(&f->leavers);
	r = fieldbus_set_up(f, config);
	if (r >= 0)
		*ret = TAKE_PTR(f);
	return r < 0 ? r : 0;
}

/* ---- end ---- */

static void wait_until(const struct process *p, uint64_t end, bool killed)
{
	uint64_t now = clock_monotonic_usec(), usec = end > now ? end - now : 0;

	if (killed)
		process_wait_killed(p, usec);
	else
		process_wait(p, usec);
}

static void hosts_wait(struct fieldbus *f, bool killed)
{
	uint64_t end = clock_monotonic_usec() + STOP_USEC;
	struct leaver *l;

	for (size_t i = 0; i < f->n_hosts; i++)
		wait_until(&f->hosts[i]->process, end, killed);
	list_for_each(l, &f->leavers, list)
		wait_until(&l->process, end, killed);
}

static void hosts_stop(struct fieldbus *f)
{
	struct leaver *l;

	for (size_t i = 0; i < f->n_hosts; i++)
		host_dismiss(f->hosts[i]);
	hosts_wait(f, false);
	for (size_t i = 0; i < f->n_hosts; i++)
		if (!process_wait(&f->hosts[i]->process, 0))
			process_signal(&f->hosts[i]->process, SIGKILL);
	list_for_each(l, &f->leavers, list)
		process_signal(&l->process, SIGKILL);
	hosts_wait(f, true);
	list_for_each(l, &f->leavers, list)
		leaver_free(l);
}

static void fieldbus_stop(struct fieldbus *f)
{
	char how[64];

	f->stopping = true;
	tasks_cancel(f);
	hosts_stop(f);
	for (size_t i = 0; i < f->n_hosts; i++) {
		process_reap(&f->hosts[i]->process, how, sizeof(how));
		writes_end(f->hosts[i], true, "canceled");
		inquiries_end(f->hosts[i], true);
	}
	for (size_t i = 0; i < f->n_hosts; i++)
		host_free(f->hosts[i]);
	for (size_t i = 0; f->config && f->devices && i < f->config->n_devices; i++) {
		f->devices[i].local = local_free(f->devices[i].local);
		free(f->devices[i].reason);
	}
	free(f->hosts);
	free(f->devices);
	free(f->switches);
	f->switches = NULL;
	f->hosts = NULL;
	f->devices = NULL;
	f->n_hosts = f->n_hosts_max = 0;
	f->config = NULL;
	f->stopping = false;
}

struct fieldbus *fieldbus_free(struct fieldbus *f)
{
	if (!f)
		return NULL;
	fieldbus_stop(f);
	sd_event_source_disable_unref(f->clock_source);
	plugins_free(f);
	free(f->lines);
	free(f->host_socket);
	free(f->host_program);
	free(f->plugin_folder);
	free(f);
	return NULL;
}

/* ---- start ---- */

/* The first device of a part brings its host. */
static int device_attach(struct fieldbus *f, uint32_t bus, uint32_t device, struct host **host)
{
	int r;

	if (!*host) {
		r = host_new(f, bus, host);
		if (r < 0)
			return r;
		f->hosts[f->n_hosts++] = *host;
	}
	r = host_reserve(*host, (*host)->n_members + 1);
	if (r < 0)
		return r;
	f->devices[device].host = *host;
	host_add(*host, device);
	return 0;
}

static int bus_attach(struct fieldbus *f, uint32_t bus, const uint32_t *lines)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct device_list list;
	struct host **hosts;
	uint32_t *parts;
	int r;

	if (bus_is_local(f->config, bus))
		return locals_attach(f, bus);
	r = device_list_of_bus(f->config, bus, false, &arena, &list);
	if (r < 0)
		return r;
	parts = arena_new(&arena, (list.n + 1) * sizeof(*parts));
	if (!parts)
		return -ENOMEM;
	for (size_t i = 0; i < list.n; i++)
		parts[i] = NO_PART;
	r = bus_split(lines, &list, 0, parts);
	if (r < 0)
		return r;
	hosts = arena_new(&arena, (size_t)r * sizeof(struct host *));
	r = hosts ? 0 : -ENOMEM;
	for (size_t i = 0; r >= 0 && i < list.n; i++)
		r = device_attach(f, bus, list.items[i], &hosts[parts[i]]);
	return r;
}

int bus_need_host(struct fieldbus *f, uint32_t bus)
{
	struct host *host;
	int r;

	for (size_t i = 0; i < f->n_hosts; i++)
		if (f->hosts[i]->bus == bus)
			return 0;
	if (f->n_hosts >= f->n_hosts_max)
		return -ENOMEM; /* there is room for one of each bus */
	r = host_new(f, bus, &host);
	if (r >= 0)
		f->hosts[f->n_hosts++] = host;
	return r;
}

static int hosts_make(struct fieldbus *f, const uint32_t *lines)
{
	/* Each part but the last of a bus has at least as many devices as lines; one without any may get a host. */
	size_t most = f->config->n_buses + f->config->n_devices / FIELDBUS_LINES_MAX;
	int r = 0;

	f->hosts = calloc(most + 1, sizeof(struct host *));
	f->devices = calloc(f->config->n_devices + 1, sizeof(*f->devices));
	f->switches = calloc(f->config->n_buses + 1, sizeof(*f->switches));
	if (!f->hosts || !f->devices || !f->switches)
		return -ENOMEM;
	f->n_hosts_max = most;
	for (uint32_t i = 0; r >= 0 && i < f->config->n_buses; i++)
		r = bus_attach(f, i, lines);
	return r;
}

int fieldbus_start(struct fieldbus *f, const struct config *config, const uint32_t *lines)
{
	int r;

	if (!f->event || !f->timers)
		return -EINVAL;
	fieldbus_stop(f);
	f->config = config;
	r = hosts_make(f, lines);
	if (r < 0)
		fieldbus_stop(f);
	else
		locals_begin(f);
	return r;
}
