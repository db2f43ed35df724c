/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m/dm/access.h"

#include <errno.h>
#include <stdlib.h>

#include "store/store.h"

/* What one /2 instance says of one server. */
struct grant {
	uint16_t object, instance;
	uint16_t id; /* of the /2 instance */
	uint8_t rights;
	bool owner;
};

struct access {
	struct grant *grants; /* by object, instance and id */
	size_t n, allocated;
};

const struct access access_closed = { .n = 0 };

static int count_child(void *userdata, const struct path *child)
{
	(void)child;
	++*(unsigned *)userdata;
	return 0;
}

bool access_is_enforced(const struct store *s)
{
	const struct path servers = path_of_object(SERVER_OBJECT);
	unsigned n = 0;

	store_children(s, &servers, count_child, &n);
	return n > 1;
}

/* ---- /2 as a table ---- */

struct building {
	struct store *store;
	struct access *access;
	uint16_t server;
};

static int64_t number_at(const struct records *records, const struct path *path)
{
	const struct record *record = records_find(records, path);

	return record && record->value.type == VALUE_INTEGER ? record->value.integer : -1;
}

/* The owner without an entry of its own has all but Create, then comes the entry, then that of all others (Core 8.2.1). */
static uint8_t judge(const struct records *records, const struct path *instance, uint16_t server, bool owner)
{
	const struct path own =
		path_of_resource_instance(ACCESS_OBJECT, instance->instance, ACCESS_ACL, server);
	const struct path others = path_of_resource_instance(ACCESS_OBJECT, instance->instance, ACCESS_ACL, 0);
	int64_t rights = number_at(records, &own);

	if (rights < 0 && owner)
		return ACCESS_ALL & ~ACCESS_CREATE;
	if (rights < 0)
		rights = number_at(records, &others);
	return rights < 0 ? 0 : (uint8_t)(rights & ACCESS_ALL);
}

static int add_grant(struct access *a, const struct grant *grant)
{
	if (a->n == a->allocated) {
		size_t n = a->allocated ? 2 * a->allocated : 16;
		struct grant *grown = reallocarray(a->grants, n, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		a->grants = grown;
		a->allocated = n;
	}
	a->grants[a->n++] = *grant;
	return 0;
}

static int add_instance(void *userdata, const struct path *instance)
{
	struct building *b = userdata;
	const struct path object_id = path_child(instance, ACCESS_OBJECT_ID);
	const struct path instance_id = path_child(instance, ACCESS_INSTANCE_ID);
	const struct path owner_id = path_child(instance, ACCESS_OWNER);
	_cleanup_records_ struct records records = { 0 };
	struct grant grant = { .id = instance->instance };
	int64_t object, of;
	int r = store_collect(b->store, instance, true, &records, NULL);

	if (r < 0)
		return r;
	object = number_at(&records, &object_id);
	of = number_at(&records, &instance_id);
	/* Bootstrap may have left it half filled: it opens nothing. */
	if (object < 0 || object > UINT16_MAX || of < 0 || of > UINT16_MAX)
		return 0;
	grant.object = (uint16_t)object;
	grant.instance = (uint16_t)of;
	grant.owner = number_at(&records, &owner_id) == b->server;
	grant.rights = judge(&records, instance, b->server, grant.owner);
	/* Who may create is not for servers to say. */
	if (grant.instance == ACCESS_BOOTSTRAP && number_at(&records, &owner_id) != ACCESS_BOOTSTRAP)
		grant.rights = 0;
	return add_grant(b->access, &grant);
}

static int by_target(const void *a, const void *b)
{
	const struct grant *x = a, *y = b;
	const struct path one = path_of_resource(x->object, x->instance, x->id);
	const struct path other = path_of_resource(y->object, y->instance, y->id);

	return path_compare(&one, &other);
}

int access_new(struct store *s, uint16_t server, struct access **ret)
{
	const struct path object = path_of_object(ACCESS_OBJECT);
	struct building b = { .store = s, .server = server };
	int r;

	if (!access_is_enforced(s)) {
		*ret = NULL;
		return 0;
	}
	b.access = calloc(1, sizeof(*b.access));
	if (!b.access)
		return -ENOMEM;
	r = store_children(s, &object, add_instance, &b);
	if (r < 0) {
		access_free(b.access);
		return r;
	}
	if (b.access->n > 0)
		qsort(b.access->grants, b.access->n, sizeof(*b.access->grants), by_target);
	*ret = b.access;
	return 0;
}

struct access *access_free(struct access *a)
{
	if (!a)
		return NULL;
	free(a->grants);
	free(a);
	return NULL;
}

/* ---- questions ---- */

/* The first of several that tell of the same instance. */
static const struct grant *grant_find(const struct access *a, uint16_t object, uint16_t instance)
{
	size_t low = 0, high = a->n;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct grant *g = &a->grants[middle];

		if (g->object < object || (g->object == object && g->instance < instance))
			low = middle + 1;
		else
			high = middle;
	}
	return low < a->n && a->grants[low].object == object && a->grants[low].instance == instance ?
		       &a->grants[low] :
		       NULL;
}

