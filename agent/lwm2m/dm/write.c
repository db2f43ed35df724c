/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lwm2m/dm/pending.h"
#include "store/audit.h"

static char *audit_text(const struct request *q, const struct records *records)
{
	return q->client->config.audit ? audit_write(q->target.store, records->items, records->n) : NULL;
}

/* What has no values to be named. */
static char *audit_whole(const struct request *q, const char *verb, const struct path *path)
{
	char name[PATH_TEXT_MAX], *text;

	if (!q->client->config.audit || asprintf(&text, "%s %s", verb, path_format(path, name)) < 0)
		return NULL;
	return text;
}

/* The payload as records; answers the request itself when that fails. */
static int decode(struct request *q, struct records *ret)
{
	const struct codec *codec = codec_find(q->message->content_format);
	const char *reason = NULL;
	int r;

	if (!codec || (codec->single && q->target.path.depth < PATH_RESOURCE)) {
		respond_error(q, -EPROTONOSUPPORT, NULL);
		return -EPROTONOSUPPORT;
	}
	r = codec->decode(&q->target.path, q->message->payload, view_lookup, &q->view, ret, &reason);
	if (r < 0)
		respond_error(q, r, reason);
	return r;
}

/* What nobody mapped stays absent: accepting a value that goes nowhere would be a lie. */
static bool all_present(struct request *q, const struct records *records)
{
	char text[PATH_TEXT_MAX];

	for (size_t i = 0; i < records->n; i++) {
		struct path resource = path_cut(&records->items[i].path, PATH_RESOURCE);

		if (resource.depth < PATH_RESOURCE || store_exists(q->target.store, &resource) ||
		    request_may_make(q, &resource))
			continue;
		respond_error(q, -ENOENT, path_format(&resource, text));
		return false;
	}
	return true;
}

static bool names_present(const struct request *q, const struct link *link)
{
	struct path path;

	return path_parse(link->target, strlen(link->target), &path) >= 0 && path.depth >= PATH_OBJECT &&
	       store_exists(q->target.store, &path);
}

/* Of a Corelnk as of an Objlnk: it leads somewhere (Core Tbl C-2). Here, for the store knows no links. */
bool request_links_are_good(const struct request *q, const struct value *value)
{
	struct links links = { 0 };
	bool good;

	if (value->type != VALUE_CORELNK)
		return true;
	good = links_parse(value->data, value->size, &links) >= 0;

	for (size_t i = 0; i < links.n && good; i++)
		good = names_present(q, &links.items[i]);
	links_done(&links);
	return good;
}

static bool all_links_good(struct request *q, const struct records *records)
{
	for (size_t i = 0; i < records->n; i++) {
		if (request_links_are_good(q, &records->items[i].value))
			continue;
		respond_error(q, -EINVAL, "no links, or to what is not there");
		return false;
	}
	return true;
}

/* Only an array and what is above it can be written with nothing in it. */
static bool is_one_value(const struct request *q, const struct resource_definition *resource)
{
	return resource && (!resource->multiple || q->target.path.depth == PATH_RESOURCE_INSTANCE);
}

void dm_write(struct request *q, enum store_write_mode mode)
{
	const struct resource_definition *resource = view_resource(&q->view, &q->target.path);
	_cleanup_records_ struct records records = { 0 };
	struct pending *op;

	/* Operation before content: a resource that is never writable is 4.05 whatever the payload says. */
	if (resource && !(resource->operations & OPERATION_WRITE)) {
		respond_error(q, -EPERM, NULL);
		return;
	}
	if (decode(q, &records) < 0)
		return;
	if (records.n == 0 && is_one_value(q, resource)) {
		respond_error(q, -EINVAL, "no value");
		return;
	}
	/* Resources newer than the registered object version do not exist for this server. */
	view_filter(&q->view, &records);
	if (!all_present(q, &records) || !all_links_good(q, &records))
		return;
	op = pending_new(q, CODE(2, 04));
	if (!op)
		return;
	op->audit = audit_text(q, &records);
	store_write(q->target.store, &q->target.path, mode, records.items, records.n, pending_done, op);
}

