/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <systemd/sd-bus.h>

#include "fieldbus/internal.h"
#include "link/marshal.h"

/* What all that has to do with a host needs of it: its name, its link, and the ways out. */

const struct config_bus *host_bus(const struct host *h)
{
	return &h->fieldbus->config->buses[h->bus];
}

struct log_about host_about(const struct host *h)
{
	return (struct log_about){ .bus = host_bus(h)->name };
}

void host_arm(struct host *h, uint64_t usec)
{
	timer_arm_in(&h->timer, usec);
}

void host_enter_state(struct host *h, enum host_state state, uint64_t delay_usec)
{
	h->state = state;
	h->ticks = 0;
	h->n_told = 0;
	host_arm(h, delay_usec);
}

int host_call(struct host *h, int r, sd_bus_message *m, sd_bus_slot **ret_slot, host_handler handler,
	      void *userdata)
{
	if (r >= 0)
		r = sd_bus_call_async(h->link, ret_slot, m, handler, userdata, UINT64_MAX);
	sd_bus_message_unref(m);
	return r;
}

void host_leave(struct host *h, enum fieldbus_state left, const char *why)
{
	snprintf(h->reason, sizeof(h->reason), "%s", why);
	h->left = left;
}

void host_give_up(struct host *h, const char *why)
{
	if (h->state != HOST_CONFIGURING && h->state != HOST_RUNNING)
		return;
	host_leave(h, FIELDBUS_UNKNOWN, why);
	/* Whatever it may still send: nothing ends a service at once. */
	sd_bus_detach_event(h->link);
	process_signal(&h->process, SIGKILL);
	host_enter_state(h, HOST_ENDING, HOST_EXIT_USEC);
}

void host_lost(struct host *h)
{
	if (h->state != HOST_CONFIGURING && h->state != HOST_RUNNING)
		return;
	host_leave(h, FIELDBUS_UNKNOWN, "ended");
	host_enter_state(h, HOST_ENDING, HOST_EXIT_USEC);
}

static int host_clock_moved(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct host *h = userdata;

	(void)m;
	(void)error;
	h->clock = sd_bus_slot_unref(h->clock);
	host_follow_clock(h);
	return 1;
}

/* One call at a time: steps that are made meanwhile are told together. */
void host_follow_clock(struct host *h)
{
	uint64_t steps = clock_steps_usec();
	sd_bus_message *m = NULL;
	int r;

	if (!h->link || h->clock || steps == h->clock_usec)
		return;
	r = link_call_new(h->link, "Clock", &m);
	if (r >= 0)
		r = sd_bus_message_append(m, "t", steps - h->clock_usec);
	r = host_call(h, r, m, &h->clock, host_clock_moved, h);
	if (r >= 0)
		h->clock_usec = steps;
}
