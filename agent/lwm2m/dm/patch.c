/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/composite.h"
#include "lwm2m/dm/pending.h"
#include "store/audit.h"

/*
 * Write-Composite (Core 6.3.9): every check of the whole body before the next
 * one of it, in the order of lwm2m.md "Operations"; then all or nothing.
 */

struct patch {
	struct composite composite;
	struct request *items; /* one of each entry that counts: the request, aimed at its target */
	const struct composite_entry **entries;
	size_t n;
};

static void patch_done(struct patch *p)
{
	composite_done(&p->composite);
	free(p->items);
	free(p->entries);
}
#define _cleanup_patch_ _cleanup_(patch_done)

/* An error in words, with the path that is meant. */
static int refuse_at(struct request *q, const struct path *path, int error)
{
	char text[PATH_TEXT_MAX];

	respond_error(q, error, path_format(path, text));
	return error;
}

static int resolve_entry(struct request *item, const struct composite_entry *entry)
{
	const struct client_config *config = &item->client->config;
	int r = config->resolver->resolve(config->resolver->userdata, config->store, entry->segments,
					  entry->n_segments, &item->target);

	if (r < 0)
		return r;
	item->view = client_view(item->client, item->target.store);
	return path_is_secret(&item->target.path) ? -EACCES : 0;
}

static int resolve_all(struct request *q, struct patch *p)
{
	p->items = calloc(p->composite.n, sizeof(*p->items));
	p->entries = calloc(p->composite.n, sizeof(*p->entries));
	if (!p->items || !p->entries)
		return -ENOMEM;
	for (size_t i = 0; i < p->composite.n; i++) {
		const struct composite_entry *entry = &p->composite.items[i];
		int r;

		if (entry->covered)
			continue;
		p->items[p->n] = *q;
		p->entries[p->n] = entry;
		r = resolve_entry(&p->items[p->n++], entry);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Values only, each in its one place; instances are made by Create. */
static int check_shape(const struct request *item, const struct composite_entry *entry)
{
	const struct resource_definition *resource = view_resource(&item->view, &item->target.path);

	(void)entry;
	if (item->target.path.depth < PATH_RESOURCE)
		return -EPERM;
	if (item->target.path.depth == PATH_RESOURCE_INSTANCE && resource && !resource->multiple)
		return -EPERM;
	/* One endpoint's values stand or fall together, not those of several. */
	return item->target.store == item->client->config.store ? 0 : -EPERM;
}

static int check_existence(const struct request *item, const struct composite_entry *entry)
{
	const struct path resource = path_cut(&item->target.path, PATH_RESOURCE);
	const struct path instance = path_cut(&item->target.path, PATH_INSTANCE);

	(void)entry;
	if (view_exists(&item->view, &resource))
		return 0;
	return view_exists(&item->view, &instance) && view_resource(&item->view, &resource) &&
			       request_may_make(item, &resource) ?
		       0 :
		       -ENOENT;
}

static int check_right(const struct request *item, const struct composite_entry *entry)
{
	const struct access *access = client_access(item->client, item->target.store);
	const struct path *path = &item->target.path;

	(void)entry;
	return access_rights(access, path->object, path->instance) & ACCESS_WRITE ? 0 : -EACCES;
}

/* What is removed has to be the server's to make, as by Delete. */
static int check_operation(const struct request *item, const struct composite_entry *entry)
{
	const struct resource_definition *resource = view_resource(&item->view, &item->target.path);
	const struct path path = path_cut(&item->target.path, PATH_RESOURCE);

	if (!(resource->operations & OPERATION_WRITE))
		return -EPERM;
	return !composite_removes(entry) || request_may_make(item, &path) ? 0 : -EPERM;
}

static int check_each(struct request *q, const struct patch *p,
		      int (*check)(const struct request *item, const struct composite_entry *entry))
{
	int r = 0;

	for (size_t i = 0; i < p->n && r >= 0; i++) {
		r = check(&p->items[i], p->entries[i]);
		if (r < 0)
			refuse_at(q, &p->items[i].target.path, r);
	}
	return r;
}

/* Null only in place of a resource instance. */
static int value_of(const struct request *item, const struct composite_entry *entry, struct value *ret,
		    const char **ret_reason)
{
	const struct resource_definition *resource = view_resource(&item->view, &item->target.path);
	bool in_place = (item->target.path.depth == PATH_RESOURCE_INSTANCE) == resource->multiple;
	int r;

	if (!in_place)
		return -EINVAL;
	if (composite_removes(entry)) {
		*ret = (struct value){ .type = VALUE_NONE };
		return resource->multiple ? 0 : -EINVAL;
	}
	r = composite_value(entry, resource, ret, ret_reason);
	if (r >= 0 && !request_links_are_good(item, ret)) {
		value_done(ret);
		r = -EINVAL;
	}
	return r;
}

static int take_values(struct request *q, const struct patch *p, struct records *ret)
{
	int r = 0;

	for (size_t i = 0; i < p->n && r >= 0; i++) {
		const struct path *path = &p->items[i].target.path;
		const char *reason = NULL;
		struct value value = { 0 };

		r = value_of(&p->items[i], p->entries[i], &value, &reason);
		if (r >= 0)
			r = records_add(ret, path, &value, 0);
		if (r < 0 && reason)
			respond_error(q, r, reason);
		else if (r < 0)
			refuse_at(q, path, r);
	}
	return r;
}

/* In the order of checks; answers by itself when one fails. */
static int patch_check(struct request *q, const struct patch *p)
{
	int r = check_each(q, p, check_shape);

	if (r >= 0)
		r = check_each(q, p, check_existence);
	if (r >= 0)
		r = check_each(q, p, check_right);
	return r < 0 ? r : check_each(q, p, check_operation);
}

void dm_write_composite(struct request *q)
{
	const struct path root = { .depth = PATH_ROOT };
	_cleanup_records_ struct records records = { 0 };
	_cleanup_patch_ struct patch patch = { .n = 0 };
	const char *reason = NULL;
	struct pending *op;
	int r;

	r = q->message->content_format < 0 ?
		    -EPROTONOSUPPORT :
		    composite_decode_patch(q->message->content_format, q->message->payload, &patch.composite,
					   &reason);
	if (r >= 0)
		r = resolve_all(q, &patch);
	if (r < 0) {
		respond_error(q, r, reason);
		return;
	}
	if (patch_check(q, &patch) < 0 || take_values(q, &patch, &records) < 0)
		return;
	op = pending_new(q, CODE(2, 04));
	if (!op)
		return;
	if (q->client->config.audit)
		op->audit = audit_write(q->target.store, records.items, records.n);
	store_write(q->client->config.store, &root, STORE_PATCH, records.items, records.n, pending_done, op);
}
