/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "link/host1.h"

static const struct fieldway_value *find(const struct fieldway_settings *settings, const char *key)
{
	for (size_t i = 0; i < settings->n; i++)
		if (streq(settings->items[i].key, key))
			return &settings->items[i].value;
	return NULL;
}

/* "52", "input"; false: neither set nor a default. */
static bool value_text(const struct fieldway_key *key, const struct fieldway_value *v, char *ret,
		       size_t size)
{
	if (!v && key->initial)
		snprintf(ret, size, "%s", key->initial);
	else if (v && v->type == FIELDWAY_UINT)
		snprintf(ret, size, "%" PRIu64, v->unsignd);
	else if (v && v->type == FIELDWAY_INT)
		snprintf(ret, size, "%" PRId64, v->integer);
	else if (v && v->type == FIELDWAY_STRING)
		snprintf(ret, size, "%.*s", (int)MIN(v->size, size), v->data);
	else
		return false;
	return true;
}

void link_point_text(const struct fieldway_key *keys, size_t n_keys, const struct fieldway_settings *settings,
		     const char *name, char *ret, size_t size)
{
	char place[LINK_POINT_TEXT_MAX] = "", value[64];
	size_t n = 0;

	for (size_t i = 0; i < n_keys && n < sizeof(place); i++) {
		if (!(keys[i].flags & FIELDWAY_KEY_PLACE) ||
		    !value_text(&keys[i], find(settings, keys[i].name), value, sizeof(value)))
			continue;
		/* "address" goes without saying, "write.address" does not. */
		n += (size_t)snprintf(place + n, sizeof(place) - n, "%s%s%s%s", n > 0 ? " " : "",
				      strchr(keys[i].name, '.') ? keys[i].name : "",
				      strchr(keys[i].name, '.') ? " " : "", value);
	}
	snprintf(ret, size, n > 0 ? "point %s (%s)" : "point %s", name, place);
	ret[utf8_valid_prefix(ret, strlen(ret))] = '\0';
}
