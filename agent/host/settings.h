/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "host/refusals.h"

/*
 * Settings against a plugin's key table: only keys of the scopes, of the
 * declared type, within range and choices, none twice; defaults filled in,
 * required ones there. Plugins rely on that. Every refusal goes to refusals.
 * 0, -EINVAL, -ENOMEM.
 */
struct settings_source {
	unsigned scope; /* of these; enum fieldway_scope */
	const struct fieldway_settings *settings;
};
int settings_compile(const struct fieldway_plugin *plugin, const struct settings_source *sources,
		     size_t n_sources, const struct refusal_place *place, struct arena *arena,
		     struct fieldway_settings *ret, struct refusals *refusals);
