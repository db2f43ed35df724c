/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "config/map.h"

/* `create:`, objects whose instances servers make and delete. */

#define CREATE_MAX 64u
/* Singles of the device, and what handlers of packages stand behind. */
#define DEVICE 3
#define SOFTWARE 9

static int check_object(struct loader *l, const struct yaml_node *node, uint64_t id)
{
	const struct object_definition *object =
		id < ID_NONE ? definitions_newest(l->sources->definitions, (uint16_t)id) : NULL;

	if (!object)
		loader_error(l, node->mark, "there is no object %s: its definition would lie in objects.d", node->text);
	else if (object_is_own(object->id) || object->id == DEVICE || object->id == SOFTWARE)
		loader_error(l, node->mark, "object %u (%s) is kept by the gateway itself", object->id, object->name);
	else if (!object->multiple)
		loader_error(l, node->mark, "object %u (%s) has a single instance, 0, which nobody creates", object->id,
			     object->name);
	else
		return 0;
	return -EINVAL;
}

/* n: those before it. */
static int check_once(struct loader *l, const struct yaml_node *node, uint16_t id, const uint16_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id) {
			loader_error(l, node->mark, "object %u stands here twice", id);
			return -EINVAL;
		}
	return 0;
}

static int read_object(struct loader *l, const struct yaml_node *node, uint16_t *ids, size_t n)
{
	uint64_t id;
	int r = scalar_u64(l, node, &id);

	r = r < 0 ? r : check_object(l, node, id);
	ids[n] = r < 0 ? ID_NONE : (uint16_t)id;
	return r < 0 ? r : check_once(l, node, ids[n], ids, n);
}

int create_read(struct loader *l, const struct yaml_node *node, struct config_objects *ret)
{
	uint16_t *ids;
	int error = 0;

	*ret = (struct config_objects){ 0 };
	if (sequence_expect(l, node, "create") < 0)
		return -EINVAL;
	if (node->n > CREATE_MAX) {
		loader_error(l, node->mark, "more than %u objects", CREATE_MAX);
		return -EINVAL;
	}
	ids = loader_array(l, uint16_t, node->n);
	if (!ids)
		return -ENOMEM;
	for (size_t i = 0; i < node->n; i++) {
		int r = read_object(l, node->items[i], ids, i);

		error = error < 0 ? error : r;
	}
	*ret = (struct config_objects){ .ids = ids, .n = node->n };
	return error;
}
