/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/str.h"
#include "fieldbus/local_internal.h"

/*
 * Another configuration while hosts run. Everything that can fail comes first
 * and touches nothing that runs; what follows cannot fail.
 */

static const char changed_text[] = "the configuration has changed";

struct reload {
	struct fieldbus *fieldbus;
	const struct config *config;
	const struct config_difference *difference;
	const uint32_t *lines; /* fieldbus_lines() */
	struct arena arena;
	/* What the fieldbus will have; the buses of hosts as the new configuration counts them. */
	struct device *devices;
	struct bus_switch *switches;
	struct host **hosts;
	uint32_t *buses;
	size_t n_hosts, n_max;
	size_t n_stay;		 /* the first of them are there already */
	struct leaver **leavers; /* by its host's place in the fieldbus, NULL: that stays */
	uint32_t *kept; /* by its former index, what a device is now that goes on as it is */
};

/* ---- what is to be ---- */

/* A plugin is loaded once, before its host shuts itself in. */
static uint32_t bus_after(const struct reload *r, uint32_t before)
{
	uint32_t after = r->difference->buses_after[before];

	if (after == CONFIG_NONE || !streq(r->fieldbus->config->buses[before].plugin->name,
					   r->config->buses[after].plugin->name))
		return CONFIG_NONE;
	return after;
}

/* The host of a device that goes on as it is. */
static struct host *host_of_same(const struct reload *r, uint32_t device)
{
	const struct config_successor *s = &r->difference->devices[device];

	return s->same && s->before != CONFIG_NONE ? r->fieldbus->devices[s->before].host : NULL;
}

static int plan_hosts(struct reload *r)
{
	struct fieldbus *f = r->fieldbus;
	int e = 0;

	for (size_t i = 0; e >= 0 && i < f->n_hosts; i++) {
		uint32_t bus = bus_after(r, f->hosts[i]->bus);

		if (bus == CONFIG_NONE) {
			e = leaver_new(f, &r->leavers[i]);
			continue;
		}
		r->buses[r->n_hosts] = bus;
		r->hosts[r->n_hosts++] = f->hosts[i];
	}
	r->n_stay = r->n_hosts;
	return e;
}

/* The hosts of one bus, which are its parts. */
struct bus_plan {
	struct device_list list;
	uint32_t *parts; /* by device of the list */
	struct host **hosts;
	size_t n_hosts;
	bool wants; /* a device has none yet */
};

static int bus_plan_make(struct reload *r, uint32_t bus, struct bus_plan *p)
{
	int e = device_list_of_bus(r->config, bus, false, &r->arena, &p->list);

	if (e < 0)
		return e;
	p->parts = arena_new(&r->arena, (p->list.n + 1) * sizeof(*p->parts));
	p->hosts = arena_new(&r->arena, (r->n_stay + p->list.n + 1) * sizeof(struct host *));
	if (!p->parts || !p->hosts)
		return -ENOMEM;
	for (size_t i = 0; i < r->n_stay; i++)
		if (r->buses[i] == bus)
			p->hosts[p->n_hosts++] = r->hosts[i];
	for (size_t i = 0; i < p->list.n; i++) {
		const struct host *h = host_of_same(r, p->list.items[i]);

		p->parts[i] = NO_PART;
		for (uint32_t j = 0; h && j < p->n_hosts; j++)
			if (p->hosts[j] == h)
				p->parts[i] = j;
		p->wants |= p->parts[i] == NO_PART;
	}
	return 0;
}

static int add_host(struct reload *r, uint32_t bus, struct bus_plan *p)
{
	struct host *h;
	int e;

	if (r->n_hosts >= r->n_max)
		return -ENOMEM;
	e = host_new(r->fieldbus, bus, &h);
	if (e < 0)
		return e;
	r->buses[r->n_hosts] = bus;
	r->hosts[r->n_hosts++] = h;
	h->lent_usec = p->n_hosts > 0 ? p->hosts[0]->lent_usec : 0;
	p->hosts[p->n_hosts++] = h;
	return 0;
}

/* A local device goes on by itself; one that is new, or has changed, begins anew. */
static struct local *local_of_same(const struct reload *r, uint32_t device)
{
	const struct config_successor *s = &r->difference->devices[device];

	return s->same && s->before != CONFIG_NONE ? r->fieldbus->devices[s->before].local : NULL;
}

static int plan_locals(struct reload *r, uint32_t bus)
{
	const struct config *c = r->config;
	int e = 0;

	for (uint32_t i = 0; e >= 0 && i < c->n_devices; i++) {
		if (c->devices[i].bus != bus || !c->devices[i].enabled)
			continue;
		r->devices[i].local = local_of_same(r, i);
		if (!r->devices[i].local)
			e = local_new(r->fieldbus, i, c->devices[i].type, &r->devices[i].local);
	}
	return e;
}

