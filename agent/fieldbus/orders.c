/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/str.h"
#include "fieldbus/internal.h"
#include "link/marshal.h"

/* What a host is told to do, and how it takes that: Configure. */

bool fieldbus_is_refused(const struct fieldbus *f, uint32_t bus)
{
	for (size_t i = 0; i < f->n_hosts; i++)
		if (f->hosts[i]->bus == bus && f->hosts[i]->refused)
			return true;
	return false;
}

static void host_refused(struct host *h, const char *why)
{
	h->refused = true;
	host_leave(h, FIELDBUS_FAILED, why);
	process_signal(&h->process, SIGTERM);
	host_enter_state(h, HOST_ENDING, HOST_EXIT_USEC);
}

/* Ids become indices. */
static int find_refused(struct host *h, struct link_refusal *refusal)
{
	struct refused refused;
	uint32_t device;

	if (refusal->device >= 0) {
		if (!host_device(h, (uint32_t)refusal->device, &device))
			return -EBADMSG;
		refusal->device = (int32_t)device;
	}
	return refused_find(h->fieldbus->config, h->bus, refusal, &refused);
}

static void host_take_answer(struct host *h, sd_bus_message *m)
{
	_cleanup_arena_ struct arena arena = { 0 };
	char why[FIELDBUS_REASON_MAX];
	struct link_refusal *refusals;
	size_t n;

	if (link_read_refusals(m, &arena, &refusals, &n) < 0) {
		host_give_up(h, "sent a malformed answer to Configure");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (find_refused(h, &refusals[i]) < 0) {
			host_give_up(h, "refused what it was not given");
			return;
		}
	}
	if (n == 0) {
		host_run(h);
		return;
	}
	snprintf(why, sizeof(why), "refused its configuration: %.300s", refusals[0].text);
	host_refused(h, why);
	host_devices_refused(h, refusals, n);
}

static int host_configured(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const sd_bus_error *e = sd_bus_message_get_error(m);
	char why[FIELDBUS_REASON_MAX];
	struct host *h = userdata;

	(void)error;
	h->configure = sd_bus_slot_unref(h->configure);
	/* Without a reply its link has closed: that is another message. */
	if (h->changed || (h->state != HOST_CONFIGURING && h->state != HOST_RUNNING) ||
	    (e && sd_bus_error_has_name(e, SD_BUS_ERROR_NO_REPLY)))
		return 1;
	if (e) {
		snprintf(why, sizeof(why), "cannot be configured: %.300s",
			 e->message && *e->message ? e->message :
						     strerror(sd_bus_error_get_errno(e)));
		host_refused(h, why);
	} else {
		host_take_answer(h, m);
	}
	return 1;
}

static int host_device_list(const struct host *h, struct arena *arena, struct device_list *ret)
{
	uint32_t *ids = arena_new(arena, (h->n_members + 1) * sizeof(*ids));

	if (!ids)
		return -ENOMEM;
	for (size_t i = 0; i < h->n_members; i++)
		ids[i] = h->fieldbus->devices[h->members[i]].id;
	*ret = (struct device_list){ .items = h->members, .n = h->n_members, .ids = ids };
	return 0;
}

int host_configure(struct host *h)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct contents contents = { 0 };
	struct device_list list;
	sd_bus_message *m = NULL;
	int r;

	h->changed = false;
	h->asked_usec = host_real_usec();
	r = host_device_list(h, &arena, &list);
	if (r >= 0)
		r = configuration_call_new(h->fieldbus, h->link, "Configure", h->generation,
					   h->fieldbus->config, h->bus, &list, &contents, &m);
	if (r >= 0 || r == -ENOKEY)
		r = MIN(r, host_find_waiting(h, &contents));
	contents_done(&contents);
	if (r >= 0)
		r = sd_bus_message_append(m, "t", host_loan(h));
	return host_call(h, r, m, &h->configure, host_configured, h);
}

void host_change(struct host *h)
{
	h->changed = true;
	if (h->state == HOST_CONFIGURING || h->state == HOST_RUNNING)
		host_arm(h, 0);
}

void host_reconfigure(struct host *h)
{
	char why[FIELDBUS_REASON_MAX];
	int r;

	/* The answer to what it was told before says nothing any more. */
	h->configure = sd_bus_slot_unref(h->configure);
	h->generation = ++h->fieldbus->generation;
	h->ticks = 0;
	host_follow_clock(h);
	r = host_configure(h);
	if (r >= 0 || r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE)
		return;
	host_start_text(h, r, why, sizeof(why));
	host_refused(h, why);
}
