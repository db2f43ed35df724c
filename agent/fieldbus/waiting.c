/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "fieldbus/internal.h"

/* Devices that lack a key or file: their host is not told of them until it is there. */

static void wait_for(struct host *h, uint32_t device, const char *reason)
{
	h->fieldbus->devices[device].waits = true;
	device_enter_state(h->fieldbus, device, FIELDBUS_FAILED, reason);
}

int host_find_waiting(struct host *h, const struct contents *contents)
{
	struct fieldbus *f = h->fieldbus;
	uint32_t device;
	size_t left = 0;

	for (size_t i = 0; i < h->n_members; i++)
		f->devices[h->members[i]].waits = false;
	for (size_t i = 0; i < contents->n_missing && !contents->of_bus; i++)
		if (host_device(h, (uint32_t)contents->missing[i].device, &device))
			wait_for(h, device, contents->missing[i].reason);
	for (size_t i = 0; i < h->n_members; i++) {
		if (contents->of_bus)
			wait_for(h, h->members[i], contents->missing[0].reason);
		left += !f->devices[h->members[i]].waits;
	}
	return left > 0 || contents->n_missing == 0 ? 0 : -ENOKEY;
}

static bool has_contents(struct host *h, uint32_t device)
{
	const struct device_list list = { .items = &device, .n = 1 };
	const struct config *config = h->fieldbus->config;
	_cleanup_arena_ struct arena arena = { 0 };
	struct contents contents = { 0 };
	struct link_configuration c;
	int r;

	r = configuration_of_bus(config, h->bus, &list, &arena, &c);
	if (r >= 0)
		r = contents_resolve(h->fieldbus, config->buses[h->bus].plugin, &c, &contents);
	if (contents.n_missing > 0)
		r = -ENOKEY;
	contents_done(&contents);
	return r >= 0;
}

bool host_may_go_on(struct host *h, uint32_t *ret_device)
{
	struct fieldbus *f = h->fieldbus;

	for (size_t i = 0; i < h->n_members; i++) {
		if (!f->devices[h->members[i]].waits || !has_contents(h, h->members[i]))
			continue;
		*ret_device = h->members[i];
		return true;
	}
	return false;
}
