/* SPDX-License-Identifier: Apache-2.0 */
#include "host/setup/explain.h"

#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#include "link/marshal.h"

static int append_device(sd_bus_message *m, const struct setup_device *d)
{
	_cleanup_free_ struct link_request *requests = calloc(d->n_polls + 1, sizeof(*requests));
	const struct link_explanation e = { .device = d->link->id,
					    .line = d->line,
					    .requests = requests,
					    .n_requests = d->n_polls };

	if (!requests)
		return -ENOMEM;
	for (size_t i = 0; i < d->n_polls; i++)
		requests[i] = (struct link_request){
			.period_usec = d->polls[i].period_usec,
			.text = d->polls[i].request->text,
			.wire_bytes = d->polls[i].request->wire_bytes,
			.wire_usec = d->polls[i].request->wire_usec,
		};
	return link_append_explanation(m, &e);
}

/* What is noted of a type is noted of all its devices. */
static int note_device(const struct setup *s, const struct setup_device *d, struct refusals *ret)
{
	struct fieldway_error notes[EXPLAIN_NOTES_MAX];
	size_t n = s->plugin->driver_notes(d->driver, notes, EXPLAIN_NOTES_MAX);
	int r = 0;

	for (size_t i = 0; r >= 0 && i < MIN(n, (size_t)EXPLAIN_NOTES_MAX); i++) {
		bool of_point = notes[i].point >= 0 && (size_t)notes[i].point < d->type->n_points;
		const struct refusal_place place = {
			.bus = s->bus.name,
			.device = d->link->name,
			.point = of_point ? d->type->points[notes[i].point].name : NULL,
			.device_id = (int32_t)d->link->id,
			.point_index = of_point ? notes[i].point : -1,
		};

		r = refusals_add(ret, &place, notes[i].key, "%s", notes[i].text);
	}
	return r;
}

int explain_notes(const struct setup *s, struct refusals *ret)
{
	size_t n_types = s ? s->configuration->n_types : 0;
	_cleanup_free_ bool *known = calloc(n_types + 1, sizeof(*known));
	int r = known ? 0 : -ENOMEM;

	for (size_t i = 0; r >= 0 && s && s->plugin->driver_notes && i < s->n_devices; i++) {
		uint32_t type = s->devices[i].link->type;

		if (!known[type])
			r = note_device(s, &s->devices[i], ret);
		known[type] = true;
	}
	return r;
}

int explain_append(sd_bus_message *m, const struct setup *s)
{
	int r = sd_bus_message_open_container(m, 'a', LINK_TYPE_EXPLANATION);

	for (size_t i = 0; r >= 0 && s && i < s->n_devices; i++)
		r = append_device(m, &s->devices[i]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}
