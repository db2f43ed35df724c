/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/clock.h"
#include "builtin/device_host.h"

/* Power, storage and error codes of this machine, looked at now and then, and when a server reads them. */

#define LOOK_USEC (30 * USEC_PER_SEC)
/* Free storage changes with each line of the journal: only so much of the whole is news by itself. */
#define NEWS_PARTS 1000u
/* Below this part of the whole nothing large fits any more; it has to be twice as much to be well again. */
#define FULL_PARTS 100u
#define LOW_BATTERY 10

/* What a profile maps here is somebody else's. */
static bool is_mapped(const struct device_host *h, uint16_t resource, const struct backing_ops *ops)
{
	const struct path path = path_of_resource(3, 0, resource);
	const struct backing *backing = store_backing(h->builtin->store, &path);

	return backing && backing->ops != ops;
}

static void look(struct device_host *h, bool asked);

static void facts_refresh(void *userdata, const struct path *path, uint64_t period_usec, backing_done done,
			  void *done_userdata)
{
	(void)path;
	if (period_usec == UINT64_MAX || period_usec < LOOK_USEC)
		look(userdata, true);
	done(done_userdata, 0, NULL);
}

static const struct backing_ops fact_ops = { .refresh = facts_refresh };

/* ---- one resource ---- */

/* There, with a value to come. */
static int offer(struct device_host *h, uint16_t resource)
{
	return device_host_back(h, resource, &fact_ops);
}

static void withdraw(struct device_host *h, uint16_t resource)
{
	const struct path path = path_of_resource(3, 0, resource);

	if (store_exists(h->builtin->store, &path))
		store_remove_resource(h->builtin->store, &path);
}

static int put(struct device_host *h, bool there, uint16_t resource, int64_t value)
{
	int r;

	if (is_mapped(h, resource, &fact_ops))
		return 0;
	if (!there) {
		withdraw(h, resource);
		return 0;
	}
	r = offer(h, resource);
	return r < 0 ? r : builtin_set(h->builtin, 3, 0, resource, value_integer(value));
}

/* ---- power ---- */

/* Of one of the supplies, what `resource` says; false: nothing. */
static bool supply_value(const struct builtin_supply *s, uint16_t resource, int64_t *ret)
{
	switch (resource) {
	case DEVICE_POWER_SOURCES:
		*ret = s->source;
		return true;
	case DEVICE_VOLTAGE:
		*ret = s->mv;
		return s->has_voltage;
	case DEVICE_CURRENT:
		*ret = s->ma;
		return s->has_current;
	}
	return false;
}

/* Instances are the places of the sources in 6, as E.4 wants it of 7 and 8. */
static int put_supplies(struct device_host *h, const struct builtin_power *power, uint16_t resource)
{
	struct store *store = h->builtin->store;
	int r = 0;
	bool any = false;

	if (is_mapped(h, resource, &fact_ops))
		return 0;
	for (unsigned i = 0; i < BUILTIN_SUPPLIES_MAX && r >= 0; i++) {
		const struct path path = path_of_resource_instance(3, 0, resource, (uint16_t)i);
		struct value value = value_integer(0);

		if (i < power->n && supply_value(&power->supplies[i], resource, &value.integer)) {
			r = any ? 0 : offer(h, resource);
			r = r < 0 ? r : store_update_one(store, &path, &value);
			any = true;
		} else if (store_exists(store, &path)) {
			store_remove_value(store, &path);
		}
	}
	if (!any)
		withdraw(h, resource);
	return r;
}

static void put_power(struct device_host *h, const struct builtin_power *power)
{
	put_supplies(h, power, DEVICE_POWER_SOURCES);
	put_supplies(h, power, DEVICE_VOLTAGE);
	put_supplies(h, power, DEVICE_CURRENT);
	put(h, power->has_battery && power->level >= 0, DEVICE_BATTERY_LEVEL, power->level);
	put(h, power->has_battery, DEVICE_BATTERY_STATUS, power->status);
}

/* ---- storage ---- */

static bool is_news(const struct device_host *h, const struct builtin_facts *f)
{
	uint64_t difference = MAX(f->free_kb, h->free_kb) - MIN(f->free_kb, h->free_kb);

	return difference > f->total_kb / NEWS_PARTS;
}