static int plan_bus(struct reload *r, uint32_t bus)
{
	struct bus_plan p = { 0 };
	int n, e;

	if (bus_is_local(r->config, bus))
		return plan_locals(r, bus);
	e = bus_plan_make(r, bus, &p);
	if (e < 0)
		return e;
	n = p.wants ?
		    bus_split(r->lines, &p.list, (uint32_t)p.n_hosts, p.parts) :
		    (int)p.n_hosts;
	e = MIN(n, 0);
	while (e >= 0 && p.n_hosts < (size_t)n)
		e = add_host(r, bus, &p);
	for (size_t i = 0; e >= 0 && i < p.list.n; i++)
		r->devices[p.list.items[i]].host = p.hosts[p.parts[i]];
	return e;
}

static void plan_names(struct reload *r)
{
	const struct config_difference *d = r->difference;
	const struct fieldbus *f = r->fieldbus;

	for (uint32_t i = 0; i < r->config->n_buses; i++)
		if (d->buses[i].before != CONFIG_NONE)
			r->switches[i] = f->switches[d->buses[i].before];
	for (uint32_t i = 0; i < r->config->n_devices; i++)
		r->devices[i].paused = d->devices[i].before != CONFIG_NONE &&
				       f->devices[d->devices[i].before].paused;
}

static void plan_kept(struct reload *r)
{
	for (uint32_t i = 0; i < r->fieldbus->config->n_devices; i++)
		r->kept[i] = CONFIG_NONE;
	for (uint32_t i = 0; i < r->config->n_devices; i++) {
		const struct host *h = host_of_same(r, i);

		if ((h && r->devices[i].host == h) || local_of_same(r, i))
			r->kept[r->difference->devices[i].before] = i;
	}
}

static bool is_kept(const struct reload *r, uint32_t device)
{
	uint32_t before = r->difference->devices[device].before;

	return before != CONFIG_NONE && r->kept[before] == device;
}

/* Room for what each host will have. */
static int plan_members(struct reload *r)
{
	int e = 0;

	for (size_t i = 0; i < r->n_hosts; i++)
		r->hosts[i]->n_planned = 0;
	for (uint32_t i = 0; i < r->config->n_devices; i++)
		if (r->devices[i].host)
			r->devices[i].host->n_planned++;
	for (size_t i = 0; e >= 0 && i < r->n_hosts; i++)
		e = host_reserve(r->hosts[i], r->hosts[i]->n_planned);
	return e;
}

static int reload_plan(struct reload *r)
{
	struct fieldbus *f = r->fieldbus;
	int e;

	/* As many as fieldbus_start() would make, beside those that are there. */
	r->n_max = f->n_hosts + r->config->n_buses + r->config->n_devices / FIELDBUS_LINES_MAX + 1;
	r->hosts = calloc(r->n_max, sizeof(struct host *));
	r->devices = calloc(r->config->n_devices + 1, sizeof(*r->devices));
	r->switches = calloc(r->config->n_buses + 1, sizeof(*r->switches));
	r->buses = arena_new(&r->arena, r->n_max * sizeof(*r->buses));
	r->leavers = arena_new(&r->arena, (f->n_hosts + 1) * sizeof(struct leaver *));
	r->kept = arena_new(&r->arena, (f->config->n_devices + 1) * sizeof(*r->kept));
	if (!r->hosts || !r->devices || !r->switches || !r->buses || !r->leavers || !r->kept)
		return -ENOMEM;
	plan_names(r);
	e = plan_hosts(r);
	for (uint32_t i = 0; e >= 0 && i < r->config->n_buses; i++)
		e = plan_bus(r, i);
	if (e < 0)
		return e;
	plan_kept(r);
	return plan_members(r);
}

static void reload_undo(struct reload *r)
{
	for (size_t i = 0; r->leavers && i < r->fieldbus->n_hosts; i++)
		leaver_free(r->leavers[i]);
	for (size_t i = r->n_stay; i < r->n_hosts; i++)
		host_free(r->hosts[i]);
	for (uint32_t i = 0; r->devices && i < r->config->n_devices; i++)
		if (r->devices[i].local && !local_of_same(r, i))
			local_free(r->devices[i].local);
	free(r->hosts);
	free(r->devices);
	free(r->switches);
}

/* ---- the change ---- */

/* In the words of the configuration that they were asked under. */
static void end_what_goes(struct reload *r)
{
	struct fieldbus *f = r->fieldbus;

	for (uint32_t i = 0; i < f->config->n_devices; i++) {
		if (r->kept[i] == CONFIG_NONE && f->devices[i].local)
			local_writes_end(f->devices[i].local, -ECANCELED, changed_text);
		if (r->kept[i] != CONFIG_NONE || !f->devices[i].host)
			continue;
		writes_cancel_device(f->devices[i].host, i, changed_text);
		inquiries_cancel(f->devices[i].host, i, changed_text);
	}
	for (uint32_t i = 0; i < f->config->n_buses; i++)
		if (bus_after(r, i) == CONFIG_NONE)
			tasks_cancel_bus(f, i);
	for (size_t i = 0; i < f->n_hosts; i++) {
		if (!r->leavers[i])
			continue;
		writes_end(f->hosts[i], true, changed_text);
		inquiries_end(f->hosts[i], true);
		host_leaves(f->hosts[i], r->leavers[i]);
		host_free(f->hosts[i]);
	}
}

