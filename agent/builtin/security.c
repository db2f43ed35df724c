/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "builtin/internal.h"

/* Object 0, Core appendix E.1. Servers never see it; keys stay references outside the store. */
enum {
	SECURITY_URI = 0,
	SECURITY_BOOTSTRAP = 1,
	SECURITY_MODE = 2,
	SECURITY_IDENTITY = 3,
	SECURITY_SHORT_ID = 10,
	MODE_PSK = 0,
	MODE_NONE = 3,
};

static int set_identity(struct builtin *b, const char *identity)
{
	const struct path path = path_of_resource(0, 0, SECURITY_IDENTITY);
	struct value v = { 0 };
	int r;

	if (!identity) {
		store_remove_resource(b->store, &path);
		return 0;
	}
	r = value_set_bytes(&v, VALUE_OPAQUE, identity, strlen(identity));
	return r < 0 ? r : builtin_set(b, 0, 0, SECURITY_IDENTITY, v);
}

static int fill(struct builtin *b, const struct builtin_values *v)
{
	int r = builtin_set_text(b, 0, 0, SECURITY_URI, v->uri);

	if (r >= 0)
		r = builtin_set(b, 0, 0, SECURITY_BOOTSTRAP, value_boolean(false));
	if (r >= 0)
		r = builtin_set(b, 0, 0, SECURITY_MODE, value_integer(v->secure ? MODE_PSK : MODE_NONE));
	if (r >= 0)
		r = set_identity(b, v->secure ? v->identity : NULL);
	return r < 0 ? r : builtin_set(b, 0, 0, SECURITY_SHORT_ID, value_integer(v->short_id));
}

int security_init(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v)
{
	const struct object_definition *object = definitions_newest(definitions, 0);
	int r;

	if (!v->uri)
		return 0;
	if (!object)
		return -ENOENT;
	r = store_add_instance(b->store, object, 0);
	return r < 0 ? r : fill(b, v);
}

int security_reload(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v,
		    bool overlaid)
{
	(void)overlaid;
	if (!v->uri)
		store_remove_object(b->store, 0);
	return security_init(b, definitions, v);
}
