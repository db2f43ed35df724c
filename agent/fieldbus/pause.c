/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "fieldbus/local_internal.h"

/* What is left alone: buses that are switched off, and what a user has paused. */

bool bus_is_off(const struct fieldbus *f, uint32_t bus)
{
	return f->switches[bus].off || f->switches[bus].paused;
}

enum fieldbus_state bus_off_state(const struct fieldbus *f, uint32_t bus)
{
	return f->switches[bus].paused ? FIELDBUS_PAUSED : FIELDBUS_FAILED;
}

void bus_off_text(const struct fieldbus *f, uint32_t bus, char *ret, size_t size)
{
	snprintf(ret, size, "bus %s is %s", f->config->buses[bus].name,
		 f->switches[bus].paused ? "paused" : "switched off");
}

static int bus_switch(struct fieldbus *f, uint32_t bus, struct bus_switch now)
{
	struct bus_switch before = f->switches[bus];

	if (before.off == now.off && before.paused == now.paused)
		return 0;
	f->switches[bus] = now;
	for (size_t i = 0; i < f->n_hosts; i++)
		if (f->hosts[i]->bus == bus)
			host_switch(f->hosts[i]);
	if (bus_is_local(f->config, bus))
		locals_switch(f, bus);
	return 0;
}

int fieldbus_enable(struct fieldbus *f, uint32_t bus, bool on)
{
	if (!f->config || bus >= f->config->n_buses)
		return -EINVAL;
	return bus_switch(f, bus, (struct bus_switch){ !on, f->switches[bus].paused });
}

int fieldbus_pause_bus(struct fieldbus *f, uint32_t bus, bool on)
{
	if (!f->config || bus >= f->config->n_buses)
		return -EINVAL;
	return bus_switch(f, bus, (struct bus_switch){ f->switches[bus].off, on });
}

/* ---- one device ---- */

static void device_pause(struct fieldbus *f, uint32_t device)
{
	struct device *d = &f->devices[device];

	writes_cancel_device(d->host, device, "paused");
	inquiries_cancel(d->host, device, "paused");
	host_remove(d->host, device);
	d->waits = false;
	d->heard = false;
	device_carry_counters(d);
	device_enter_state(f, device, FIELDBUS_PAUSED, "paused");
	host_change(d->host);
}

static int device_resume(struct fieldbus *f, uint32_t device)
{
	struct device *d = &f->devices[device];
	int r = host_reserve(d->host, d->host->n_members + 1);

	if (r < 0)
		return r;
	d->paused = false;
	host_add(d->host, device);
	device_begin(f, device);
	host_change(d->host);
	return 0;
}

int fieldbus_pause(struct fieldbus *f, uint32_t device, bool on)
{
	struct device *d;

	if (!f->config || device >= f->config->n_devices)
		return -EINVAL;
	d = &f->devices[device];
	if (d->paused == on)
		return 0;
	if (!on && d->host)
		return device_resume(f, device);
	d->paused = on;
	if (d->host)
		device_pause(f, device);
	else if (d->local && on)
		local_pause(d->local);
	else if (d->local)
		local_begin(d->local);
	return 0;
}

bool fieldbus_is_paused(const struct fieldbus *f, uint32_t device)
{
	return f->config && device < f->config->n_devices && f->devices[device].paused;
}

bool fieldbus_bus_is_paused(const struct fieldbus *f, uint32_t bus)
{
	return f->config && bus < f->config->n_buses && f->switches[bus].paused;
}
