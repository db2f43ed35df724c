/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/setup.h"

struct sd_bus_message;

/* Appends LINK_TYPE_EXPLANATIONS: a device's line and its requests by period. */
int explain_append(struct sd_bus_message *m, const struct setup *s);
