/* SPDX-License-Identifier: Apache-2.0 */
#include "host/setup/refusals.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define TEXT_BYTES 512

void refusals_done(struct refusals *r)
{
	arena_done(&r->arena);
	r->n = 0;
}

static void name_place(const struct refusal_place *p, char *ret, size_t size)
{
	int n = 0;

	/* A profile's samples have no bus. */
	*ret = 0;
	if (p->bus && *p->bus)
		n = snprintf(ret, size, "bus %.80s: ", p->bus);
	if (p->device && n >= 0 && (size_t)n < size)
		n += snprintf(ret + n, size - (size_t)n, "device %.80s: ", p->device);
	if (p->point && n >= 0 && (size_t)n < size)
		snprintf(ret + n, size - (size_t)n, "point %.80s: ", p->point);
}

int refusals_add(struct refusals *r, const struct refusal_place *place, const char *key,
		 const char *format, ...)
{
	struct link_refusal *item = &r->items[r->n];
	char text[TEXT_BYTES];
	va_list arguments;
	size_t used;

	if (r->n >= LINK_REFUSALS_MAX)
		return 0;
	name_place(place, text, sizeof(text));
	used = strlen(text);
	va_start(arguments, format);
	vsnprintf(text + used, sizeof(text) - used, format, arguments);
	va_end(arguments);
	*item = (struct link_refusal){ .device = place->device_id, .point = place->point_index };
	item->text = arena_text(&r->arena, text, utf8_valid_prefix(text, strlen(text)));
	item->key =
		arena_text(&r->arena, key ?: "", utf8_valid_prefix(key ?: "", strlen(key ?: "")));
	if (!item->text || !item->key)
		return -ENOMEM;
	r->n++;
	return 0;
}