static void put_storage(struct device_host *h, const struct builtin_facts *f, bool asked)
{
	put(h, f->has_storage, DEVICE_MEMORY_TOTAL, (int64_t)f->total_kb);
	if (f->has_storage && !asked && !is_news(h, f))
		return;
	h->free_kb = f->free_kb;
	put(h, f->has_storage, DEVICE_MEMORY_FREE, (int64_t)f->free_kb);
}

/* ---- error codes ---- */

static bool is_battery_low(const struct builtin_power *p)
{
	return p->has_battery && p->status != BUILTIN_BATTERY_CHARGING &&
	       (p->status == BUILTIN_BATTERY_LOW || (p->level >= 0 && p->level < LOW_BATTERY));
}

static bool is_full(const struct device_host *h, const struct builtin_facts *f)
{
	uint64_t low = f->total_kb / FULL_PARTS;

	return f->has_storage && f->free_kb < (h->own_errors & (1u << ERROR_OUT_OF_MEMORY) ? 2 * low : low);
}

static uint64_t find_errors(const struct device_host *h, const struct builtin_facts *f)
{
	uint64_t errors = 0;

	if (is_battery_low(&f->power))
		errors |= 1u << ERROR_LOW_BATTERY;
	if (f->power.external_off)
		errors |= 1u << ERROR_NO_SUPPLY;
	if (is_full(h, f))
		errors |= 1u << ERROR_OUT_OF_MEMORY;
	return errors;
}

static void put_errors(struct device_host *h)
{
	const struct path errors = path_of_resource(3, 0, DEVICE_ERROR_CODE);
	struct store *store = h->builtin->store;
	uint64_t told = h->errors & ~h->reset;
	uint16_t n = 0;

	/* 0 is the only one where there is no other. */
	for (unsigned code = 0; code < ERROR_CODES; code++) {
		struct value value = value_integer(code);
		struct path path = path_child(&errors, n);

		if (code == 0 ? told != 0 : !(told & UINT64_C(1) << code))
			continue;
		store_update_one(store, &path, &value);
		n++;
	}
	for (struct path path = path_child(&errors, n); store_exists(store, &path);
	     path.resource_instance++)
		store_remove_value(store, &path);
}

static void renew_errors(struct device_host *h)
{
	h->errors = h->own_errors | h->other_errors;
	/* What has gone may come anew. */
	h->reset &= h->errors;
	put_errors(h);
}

void builtin_host_errors(struct builtin *b, const int64_t *codes, size_t n)
{
	struct device_host *h = b->host;

	if (!h)
		return;
	h->other_errors = 0;
	for (size_t i = 0; i < n; i++)
		if (codes[i] > 0 && codes[i] < ERROR_CODES)
			h->other_errors |= UINT64_C(1) << codes[i];
	store_begin(b->store);
	renew_errors(h);
	store_end(b->store);
}

/* 12: they are told again when they have gone and come. */
static void reset_execute(void *userdata, const struct path *path, const char *argument,
			  backing_done done, void *done_userdata)
{
	struct device_host *h = userdata;

	(void)path;
	(void)argument;
	done(done_userdata, 0, NULL);
	h->reset = h->errors;
	put_errors(h);
}

static const struct backing_ops reset_ops = { .execute = reset_execute };

/* ---- all of them ---- */

static void look(struct device_host *h, bool asked)
{
	struct builtin *b = h->builtin;
	struct builtin_facts facts = { 0 };

	b->ports->facts(b->endpoint, &facts);
	store_begin(b->store);
	put_power(h, &facts.power);
	put_storage(h, &facts, asked);
	h->own_errors = find_errors(h, &facts);
	renew_errors(h);
	store_end(b->store);
}

static void look_again(struct timer *timer, void *userdata)
{
	look(userdata, false);
	timer_arm_in(timer, LOOK_USEC);
}

int facts_init(struct device_host *h)
{
	struct timers *timers = h->timer.timers;
	int r = device_host_back(h, DEVICE_RESET_ERRORS, &reset_ops);

	look(h, true);
	if (timers && !timer_is_armed(&h->timer)) {
		timer_init(&h->timer, timers, look_again, h);
		timer_arm_in(&h->timer, LOOK_USEC);
	}
	return r;
}
