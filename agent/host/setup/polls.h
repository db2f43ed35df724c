/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/setup/setup.h"

/* The requests of a compiled device, one plan for the points of each period. 0 or -ENOMEM. */
int polls_make(const struct fieldway_plugin *plugin, struct arena *arena, struct setup_device *d);
void polls_done(const struct fieldway_plugin *plugin, struct setup_device *d);
