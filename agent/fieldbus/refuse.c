/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/str.h"
#include "fieldbus/internal.h"

int refused_find(const struct config *config, uint32_t bus, const struct link_refusal *refusal,
		 struct refused *ret)
{
	struct refused found = {
		.config = config,
		.bus = &config->buses[bus],
		.place = config->buses[bus].mark,
		.refusal = refusal,
	};

	if (refusal->device >= 0) {
		if ((size_t)refusal->device >= config->n_devices ||
		    config->devices[refusal->device].bus != bus)
			return -EBADMSG;
		found.device = &config->devices[refusal->device];
		found.type = found.device->type;
		found.place = found.device->mark;
	}
	if (refusal->point >= 0 && (!found.type || (size_t)refusal->point >= found.type->n_points))
		return -EBADMSG;
	*ret = found;
	return 0;
}

static const struct config_point *refused_point(const struct refused *x)
{
	return x->refusal->point >= 0 ? &x->type->points[x->refusal->point] : NULL;
}

static bool has_key(const struct fieldway_settings *s, const char *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (streq(s->items[i].key, key))
			return true;
	return false;
}

/* From the nearest: a point can be refused for what its device or bus says. */
static const struct fieldway_settings *refused_settings(const struct refused *x)
{
	const struct config_point *point = refused_point(x);
	const struct fieldway_settings *const all[] = {
		point ? &point->settings : NULL,
		x->device ? &x->device->address : NULL,
		x->type ? &x->type->settings : NULL,
		x->bus ? &x->bus->settings : NULL,
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i] && has_key(all[i], x->refusal->key))
			return all[i];
	return NULL;
}

struct yaml_mark refused_mark(const struct refused *x)
{
	const struct fieldway_settings *settings = refused_settings(x);

	if (settings)
		return config_setting_mark(x->config, settings, x->refusal->key);
	return refused_point(x) ? refused_point(x)->mark : x->place;
}
