/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/setup/setup.h"

/* How devices are reached: polled on a line of their own, or by events in the loop. */

enum fieldway_io io_of(const struct fieldway_plugin *plugin, const struct fieldway_driver *driver);
/*
 * Can the plugin do what its drivers ask for, and is each line used in one way
 * only? 0, -EINVAL with a refusal, -ENOMEM.
 */
int io_check(const struct setup *s, struct refusals *refusals);
