/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/registry/internal.h"

struct config_difference;

/*
 * What is kept by names of YAML, over a reload that gives other ones: settings and
 * attributes of an account go with its endpoint's client name, and what is paused
 * with that or with a device's address. Names may be exchanged.
 */
struct renames {
	struct rename *items; /* endpoints that go on under another YAML name, by the former one */
	struct rename **by_name; /* the same by the new one */
	size_t n;
};
/* Beforehand: -ENOMEM. */
int renames_init(struct renames *n, const struct registry *r, const struct config_difference *d);
void renames_done(struct renames *n);
/* Whatever is kept under this name belongs to an endpoint that leaves it. */
bool renames_give_up(const struct renames *n, const char *name);
/* Under servers as they were; the endpoints have their new config behind it. What cannot be kept is logged. */
void renames_apply(struct renames *n);
/* Pauses, of the host and buses apart. */
void renames_pause(struct registry *r, const struct config_difference *d);
