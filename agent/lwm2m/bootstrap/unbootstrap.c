/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m/bootstrap/unbootstrap.h"

#include <errno.h>

#include "lwm2m/bootstrap/account_objects.h"

/* The heir of an instance: who has the most of Write and Delete, of equals the first. */
struct heir {
	struct store *store;
	uint16_t leaving, id; /* id: ACCESS_BOOTSTRAP: nobody */
	int rights;
	bool others; /* somebody else may do something, be it by entry 0 */
};

static int weigh(void *userdata, const struct path *path)
{
	struct heir *heir = userdata;
	_cleanup_value_ struct value v = { 0 };
	int rights;

	if (path->resource_instance == heir->leaving || store_read(heir->store, path, true, &v, NULL) < 0)
		return 0;
	heir->others |= v.integer != 0;
	if (path->resource_instance == 0 || v.integer == 0)
		return 0;
	rights = !!(v.integer & ACCESS_WRITE) + !!(v.integer & ACCESS_DELETE);
	if (rights > heir->rights) {
		heir->rights = rights;
		heir->id = path->resource_instance;
	}
	return 0;
}

static struct path target_of(struct store *s, uint16_t access)
{
	return path_of_instance((uint16_t)account_number(s, ACCOUNT_ACCESS, access, ACCESS_OBJECT_ID, ID_NONE),
				(uint16_t)account_number(s, ACCOUNT_ACCESS, access, ACCESS_INSTANCE_ID, ID_NONE));
}

/* 1: the instance of /2 is gone with what it was for. */
static int inherit(struct store *s, uint16_t access, const struct heir *heir, const struct unbootstrap_terms *terms)
{
	const struct path owner = path_of_resource(ACCOUNT_ACCESS, access, ACCESS_OWNER);
	const struct value id = value_integer(heir->id);
	const struct path target = target_of(s, access);

	if (!heir->others && terms->may_delete(terms->userdata, &target)) {
		store_remove_instance(s, target.object, target.instance);
		store_remove_instance(s, ACCOUNT_ACCESS, access);
		return 1;
	}
	return store_update_one(s, &owner, &id);
}

static int leave_access(struct store *s, uint16_t access, uint16_t short_id, const struct unbootstrap_terms *terms)
{
	const struct path rights = path_of_resource(ACCOUNT_ACCESS, access, ACCESS_ACL);
	const struct path own = path_child(&rights, short_id);
	struct heir heir = { .store = s, .leaving = short_id, .id = ACCESS_BOOTSTRAP, .rights = -1 };
	int r = 0;

	store_children(s, &rights, weigh, &heir);
	if (account_number(s, ACCOUNT_ACCESS, access, ACCESS_OWNER, ID_NONE) == short_id)
		r = inherit(s, access, &heir, terms);
	if (r == 0 && store_exists(s, &own))
		r = store_remove_value(s, &own);
	return r < 0 ? r : 0;
}

int unbootstrap(struct store *s, uint16_t short_id, const struct unbootstrap_terms *terms)
{
	uint16_t server = account_server_of(s, short_id);
	int r = 0;

	if (server != ID_NONE)
		store_remove_instance(s, ACCOUNT_SERVER, server);
	account_for_each(access, s, ACCOUNT_ACCESS) {
		r = leave_access(s, access, short_id, terms);
		if (r < 0)
			break;
	}
	return r;
}
