/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "config/difference.h"

/* A difference of two configurations in words. */
enum change_sort {
	CHANGE_NEW,
	CHANGE_GONE,
	CHANGE_OTHER,
};
const char *change_name(enum change_sort sort); /* "new", "gone", "changed" */

struct change {
	enum change_sort sort;
	const char *kind; /* "gateway", "server", "bus", "device", "endpoint" */
	const char *name; /* in YAML; of a configuration, or a section of fieldway.yaml */
	const char *effect;
};

struct changes {
	struct change *items;
	size_t n, allocated;
	struct arena arena;
};

/* The gateway, servers, buses, devices, endpoints, in this order. The configurations must live on. -ENOMEM. */
int changes_find(const struct config_difference *d, struct changes *ret);
void changes_done(struct changes *c);
