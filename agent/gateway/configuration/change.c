/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/configuration/change.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/configuration/reader.h"
#include "gateway/wire_internal.h"

/* What each module has made ready beforehand. */
struct change {
	const struct config_difference *difference;
	const struct config *after;
	const struct definitions *definitions;
	const uint32_t *lines; /* fieldbus_lines() */
	struct registry_change *registry;
	struct status_change status;
	struct dbus_change *dbus;
};

static void change_done(struct change *c)
{
	c->registry = registry_change_free(c->registry);
	c->dbus = dbus_change_free(c->dbus);
	status_change_done(&c->status);
}

static int change_prepare(struct gateway *g, const struct reading *reading, struct change *ret)
{
	struct change c = {
		.difference = reading->difference,
		.after = reading->loaded.config,
		.definitions = reading->loaded.definitions,
		.lines = fieldbus_lines(reading->loaded.describer),
	};
	int r = status_prepare(c.after, &c.status);

	if (r >= 0)
		r = dbus_prepare(g->dbus, c.difference, &c.dbus);
	if (r >= 0)
		r = registry_prepare(g->registry, c.difference, c.definitions, &c.registry);
	if (r < 0)
		change_done(&c);
	else
		*ret = c;
	return r;
}

static bool is_new(const struct change *c, uint32_t endpoint)
{
	return c->difference->endpoints[endpoint].before == CONFIG_NONE;
}

/* One that cannot be shown costs none of the others. */
static void attach_new(struct gateway *g, const struct change *c, uint32_t i)
{
	int r = mapping_attach(g->mapping, i, registry_store(g->registry, i));

	if (r < 0)
		log_error(&(struct log_about){ .endpoint = c->after->endpoints[i].endpoint },
			  "%s: shows nothing of its devices: %s", c->after->endpoints[i].name, strerror(-r));
}

/* The store, and who stands before it. */
static int change_values(struct gateway *g, const struct change *c)
{
	int r = mapping_reload(g->mapping, c->after, c->definitions, c->difference);

	if (r < 0)
		return r;
	registry_renew(c->registry);
	for (uint32_t i = 0; i < c->after->n_endpoints; i++)
		if (is_new(c, i))
			attach_new(g, c, i);
	return 0;
}

/* Of devices that are the same nobody is told anything, and yet their numbers are others. */
static void change_status(struct gateway *g, const struct change *c)
{
	for (uint32_t i = 0; i < c->after->n_devices; i++)
		status_device(g->status, i, fieldbus_device_state(g->fieldbus, i, NULL));
	for (uint32_t i = 0; i < c->after->n_endpoints; i++)
		if (mapping_is_blind(g->mapping, i))
			registry_seen(g->registry, i, true);
}

/* Keys that servers had before are not kept for ever. */
static void forget_keys(struct gateway *g, const struct config *after)
{
	_cleanup_free_ const char **references = calloc(after->n_servers + 2, sizeof(*references));
	size_t n = 0;

	for (size_t i = 0; references && i < after->n_servers; i++)
		references[n++] = after->servers[i].psk_key;
	if (references && after->bootstrap.server.psk_key)
		references[n++] = after->bootstrap.server.psk_key;
	if (references)
		secret_store_retain(g->secrets, references, n);
}

/* Everybody counts as the new configuration does before anybody tells anything. */
static int change_commit(struct gateway *g, struct change *c)
{
	int r;

	registry_commit(c->registry);
	status_commit(g->status, &c->status);
	dbus_commit(c->dbus);
	r = change_values(g, c);
	if (r >= 0)
		r = fieldbus_reload(g->fieldbus, c->after, c->difference, c->lines);
	if (r < 0)
		return r;
	mapping_catch_up(g->mapping, c->difference);
	metrics_reload(g->metrics, c->after, false);
	registry_pause_field(g->registry);
	status_paused(g->status, registry_count_paused(g->registry));
	registry_field_started(g->registry);
	change_status(g, c);
	registry_settle(c->registry);
	forget_keys(g, c->after);
	return 0;
}

static void take_over(struct gateway *g, struct reading *reading)
{
	struct loaded former = g->loaded;

	g->loaded = reading->loaded;
	reading->loaded = former;
}

int change_apply(struct gateway *g, struct reading *reading, uint64_t *ret_usec)
{
	uint64_t begun = clock_monotonic_usec();
	struct change c;
	int r = change_prepare(g, reading, &c);

	if (r < 0)
		return r;
	raise_descriptors(c.after);
	r = change_commit(g, &c);
	take_over(g, reading);
	change_done(&c);
	*ret_usec = clock_monotonic_usec() - begun;
	if (r >= 0)
		return 0;
	/* Neither configuration is in force; a new process has the memory to begin. */
	log_error(NULL, "the change of the configuration broke off: %s", strerror(-r));
	sd_event_exit(g->event, r);
	return -ENOTRECOVERABLE;
}
