/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/kept/made.h"
#include "gateway/kept/persist_internal.h"

/* Instances that servers make, over restarts: a record for each of their objects. */

/* Register clusters, too, where they are. */
static void kind_of_object(uint16_t object, char ret[PERSIST_KIND_MAX])
{
	if (object == CLUSTER_OBJECT)
		snprintf(ret, PERSIST_KIND_MAX, "modbus-clusters");
	else
		made_kind(object, ret);
}

struct listing {
	const struct endpoint *endpoint;
	const struct records *records; /* ascending, as the instances come */
	size_t at;
	struct buf *text;
};

static int add_empty(void *userdata, const struct path *instance)
{
	struct listing *l = userdata;
	const struct record *items = l->records->items;

	while (l->at < l->records->n && items[l->at].path.instance < instance->instance)
		l->at++;
	if (l->at < l->records->n && items[l->at].path.instance == instance->instance)
		return 0;
	return made_may(l->endpoint, instance) ? buf_printf(l->text, " %u", instance->instance) : 0;
}

/* "made-3300 0 5": those that hold nothing, of which no record tells. */
static char *made_head(const struct endpoint *e, const struct path *object, const char *kind,
		       const struct records *records)
{
	_cleanup_buf_ struct buf text = { 0 };
	struct listing l = { .endpoint = e, .records = records, .text = &text };
	int r = buf_append_text(&text, kind);

	if (r >= 0)
		r = store_children(e->store, object, add_empty, &l);
	return r < 0 ? NULL : buf_take_text(&text);
}

void persist_save_made(struct endpoint *e, uint16_t object)
{
	const struct path path = path_of_object(object);
	char kind[PERSIST_KIND_MAX];
	_cleanup_records_ struct records records = { 0 };
	_cleanup_free_ char *head = NULL;
	int r;

	if (!store_exists(e->store, &path))
		return;
	kind_of_object(object, kind);
	r = persist_collect(e, &path, &records);
	if (object != CLUSTER_OBJECT)
		made_only(e, &records);
	if (r >= 0) {
		head = made_head(e, &path, kind, &records);
		r = head ? persist_save(e, &path, &records, head, kind) : -ENOMEM;
	}
	if (r < 0)
		persist_log_failure(e, kind, r);
}

static int restore_empty(struct endpoint *e, const struct object_definition *object, const char *head)
{
	int r = 0;

	for (const char *p = strchr(head, ' '); p && r >= 0; p = strchr(p + 1, ' ')) {
		uint16_t id;

		if (path_parse_id(p + 1, strcspn(p + 1, " "), &id) >= 0 && id != ID_NONE)
			r = store_add_instance(e->store, object, id);
	}
	return r;
}

static int restore_records(struct endpoint *e, uint16_t id, const char *head, const struct records *records)
{
	const struct object_definition *object = definitions_newest(e->registry->config.definitions, id);
	int r = restore_empty(e, object, head);

	for (size_t i = 0; i < records->n && r >= 0; i++)
		r = store_add_instance(e->store, object, records->items[i].path.instance);
	return r < 0 ? r : store_update(e->store, records->items, records->n);
}

int persist_restore_made_of(struct endpoint *e, uint16_t object)
{
	const struct path path = path_of_object(object);
	char kind[PERSIST_KIND_MAX], what[64];
	_cleanup_records_ struct records records = { 0 };
	_cleanup_free_ char *head = NULL;
	int r;

	if (!store_exists(e->store, &path))
		return 0;
	kind_of_object(object, kind);
	r = persist_load(e, &path, kind, &head, &records);
	if (r >= 0)
		r = restore_records(e, object, head, &records);
	snprintf(what, sizeof(what), "instances of /%u that servers made", object);
	persist_log_lost(e, what, r);
	return 0;
}

void persist_restore_made(struct endpoint *e, const struct config_objects *before)
{
	const struct config_objects *create = &made_config(e)->create;

	for (size_t i = 0; i < create->n; i++)
		if (!made_is_of(e, before, create->ids[i]))
			persist_restore_made_of(e, create->ids[i]);
}

int persist_forget_made(struct endpoint *e, uint16_t object)
{
	char kind[PERSIST_KIND_MAX];

	kind_of_object(object, kind);
	return persist_remove(e, kind);
}
