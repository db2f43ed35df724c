/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "model/record.h"
#include "observe/attributes.h"
#include "observe/observation.h"

/* One path of an observation: what its server knows of it, against what is there now. */
struct part {
	struct observed at;
	bool changed;	     /* a plain change since the last notification, also one that went back */
	struct records last; /* notified values of a resource, for gt, lt, st and edge */
};

void part_done(struct part *p);
/* The value that is there now was sent. */
void part_sent(struct part *p);
bool part_overlaps(const struct part *p, const struct path *path);
/* A path that overlaps is told to have changed: is that news for the server? */
void part_changed(struct part *p, enum store_change change, const struct path *path);
/* edge goes by where the value was before: also on the side that is not told of. */
void part_note_side(struct part *p, const struct attributes *a);
/* Is it a reason to notify, by what is in force there? */
bool part_triggers(const struct part *p, const struct attributes *a);
/* Is the resource's value worth repeating? True above resources. */
bool part_is_good(const struct part *p);
/* How many good values there are, and how many that are not. */
void part_count(const struct part *p, size_t *ret_good, unsigned *ret_left_out);
