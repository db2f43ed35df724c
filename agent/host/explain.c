/* SPDX-License-Identifier: Apache-2.0 */
#include "host/explain.h"

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

int explain_append(sd_bus_message *m, const struct setup *s)
{
	int r = sd_bus_message_open_container(m, 'a', LINK_TYPE_EXPLANATION);

	for (size_t i = 0; r >= 0 && s && i < s->n_devices; i++)
		r = append_device(m, &s->devices[i]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}
