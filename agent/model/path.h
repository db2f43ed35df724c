/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A LwM2M path: depth 0 is the root, then object, object instance, resource, resource instance (Core 7.1). */
enum path_depth {
	PATH_ROOT = 0,
	PATH_OBJECT = 1,
	PATH_INSTANCE = 2,
	PATH_RESOURCE = 3,
	PATH_RESOURCE_INSTANCE = 4,
};

/* 65535 is reserved: no object, no instance (Core 7.1). */
#define ID_NONE UINT16_C(65535)

struct path {
	union {
		uint16_t ids[4];
		struct {
			uint16_t object, instance, resource, resource_instance;
		};
	};
	uint8_t depth;
};

#define PATH_TEXT_MAX sizeof("/65535/65535/65535/65535")

static inline struct path path_of_object(uint16_t o)
{
	return (struct path){ .ids = { o }, .depth = 1 };
}
static inline struct path path_of_instance(uint16_t o, uint16_t i)
{
	return (struct path){ .ids = { o, i }, .depth = 2 };
}
static inline struct path path_of_resource(uint16_t o, uint16_t i, uint16_t r)
{
	return (struct path){ .ids = { o, i, r }, .depth = 3 };
}
static inline struct path path_of_resource_instance(uint16_t o, uint16_t i, uint16_t r, uint16_t ri)
{
	return (struct path){ .ids = { o, i, r, ri }, .depth = 4 };
}

/* "/3/0/1", with or without the leading slash; "/" and "" are the root. -EINVAL: other text, leading zeros, 65535 or more. */
int path_parse(const char *text, size_t size, struct path *ret);
/* One segment: a decimal id without leading zeros, 0..65535 (65535 allowed here). -EINVAL. */
int path_parse_id(const char *text, size_t size, uint16_t *ret);
/* Writes "/3/0/1", "/" for the root; returns ret. */
char *path_format(const struct path *path, char ret[PATH_TEXT_MAX]);
/* Orders by ids, a shorter path before what it contains. */
int path_compare(const struct path *a, const struct path *b);

/* What follows is asked dozens of times for each value: in place, it is a few instructions. */

/* True when inner lies at or below outer. */
static inline bool path_contains(const struct path *outer, const struct path *inner)
{
	if (outer->depth > inner->depth)
		return false;
	for (unsigned i = 0; i < outer->depth; i++)
		if (outer->ids[i] != inner->ids[i])
			return false;
	return true;
}
static inline bool path_equal(const struct path *a, const struct path *b)
{
	return a->depth == b->depth && path_contains(a, b);
}
/* Security, OSCORE and COSE are for bootstrap servers only (Core 6.3): keys. */
static inline bool object_is_secret(uint16_t object)
{
	return object == 0 || object == 21 || object == 23;
}
static inline bool path_is_secret(const struct path *path)
{
	return path->depth >= PATH_OBJECT && object_is_secret(path->object);
}
/* The first `depth` ids. */
static inline struct path path_cut(const struct path *path, unsigned depth)
{
	struct path cut = *path;

	while (cut.depth > depth)
		cut.ids[--cut.depth] = 0;
	return cut;
}
/* path with one more id. */
static inline struct path path_child(const struct path *path, uint16_t id)
{
	struct path child = *path;

	if (child.depth < PATH_RESOURCE_INSTANCE)
		child.ids[child.depth++] = id;
	return child;
}
