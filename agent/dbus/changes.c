/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/clock.h"
#include "dbus/internal.h"

/*
 * PropertiesChanged: changes within CHANGES_SETTLE_USEC are told together, and
 * when 10,000 endpoints change at once, some at a time; sd-bus would collect
 * them all in memory.
 */
#define CHANGES_SETTLE_USEC (200 * USEC_PER_MSEC)
#define CHANGES_AT_ONCE 500u

void changes_settle(struct dbus *d)
{
	if (d->named && !timer_is_armed(&d->tell))
		timer_arm_in(&d->tell, CHANGES_SETTLE_USEC);
}

void removed_free(struct removed *r)
{
	list_remove(&r->list);
	free(r->path);
	free(r);
}

/* As sd_bus_emit_object_removed() does, which needs the object to be there. */
static void tell_removed(struct dbus *d)
{
	struct removed *r;
	size_t told = 0;

	list_for_each(r, &d->removed, list) {
		if (told++ >= CHANGES_AT_ONCE || !has_room_for_signal(d))
			return;
		sd_bus_emit_interfaces_removed(d->bus, r->path, r->interface, "org.freedesktop.DBus.Peer",
					       "org.freedesktop.DBus.Introspectable",
					       "org.freedesktop.DBus.Properties", NULL);
		removed_free(r);
	}
}

static void tell_item(struct dbus *d, struct items *s, struct item *item)
{
	_cleanup_free_ char *path = items_path(s, d, item->id);

	s->n_changed--;
	item->again = !list_is_empty(&d->snapshots);
	if (path && item->added) {
		sd_bus_emit_object_added(d->bus, path);
	} else if (path) {
		if (item->renewed)
			sd_bus_emit_properties_changed_strv(d->bus, path, s->interface, s->settled);
		sd_bus_emit_properties_changed_strv(d->bus, path, s->interface, s->properties);
	}
	item->changed = item->renewed = item->added = false;
}

/* Goes on where the last portion ended, so that some that flap do not hide the others. */
static void tell_items(struct dbus *d, struct items *s)
{
	size_t told = 0;

	for (size_t i = 0; s->n_changed > 0 && i < s->n; i++) {
		struct item *item = s->items[s->next];

		if (item->changed && (told++ >= CHANGES_AT_ONCE || !has_room_for_signal(d)))
			return;
		if (item->changed)
			tell_item(d, s, item);
		s->next = (s->next + 1) % s->n;
	}
}

static void tell(struct timer *timer, void *userdata)
{
	struct dbus *d = userdata;

	(void)timer;
	if (!d->named)
		return;
	if (d->configuration_changed)
		sd_bus_emit_properties_changed_strv(d->bus, AGENT1_PATH, AGENT1_MANAGER,
						    manager_configuration);
	if (d->counts_changed)
		sd_bus_emit_properties_changed_strv(d->bus, AGENT1_PATH, AGENT1_MANAGER,
						    manager_changing);
	if (d->paused_changed)
		sd_bus_emit_properties_changed(d->bus, AGENT1_PATH, AGENT1_MANAGER, "Paused", NULL);
	d->configuration_changed = d->counts_changed = d->paused_changed = false;
	tell_removed(d);
	/* A name that went and came again came later. */
	if (list_is_empty(&d->removed)) {
		tell_items(d, &d->endpoints);
		tell_items(d, &d->devices);
		tell_items(d, &d->buses);
	}
	if (!list_is_empty(&d->removed) || d->endpoints.n_changed > 0 || d->devices.n_changed > 0 ||
	    d->buses.n_changed > 0)
		changes_settle(d);
}

void changes_init(struct dbus *d)
{
	list_init(&d->removed);
	timer_init(&d->tell, d->config.timers, tell, d);
}

static void forget_items(struct items *s)
{
	for (size_t i = 0; i < s->n; i++)
		s->items[i]->changed = s->items[i]->renewed = s->items[i]->added = false;
	s->n_changed = 0;
}

/* Whoever comes after a break reads everything anew. */
void changes_forget(struct dbus *d)
{
	struct removed *r;

	timer_disarm(&d->tell);
	list_for_each(r, &d->removed, list)
		removed_free(r);
	forget_items(&d->endpoints);
	forget_items(&d->devices);
	forget_items(&d->buses);
	d->counts_changed = d->configuration_changed = d->paused_changed = false;
}

static void item_changed(struct dbus *d, struct items *s, uint32_t id)
{
	/* Without a configuration not even the host is shown. */
	if (!d->named || id >= s->n || s->items[id]->changed)
		return;
	s->items[id]->changed = true;
	s->n_changed++;
	changes_settle(d);
}

static void tell_items_again(struct dbus *d, struct items *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->items[i]->again) {
			s->items[i]->again = false;
			item_changed(d, s, i);
		}
}

void changes_tell_again(struct dbus *d)
{
	tell_items_again(d, &d->endpoints);
	tell_items_again(d, &d->devices);
	tell_items_again(d, &d->buses);
}

void dbus_endpoint_changed(struct dbus *d, uint32_t endpoint)
{
	if (d)
		item_changed(d, &d->endpoints, endpoint);
}

void dbus_device_changed(struct dbus *d, uint32_t device)
{
	if (!d)
		return;
	item_changed(d, &d->devices, device);
	item_changed(d, &d->buses, d->config.config->devices[device].bus);
}

void dbus_counts_changed(struct dbus *d)
{
	if (!d)
		return;
	d->counts_changed = true;
	changes_settle(d);
}

void dbus_configuration_changed(struct dbus *d, enum dbus_configuration configuration, struct span errors,
				struct span warnings)
{
	if (!d)
		return;
	d->config.configuration = configuration;
	d->config.errors = errors;
	d->config.warnings = warnings;
	d->configuration_changed = true;
	changes_settle(d);
}

void dbus_paused_changed(struct dbus *d, enum dbus_kind kind, uint32_t id)
{
	if (!d)
		return;
	d->paused_changed = true;
	switch (kind) {
	case DBUS_ENDPOINT:
		item_changed(d, &d->endpoints, id);
		break;
	case DBUS_DEVICE:
		item_changed(d, &d->devices, id);
		break;
	case DBUS_BUS:
		item_changed(d, &d->buses, id);
		break;
	}
	changes_settle(d);
}
