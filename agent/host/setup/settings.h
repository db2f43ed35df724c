/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "host/setup/refusals.h"

/*
 * Settings against a plugin's key table: only keys of the scopes, of the
 * declared type, within range and choices, none but lists twice; defaults filled
 * in and required ones there, as far as their names stand in the table. Secrets
 * and contents are BYTES. Plugins rely on that. Settings whose names the user
 * chose keep their own; they live as long as the sources. Every refusal goes to
 * refusals. 0, -EINVAL, -ENOMEM.
 */
struct settings_source {
	unsigned scope; /* of these; enum fieldway_scope */
	const struct fieldway_settings *settings;
};
int settings_compile(const struct fieldway_plugin *plugin, const struct settings_source *sources,
		     size_t n_sources, const struct refusal_place *place, struct arena *arena,
		     struct fieldway_settings *ret, struct refusals *refusals);
