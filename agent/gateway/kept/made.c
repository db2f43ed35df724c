/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/kept/made.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"

/* Objects whose instances are the servers' to make, as `create:` has them. */

/* Data that a server keeps at the host. */
#define PORTFOLIO 16

const struct config_endpoint *made_config(const struct endpoint *e)
{
	return e->config ?: &e->registry->config.config->host_endpoint;
}

bool made_is_of(const struct endpoint *e, const struct config_objects *create, uint16_t object)
{
	if (!e->config && object == PORTFOLIO)
		return true;
	for (size_t i = 0; i < create->n; i++)
		if (create->ids[i] == object)
			return true;
	return false;
}

bool made_is(const struct endpoint *e, uint16_t object)
{
	return made_is_of(e, &made_config(e)->create, object);
}

int made_each(struct endpoint *e, int (*f)(struct endpoint *e, uint16_t object))
{
	const struct config_endpoint *c = made_config(e);
	int error = e->config ? 0 : f(e, PORTFOLIO);

	for (size_t i = 0; i < c->create.n; i++) {
		int r = !e->config && c->create.ids[i] == PORTFOLIO ? 0 : f(e, c->create.ids[i]);

		error = error < 0 ? error : r;
	}
	return error;
}

static void add_once(uint16_t *list, size_t *n, uint16_t object)
{
	for (size_t i = 0; i < *n; i++)
		if (list[i] == object)
			return;
	list[(*n)++] = object;
}

int made_list(const struct endpoint *e, uint16_t **ret, size_t *ret_n)
{
	const struct config_objects *create = &made_config(e)->create;
	uint16_t *list = calloc(create->n + 2, sizeof(*list));
	size_t n = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < create->n; i++)
		add_once(list, &n, create->ids[i]);
	if (!e->config) {
		add_once(list, &n, PORTFOLIO);
		add_once(list, &n, CLUSTER_OBJECT);
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

static int add_object(struct endpoint *e, uint16_t object)
{
	const struct object_definition *definition =
		definitions_newest(e->registry->config.definitions, object);

	return definition ? store_add_object(e->store, definition) : 0;
}

int made_add_objects(struct endpoint *e)
{
	return made_each(e, add_object);
}

/* ---- which instances ---- */

static int find_backed(void *userdata, const struct path *resource)
{
	return store_backing(userdata, resource) != NULL;
}

/* What the configuration shows there is not theirs. */
static bool is_shown(struct store *store, const struct path *path)
{
	const struct path instance = path_cut(path, PATH_INSTANCE);

	return path->depth >= PATH_INSTANCE && store_exists(store, &instance) &&
	       store_children(store, &instance, find_backed, store) > 0;
}

bool made_may(const struct endpoint *e, const struct path *path)
{
	return made_is(e, path->object) && !is_shown(e->store, path);
}

void made_only(struct endpoint *e, struct records *records)
{
	size_t kept = 0;

	for (size_t i = 0; i < records->n; i++) {
		struct record *record = &records->items[i];

		if (is_shown(e->store, &record->path))
			value_done(&record->value);
		else
			records->items[kept++] = *record;
	}
	records->n = kept;
}

struct removing {
	struct store *store;
	struct path path;
};

static int find_made(void *userdata, const struct path *instance)
{
	struct removing *r = userdata;

	if (is_shown(r->store, instance))
		return 0;
	r->path = *instance;
	return 1;
}

void made_remove(struct endpoint *e, uint16_t object)
{
	const struct path path = path_of_object(object);
	struct removing r = { .store = e->store };

	while (store_exists(e->store, &path) && store_children(e->store, &path, find_made, &r) > 0)
		store_remove_instance(e->store, object, r.path.instance);
}

static int find_any(void *userdata, const struct path *instance)
{
	(void)userdata;
	(void)instance;
	return 1;
}

void made_leave(struct endpoint *e, const struct config_objects *before)
{
	for (size_t i = 0; i < before->n; i++) {
		const struct path path = path_of_object(before->ids[i]);

		if (made_is(e, path.object) || !store_exists(e->store, &path))
			continue;
		made_remove(e, path.object);
		/* One that the configuration shows goes on. */
		if (store_children(e->store, &path, find_any, NULL) == 0)
			store_remove_object(e->store, path.object);
	}
}

#define MADE "made-"
/* As it was called before there were others. */
#define MADE_PORTFOLIO "portfolio"

void made_kind(uint16_t object, char ret[PERSIST_KIND_MAX])
{
	if (object == PORTFOLIO)
		snprintf(ret, PERSIST_KIND_MAX, MADE_PORTFOLIO);
	else
		snprintf(ret, PERSIST_KIND_MAX, MADE "%u", object);
}

bool made_is_kind(const char *kind)
{
	return has_prefix(kind, MADE) || streq(kind, MADE_PORTFOLIO);
}
