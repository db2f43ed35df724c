/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdio.h>

#include "config/merged.h"
#include "dbus/internal.h"

/* What all files together make of one device, each value with the place that it comes from. */

static int append_row(void *userdata, const struct merged_row *row)
{
	char origin[PATH_MAX + 32] = "";

	if (row->origin.file)
		snprintf(origin, sizeof(origin), "%s:%u", row->origin.file, row->origin.line);
	return sd_bus_message_append(userdata, AGENT1_PROFILE_VALUE, row->point, row->key, row->value,
				     origin);
}

int device_get_profile(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const struct item *item = userdata;
	const struct config *config = item->dbus->config.config;
	sd_bus_message *reply = NULL;
	int r = sd_bus_message_new_method_return(m, &reply);

	(void)error;
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', AGENT1_PROFILE_VALUE);
	if (r >= 0)
		r = merged_each(config, &config->devices[item->id], append_row, reply);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	if (r >= 0)
		r = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return r < 0 ? r : 1;
}
