/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "codec/codec.h"
#include "model/definition.h"
#include "model/record.h"

struct store;

/*
 * What a server sees of a store: the object versions that belong to the LwM2M
 * version of its registration. Resources newer than that are absent.
 */
struct view {
	const struct definitions *definitions;
	const struct store *store;
	enum lwm2m_version version;
};

/* NULL when the store has no such object. */
const struct object_definition *view_object(const struct view *v, uint16_t object);
/* NULL when absent from the object version in this view. */
const struct resource_definition *view_resource(const struct view *v, const struct path *path);
/* Does the path exist, in the store and in this view? */
bool view_exists(const struct view *v, const struct path *path);
/* Takes out the records that this view lacks. */
void view_filter(const struct view *v, struct records *records);
/* A codec_lookup; userdata is a struct view. */
const struct resource_definition *view_lookup(void *userdata, const struct path *path);
