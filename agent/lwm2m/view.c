/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m/view.h"

#include "store/store.h"

const struct object_definition *view_object(const struct view *v, uint16_t object)
{
	const struct object_definition *own = store_object(v->store, object);

	return own ? definitions_for(v->definitions, own, v->version) : NULL;
}

const struct resource_definition *view_resource(const struct view *v, const struct path *path)
{
	const struct object_definition *object = view_object(v, path->object);

	return object && path->depth >= PATH_RESOURCE ? object_resource(object, path->resource) : NULL;
}

bool view_exists(const struct view *v, const struct path *path)
{
	if (!store_exists(v->store, path))
		return false;
	return path->depth < PATH_RESOURCE || view_resource(v, path);
}

void view_filter(const struct view *v, struct records *records)
{
	size_t kept = 0;

	for (size_t i = 0; i < records->n; i++) {
		struct record *record = &records->items[i];

		if (record->path.depth >= PATH_RESOURCE && !view_resource(v, &record->path))
			value_done(&record->value);
		else
			records->items[kept++] = *record;
	}
	records->n = kept;
}

const struct resource_definition *view_lookup(void *userdata, const struct path *path)
{
	return view_resource(userdata, path);
}
