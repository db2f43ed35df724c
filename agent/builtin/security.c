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

static int set_identity(struct builtin *b, uint16_t instance, const char *identity)
{
	const struct path path = path_of_resource(0, instance, SECURITY_IDENTITY);
	struct value v = { 0 };
	int r;

	if (!identity) {
		store_remove_resource(b->store, &path);
		return 0;
	}
	r = value_set_bytes(&v, VALUE_OPAQUE, identity, strlen(identity));
	return r < 0 ? r : builtin_set(b, 0, instance, SECURITY_IDENTITY, v);
}

static int fill(struct builtin *b, const struct builtin_account *a)
{
	const uint16_t i = a->instance;
	int r = builtin_set_text(b, 0, i, SECURITY_URI, a->uri);

	if (r >= 0)
		r = builtin_set(b, 0, i, SECURITY_BOOTSTRAP, value_boolean(false));
	if (r >= 0)
		r = builtin_set(b, 0, i, SECURITY_MODE, value_integer(a->secure ? MODE_PSK : MODE_NONE));
	if (r >= 0)
		r = set_identity(b, i, a->secure ? a->identity : NULL);
	return r < 0 ? r : builtin_set(b, 0, i, SECURITY_SHORT_ID, value_integer(a->short_id));
}

int security_init(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v)
{
	const struct object_definition *object = definitions_newest(definitions, 0);
	int r = 0;

	if (v->n_accounts > 0 && !object)
		return -ENOENT;
	for (size_t i = 0; i < v->n_accounts && r >= 0; i++) {
		r = store_add_instance(b->store, object, v->accounts[i].instance);
		if (r >= 0)
			r = fill(b, &v->accounts[i]);
	}
	return r;
}

int security_reload(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v)
{
	builtin_keep_accounts(b, 0, v);
	return security_init(b, definitions, v);
}
