/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "store/store.h"

/*
 * A store with /1000 (multiple, a resource of each kind) and /2000 (single),
 * and a log of what it tells. Contents are written as text: "0=5 3/1=ab" below
 * an instance; "s:" before a value makes it a String whatever the definition
 * says, "!" is no value.
 */
struct rig {
	struct definitions *definitions;
	const struct object_definition *object, *single;
	struct store *store;
	struct buf
		log; /* "I /1000/0;" instances, "V /1000/0/1 /1000/0/3;" values, "D-22;" an end */
	char reason[256]; /* of the last end */
	unsigned ended;
};

void rig_setup(struct rig *rig);
void rig_teardown(struct rig *rig);
struct path rig_path(const char *text);
/* What was told since the last call; valid until the next one. */
const char *rig_told(struct rig *rig);
/* Contents as records below an instance. */
void rig_records(struct rig *rig, const struct path *instance, const char *contents,
		 struct records *ret);
/* Makes the instance, if need be, and sets its contents; nothing of that is logged. */
void rig_fill(struct rig *rig, const char *instance, const char *contents);
int rig_update(struct rig *rig, const char *instance, const char *contents);
/* Contents of an instance, also what is not readable; "-" when there is none. Valid until the next call. */
const char *rig_contents(struct rig *rig, const char *instance);
/* Writes contents that are named relative to the target's instance. */
void rig_write(struct rig *rig, const char *target, enum store_write_mode mode,
	       const char *contents);
/* A backing_done that logs. */
void rig_done(void *userdata, int error, const char *reason);