static bool may_create(const struct request *q)
{
	const struct object_definition *object = view_object(&q->view, q->target.path.object);
	struct path path = path_of_object(q->target.path.object);

	return object->multiple && request_may_make(q, &path);
}

/* All records of a Create name one instance: the given one, or none (-> lowest free id). */
static int create_target(const struct request *q, struct records *records, struct path *ret)
{
	uint16_t object = q->target.path.object, id = ID_NONE;

	if (records->n > 0)
		id = records->items[0].path.instance;
	if (id == ID_NONE)
		id = store_free_instance(q->target.store, object);
	else if (store_exists(q->target.store, &(struct path){ .ids = { object, id }, .depth = 2 }))
		return -EEXIST;
	if (id == ID_NONE)
		return -EBUSY;
	for (size_t i = 0; i < records->n; i++) {
		struct path *path = &records->items[i].path;

		if (path->instance != records->items[0].path.instance && path->instance != id)
			return -EINVAL;
	}
	for (size_t i = 0; i < records->n; i++)
		records->items[i].path.instance = id;
	*ret = path_of_instance(object, id);
	return 0;
}

/* Who makes it owns it. Where that fails, the agent makes a /2 instance of its own behind the answer. */
static void created(void *userdata, int error, const char *reason)
{
	struct pending *op = userdata;
	const struct client_config *config = op->client ? &op->client->config : NULL;

	if (error >= 0 && config && op->target.store == config->store && access_is_enforced(config->store))
		access_adopt(config->store, config->definitions, op->location.object, op->location.instance,
			     config->short_id);
	pending_done(op, error, reason);
}

void dm_create(struct request *q)
{
	_cleanup_records_ struct records records = { 0 };
	struct pending *op;
	struct path target;
	int r;

	if (!may_create(q)) {
		respond_error(q, -EPERM, NULL);
		return;
	}
	if (decode(q, &records) < 0)
		return;
	r = create_target(q, &records, &target);
	if (r < 0) {
		respond_error(q, r, r == -EEXIST ? "instance exists" : NULL);
		return;
	}
	view_filter(&q->view, &records);
	if (!all_links_good(q, &records))
		return;
	op = pending_new(q, CODE(2, 01));
	if (!op)
		return;
	op->target = q->target;
	op->location = target;
	op->audit = records.n > 0 ? audit_text(q, &records) : audit_whole(q, "create", &target);
	store_write(q->target.store, &target, STORE_CREATE, records.items, records.n, created, op);
}

/* Resource instances since 1.2 (Core 6.3.7), where the server may make them. */
static bool may_delete(const struct request *q)
{
	const struct resource_definition *resource = view_resource(&q->view, &q->target.path);
	struct path path = path_cut(&q->target.path, PATH_RESOURCE);

	/* One of those that the object has may be somebody else's. */
	if (q->target.path.depth == PATH_INSTANCE)
		return may_create(q) && request_may_make(q, &q->target.path);
	return q->client->version >= LWM2M_1_2 && resource->operations & OPERATION_WRITE &&
	       request_may_make(q, &path);
}

void dm_delete(struct request *q)
{
	struct store *store = q->target.store;
	struct pending *op;

	if (!may_delete(q)) {
		respond_error(q, -EPERM, NULL);
		return;
	}
	op = pending_new(q, CODE(2, 02));
	if (!op)
		return;
	op->audit = audit_whole(q, "delete", &q->target.path);
	/* Watches run behind the answer. */
	store_begin(store);
	if (q->target.path.depth == PATH_INSTANCE && store == q->client->config.store)
		access_forget(store, q->target.path.object, q->target.path.instance);
	pending_done(op, store_delete(store, &q->target.path), NULL);
	store_end(store);
}
