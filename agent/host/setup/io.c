/* SPDX-License-Identifier: Apache-2.0 */
#include "host/setup/io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum fieldway_io io_of(const struct fieldway_plugin *plugin, const struct fieldway_driver *driver)
{
	if (plugin->driver_io)
		return plugin->driver_io(driver);
	return plugin->capabilities & FIELDWAY_CAN_POLL ? FIELDWAY_IO_POLLED : FIELDWAY_IO_EVENTS;
}

static bool plugin_can(const struct fieldway_plugin *plugin, enum fieldway_io io)
{
	switch (io) {
	case FIELDWAY_IO_POLLED:
		return plugin->capabilities & FIELDWAY_CAN_POLL;
	case FIELDWAY_IO_EVENTS:
		return plugin->capabilities & FIELDWAY_CAN_LISTEN;
	}
	return false;
}

static int compare_lines(const void *a, const void *b)
{
	const struct setup_device *const *p = a, *const *q = b;
	int order = strcmp((*p)->line, (*q)->line);

	return order ? order : (*p > *q) - (*p < *q);
}

static int refuse(const struct setup *s, const struct setup_device *d, struct refusals *refusals,
		  const char *text, const char *name)
{
	const struct refusal_place place = { .bus = s->bus.name,
					     .device = d->link->name,
					     .device_id = (int32_t)d->link->id,
					     .point_index = -1 };
	int r = refusals_add(refusals, &place, NULL, "%s%s", text, name);

	return r < 0 ? r : -EINVAL;
}

static int check_devices(const struct setup *s, struct refusals *refusals,
			 const struct setup_device **sorted)
{
	for (size_t i = 0; i < s->n_devices; i++) {
		if (!plugin_can(s->plugin, s->devices[i].io))
			return refuse(s, &s->devices[i], refusals,
				      "the plugin lacks the operations for it", "");
		sorted[i] = &s->devices[i];
	}
	qsort(sorted, s->n_devices, sizeof(*sorted), compare_lines);
	for (size_t i = 1; i < s->n_devices; i++)
		if (streq(sorted[i]->line, sorted[i - 1]->line) &&
		    sorted[i]->io != sorted[i - 1]->io)
			return refuse(
				s, sorted[i], refusals,
				"it speaks by itself and shares its line with one that is polled, or the other way round: ",
				sorted[i - 1]->link->name);
	return 0;
}

int io_check(const struct setup *s, struct refusals *refusals)
{
	_cleanup_free_ const struct setup_device **sorted =
		calloc(s->n_devices + 1, sizeof(struct setup_device *));

	return sorted ? check_devices(s, refusals, sorted) : -ENOMEM;
}
