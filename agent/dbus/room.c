/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "dbus/internal.h"

/*
 * The bus takes answers as fast as their callers read them, and what it does not
 * take waits in our memory. With 10,000 endpoints GetManagedObjects makes
 * megabytes of a call of 200 bytes, and everybody may call.
 */

static bool queue_is_below(sd_bus *bus, uint64_t limit)
{
	uint64_t queued;

	return sd_bus_get_n_queued_write(bus, &queued) >= 0 && queued < limit;
}

bool has_room_for_signal(const struct dbus *d)
{
	return queue_is_below(d->bus, SIGNALS_QUEUED_MAX);
}

bool has_room_for_answer(const struct dbus *d)
{
	return queue_is_below(d->bus, QUEUED_MAX);
}

static int refuse_without_room(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct dbus *d = userdata;
	uint8_t type;

	if (sd_bus_message_get_type(m, &type) < 0 || type != SD_BUS_MESSAGE_METHOD_CALL ||
	    has_room_for_answer(d))
		return 0;
	if (log_budget_take(&d->refusals, NULL))
		log_notice(NULL, "D-Bus: calls are refused while %u answers wait to be read",
			   QUEUED_MAX);
	return error_set(error, -ENOSPC, "Too many answers wait to be read: try again");
}

int room_guard(struct dbus *d)
{
	return sd_bus_add_filter(d->bus, NULL, refuse_without_room, d);
}
