/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <systemd/sd-bus.h>

#include "base/arena.h"
#include "config/config.h"

/* What crosses D-Bus of the field side: a plugin's settings, and values of points. */

/* Settings (of a point, or of a device) and points of one call. */
#define FIELD_SETTINGS_MAX 256u
#define FIELD_POINTS_MAX 1000u

/*
 * a{sv} as settings of a plugin's keys of these scopes: any number where it fits,
 * text as YAML has it; no secrets. Everything lies in the arena or the message.
 * -EINVAL with error set, -ENOMEM, -EBADMSG.
 */
int field_settings_read(sd_bus_message *m, const struct config_plugin *plugin, unsigned scope,
			struct arena *arena, struct fieldway_settings *ret, sd_bus_error *error);
/* Moves the settings of keys that have none of these scopes from one to the other; both are the arena's. */
int field_settings_split(const struct config_plugin *plugin, unsigned scope, struct arena *arena,
			 struct fieldway_settings *from, struct fieldway_settings *ret_others);
/*
 * a(sa{sv}): points by name, each with the plugin's keys and, if it likes, scale,
 * offset, factor, scale10 (the name of another point) and invalid (av). As above.
 */
int field_points_read(sd_bus_message *m, const struct config_plugin *plugin, struct arena *arena,
		      struct config_point **ret, size_t *ret_n, sd_bus_error *error);

/* A point's value as a variant: b, x, t, d, s or ay; "" when it has none. */
int field_value_append(sd_bus_message *m, const struct fieldway_value *value);
/* What a sample that is no value says, "" for one that is. */
const char *field_problem(const struct fieldway_sample *sample);
