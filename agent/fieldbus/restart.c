/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/clock.h"
#include "fieldbus/internal.h"

/* A host that ran this long starts over with its restarts. */
#define HOST_STABLE_USEC (30 * USEC_PER_SEC)

/*
 * After a crash the first restart comes at once, so that values return within
 * seconds; what cannot start, or was refused, has no reason to hurry.
 */
uint64_t host_delay(struct host *h)
{
	if (h->running_since_usec > 0 &&
	    clock_monotonic_usec() - h->running_since_usec >= HOST_STABLE_USEC) {
		h->hurried = false;
		backoff_reset(&h->backoff);
	}
	h->running_since_usec = 0;
	if (!h->hurried && h->left == FIELDBUS_UNKNOWN) {
		h->hurried = true;
		return 0;
	}
	return backoff_next(&h->backoff, random_u64());
}

void host_devices_leave(struct host *h)
{
	struct fieldbus *f = h->fieldbus;
	char reason[FIELDBUS_REASON_MAX];

	if (host_may_run(h))
		snprintf(reason, sizeof(reason), "bus %s: plugin host %.300s", host_bus(h)->name, h->reason);
	else
		bus_off_text(f, h->bus, reason, sizeof(reason));
	for (size_t i = 0; i < h->n_members; i++) {
		struct device *d = &f->devices[h->members[i]];

		device_carry_counters(d);
		d->heard = false;
		if (!h->told && !d->waits)
			device_enter_state(f, h->members[i], h->left, reason);
	}
	h->told = true;
}

/* Its own reason, or the first one: all or nothing holds for a bus. */
static const char *refusal_of(uint32_t device, const struct link_refusal *refusals, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (refusals[i].device == (int64_t)device)
			return refusals[i].text;
	return refusals[0].text;
}

void host_devices_refused(struct host *h, const struct link_refusal *refusals, size_t n)
{
	struct fieldbus *f = h->fieldbus;

	for (size_t i = 0; i < h->n_members; i++)
		if (!f->devices[h->members[i]].waits)
			device_enter_state(f, h->members[i], FIELDBUS_FAILED,
					   refusal_of(h->members[i], refusals, n));
	h->told = true;
}

void host_devices_begin(struct host *h)
{
	struct fieldbus *f = h->fieldbus;

	for (size_t i = 0; i < h->n_members; i++)
		if (!f->devices[h->members[i]].heard && !f->devices[h->members[i]].waits)
			device_enter_state(f, h->members[i], FIELDBUS_UNKNOWN, NULL);
}
