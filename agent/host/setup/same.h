/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/setup/setup.h"

/* What two setups have in common. Pure. */

/* Buses as such: plugin, settings, times; not their devices. */
bool setup_same_bus(const struct setup *a, const struct setup *b);

/* Of each type of `after` the last one of `before` that it was compared with. */
struct same_types;
int same_types_new(const struct setup *before, const struct setup *after, struct same_types **ret);
struct same_types *same_types_free(struct same_types *s);

/*
 * Is a device of `after` the one of `before`: id, name, address, type, line,
 * requests? Buses are not looked at.
 */
bool setup_same_device(struct same_types *s, const struct setup_device *before,
		       const struct setup_device *after);
