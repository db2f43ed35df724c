/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "link/host1.h"

/* What is held against one configuration: the first LINK_REFUSALS_MAX of it. */
struct refusals {
	struct arena arena;
	struct link_refusal items[LINK_REFUSALS_MAX];
	size_t n;
};

struct refusal_place {
	const char *bus, *device, *point; /* for the text; device, point may be NULL */
	int32_t device_id, point_index;	  /* -1: none */
};

void refusals_done(struct refusals *r);
/* key may be NULL. Text that is not UTF-8 is cut. 0, or -ENOMEM. */
int refusals_add(struct refusals *r, const struct refusal_place *place, const char *key,
		 const char *format, ...) _printf_(4, 5);
