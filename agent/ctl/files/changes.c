/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/files/changes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/keys.h"

const char *change_name(enum change_sort sort)
{
	static const char *const names[] = {
		[CHANGE_NEW] = "new",
		[CHANGE_GONE] = "gone",
		[CHANGE_OTHER] = "changed",
	};

	return names[sort];
}

static int add(struct changes *c, enum change_sort sort, const char *kind, const char *name,
	       const char *effect)
{
	size_t allocated = c->allocated ? 2 * c->allocated : 32;
	struct change *grown;

	if (c->n == c->allocated) {
		grown = reallocarray(c->items, allocated, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		c->items = grown;
		c->allocated = allocated;
	}
	c->items[c->n++] = (struct change){ sort, kind, name, effect };
	return 0;
}

void changes_done(struct changes *c)
{
	free(c->items);
	arena_done(&c->arena);
}

/* ---- the gateway itself ---- */

static bool same_stale(const struct config *a, const struct config *b)
{
	return a->stale.times == b->stale.times && a->stale.after_usec == b->stale.after_usec &&
	       a->stale.read == b->stale.read;
}

static bool same_register(const struct config *a, const struct config *b)
{
	return a->register_wait == b->register_wait &&
	       a->register_at_most_usec == b->register_at_most_usec;
}

static bool same_writes(const struct config *a, const struct config *b)
{
	return a->writes_audit == b->writes_audit && a->writes_allow == b->writes_allow &&
	       a->writes_strict == b->writes_strict;
}

static bool same_limits(const struct config *a, const struct config *b)
{
	return a->limits.endpoints == b->limits.endpoints && a->limits.sessions == b->limits.sessions;
}

static bool same_metrics(const struct config *a, const struct config *b)
{
	return streq_null(a->metrics.path, b->metrics.path) &&
	       streq_null(a->metrics.host, b->metrics.host) && a->metrics.port == b->metrics.port;
}

static bool same_patterns(const struct config_server *a, const struct config_server *b)
{
	if (a->n_endpoints != b->n_endpoints)
		return false;
	for (size_t i = 0; i < a->n_endpoints; i++)
		if (!streq(a->endpoints[i], b->endpoints[i]))
			return false;
	return true;
}

static bool same_bootstrap(const struct config *a, const struct config *b)
{
	const struct config_bootstrap *x = &a->bootstrap, *y = &b->bootstrap;

	return streq_null(x->server.uri, y->server.uri) && x->server.security == y->server.security &&
	       streq_null(x->server.psk_identity, y->server.psk_identity) &&
	       streq_null(x->server.psk_key, y->server.psk_key) && same_patterns(&x->server, &y->server) &&
	       x->use == y->use && x->pack == y->pack && x->hold_off_s == y->hold_off_s;
}

static bool same_packages(const struct config_firmware *a, const struct config_firmware *b)
{
	const struct config_server *x = &a->source, *y = &b->source;

	if (!streq_null(x->uri, y->uri) || x->security != y->security || !streq_null(x->psk_identity, y->psk_identity) ||
	    !streq_null(x->psk_key, y->psk_key))
		return false;
	return streq_null(a->handler, b->handler) && a->max_size == b->max_size && streq_null(a->trust, b->trust);
}

static bool same_firmware(const struct config *a, const struct config *b)
{
	return same_packages(&a->firmware, &b->firmware);
}

static bool same_software(const struct config *a, const struct config *b)
{
	if (a->n_software != b->n_software)
		return false;
	for (size_t i = 0; i < a->n_software; i++) {
		const struct config_software *x = &a->software[i], *y = &b->software[i];

		if (!streq(x->name, y->name) || x->instance != y->instance || !same_packages(&x->package, &y->package))
			return false;
	}
	return true;
}

static bool same_modbus(const struct config *a, const struct config *b)
{
	const struct config_gateway *x = &a->gateway, *y = &b->gateway;

	if (x->modbus_access != y->modbus_access || x->n_modbus_buses != y->n_modbus_buses)
		return false;
	for (size_t i = 0; i < x->n_modbus_buses; i++)
		if (!streq(x->modbus_buses[i], y->modbus_buses[i]))
			return false;
	return true;
}

static const char *device_name(const struct config *c, const struct config_map *row)
{
	return row->kind == CONFIG_MAP_CONSTANT ? "" : c->devices[row->device].name;
}

static const char *point_name(const struct config *c, const struct config_map *row)
{
	return row->kind == CONFIG_MAP_CONSTANT ? "" : c->devices[row->device].type->points[row->point].name;
}

static bool same_host_row(const struct config *a, const struct config *b, size_t i)
{
	const struct config_map *x = &a->host_endpoint.map[i], *y = &b->host_endpoint.map[i];

	return path_equal(&x->path, &y->path) && x->kind == y->kind && x->alarm == y->alarm &&
	       x->argument == y->argument && x->unit == y->unit && value_equal(&x->constant, &y->constant) &&
	       streq(device_name(a, x), device_name(b, y)) && streq(point_name(a, x), point_name(b, y));
}

static bool same_host_rows(const struct config *a, const struct config *b)
{
	if (a->host_endpoint.n_map != b->host_endpoint.n_map)
		return false;
	for (size_t i = 0; i < a->host_endpoint.n_map; i++)
		if (!same_host_row(a, b, i))
			return false;
	return true;
}

static bool same_host(const struct config *a, const struct config *b)
{
	return a->host.may_reboot == b->host.may_reboot && a->host.may_set_time == b->host.may_set_time &&
	       a->host.may_set_timezone == b->host.may_set_timezone &&
	       a->host.may_factory_reset == b->host.may_factory_reset && same_host_rows(a, b);
}

/* Sections of fieldway.yaml, and the table that knows what a change of one costs. */
static const struct {
	const char *name;
	bool (*same)(const struct config *a, const struct config *b);
	const struct key_table *keys;
} sections[] = {
	{ "stale", same_stale, &keys_stale },	     { "register", same_register, &keys_register },
	{ "writes", same_writes, &keys_writes },     { "limits", same_limits, &keys_limits },
	{ "metrics", same_metrics, &keys_metrics }, { "modbus_objects", same_modbus, &keys_modbus_objects },
	{ "bootstrap", same_bootstrap, &keys_bootstrap }, { "host", same_host, &keys_host },
	{ "firmware", same_firmware, &keys_firmware }, { "software", same_software, &keys_software },
};

static const char *cost_of(enum key_reload reload)
{
	switch (reload) {
	case RELOAD_LIVE:
		return "holds from then on, nothing is interrupted";
	case RELOAD_ENDPOINT:
		return "the endpoints concerned register again";
	case RELOAD_BUS:
		return "the buses concerned are set up anew";
	}
	return "";
}

static int find_sections(const struct config_difference *d, struct changes *c)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sections) && r >= 0; i++)
		if (!sections[i].same(d->before, d->after))
			r = add(c, CHANGE_OTHER, "gateway", sections[i].name,
				cost_of(sections[i].keys->keys[0].reload));
	return r;
}

