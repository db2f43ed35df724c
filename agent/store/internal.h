/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/list.h"
#include "store/store.h"

/* Shared by the .c files of store/ only. Sorted arrays throughout: an idle endpoint is small and short. */

/* One resource instance of a multiple resource. */
struct slot {
	uint16_t id;
	struct value value;
	uint64_t boottime_usec;
};

struct resource {
	uint16_t id;
	uint16_t n_slots;
	uint16_t backing; /* see resource_backing() */
	uint8_t quality;  /* enum store_quality */
	bool multiple : 1;
	bool present : 1; /* has a value; a multiple one may have it with no instance */
	uint64_t boottime_usec;
	union {
		struct value value;
		struct slot *slots;
	};
};

struct instance {
	uint16_t id, n;
	struct resource *resources;
};

struct object {
	const struct object_definition *definition;
	struct instance *instances;
	uint16_t n;
};

struct store {
	const struct definitions *definitions;
	struct object *objects;
	struct backing *backings;
	uint16_t n, n_backings;
	uint16_t brackets;
	bool overlooked;      /* a change for whose note there was no memory */
	bool left;	      /* a resource left its backing, which may have been the last one */
	struct path *changed; /* resources, and below PATH_RESOURCE instances and objects */
	uint32_t n_changed, changed_allocated;
	store_watch watch;
	void *watch_userdata;
	const struct store_keeper *keeper;
	struct list writes; /* struct write */
};

struct object *object_find(const struct store *s, uint16_t id);
struct instance *instance_find(const struct store *s, uint16_t object, uint16_t id);
struct resource *resource_find(const struct store *s, const struct path *path);
struct slot *slot_find(const struct resource *r, uint16_t id);
/* Makes the resource exist in an instance that does. -ENOENT, -EINVAL, -ENOMEM. */
int resource_make(struct store *s, const struct path *path, struct resource **ret);
/* Takes the value over on success; *ret_changed: content or quality differ from before. */
int resource_set(struct resource *r, const struct path *path, struct value *value, uint64_t boottime_usec,
		 bool *ret_changed);
void resource_clear(struct resource *r);
/* backing.c: NULL: memory. Valid until another one is set. */
const struct backing *resource_backing(const struct store *s, const struct resource *r);
/* -ENOMEM, -ENOSPC: too many different ones. */
int resource_set_backing(struct store *s, struct resource *r, const struct backing *backing);
/* The resource goes, or is backed by somebody else. */
void resource_leave_backing(struct store *s, struct resource *r);
/* Bytes of all texts and opaque values. */
size_t store_bytes(const struct store *s);
void instance_remove(struct store *s, uint16_t object, uint16_t instance);
/* One without instances. */
void object_remove(struct store *s, struct object *o);

/* Notes a change for the end of the outermost bracket: of a value, or of an instance or object that came or went. */
void change_note(struct store *s, const struct path *path);

/* write.c */
void writes_cancel(struct store *s);
/* What is at or below the path goes: requests that are out find something else there, or nothing. */
void writes_lose(struct store *s, const struct path *path);
