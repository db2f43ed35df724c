/* SPDX-License-Identifier: Apache-2.0 */
#include "host/value/values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "base/macro.h"
#include "base/timer.h"
#include "link/marshal.h"

struct values {
	sd_bus *link;
	unsigned credit;
	struct list groups;
	struct timer timer;
	uint64_t sent_usec;
	values_lost_handler lost;
	void *userdata;
	sd_bus_slot *calls[LINK_CREDIT];
};

/* ---- what waits ---- */

void values_group_init(struct values_group *g, uint64_t generation)
{
	list_init(&g->node);
	list_init(&g->devices);
	g->generation = generation;
}

void values_group_remove(struct values_group *g)
{
	struct values_device *d;

	list_for_each(d, &g->devices, node)
		list_remove(&d->node);
	list_remove(&g->node);
}

int values_device_init(struct values_device *d, struct values_group *g, uint32_t id,
		       size_t n_points)
{
	*d = (struct values_device){ .group = g, .id = id, .n_slots = n_points };
	list_init(&d->node);
	d->slots = calloc(n_points + 1, sizeof(*d->slots));
	return d->slots ? 0 : -ENOMEM;
}

void values_device_remove(struct values_device *d)
{
	list_remove(&d->node);
	if (list_is_empty(&d->group->devices))
		list_remove(&d->group->node);
}

void values_device_done(struct values_device *d)
{
	if (!d->slots)
		return;
	list_remove(&d->node);
	for (size_t i = 0; i < d->n_slots; i++)
		free(d->slots[i].data);
	free(d->slots);
	d->slots = NULL;
}

static bool has_data(const struct fieldway_value *v)
{
	return v->type == FIELDWAY_STRING || v->type == FIELDWAY_BYTES;
}

static int slot_fill(struct values_slot *slot, const struct fieldway_sample *sample)
{
	char *data = NULL;

	if (has_data(&sample->value)) {
		data = malloc(sample->value.size + 1);
		if (!data)
			return -ENOMEM;
		if (sample->value.size > 0)
			memcpy(data, sample->value.data, sample->value.size);
	}
	free(slot->data);
	slot->data = data;
	slot->sample = *sample;
	if (data)
		slot->sample.value.data = data;
	slot->waits = true;
	return 0;
}

void values_touch(struct values *v, struct values_device *d)
{
	if (list_is_empty(&d->node))
		list_append(&d->group->devices, &d->node);
	if (list_is_empty(&d->group->node))
		list_append(&v->groups, &d->group->node);
}

int values_put(struct values *v, struct values_device *d, const struct fieldway_sample *sample)
{
	struct values_slot *slot;
	bool waited;
	int r;

	if (sample->point >= d->n_slots)
		return 0;
	slot = &d->slots[sample->point];
	waited = slot->waits;
	r = slot_fill(slot, sample);
	if (r < 0)
		return r;
	d->counters.conflated += waited;
	values_touch(v, d);
	return 0;
}

void values_forget(struct values_device *d, uint32_t point)
{
	if (point >= d->n_slots)
		return;
	d->slots[point].waits = false;
	/* Nor is it what a deadband may repeat, or a Read may tell. */
	d->slots[point].sample = (struct fieldway_sample){ .quality = FIELDWAY_INVALID };
}

/* ---- sending ---- */

/* Text that the link cannot carry is no value. */
static int append_slot(sd_bus_message *m, struct values_slot *slot)
{
	struct fieldway_sample sample = slot->sample;

	if (!link_value_is_valid(&sample.value)) {
		sample.value = (struct fieldway_value){ .type = FIELDWAY_NONE };
		sample.quality = FIELDWAY_INVALID;
	}
	return link_append_sample(m, &sample);
}

static int append_device(sd_bus_message *m, struct values_device *d, size_t *n)
{
	int r = link_open_values(m, d->id, &d->counters);

	for (size_t i = 0; r >= 0 && i < d->n_slots; i++) {
		if (!d->slots[i].waits)
			continue;
		r = append_slot(m, &d->slots[i]);
		++*n;
	}
	return r < 0 ? r : link_close_values(m);
}

static void device_sent(struct values_device *d)
{
	for (size_t i = 0; i < d->n_slots; i++)
		d->slots[i].waits = false;
	list_remove(&d->node);
}