static uint8_t rights_of_control(const struct access *a, uint16_t id)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->grants[i].id == id && a->grants[i].owner)
			return ACCESS_READ | ACCESS_WRITE;
	return ACCESS_READ;
}

uint8_t access_rights(const struct access *a, uint16_t object, uint16_t instance)
{
	const struct grant *grant;

	if (!a)
		return ACCESS_ALL;
	if (object == ACCESS_OBJECT)
		return rights_of_control(a, instance);
	grant = grant_find(a, object, instance);
	return grant ? grant->rights : 0;
}

bool access_may_create(const struct access *a, uint16_t object)
{
	return access_rights(a, object, ACCESS_BOOTSTRAP) & ACCESS_CREATE;
}

struct search {
	const struct access *access;
	const struct store *store;
};

/* 1 ends the walk: there is one. */
static int find_readable(void *userdata, const struct path *path)
{
	const struct search *search = userdata;

	if (path_is_secret(path))
		return 0;
	if (path->depth < PATH_INSTANCE)
		return store_children(search->store, path, find_readable, userdata);
	return access_rights(search->access, path->object, path->instance) & ACCESS_READ ? 1 : 0;
}

bool access_reads(const struct access *a, const struct store *s, const struct path *path)
{
	struct search search = { .access = a, .store = s };
	unsigned n = 0;

	if (!a)
		return true;
	if (path->depth >= PATH_INSTANCE)
		return access_rights(a, path->object, path->instance) & ACCESS_READ;
	/* Of an object without instances there is nothing to forbid. */
	store_children(s, path, count_child, &n);
	return n == 0 || find_readable(&search, path) > 0;
}

void access_filter(const struct access *a, struct records *records)
{
	size_t kept = 0;

	for (size_t i = 0; a && i < records->n; i++) {
		struct record *record = &records->items[i];

		if (access_rights(a, record->path.object, record->path.instance) & ACCESS_READ)
			records->items[kept++] = *record;
		else
			value_done(&record->value);
	}
	if (a)
		records->n = kept;
}

/* ---- what servers make and delete ---- */

int access_adopt(struct store *s, const struct definitions *definitions, uint16_t object, uint16_t instance,
		 uint16_t server)
{
	const struct object_definition *definition = definitions_newest(definitions, ACCESS_OBJECT);
	uint16_t id = store_free_instance(s, ACCESS_OBJECT);
	const struct record records[] = {
		{ .path = path_of_resource(ACCESS_OBJECT, id, ACCESS_OBJECT_ID), .value = value_integer(object) },
		{ .path = path_of_resource(ACCESS_OBJECT, id, ACCESS_INSTANCE_ID),
		  .value = value_integer(instance) },
		{ .path = path_of_resource(ACCESS_OBJECT, id, ACCESS_OWNER), .value = value_integer(server) },
	};
	int r;

	if (!definition || id == ID_NONE)
		return -ENOENT;
	r = store_add_instance(s, definition, id);
	return r < 0 ? r : store_update(s, records, 3);
}

struct dangling {
	struct store *store;
	uint16_t object, instance;
	uint16_t id;
};

static bool says(struct store *s, const struct path *instance, uint16_t resource, uint16_t number)
{
	const struct path path = path_child(instance, resource);
	struct value v = { 0 };

	return store_read(s, &path, true, &v, NULL) >= 0 && v.type == VALUE_INTEGER && v.integer == number;
}

static int find_dangling(void *userdata, const struct path *instance)
{
	struct dangling *d = userdata;

	if (!says(d->store, instance, ACCESS_OBJECT_ID, d->object) ||
	    !says(d->store, instance, ACCESS_INSTANCE_ID, d->instance))
		return 0;
	d->id = instance->instance;
	return 1;
}

void access_forget(struct store *s, uint16_t object, uint16_t instance)
{
	const struct path controls = path_of_object(ACCESS_OBJECT);
	struct dangling d = { .store = s, .object = object, .instance = instance };

	while (store_children(s, &controls, find_dangling, &d) > 0)
		store_remove_instance(s, ACCESS_OBJECT, d.id);
}
