/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "fieldbus/internal.h"

static const char *const state_names[] = {
	[FIELDBUS_UNKNOWN] = "unknown",
	[FIELDBUS_ONLINE] = "online",
	[FIELDBUS_OFFLINE] = "offline",
	[FIELDBUS_FAILED] = "failed",
	[FIELDBUS_PAUSED] = "paused",
};

const char *fieldbus_state_name(enum fieldbus_state state)
{
	return state_names[state];
}

static int state_level(enum fieldbus_state state)
{
	switch (state) {
	case FIELDBUS_UNKNOWN:
		return LOG_DEBUG; /* its host has been logged, once for all its devices */
	case FIELDBUS_ONLINE:
	case FIELDBUS_PAUSED:
		return LOG_INFO;
	case FIELDBUS_OFFLINE:
	case FIELDBUS_FAILED:
		return LOG_WARNING;
	}
	return LOG_DEBUG;
}

static void log_state(struct fieldbus *f, uint32_t device)
{
	const struct config_device *c = &f->config->devices[device];
	struct device *d = &f->devices[device];
	struct log_about about = { .bus = f->config->buses[c->bus].name };
	struct log_budget *of_all = d->host ? &d->host->log_budget : &f->local_log_budget;
	unsigned own = 0, all = 0;

	/* One that comes and goes must not hide that another has gone. */
	if (!log_is_on(state_level(d->state)) || !log_budget_take(&d->log_budget, &own) ||
	    !log_budget_take(of_all, &all))
		return;
	if (all > 0)
		log_notice(&about, "bus %s: %u changes of devices' states were not logged", about.bus, all);
	about.device = c->name;
	about.message_id = MESSAGE_DEVICE_STATE;
	if (own > 0)
		log_notice(&about, "bus %s: device %s: %u changes of its state were not logged", about.bus,
			   about.device, own);
	if (d->reason && d->state != FIELDBUS_PAUSED) /* which names the bus */
		log_full(state_level(d->state), &about, "device %s is %s: %s", c->name,
			 fieldbus_state_name(d->state), d->reason);
	else
		log_full(state_level(d->state), &about, "device %s of bus %s is %s", c->name, about.bus,
			 fieldbus_state_name(d->state));
}

void device_enter_state(struct fieldbus *f, uint32_t device, enum fieldbus_state state, const char *reason)
{
	struct device *d = &f->devices[device];
	enum fieldbus_state before = d->state;
	char text[FIELDBUS_REASON_MAX];

	snprintf(text, sizeof(text), "%s", reason ?: "");
	text[utf8_valid_prefix(text, strlen(text))] = '\0';
	if (state == before && streq(d->reason ?: "", text))
		return;
	d->state = state;
	free(d->reason);
	/* Without memory there is a state without a reason. */
	d->reason = *text ? strdup(text) : NULL;
	if (state != before)
		log_state(f, device);
	if (f->ops.state)
		f->ops.state(f->userdata, device, state, d->reason ?: "");
}

void device_begin(struct fieldbus *f, uint32_t device)
{
	uint32_t bus = f->config->devices[device].bus;
	char reason[FIELDBUS_REASON_MAX];

	if (!bus_is_off(f, bus)) {
		device_enter_state(f, device, FIELDBUS_UNKNOWN, NULL);
		return;
	}
	bus_off_text(f, bus, reason, sizeof(reason));
	device_enter_state(f, device, bus_off_state(f, bus), reason);
}

void device_carry_counters(struct device *d)
{
	d->before.requests += d->now.requests;
	d->before.errors += d->now.errors;
	d->before.timeouts += d->now.timeouts;
	d->before.conflated += d->now.conflated;
	d->now = (struct link_counters){ 0 };
}

enum fieldbus_state fieldbus_device_state(const struct fieldbus *f, uint32_t device, const char **ret_reason)
{
	const struct device *d = f->config && device < f->config->n_devices ? &f->devices[device] : NULL;

	if (ret_reason)
		*ret_reason = d && d->reason ? d->reason : "";
	return d ? d->state : FIELDBUS_UNKNOWN;
}

void fieldbus_device_statistics(const struct fieldbus *f, uint32_t device, struct fieldbus_statistics *ret)
{
	const struct device *d;

	*ret = (struct fieldbus_statistics){ 0 };
	if (!f->config || device >= f->config->n_devices)
		return;
	d = &f->devices[device];
	*ret = (struct fieldbus_statistics){
		.requests = d->before.requests + d->now.requests,
		.errors = d->before.errors + d->now.errors,
		.timeouts = d->before.timeouts + d->now.timeouts,
		.conflated = d->before.conflated + d->now.conflated,
		.stale_dropped = d->stale_dropped,
		.host_restarts = d->host && d->host->launches > 0 ? d->host->launches - 1 : 0,
	};
}

void fieldbus_point_text(const struct config_type *type, uint32_t point, char *ret, size_t size)
{
	link_point_text(type->plugin->keys, type->plugin->n_keys, &type->points[point].settings,
			type->points[point].name, ret, size);
}

int fieldbus_host_pid(const struct fieldbus *f, uint32_t device)
{
	const struct device *d = f->config && device < f->config->n_devices ? &f->devices[device] : NULL;

	return d && d->host ? d->host->process.pid : 0;
}
