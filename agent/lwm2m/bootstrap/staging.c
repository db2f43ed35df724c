/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lwm2m/bootstrap/staging_internal.h"

#define DEVICE_OBJECT 3

int staging_refuse(char *reason, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, STAGING_REASON_MAX, format, arguments);
	va_end(arguments);
	return error;
}

const struct object_definition *staging_object(const struct staging *st, uint16_t object)
{
	return store_object(st->store, object) ?: definitions_newest(st->config.definitions, object);
}

/* ---- copies ---- */

struct copying {
	struct store *from, *to;
	bool all; /* values of every object; else of those that accounts are made of */
};

static int copy_value(void *userdata, const struct path *path)
{
	struct copying *c = userdata;
	_cleanup_value_ struct value v = { 0 };
	int r = store_read(c->from, path, true, &v, NULL);

	if (r >= 0)
		return store_update_one(c->to, path, &v);
	if (r == -ENOMEM)
		return r;
	/* Of a multiple resource its instances; an executable has none. */
	return path->depth == PATH_RESOURCE ? store_children(c->from, path, copy_value, c) : 0;
}

static int copy_instance(void *userdata, const struct path *path)
{
	struct copying *c = userdata;
	int r = store_add_instance(c->to, store_object(c->from, path->object), path->instance);

	if (r < 0 || !(c->all || is_account_object(path->object)))
		return r;
	return store_children(c->from, path, copy_value, c);
}

static int copy_object(void *userdata, const struct path *path)
{
	struct copying *c = userdata;
	int r = store_add_object(c->to, store_object(c->from, path->object));

	return r < 0 ? r : store_children(c->from, path, copy_instance, c);
}

static int copy_store(const struct staging *st, struct store *from, bool all, struct store **ret)
{
	const struct path root = { .depth = PATH_ROOT };
	struct copying c = { .from = from, .all = all };
	int r = store_new(st->config.definitions, &c.to);

	if (r < 0)
		return r;
	r = store_children(from, &root, copy_object, &c);
	if (r < 0)
		store_free(c.to);
	else
		*ret = c.to;
	return r;
}

int staging_copy(const struct staging *st, struct store **ret)
{
	return copy_store(st, st->store, true, ret);
}

void staging_swap(struct staging *st, struct store *copy)
{
	store_free(st->store);
	st->store = copy;
}

/* ---- life ---- */

int staging_new(const struct staging_config *config, struct staging **ret)
{
	struct staging *st = calloc(1, sizeof(*st));
	int r;

	if (!st)
		return -ENOMEM;
	st->config = *config;
	st->account = ID_NONE;
	r = copy_store(st, config->live, false, &st->store);
	if (r < 0) {
		staging_free(st);
		return r;
	}
	account_for_each(id, st->store, ACCOUNT_SECURITY)
		if (account_is_bootstrap(st->store, id) && st->account == ID_NONE)
			st->account = id;
	*ret = st;
	return 0;
}

struct staging *staging_free(struct staging *st)
{
	if (!st)
		return NULL;
	store_free(st->store);
	free(st->touched);
	free(st);
	return NULL;
}

struct store *staging_store(struct staging *st)
{
	return st->store;
}

uint16_t staging_account(struct staging *st)
{
	return st->account != ID_NONE && account_is_bootstrap(st->store, st->account) ? st->account : ID_NONE;
}

const struct touched *staging_touched(const struct staging *st, const struct path *instance)
{
	for (size_t i = 0; i < st->n_touched; i++)
		if (path_equal(&st->touched[i].instance, instance))
			return &st->touched[i];
	return NULL;
}

