/* SPDX-License-Identifier: Apache-2.0 */
#include "host/device/exchange.h"

#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/clock.h"
#include "host/device/device.h"
#include "host/device/parts.h"
#include "link/host1.h"

static void append(uint8_t *to, uint16_t *n, size_t most, const void *bytes, size_t size, bool *cut)
{
	size_t fits = MIN(size, most - *n);

	memcpy(to + *n, bytes, fits);
	*n = (uint16_t)(*n + fits);
	*cut |= fits < size;
}

void exchange_note(struct exchange *e, enum fieldway_direction direction, const void *bytes,
		   size_t size)
{
	if (direction == FIELDWAY_RECEIVED) {
		append(e->received, &e->n_received, sizeof(e->received), bytes, size, &e->cut);
		return;
	}
	if (e->n_received > 0)
		*e = (struct exchange){ .n_sent = 0 };
	append(e->sent, &e->n_sent, sizeof(e->sent), bytes, size, &e->cut);
}

/* Room for n bytes; the same one as long as it does. */
static struct kept_exchange *make_room(struct poll *p, size_t n)
{
	struct kept_exchange *kept = p->exchange;

	if (kept && kept->room >= n)
		return kept;
	kept = realloc(kept, sizeof(*kept) + n);
	if (!kept)
		return NULL;
	kept->room = (uint16_t)n;
	return p->exchange = kept;
}

void exchange_keep(struct poll *p, const struct exchange *e)
{
	struct kept_exchange *kept;

	if (e->n_sent == 0 && e->n_received == 0)
		return;
	kept = make_room(p, (size_t)e->n_sent + e->n_received);
	if (!kept)
		return;
	kept->boottime_usec = clock_boottime_usec();
	kept->n_sent = e->n_sent;
	kept->n_received = e->n_received;
	kept->cut = e->cut;
	memcpy(kept->bytes, e->sent, e->n_sent);
	memcpy(kept->bytes + e->n_sent, e->received, e->n_received);
}

static int append_kept(sd_bus_message *m, const struct kept_exchange *kept)
{
	int r = sd_bus_message_append(m, "t", kept->boottime_usec);

	if (r >= 0)
		r = sd_bus_message_append_array(m, 'y', kept->bytes, kept->n_sent);
	if (r >= 0)
		r = sd_bus_message_append_array(m, 'y', kept->bytes + kept->n_sent,
						kept->n_received);
	return r < 0 ? r : sd_bus_message_append(m, "b", (int)kept->cut);
}

int exchange_append(sd_bus_message *m, const struct device *d, uint32_t point)
{
	static const struct kept_exchange nothing;
	int32_t poll = d->line ? device_poll_of(d, point) : -1;
	const struct poll *p = poll < 0 ? NULL : &d->polls[poll];
	int r = sd_bus_message_append(m, "st", p ? p->request->text : "",
				      p ? p->period_usec : UINT64_C(0));

	return r < 0 ? r : append_kept(m, p && p->exchange ? p->exchange : &nothing);
}
