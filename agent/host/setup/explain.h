/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/setup/refusals.h"
#include "host/setup/setup.h"

struct sd_bus_message;

/* Appends LINK_TYPE_EXPLANATIONS: a device's line and its requests by period. */
int explain_append(struct sd_bus_message *m, const struct setup *s);

#define EXPLAIN_NOTES_MAX 20 /* of one device */
/* What plugins find odd, of each type once, as far as it fits. s may be NULL: nothing. 0 or -ENOMEM. */
int explain_notes(const struct setup *s, struct refusals *ret);
