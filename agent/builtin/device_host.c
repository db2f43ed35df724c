/* SPDX-License-Identifier: Apache-2.0 */
#include "builtin/device_host.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"

#define REBOOT_USEC USEC_PER_SEC

/* What object 3 of the host has of its own: this machine. */

struct device_host *device_host_free(struct device_host *h)
{
	if (!h)
		return NULL;
	timer_disarm(&h->timer);
	timer_disarm(&h->reboot);
	timer_disarm(&h->factory_reset);
	free(h);
	return NULL;
}

int device_host_back(struct device_host *h, uint16_t resource, const struct backing_ops *ops)
{
	const struct path path = path_of_resource(3, 0, resource);
	const struct backing backing = { .ops = ops, .userdata = h };
	struct store *store = h->builtin->store;

	return store_backing(store, &path) ? 0 : store_add_resource(store, &path, &backing);
}

static void reboot(struct timer *timer, void *userdata)
{
	struct builtin *b = ((struct device_host *)userdata)->builtin;

	(void)timer;
	b->ports->reboot(b->endpoint);
}

bool device_host_reboot(struct device_host *h)
{
	if (!h || !h->may_reboot)
		return false;
	/* By then the server has its answer. */
	timer_arm_in(&h->reboot, REBOOT_USEC);
	return true;
}

static void factory_reset(struct timer *timer, void *userdata)
{
	struct builtin *b = ((struct device_host *)userdata)->builtin;

	(void)timer;
	b->ports->factory_reset(b->endpoint);
}

static void factory_reset_execute(void *userdata, const struct path *path, const char *argument,
				  backing_done done, void *done_userdata)
{
	struct device_host *h = userdata;

	(void)path;
	(void)argument;
	done(done_userdata, 0, NULL);
	timer_arm_in(&h->factory_reset, REBOOT_USEC);
}

static const struct backing_ops factory_reset_ops = { .execute = factory_reset_execute };

/* It is not there where it would do nothing. */
static int offer_factory_reset(struct device_host *h)
{
	const struct path path = path_of_resource(3, 0, DEVICE_FACTORY_RESET);
	const struct backing *backing = store_backing(h->builtin->store, &path);

	if (h->may_factory_reset)
		return device_host_back(h, DEVICE_FACTORY_RESET, &factory_reset_ops);
	if (backing && backing->ops == &factory_reset_ops)
		store_remove_resource(h->builtin->store, &path);
	return 0;
}

void builtin_forget_clock(struct builtin *b)
{
	if (b->host)
		b->host->clock = (struct builtin_clock){ 0 };
}

static int make(struct builtin *b, const struct builtin_host *v)
{
	struct device_host *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->builtin = b;
	h->clock = v->clock;
	timer_init(&h->timer, v->timers, NULL, NULL);
	timer_init(&h->reboot, v->timers, reboot, h);
	timer_init(&h->factory_reset, v->timers, factory_reset, h);
	b->host = h;
	return 0;
}

int device_host_init(struct builtin *b, const struct builtin_host *v)
{
	int r = b->host ? 0 : make(b, v);

	if (r < 0)
		return r;
	b->host->may_reboot = v->may_reboot;
	b->host->may_set_time = v->may_set_time;
	b->host->may_set_timezone = v->may_set_timezone;
	b->host->may_factory_reset = v->may_factory_reset;
	r = offer_factory_reset(b->host);
	if (r < 0)
		return r;
	r = clock_init(b->host);
	return r < 0 ? r : facts_init(b->host);
}
