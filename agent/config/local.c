/* SPDX-License-Identifier: Apache-2.0 */
#include "config/local.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "config/difference.h"
#include "config/places.h"

int local_bus(struct loader *l, struct yaml_mark mark)
{
	struct config *c = l->config;
	int other = bus_find(l, LOCAL_NAME);

	if (other >= 0 && c->buses[other].plugin == &config_plugin_local)
		return other;
	if (other >= 0) {
		loader_error(l, mark, "local devices have a bus " LOCAL_NAME " of their own: that of %s:%u needs another name",
			     c->buses[other].mark.file, c->buses[other].mark.line);
		return -EINVAL;
	}
	if (!c->buses || !l->buses)
		return -EINVAL;
	/* buses_read() has left room for one more. */
	l->buses[c->n_buses].plugin = plugin_get(l, mark, LOCAL_NAME, false);
	c->buses[c->n_buses] = (struct config_bus){ .mark = mark,
						    .name = loader_text(l, LOCAL_NAME),
						    .plugin = &config_plugin_local };
	return l->buses[c->n_buses].plugin && c->buses[c->n_buses].name ? (int)c->n_buses++ : -EINVAL;
}

/* ---- what comes without bytes has no use for ---- */

static const char *what_is_raw(const struct point_source *source)
{
	const struct config_point *p = &source->point;

	return p->scale != 1 || source->scale10_point ? "a scale" :
	       p->offset != 0			      ? "an offset" :
	       p->factor != 1 || source->factor >= 0  ? "a factor" :
	       p->n_invalid > 0			      ? "invalid values" :
	       p->deadband > 0			      ? "a deadband" :
	       p->sample_usec > 0		      ? "a sample" :
	       p->inexact_reject		      ? "inexact" :
	       p->verify.enabled		      ? "verify" :
							NULL;
}

int local_point_check(struct loader *l, const struct profile *p, const struct point_source *source)
{
	const struct config_point *point = &source->point;
	const struct fieldway_value *persist = settings_find(&point->settings, "persist");
	const char *raw = what_is_raw(source);

	if (p->plugin->plugin != &config_plugin_local)
		return 0;
	if (raw)
		loader_error(l, point->mark, "%s has %s: a local device gives values as they are", point->name, raw);
	else if (source->rate >= 0 || point->period_usec != CONFIG_RATE_ON_DEMAND)
		loader_error(l, point->mark,
			     "%s has a rate: a local device is not polled; silence is how long its values hold",
			     point->name);
	else if (persist && persist->boolean && point->counter.enabled)
		loader_error(l, point->mark, "%s is a counter, whose total is kept without persist", point->name);
	else if (persist && persist->boolean && !(point->access & CONFIG_ACCESS_READ))
		loader_error(l, point->mark, "%s is only written: it has no value to persist", point->name);
	else
		return 0;
	return -EINVAL;
}

int local_profile_check(struct loader *l, const struct profile *p, const struct profile_section *section)
{
	const struct yaml_node *wrong = section->samples ?: section->identify;

	if (p->plugin->plugin != &config_plugin_local || !wrong)
		return 0;
	loader_error(l, wrong->mark, "a local device gives values as they are: it has no %s",
		     section->samples ? "samples" : "identify");
	return -EINVAL;
}

/* ---- owners ---- */

/* An account that comes later is its devices' trouble, not the configuration's; --check says so. */
static int refuse_account(struct loader *l, struct yaml_mark mark, const char *kind, const char *name, int error)
{
	char what[512];

	if (error == -ENOENT)
		snprintf(what, sizeof(what), "there is no %s \"%.200s\"", kind, name);
	else
		snprintf(what, sizeof(what), "%s \"%.200s\" cannot be looked up: %s", kind, name, strerror(-error));
	if (!l->sources->plugins_optional) {
		loader_error(l, mark, "%s", what);
		return -EINVAL;
	}
	loader_warning(l, mark, "%s: nobody of that name can publish", what);
	return 0;
}

static int find_account(struct loader *l, struct yaml_mark mark, const struct fieldway_settings *address,
			enum config_account kind, uint32_t *ret)
{
	static const char *const kinds[] = { [CONFIG_USER] = "user", [CONFIG_GROUP] = "group" };
	const struct fieldway_value *name = settings_find(address, kind == CONFIG_USER ? "owner" : "group");
	int r;

	if (!name || !l->sources->account)
		return 0;
	r = l->sources->account(l->sources->userdata, kind, name->data, ret);
	return r < 0 ? refuse_account(l, mark, kinds[kind], name->data, r) : 0;
}

int local_owner_find(struct loader *l, struct yaml_mark owner, struct config_device *device)
{
	const struct fieldway_settings *a = &device->address;
	const struct fieldway_value *owner_name = settings_find(a, "owner") ?: settings_find(a, "group");
	int r;

	device->owner_uid = device->owner_gid = CONFIG_NONE;
	if (l->config->buses[device->bus].plugin != &config_plugin_local || l->sources->addresses_optional)
		return 0;
	if (!owner_name) {
		loader_error(l, owner, "a local device has the owner that publishes for it: address: {owner: USER}");
		return -EINVAL;
	}
	device->owner = owner_name->data;
	r = find_account(l, owner, a, CONFIG_USER, &device->owner_uid);
	return worse(r, find_account(l, owner, a, CONFIG_GROUP, &device->owner_gid));
}