/* What is counted goes on; a host counts on where it finds the same name. */
static void device_succeed(struct device *d, struct device *before)
{
	if (d->host != before->host)
		device_carry_counters(before);
	d->now = before->now;
	d->before = before->before;
	d->stale_dropped = before->stale_dropped;
	d->log_budget = before->log_budget;
}

static void move_devices(struct reload *r)
{
	struct fieldbus *f = r->fieldbus;

	for (uint32_t i = 0; i < r->config->n_devices; i++) {
		uint32_t before = r->difference->devices[i].before;

		if (before == CONFIG_NONE)
			continue;
		if (!is_kept(r, i)) {
			device_succeed(&r->devices[i], &f->devices[before]);
			continue;
		}
		r->devices[i] = f->devices[before];
		if (r->devices[i].local)
			r->devices[i].local->device = i;
		f->devices[before].reason = NULL;
		f->devices[before].local = NULL;
	}
	for (uint32_t i = 0; i < f->config->n_devices; i++) {
		local_free(f->devices[i].local);
		free(f->devices[i].reason);
	}
}

/* True: some have gone. */
static bool host_renumber(struct host *h, const uint32_t *kept)
{
	size_t n = 0, before = h->n_members;

	for (size_t i = 0; i < before; i++)
		if (kept[h->members[i]] != CONFIG_NONE)
			h->members[n++] = kept[h->members[i]];
	h->n_members = n;
	writes_renumber(h, kept);
	inquiries_renumber(h, kept);
	return n < before;
}

static void install(struct reload *r)
{
	struct fieldbus *f = r->fieldbus;

	tasks_renumber(f, r->difference->buses_after);
	free(f->devices);
	free(f->switches);
	free(f->hosts);
	f->config = r->config;
	f->devices = r->devices;
	f->switches = r->switches;
	f->hosts = r->hosts;
	f->n_hosts = r->n_hosts;
	f->n_hosts_max = r->n_max;
}

static void hosts_renumber(struct reload *r)
{
	for (size_t i = 0; i < r->n_stay; i++) {
		struct host *h = r->hosts[i];

		h->changed |= host_renumber(h, r->kept);
		h->bus = r->buses[i];
		h->changed |= !r->difference->buses[h->bus].same;
		/* What references lead to is not in the files: the host sees whether it is another key. */
		h->changed |= contents_are_named(r->config, h->bus);
	}
}

static void add_members(struct reload *r)
{
	for (uint32_t i = 0; i < r->config->n_devices; i++) {
		struct device *d = &r->devices[i];

		if (!d->host || d->paused || is_kept(r, i))
			continue;
		host_add(d->host, i);
		d->host->changed = true;
	}
}

/* One that could not run may with what it is told now. */
static void hosts_tell(struct reload *r)
{
	for (size_t i = 0; i < r->n_stay; i++) {
		struct host *h = r->hosts[i];

		if (!h->changed)
			continue;
		h->hurried = false;
		backoff_reset(&h->backoff);
		if (h->state != HOST_ENDING)
			host_arm(h, 0);
	}
}

static void devices_tell(struct reload *r)
{
	struct fieldbus *f = r->fieldbus;

	for (uint32_t i = 0; i < r->config->n_devices; i++) {
		struct device *d = &f->devices[i];

		if (is_kept(r, i))
			continue;
		if (d->local && !d->paused)
			local_begin(d->local);
		else if ((d->host || d->local) && d->paused)
			device_enter_state(f, i, FIELDBUS_PAUSED, "paused");
		else if (d->host)
			device_begin(f, i);
		/* Also that nothing is known of it. */
		if (d->state == FIELDBUS_UNKNOWN && !d->reason && f->ops.state)
			f->ops.state(f->userdata, i, d->state, "");
	}
}

int fieldbus_reload(struct fieldbus *f, const struct config *config,
		    const struct config_difference *d, const uint32_t *lines)
{
	struct reload r = { .fieldbus = f, .config = config, .difference = d, .lines = lines };
	int e;

	if (!f->config || f->config != d->before || config != d->after)
		return -EINVAL;
	e = reload_plan(&r);
	if (e < 0) {
		reload_undo(&r);
		arena_done(&r.arena);
		return e;
	}
	end_what_goes(&r);
	move_devices(&r);
	hosts_renumber(&r);
	install(&r);
	add_members(&r);
	hosts_tell(&r);
	devices_tell(&r);
	arena_done(&r.arena);
	return 0;
}
