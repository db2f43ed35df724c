/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "codec/wire.h"
#include "model/value.h"

/*
 * JSON (RFC 8259) as far as SenML and its forerunner need it: an array of objects
 * whose members are plain values, alone or as a member of one more object.
 * jansson parses; integers beyond its range keep their digits.
 */
struct json_list;

/* Such an array has at most this many objects. */
#define JSON_OBJECTS_MAX 8192u

/*
 * member: the name that the array has in the object around it, NULL when there
 * is none around it. -EINVAL with a reason in static text, -ENOMEM.
 */
int json_list_parse(struct span text, const char *member, struct json_list **ret,
		    const char **ret_reason);
struct json_list *json_list_free(struct json_list *list);
size_t json_list_size(const struct json_list *list);
/*
 * Calls f for each member of one object; texts live as long as the list. f
 * returns 0 to go on, other values end the walk and are returned.
 */
typedef int (*json_member)(void *userdata, struct span name, const struct wire *value);
int json_list_members(const struct json_list *list, size_t index, json_member f, void *userdata);
/* The same for the object around the array: all but the array. */
int json_list_head(const struct json_list *list, json_member f, void *userdata);
DEFINE_FREEP(struct json_list *, json_list_free)

/* The name of a member, a comma before it unless it is the first. It has nothing to escape. */
int json_write_key(struct buf *out, const char *key);
/* A quoted string; text is UTF-8. */
int json_write_text(struct buf *out, const char *text, size_t size);
/* Seconds with as many decimals as there are. */
int json_write_seconds(struct buf *out, int64_t usec);
/* A member: key, and a path or a time as its value. */
int json_write_path(struct buf *out, const char *key, const char *path);
int json_write_time(struct buf *out, const char *key, int64_t usec);
/*
 * A value; numbers are finite. bytes: how OPAQUE, which JSON has no type for, becomes
 * text, as base64_encode() does. -EINVAL: VALUE_NONE.
 */
int json_write_value(struct buf *out, const struct value *v,
		     int (*bytes)(const void *data, size_t size, char **ret));
