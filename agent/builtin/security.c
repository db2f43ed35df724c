/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "builtin/internal.h"
#include "model/account.h"

/* Object 0, Core appendix E.1. Servers never see it; keys stay references outside the store. */

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

static int fill(struct builtin *b, uint16_t i, bool bootstrap, const char *uri, bool secure, const char *identity)
{
	int r = builtin_set_text(b, 0, i, SECURITY_URI, uri);

	if (r >= 0)
		r = builtin_set(b, 0, i, SECURITY_IS_BOOTSTRAP, value_boolean(bootstrap));
	if (r >= 0)
		r = builtin_set(b, 0, i, SECURITY_MODE, value_integer(secure ? SECURITY_MODE_PSK : SECURITY_MODE_NONE));
	return r < 0 ? r : set_identity(b, i, secure ? identity : NULL);
}

static int add_account(struct builtin *b, const struct object_definition *object, const struct builtin_account *a)
{
	int r = store_add_instance(b->store, object, a->security);

	if (r >= 0)
		r = fill(b, a->security, false, a->uri, a->secure, a->identity);
	return r < 0 ? r : builtin_set(b, 0, a->security, SECURITY_SHORT_ID, value_integer(a->short_id));
}

static int add_bootstrap(struct builtin *b, const struct object_definition *object, const struct builtin_bootstrap *a)
{
	int r = store_add_instance(b->store, object, a->security);

	if (r >= 0)
		r = fill(b, a->security, true, a->uri, a->secure, a->identity);
	if (r >= 0)
		r = builtin_set(b, 0, a->security, SECURITY_HOLD_OFF, value_integer(a->hold_off_s));
	return r < 0 ? r : builtin_set(b, 0, a->security, SECURITY_ACCOUNT_TIMEOUT, value_integer(a->timeout_s));
}

int security_init(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v)
{
	const struct object_definition *object = definitions_newest(definitions, 0);
	int r = 0;

	if ((v->n_accounts > 0 || v->bootstrap) && !object)
		return -ENOENT;
	for (size_t i = 0; i < v->n_accounts && r >= 0; i++)
		r = add_account(b, object, &v->accounts[i]);
	return r < 0 || !v->bootstrap ? r : add_bootstrap(b, object, v->bootstrap);
}

int security_reload(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v)
{
	builtin_keep_accounts(b, 0, v);
	return security_init(b, definitions, v);
}
