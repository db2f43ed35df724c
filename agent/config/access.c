/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/str.h"
#include "config/names.h"
#include "config/places.h"

/* `access:` of a server: one word, or one for each object. */

#define OBJECT_LAST 65534u
/* Of those that it names. */
#define RIGHTS_MAX 256u
static const char *const words[] = { "all", "read", NULL };
static const char *const more_words[] = { "all", "read", "none", NULL };

static int read_object(struct loader *l, const struct yaml_node *key, struct config_server *server,
		       uint16_t *ret)
{
	uint64_t object;
	int r = scalar_u64(l, key, &object);

	if (r < 0)
		return r;
	if (object > OBJECT_LAST) {
		loader_error(l, key->mark, "an object's number is 0 to %u, and all others are `other`", OBJECT_LAST);
		return -EINVAL;
	}
	for (size_t i = 0; i < server->n_rights; i++)
		if (server->rights[i].object == object) {
			loader_error(l, key->mark, "object %u stands here twice", (unsigned)object);
			return -EINVAL;
		}
	*ret = (uint16_t)object;
	return 0;
}

static void read_row(struct loader *l, const struct yaml_node *key, const struct yaml_node *value,
		     struct config_server *server)
{
	uint16_t object;
	int right;

	if (key->text && streq(key->text, "other")) {
		if (scalar_choice(l, value, more_words, &right) >= 0)
			server->other_right = (enum config_right)right;
		return;
	}
	if (read_object(l, key, server, &object) < 0 || scalar_choice(l, value, more_words, &right) < 0)
		return;
	server->rights[server->n_rights++] =
		(struct config_object_right){ .object = object, .right = (enum config_right)right };
}

void access_read(struct loader *l, const struct yaml_node *node, struct config_server *server)
{
	int right;

	server->other_right = CONFIG_RIGHT_ALL;
	if (!node)
		return;
	if (node->kind == YAML_KIND_SCALAR) {
		if (scalar_choice(l, node, words, &right) >= 0)
			server->other_right = (enum config_right)right;
		return;
	}
	/* What all may, where it says no more. */
	server->other_right = CONFIG_RIGHT_READ;
	if (mapping_expect(l, node, "access") < 0)
		return;
	if (node->n > RIGHTS_MAX) {
		loader_error(l, node->mark, "more than %u objects", RIGHTS_MAX);
		return;
	}
	server->rights = loader_array(l, struct config_object_right, node->n);
	for (size_t i = 0; server->rights && i < node->n; i++)
		read_row(l, node->keys[i], node->items[i], server);
}