static int find_gateway(const struct config_difference *d, struct changes *c)
{
	const struct config *a = d->before, *b = d->after;

	if (!streq_null(a->gateway.endpoint, b->gateway.endpoint))
		return add(c, CHANGE_OTHER, "gateway", "host",
			   "another endpoint client name: de-registers, and registers anew");
	return 0;
}

/* ---- servers ---- */

static const char *server_effect(const struct config_server *before, const struct config_server *after)
{
	if (!config_server_is_same(before, after))
		return "its endpoints de-register, and register anew";
	if (!same_patterns(before, after))
		return "some endpoints register there, or de-register";
	if (before->queue_mode != after->queue_mode)
		return cost_of(RELOAD_ENDPOINT);
	if (before->lifetime_s != after->lifetime_s)
		return "its endpoints tell it so, and stay registered";
	if (!streq_null(before->psk_key, after->psk_key))
		return "its keys are used at the next handshake";
	return cost_of(RELOAD_LIVE);
}

static int find_servers(const struct config_difference *d, struct changes *c)
{
	int r = 0;

	for (size_t i = 0; i < d->after->n_servers && r >= 0; i++) {
		const struct config_successor *s = &d->servers[i];

		if (s->before == CONFIG_NONE)
			r = add(c, CHANGE_NEW, "server", d->after->servers[i].name,
				"endpoints register there");
		else if (!s->same)
			r = add(c, CHANGE_OTHER, "server", d->after->servers[i].name,
				server_effect(&d->before->servers[s->before], &d->after->servers[i]));
	}
	for (size_t i = 0; i < d->before->n_servers && r >= 0; i++)
		if (d->servers_after[i] == CONFIG_NONE)
			r = add(c, CHANGE_GONE, "server", d->before->servers[i].name,
				"endpoints de-register there");
	return r;
}

/* ---- buses ---- */

static size_t devices_on(const struct config *c, uint32_t bus)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_devices; i++)
		n += c->devices[i].bus == bus && c->devices[i].enabled;
	return n;
}

static const char *bus_effect(struct changes *c, const struct config *config, uint32_t bus,
			      const char *text)
{
	size_t n = devices_on(config, bus);
	char *effect = NULL;
	const char *kept;

	if (asprintf(&effect, "%s, with %zu device%s", text, n, n == 1 ? "" : "s") < 0)
		return NULL;
	kept = arena_text(&c->arena, effect, strlen(effect));
	free(effect);
	return kept;
}