int staging_touch(struct staging *st, const struct path *instance, bool replaced)
{
	struct touched *grown;

	for (size_t i = 0; i < st->n_touched; i++) {
		if (!path_equal(&st->touched[i].instance, instance))
			continue;
		st->touched[i].replaced |= replaced;
		return 0;
	}
	grown = reallocarray(st->touched, st->n_touched + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	st->touched = grown;
	st->touched[st->n_touched++] = (struct touched){ .instance = *instance, .replaced = replaced };
	return 0;
}

bool staging_key_is_elsewhere(const struct staging *st, uint16_t security)
{
	const struct path instance = path_of_instance(ACCOUNT_SECURITY, security);
	const struct touched *touched = staging_touched(st, &instance);

	return st->config.key_elsewhere && !(touched && touched->replaced) &&
	       store_exists(st->config.live, &instance) &&
	       st->config.key_elsewhere(st->config.userdata, security);
}

/* ---- what stays ---- */

struct link_search {
	struct store *store;
	const struct path *instance;
};

static int is_link_to(void *userdata, const struct path *path)
{
	struct link_search *search = userdata;
	_cleanup_value_ struct value v = { 0 };

	return store_read(search->store, path, true, &v, NULL) >= 0 && v.type == VALUE_OBJLNK &&
	       v.link.object == search->instance->object && v.link.instance == search->instance->instance;
}

bool staging_links_to(struct store *s, uint16_t security, const struct path *instance)
{
	static const uint16_t links[] = { SECURITY_OSCORE, SECURITY_MQTT, SECURITY_COSE };
	struct link_search search = { .store = s, .instance = instance };

	for (size_t i = 0; i < ARRAY_SIZE(links) && security != ID_NONE; i++) {
		const struct path path = path_of_resource(ACCOUNT_SECURITY, security, links[i]);

		if (is_link_to(&search, &path) || store_children(s, &path, is_link_to, &search) > 0)
			return true;
	}
	return false;
}

static bool is_of_account(struct staging *st, uint16_t account, const struct path *instance)
{
	if (instance->object == ACCOUNT_SECURITY)
		return account != ID_NONE && instance->instance == account;
	return staging_links_to(st->store, account, instance);
}

bool staging_is_the_agents(const struct staging *st, const struct path *instance)
{
	const struct path object = path_of_object(instance->object);
	const struct resolver *resolver = st->config.resolver;

	if (is_account_object(instance->object))
		return false;
	return instance->object == DEVICE_OBJECT ||
	       !resolver->may_make(resolver->userdata, st->config.live, &object);
}

bool staging_stays(struct staging *st, const struct path *instance)
{
	return is_of_account(st, staging_account(st), instance) || staging_is_the_agents(st, instance);
}

int staging_account_links(struct staging *st, struct buf *ret)
{
	static const uint16_t objects[] = { ACCOUNT_SECURITY, ACCOUNT_OSCORE, ACCOUNT_COSE, ACCOUNT_MQTT };
	struct link_writer writer = { .out = ret };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(objects) && r >= 0; i++)
		account_for_each(id, st->store, objects[i]) {
			const struct path path = path_of_instance(objects[i], id);
			char text[PATH_TEXT_MAX];

			if (is_of_account(st, staging_account(st), &path))
				r = link_begin(&writer, path_format(&path, text));
			if (r < 0)
				break;
		}
	return r;
}

/* ---- Bootstrap-Delete ---- */

static int delete_instance(struct staging *st, const struct path *instance)
{
	/* First: what cannot be noted is not done. */
	int r = staging_touch(st, instance, true);

	if (r >= 0)
		store_remove_instance(st->store, instance->object, instance->instance);
	return r;
}

static int delete_object(void *userdata, const struct path *object)
{
	struct staging *st = userdata;
	int r = 0;

	account_for_each(id, st->store, object->object) {
		const struct path instance = path_of_instance(object->object, id);

		if (!staging_stays(st, &instance))
			r = delete_instance(st, &instance);
		if (r < 0)
			break;
	}
	return r;
}

int staging_delete(struct staging *st, const struct path *target, char ret_reason[STAGING_REASON_MAX])
{
	switch ((enum path_depth)target->depth) {
	case PATH_ROOT:
		return store_children(st->store, target, delete_object, st);
	case PATH_OBJECT:
		return delete_object(st, target);
	case PATH_INSTANCE:
		if (!store_exists(st->store, target))
			return 0;
		if (staging_stays(st, target))
			return staging_refuse(ret_reason, -EINVAL, "this instance stays");
		return delete_instance(st, target);
	case PATH_RESOURCE:
	case PATH_RESOURCE_INSTANCE:
		break;
	}
	return staging_refuse(ret_reason, -EINVAL, "no less than an instance is deleted");
}
