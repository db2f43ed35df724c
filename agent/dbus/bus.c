/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <grp.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "dbus/internal.h"

#define RECONNECT_FIRST_USEC USEC_PER_SEC
#define RECONNECT_LAST_USEC (30 * USEC_PER_SEC)
/*
 * Anybody may ask, and one answer can cost as much as thousands of notifications:
 * it waits until values and servers have had their turn.
 */
#define BUS_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10)

static void bus_close(struct dbus *d)
{
	/* First: what that changes is told to nobody. */
	programs_forget(d, true);
	changes_forget(d);
	orders_forget(d);
	watches_forget(d);
	snapshots_forget(d);
	wishes_forget(d);
	d->named = false;
	if (!d->bus)
		return;
	sd_bus_detach_event(d->bus);
	sd_bus_close(d->bus);
	d->bus = sd_bus_unref(d->bus);
}

/* Once until it works again: a machine without a bus is no error. */
static void bus_failed(struct dbus *d, const char *what, int r)
{
	if (!d->told)
		log_notice(NULL, "D-Bus: %s (%s): fieldwayctl does not work until that succeeds",
			   what, strerror(-r));
	d->told = true;
	/* Not here: sd-bus may be calling. */
	timer_arm_in(&d->reconnect, backoff_next(&d->backoff, random_u64()));
}

static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct dbus *d = userdata;

	(void)m;
	(void)error;
	d->named = false;
	bus_failed(d, "the bus closed the connection", -ECONNRESET);
	return 0;
}

static int on_named(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const sd_bus_error *e = sd_bus_message_get_error(m);
	struct dbus *d = userdata;
	uint32_t answer;

	(void)error;
	if (e) {
		bus_failed(d, "no permission to have the name " AGENT1_NAME,
			   -sd_bus_message_get_errno(m));
		return 1;
	}
	/* 1: we are the owner now (D-Bus specification, RequestName). */
	if (sd_bus_message_read(m, "u", &answer) < 0 || answer != 1) {
		bus_failed(d, "another program has the name " AGENT1_NAME, -EEXIST);
		return 1;
	}
	if (d->told)
		log_notice(NULL, "D-Bus: " AGENT1_NAME " is there");
	d->named = true;
	d->told = false;
	backoff_reset(&d->backoff);
	return 1;
}

static int bus_open(const char *address, sd_bus **ret)
{
	sd_bus *bus = NULL;
	int r;

	if (streq(address, "system"))
		return sd_bus_open_system(ret);
	if (streq(address, "session"))
		return sd_bus_open_user(ret);
	r = sd_bus_new(&bus);
	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(bus, 1);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0)
		sd_bus_unref(bus);
	else
		*ret = bus;
	return r;
}

static int bus_publish(struct dbus *d)
{
	int r = snapshots_publish(d);

	if (r >= 0)
		r = room_guard(d);
	if (r >= 0)
		r = sd_bus_add_object_manager(d->bus, NULL, AGENT1_PATH);
	if (r >= 0)
		r = sd_bus_add_object_vtable(d->bus, NULL, AGENT1_PATH, AGENT1_MANAGER,
					     manager_vtable, d);
	if (r >= 0)
		r = items_publish(&d->endpoints, d->bus, endpoint_vtable);
	if (r >= 0)
		r = items_publish(&d->devices, d->bus, device_vtable);
	if (r >= 0)
		r = items_publish(&d->buses, d->bus, bus_vtable);
	if (r >= 0)
		r = sd_bus_match_signal(d->bus, NULL, "org.freedesktop.DBus.Local",
					"/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local",
					"Disconnected", on_disconnected, d);
	return r;
}

/*
 * Everything stands before the name does. RequestName by hand, for sd-bus's own
 * call has a deadline that it keeps with a clock of its own.
 */
static int bus_connect(struct dbus *d)
{
	sd_bus_message *m = NULL;
	int r = bus_open(d->config.address, &d->bus);

	if (r >= 0)
		r = bus_publish(d);
	if (r >= 0)
		r = sd_bus_attach_event(d->bus, d->config.event, BUS_PRIORITY);
	if (r >= 0)
		r = sd_bus_message_new_method_call(d->bus, &m, "org.freedesktop.DBus",
						   "/org/freedesktop/DBus", "org.freedesktop.DBus",
						   "RequestName");
	/* 4: do not wait in its queue. */
	if (r >= 0)
		r = sd_bus_message_append(m, "su", AGENT1_NAME, 4);
	if (r >= 0)
		r = sd_bus_call_async(d->bus, NULL, m, on_named, d, UINT64_MAX);
	sd_bus_message_unref(m);
	return r;
}

static void connect_again(struct timer *timer, void *userdata)
{
	struct dbus *d = userdata;
	int r;

	(void)timer;
	bus_close(d);
	r = bus_connect(d);
	if (r >= 0)
		return;
	bus_close(d);
	bus_failed(d, "no connection to the bus", r);
}

/* Looked up once: names of groups may come from the network, and the loop does not wait. */
static void find_group(struct dbus *d)
{
	const struct group *group = getgrnam(AGENT1_GROUP);

	d->has_group = group != NULL;
	if (group)
		d->group = group->gr_gid;
}

static int init_items(struct dbus *d)
{
	const struct config *c = d->config.config;
	int r;

	d->endpoints = (struct items){ .dbus = d, .path = AGENT1_ENDPOINT_PATH,
				       .interface = AGENT1_ENDPOINT,
				       .name = endpoint_item_name,
				       .properties = endpoint_changing,
				  .settled = endpoint_settled };
	d->devices = (struct items){ .dbus = d, .path = AGENT1_DEVICE_PATH,
				     .interface = AGENT1_DEVICE,
				     .name = device_item_name,
				     .properties = device_changing,
				  .settled = device_settled };
	d->buses = (struct items){ .dbus = d, .path = AGENT1_BUS_PATH,
				   .interface = AGENT1_BUS,
				   .name = bus_item_name,
				   .properties = bus_changing,
				  .settled = bus_settled };
	r = items_init(&d->endpoints, c->empty ? 0 : c->n_endpoints + 1);
	if (r >= 0)
		r = items_init(&d->devices, c->n_devices);
	return r < 0 ? r : items_init(&d->buses, c->n_buses);
}

int dbus_new(const struct dbus_config *config, const struct dbus_ports *ports, void *userdata,
	     struct dbus **ret)
{
	struct dbus *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	d->config = *config;
	d->ports = *ports;
	d->userdata = userdata;
	d->backoff = (struct backoff){ RECONNECT_FIRST_USEC, RECONNECT_LAST_USEC, 0 };
	d->manager = (struct item){ .dbus = d };
	list_init(&d->orders);
	list_init(&d->connections);
	changes_init(d);
	watches_init(d);
	snapshots_init(d);
	programs_init(d);
	wishes_init(d);
	timer_init(&d->reconnect, config->timers, connect_again, d);
	find_group(d);
	r = init_items(d);
	if (r >= 0)
		r = timer_arm_in(&d->reconnect, 0);
	if (r < 0) {
		dbus_free(d);
		return r;
	}
	*ret = d;
	return 0;
}

struct dbus *dbus_free(struct dbus *d)
{
	if (!d)
		return NULL;
	timer_disarm(&d->reconnect);
	/* The field has gone before. */
	programs_forget(d, false);
	bus_close(d);
	items_done(&d->endpoints);
	items_done(&d->devices);
	items_done(&d->buses);
	free(d);
	return NULL;
}
