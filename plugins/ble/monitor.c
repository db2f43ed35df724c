/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "beacon.h"
#include "session.h"

/*
 * Passive scanning by an advertisement monitor: the adapter listens, asks no
 * device anything, and reports what fits one of some patterns. Only for
 * sensors that broadcast: a device to be connected has to be discovered.
 */
#define MONITOR MONITOR_ROOT "/monitor"
/* The kernel takes so many (HCI_MAX_ADV_MONITOR_NUM_PATTERNS), each so long. */
#define PATTERNS_MAX 16u
#define PATTERN_MAX 31u

enum {
	AD_SERVICE_DATA_16 = 0x16,
	AD_SERVICE_DATA_32 = 0x20,
	AD_SERVICE_DATA_128 = 0x21,
	AD_MANUFACTURER = 0xff,
};

struct pattern {
	uint8_t type, size;
	uint8_t bytes[PATTERN_MAX];
};

static struct pattern service_pattern(const struct uuid *u)
{
	struct pattern p = { .type = AD_SERVICE_DATA_16, .size = 2 };
	struct uuid base = uuid_short(0);
	bool is_short = memcmp(u->bytes + 4, base.bytes + 4, sizeof(u->bytes) - 4) == 0;

	if (is_short && (u->bytes[0] || u->bytes[1])) {
		p.type = AD_SERVICE_DATA_32;
		p.size = 4;
	} else if (!is_short) {
		p.type = AD_SERVICE_DATA_128;
		p.size = sizeof(u->bytes);
	}
	/* On the air the lowest byte comes first. */
	for (size_t i = 0; i < p.size; i++)
		p.bytes[i] = u->bytes[(is_short ? 4 : sizeof(u->bytes)) - 1 - i];
	return p;
}

static struct pattern company_pattern(uint16_t company)
{
	return (struct pattern){ .type = AD_MANUFACTURER, .size = 2,
				 .bytes = { company & 0xff, (uint8_t)(company >> 8) } };
}

/* False: what the point needs cannot be told by a pattern. */
static bool point_pattern(const struct point *p, struct pattern *ret)
{
	struct uuid u;

	switch (p->source) {
	case SOURCE_BTHOME:
		u = uuid_short(BTHOME_UUID);
		*ret = service_pattern(&u);
		return true;
	case SOURCE_EDDYSTONE:
		u = uuid_short(EDDYSTONE_UUID);
		*ret = service_pattern(&u);
		return true;
	case SOURCE_IBEACON:
		*ret = company_pattern(IBEACON_COMPANY);
		return true;
	case SOURCE_MANUFACTURER:
		*ret = company_pattern(p->company);
		return true;
	case SOURCE_SERVICE_DATA:
		*ret = service_pattern(&p->uuid);
		return true;
	case SOURCE_GATT:
	case SOURCE_DEVICE:
		return false;
	}
	return false;
}

static bool add_pattern(struct pattern *all, size_t *n, const struct pattern *p)
{
	for (size_t i = 0; i < *n; i++)
		if (all[i].type == p->type && all[i].size == p->size &&
		    memcmp(all[i].bytes, p->bytes, p->size) == 0)
			return true;
	if (*n == PATTERNS_MAX)
		return false;
	all[(*n)++] = *p;
	return true;
}

/* Every device needs at least one, and none may be connected. */
static bool collect(const struct fieldway_session *s, struct pattern *all, size_t *ret_n)
{
	*ret_n = 0;
	for (size_t i = 0; i < s->n_remotes; i++) {
		const struct fieldway_driver *d = s->remotes[i]->driver;
		struct pattern p;
		bool found = false;

		if (remote_needs_connection(s->remotes[i]))
			return false;
		for (size_t j = 0; j < d->n_points; j++) {
			if (!point_pattern(&d->points[j], &p))
				continue;
			if (!add_pattern(all, ret_n, &p))
				return false;
			found = true;
		}
		if (!found)
			return false;
	}
	return *ret_n > 0;
}

bool monitor_fits(const struct fieldway_session *s)
{
	struct pattern patterns[PATTERNS_MAX];
	size_t n;

	return collect(s, patterns, &n);
}

static int get_patterns(sd_bus *bus, const char *path, const char *interface, const char *property,
			sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct pattern patterns[PATTERNS_MAX];
	size_t n;
	int r = sd_bus_message_open_container(reply, 'a', "(yyay)");

	if (!collect(userdata, patterns, &n))
		n = 0;
	for (size_t i = 0; i < n && r >= 0; i++) {
		r = sd_bus_message_open_container(reply, 'r', "yyay");
		if (r >= 0)
			r = sd_bus_message_append(reply, "yy", 0, patterns[i].type);
		if (r >= 0)
			r = sd_bus_message_append_array(reply, 'y', patterns[i].bytes, patterns[i].size);
		if (r >= 0)
			r = sd_bus_message_close_container(reply);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_type(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply,
		    void *userdata, sd_bus_error *error)
{
	return sd_bus_message_append(reply, "s", "or_patterns");
}

/* 0: everything is reported, not only the first of each device. */
static int get_period(sd_bus *bus, const char *path, const char *interface, const char *property,
		      sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	return sd_bus_message_append(reply, "q", 0);
}

static int on_release(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct fieldway_session *s = userdata;

	if (!session_is_bluez(s, m))
		return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "only bluetoothd may do that");
	s->passive = false;
	s->no_monitors = true;
	return sd_bus_reply_method_return(m, "");
}

/* What is found shows in the properties of its object. */
static int on_nothing(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	return sd_bus_reply_method_return(m, "");
}

static const sd_bus_vtable monitor_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Release", "", "", on_release, SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_METHOD_NO_REPLY),
	SD_BUS_METHOD("Activate", "", "", on_nothing, SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_METHOD_NO_REPLY),
	SD_BUS_METHOD("DeviceFound", "o", "", on_nothing,
		      SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_METHOD_NO_REPLY),
	SD_BUS_METHOD("DeviceLost", "o", "", on_nothing, SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_METHOD_NO_REPLY),
	SD_BUS_PROPERTY("Type", "s", get_type, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("RSSISamplingPeriod", "q", get_period, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Patterns", "a(yyay)", get_patterns, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_VTABLE_END,
};

int monitor_start(struct fieldway_session *s, sd_bus_message_handler_t done)
{
	sd_bus_message *m = NULL;
	int r;

	monitor_stop(s);
	r = sd_bus_add_object_manager(s->link, &s->monitor_slots[0], MONITOR_ROOT);
	if (r >= 0)
		r = sd_bus_add_object_vtable(s->link, &s->monitor_slots[1], MONITOR,
					     "org.bluez.AdvertisementMonitor1", monitor_vtable, s);
	if (r >= 0)
		r = link_call(s, s->adapter->path, BLUEZ_MONITORS, "RegisterMonitor", &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "o", MONITOR_ROOT);
	if (r >= 0)
		r = link_send(s, &s->setup, m, done, s, CALL_USEC);
	sd_bus_message_unref(m);
	return r;
}

void monitor_stop(struct fieldway_session *s)
{
	for (size_t i = 0; i < 2; i++)
		s->monitor_slots[i] = sd_bus_slot_unref(s->monitor_slots[i]);
}