static int add_bus(struct changes *c, enum change_sort sort, const struct config *config,
		   uint32_t bus, const char *text)
{
	const char *effect = bus_effect(c, config, bus, text);

	return effect ? add(c, sort, "bus", config->buses[bus].name, effect) : -ENOMEM;
}

static int find_buses(const struct config_difference *d, struct changes *c)
{
	int r = 0;

	for (uint32_t i = 0; i < d->after->n_buses && r >= 0; i++) {
		const struct config_successor *s = &d->buses[i];

		if (s->before == CONFIG_NONE)
			r = add_bus(c, CHANGE_NEW, d->after, i, "is set up");
		else if (!s->same)
			r = add_bus(c, CHANGE_OTHER, d->after, i, "is set up anew");
	}
	for (uint32_t i = 0; i < d->before->n_buses && r >= 0; i++)
		if (d->buses_after[i] == CONFIG_NONE)
			r = add_bus(c, CHANGE_GONE, d->before, i, "is closed");
	return r;
}

/* ---- devices ---- */

/* Why it is not the same, as far as one reason is enough. */
static const char *device_effect(const struct config_difference *d, uint32_t i)
{
	uint32_t old = d->devices[i].before;
	const struct config_device *a = &d->before->devices[old], *b = &d->after->devices[i];

	if (a->enabled != b->enabled)
		return b->enabled ? "is polled again" : "is not polled any more";
	if (!streq(a->type->profile, b->type->profile))
		return "has another profile, is polled by it";
	if (!d->buses[b->bus].same)
		return "its bus changes";
	if (a->type->revision != b->type->revision)
		return "its profile has another revision";
	return "its address, profile or parameters change, is read anew";
}

static int find_devices(const struct config_difference *d, struct changes *c)
{
	int r = 0;

	for (uint32_t i = 0; i < d->after->n_devices && r >= 0; i++) {
		const struct config_successor *s = &d->devices[i];

		if (s->before == CONFIG_NONE)
			r = add(c, CHANGE_NEW, "device", d->after->devices[i].name, "is polled");
		else if (!s->same)
			r = add(c, CHANGE_OTHER, "device", d->after->devices[i].name,
				device_effect(d, i));
	}
	for (uint32_t i = 0; i < d->before->n_devices && r >= 0; i++)
		if (d->devices_after[i] == CONFIG_NONE)
			r = add(c, CHANGE_GONE, "device", d->before->devices[i].name,
				"is not polled any more");
	return r;
}

/* ---- endpoints ---- */

/* Has the other configuration this YAML name under another client name? */
static bool is_renamed(const struct config *other, const struct config_endpoint *e)
{
	for (size_t i = 0; i < other->n_endpoints; i++)
		if (streq(other->endpoints[i].name, e->name))
			return !streq(other->endpoints[i].endpoint, e->endpoint);
	return false;
}

static int find_new_endpoint(const struct config_difference *d, uint32_t i, struct changes *c)
{
	const struct config_endpoint *e = &d->after->endpoints[i];

	if (is_renamed(d->before, e))
		return add(c, CHANGE_OTHER, "endpoint", e->name,
			   "another endpoint client name: de-registers, and registers anew");
	return add(c, CHANGE_NEW, "endpoint", e->name, "registers");
}

static int find_endpoints(const struct config_difference *d, struct changes *c)
{
	int r = 0;

	for (uint32_t i = 0; i < d->after->n_endpoints && r >= 0; i++) {
		const struct config_successor *s = &d->endpoints[i];

		if (s->before == CONFIG_NONE)
			r = find_new_endpoint(d, i, c);
		else if (!s->same)
			r = add(c, CHANGE_OTHER, "endpoint", d->after->endpoints[i].name,
				"one Update, where its objects change; its registration stays");
	}
	for (uint32_t i = 0; i < d->before->n_endpoints && r >= 0; i++)
		if (d->endpoints_after[i] == CONFIG_NONE &&
		    !is_renamed(d->after, &d->before->endpoints[i]))
			r = add(c, CHANGE_GONE, "endpoint", d->before->endpoints[i].name,
				"de-registers");
	return r;
}

int changes_find(const struct config_difference *d, struct changes *ret)
{
	static int (*const finders[])(const struct config_difference *, struct changes *) = {
		find_gateway, find_sections, find_servers, find_buses, find_devices, find_endpoints,
	};
	struct changes c = { 0 };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(finders) && r >= 0; i++)
		r = finders[i](d, &c);
	if (r < 0)
		changes_done(&c);
	else
		*ret = c;
	return r;
}
