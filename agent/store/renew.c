/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "store/internal.h"

/* The same store under other definitions. */

/* Does a value of the one mean the same as one of the other? */
static bool is_alike(const struct resource_definition *a, const struct resource_definition *b)
{
	return a->type == b->type && a->multiple == b->multiple && streq_null(a->unit, b->unit);
}

static void renew_instance(struct store *s, const struct object *o, const struct instance *i,
			   const struct object_definition *definition)
{
	for (size_t k = 0; k < o->definition->n_resources; k++) {
		const struct resource_definition *before = &o->definition->resources[k];
		const struct resource_definition *now = object_resource(definition, before->id);
		const struct path path = path_of_resource(definition->id, i->id, before->id);

		if (now && is_alike(before, now))
			continue;
		writes_lose(s, &path);
		store_remove_resource(s, &path);
	}
}

static void renew_object(struct store *s, struct object *o, const struct object_definition *definition)
{
	const struct path path = path_of_object(definition->id);
	bool is_other_version = o->definition->version != definition->version;

	for (uint16_t i = 0; i < o->n; i++)
		renew_instance(s, o, &o->instances[i], definition);
	o->definition = definition;
	if (is_other_version)
		change_note(s, &path);
}

bool store_set_definitions(struct store *s, const struct definitions *definitions)
{
	bool changed = false;

	store_begin(s);
	for (uint16_t i = s->n; i-- > 0;) {
		struct object *o = &s->objects[i];
		const struct object_definition *now = definitions_newest(definitions, o->definition->id);

		if (now && object_definition_equal(o->definition, now)) {
			o->definition = now;
			continue;
		}
		changed = true;
		if (now)
			renew_object(s, o, now);
		else
			store_remove_object(s, o->definition->id);
	}
	s->definitions = definitions;
	store_end(s);
	return changed;
}