/* One message's worth of a group; what is sent waits no more. */
static int append_group(sd_bus_message *m, struct values_group *g)
{
	struct values_device *d;
	size_t n = 0;
	int r;

	r = sd_bus_message_append(m, "t", g->generation);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', LINK_TYPE_DEVICE_VALUES);
	if (r < 0)
		return r;
	list_for_each(d, &g->devices, node) {
		if (n >= VALUES_BATCH_MAX)
			break;
		r = append_device(m, d, &n);
		if (r < 0)
			return r;
		device_sent(d);
	}
	return sd_bus_message_close_container(m);
}

static int values_answered(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct values *v = userdata;
	sd_bus_slot *slot = sd_bus_get_current_slot(v->link);

	for (size_t i = 0; i < LINK_CREDIT; i++)
		if (v->calls[i] == slot)
			v->calls[i] = sd_bus_slot_unref(slot);
	v->credit++;
	/* A link that closes answers its calls itself, and ends the process by its own signal. */
	if (sd_bus_is_open(v->link) <= 0)
		return 0;
	/* Any other error is an answer: the daemon has dropped what it could not use. */
	if (sd_bus_message_is_method_error(m, SD_BUS_ERROR_NO_REPLY) ||
	    sd_bus_message_is_method_error(m, SD_BUS_ERROR_TIMEOUT))
		v->lost(v->userdata);
	else
		values_flush(v);
	return 0;
}

static sd_bus_slot **free_call(struct values *v)
{
	for (size_t i = 0; i < LINK_CREDIT; i++)
		if (!v->calls[i])
			return &v->calls[i];
	return NULL;
}

static int send_group(struct values *v, struct values_group *g)
{
	sd_bus_message *m = NULL;
	int r;

	r = link_call_new(v->link, "Values", &m);
	if (r >= 0)
		r = append_group(m, g);
	if (r >= 0)
		r = sd_bus_call_async(v->link, free_call(v), m, values_answered, v,
				      VALUES_TIMEOUT_USEC);
	sd_bus_message_unref(m);
	if (r < 0)
		return r;
	v->credit--;
	return 0;
}

int link_check_queue(sd_bus *link)
{
	uint64_t n;
	int r = sd_bus_get_n_queued_write(link, &n);

	if (r < 0)
		return r;
	return n > LINK_QUEUE_MAX ? -ENOBUFS : 0;
}

bool link_is_gone(int r)
{
	return r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE || r == -ESHUTDOWN;
}

static void values_run(struct values *v)
{
	struct values_group *g;
	int r;

	while (v->credit > 0 && !list_is_empty(&v->groups)) {
		g = list_entry(v->groups.next, struct values_group, node);
		list_remove(&g->node);
		r = send_group(v, g);
		if (r < 0 && !link_is_gone(r))
			v->lost(v->userdata);
		if (r < 0)
			return;
		v->sent_usec = clock_monotonic_usec();
		/* What is left of it waits behind the other groups. */
		if (!list_is_empty(&g->devices))
			list_append(&v->groups, &g->node);
	}
}

static void values_due(struct timer *timer, void *userdata)
{
	values_run(userdata);
}

void values_flush(struct values *v)
{
	uint64_t now;

	if (list_is_empty(&v->groups) || v->credit == 0 || timer_is_armed(&v->timer))
		return;
	now = clock_monotonic_usec();
	if (now - v->sent_usec >= VALUES_DELAY_USEC ||
	    timer_arm(&v->timer, v->sent_usec + VALUES_DELAY_USEC) < 0)
		values_run(v);
}

int values_new(sd_bus *link, struct timers *timers, values_lost_handler lost, void *userdata,
	       struct values **ret)
{
	struct values *v = calloc(1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	v->link = link;
	v->credit = LINK_CREDIT;
	v->lost = lost;
	v->userdata = userdata;
	list_init(&v->groups);
	timer_init(&v->timer, timers, values_due, v);
	*ret = v;
	return 0;
}

struct values *values_free(struct values *v)
{
	if (!v)
		return NULL;
	timer_disarm(&v->timer);
	for (size_t i = 0; i < LINK_CREDIT; i++)
		sd_bus_slot_unref(v->calls[i]);
	free(v);
	return NULL;
}
