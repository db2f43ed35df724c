/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "codec/codec.h"
#include "gateway/bootstrap/bootstrapping.h"
#include "gateway/kept/made.h"
#include "gateway/kept/persist_internal.h"

/*
 * What servers wrote, over restarts (design: State). A record of the state
 * folder each: the account's /1 as it is in force, its attributes, and the
 * instances that servers made. The first line of the account's record is the
 * YAML that it was made over: when that changes, the server's word stands, and
 * the log says so.
 */
#define CLUSTER_VALUES 5

void persist_kind_of(uint16_t short_id, const char *what, char ret[PERSIST_KIND_MAX])
{
	snprintf(ret, PERSIST_KIND_MAX, "%s-%u", what, short_id);
}

void persist_kind(const struct account *a, const char *what, char ret[PERSIST_KIND_MAX])
{
	persist_kind_of(a->server->terms.short_id, what, ret);
}

bool persist_is_kind(const char *kind)
{
	if (strlen(kind) >= PERSIST_KIND_MAX)
		return false;
	return has_prefix(kind, PERSIST_SERVER "-") || has_prefix(kind, PERSIST_ATTRIBUTES "-") ||
	       streq(kind, PERSIST_ACCESS) || streq(kind, PERSIST_BOOTSTRAP) || made_is_kind(kind);
}

void persist_log_failure(struct endpoint *e, const char *kind, int error)
{
	struct log_about about = { .endpoint = endpoint_client_name(e) };

	if (!log_budget_take(&e->not_kept, NULL))
		return;
	log_error(&about, "%s: cannot keep %s over restarts: %s", endpoint_label(e), kind, strerror(-error));
}

/* What was kept cannot be used; no record at all is no news. */
static void log_lost(const struct endpoint *e, const struct account *a, const char *what, int error)
{
	struct log_about about = { .endpoint = endpoint_client_name(e) };

	if (error < 0 && error != -ENOENT)
		log_warning(&about, "%s: %s%s are lost: %s", endpoint_label(e), what, a ? a->server->terms.name : "",
			    error == -EBADMSG ? "their record was damaged and lies in quarantine/ of the state folder" :
						strerror(-error));
}

void persist_log_lost(const struct endpoint *e, const char *what, int error)
{
	log_lost(e, NULL, what, error);
}

int persist_remove(struct endpoint *e, const char *kind)
{
	return state_remove(e->registry->config.state, endpoint_label(e), kind);
}

/* ---- stores as text: SenML JSON behind a line ---- */

static const struct codec *text_codec(void)
{
	return codec_find(FORMAT_SENML_JSON);
}

/*
 * What no server writes is not kept, so a change of it (an alert in /1/x/11,
 * say) wears no flash; nor are registers of devices.
 */
static bool is_kept(const struct store *s, const struct path *path)
{
	const struct resource_definition *resource = store_resource(s, path);

	return path->depth < PATH_RESOURCE ||
	       (resource && resource->operations & OPERATION_WRITE &&
		!(path->object == CLUSTER_OBJECT && path->resource == CLUSTER_VALUES));
}

/* Only what a server may write: the rest comes from YAML and the agent. */
static void keep_writable(const struct store *s, struct records *records)
{
	size_t kept = 0;

	for (size_t i = 0; i < records->n; i++) {
		struct record *record = &records->items[i];

		if (record->path.depth >= PATH_RESOURCE && is_kept(s, &record->path))
			records->items[kept++] = *record;
		else
			value_done(&record->value);
	}
	records->n = kept;
}

/* Accounts keep no instance over restarts: in their records it is 0. */
static void set_instance(struct records *records, uint16_t instance)
{
	for (size_t i = 0; i < records->n; i++)
		records->items[i].path.instance = instance;
}

int persist_save(struct endpoint *e, const struct path *path, const struct records *records, const char *head,
		 const char *kind)
{
	_cleanup_buf_ struct buf out = { 0 };
	int r = buf_printf(&out, "%s\n", head);

	if (r >= 0)
		r = text_codec()->encode(path, records->items, records->n, false, &out);
	return r < 0 ? r : state_save(e->registry->config.state, endpoint_label(e), kind, out.data, out.size);
}

int persist_collect(struct endpoint *e, const struct path *path, struct records *ret)
{
	int r = store_collect(e->store, path, true, ret, NULL);

	if (r >= 0)
		keep_writable(e->store, ret);
	return r;
}

static const struct resource_definition *lookup(void *userdata, const struct path *path)
{
	const struct endpoint *e = userdata;
	const struct object_definition *object =
		definitions_newest(e->registry->config.definitions, path->object);

	return object && path->depth >= PATH_RESOURCE ? object_resource(object, path->resource) : NULL;
}

/* The record's first line, cut off; the rest stays in *text. NULL: there is none. */
static char *take_line(struct span *text)
{
	const uint8_t *end = text->n > 0 ? memchr(text->p, '\n', text->n) : NULL;
	struct span line;

	if (!end || span_take(text, end - text->p, &line) < 0)
		return NULL;
	text->p++;
	text->n--;
	return strndup((const char *)line.p, line.n);
}

/* -ENOENT: nothing was kept. */
int persist_read(const struct endpoint *e, const char *kind, struct buf *ret)
{
	return e->nameless ? -ENOENT : state_load(e->registry->config.state, endpoint_label(e), kind, ret);
}

int persist_load(struct endpoint *e, const struct path *path, const char *kind, char **ret_head,
		 struct records *ret)
{
	_cleanup_buf_ struct buf record = { 0 };
	const char *reason = NULL;
	struct span text;
	int r;

	r = persist_read(e, kind, &record);
	if (r < 0)
		return r;
	text = span_of(record.data, record.size);
	*ret_head = take_line(&text);
	if (!*ret_head)
		return -EBADMSG;
	return text_codec()->decode(path, text, lookup, e, ret, &reason);
}

/* ---- the account's /1 ---- */

uint32_t persist_sum(const char *text)
{
	uint32_t sum = UINT32_C(0x811c9dc5);

	for (; text && *text; text++)
		sum = (sum ^ (uint8_t)*text) * UINT32_C(0x01000193);
	return sum;
}

static int save_settings(struct account *a, const char *kind)
{
	const struct path path = path_of_instance(SERVER_OBJECT, a->instance);
	const struct path kept = path_of_instance(SERVER_OBJECT, 0);
	_cleanup_records_ struct records records = { 0 };
	_cleanup_free_ char *head = terms_settings(&a->server->terms);
	int r = head ? persist_collect(a->endpoint, &path, &records) : -ENOMEM;

	set_instance(&records, 0);
	return r < 0 ? r : persist_save(a->endpoint, &kept, &records, head, kind);
}

static void save_account(struct account *a)
{
	char kind[PERSIST_KIND_MAX];
	int r;

	persist_kind(a, PERSIST_SERVER, kind);
	r = save_settings(a, kind);
	if (r < 0)
		persist_log_failure(a->endpoint, kind, r);
	/* It stands, kept or not. */
	a->overlaid = true;
}

/* What YAML says and the server took away: an optional writable resource that the record lacks. */
struct removed {
	const struct endpoint *endpoint;
	const struct records *kept;
	struct path path;
};

static int find_removed(void *userdata, const struct path *child)
{
	struct removed *removed = userdata;
	const struct resource_definition *resource = store_resource(removed->endpoint->store, child);

	if (!resource || resource->mandatory || !(resource->operations & OPERATION_WRITE) ||
	    records_find(removed->kept, child))
		return 0;
	removed->path = *child;
	return 1;
}

static int restore_settings(struct account *a, const struct records *kept)
{
	const struct path path = path_of_instance(SERVER_OBJECT, a->instance);
	struct store *store = a->endpoint->store;
	struct removed removed = { .endpoint = a->endpoint, .kept = kept };
	int r = 0;

	while (r >= 0 && store_children(store, &path, find_removed, &removed) > 0)
		r = store_remove_resource(store, &removed.path);
	return r < 0 ? r : store_update(store, kept->items, kept->n);
}

static void tell_overlaid(const struct account *a)
{
	struct log_about about = { .endpoint = a->name, .server = a->server->terms.name };

	log_warning(&about,
		    "%s: settings of server %s were changed in YAML; those that the server wrote to /1 stay in "
		    "force",
		    endpoint_label(a->endpoint), a->server->terms.name);
}

/* YAML has nothing that could be put there instead. */
static bool is_bootstrapped(const struct endpoint *e)
{
	return e->bootstrapping && e->bootstrapping->in_force;
}

static void restore_account(struct account *a)
{
	const struct path kept = path_of_instance(SERVER_OBJECT, 0);
	_cleanup_free_ char *head = terms_settings(&a->server->terms), *former = NULL;
	_cleanup_records_ struct records records = { 0 };
	char kind[PERSIST_KIND_MAX];
	int r;

	persist_kind(a, PERSIST_SERVER, kind);
	r = persist_load(a->endpoint, &kept, kind, &former, &records);
	set_instance(&records, a->instance);
	if (r >= 0)
		r = restore_settings(a, &records);
	log_lost(a->endpoint, a, "settings in /1 by server ", r);
	a->overlaid = r >= 0 || is_bootstrapped(a->endpoint);
	a->sum = persist_sum(head);
	if (r >= 0 && !terms_same_settings(&a->server->terms, former))
		tell_overlaid(a);
}

/* ---- doors ---- */

void persist_restore(struct endpoint *e)
{
	for (struct account *a = e->accounts; a; a = a->next)
		restore_account(a);
	made_each(e, persist_restore_made_of);
	persist_restore_made_of(e, CLUSTER_OBJECT);
	builtin_clusters_adopt(e->builtin);
}

bool persist_has_clusters(const struct endpoint *e)
{
	const struct path path = path_of_object(CLUSTER_OBJECT);

	return store_exists(e->store, &path);
}

static void follow_account(struct account *a)
{
	_cleanup_free_ char *head = terms_settings(&a->server->terms);
	uint32_t sum = persist_sum(head);

	if (a->overlaid && sum != a->sum)
		tell_overlaid(a);
	a->sum = sum;
}

void persist_reload(struct endpoint *e, bool had_clusters)
{
	for (struct account *a = e->accounts; a; a = a->next) {
		if (a->stays)
			follow_account(a);
		else
			restore_account(a);
	}
	if (!had_clusters)
		persist_restore_made_of(e, CLUSTER_OBJECT);
	builtin_clusters_adopt(e->builtin);
}

static void forget_account(struct account *a)
{
	struct endpoint *e = a->endpoint;
	char kind[PERSIST_KIND_MAX];

	persist_kind(a, PERSIST_SERVER, kind);
	state_remove(e->registry->config.state, endpoint_label(e), kind);
	persist_kind(a, PERSIST_ATTRIBUTES, kind);
	state_remove(e->registry->config.state, endpoint_label(e), kind);
}

void persist_forget(struct endpoint *e)
{
	for (struct account *a = e->accounts; a; a = a->next)
		forget_account(a);
	made_each(e, persist_forget_made);
	persist_forget_made(e, CLUSTER_OBJECT);
	persist_remove(e, PERSIST_ACCESS);
	persist_remove(e, HOST_CLOCK_KIND);
}

/* what: an object, or an instance of one. */
static bool touches(const struct store *s, const struct path *paths, size_t n, const struct path *what)
{
	for (size_t i = 0; i < n; i++)
		if (path_contains(&paths[i], what) || (path_contains(what, &paths[i]) && is_kept(s, &paths[i])))
			return true;
	return false;
}

static int save_one(struct endpoint *e, uint16_t object)
{
	persist_save_made(e, object);
	return 0;
}

/* There was no memory to note what has changed. */
static void save_all_made(struct endpoint *e)
{
	made_each(e, save_one);
	persist_save_made(e, CLUSTER_OBJECT);
}

void persist_changed(struct endpoint *e, enum store_change change, const struct path *paths, size_t n)
{
	struct path what;

	for (struct account *a = e->accounts; a && change == STORE_CHANGE_VALUES; a = a->next) {
		what = path_of_instance(SERVER_OBJECT, a->instance);
		if (touches(e->store, paths, n, &what))
			save_account(a);
	}
	for (size_t i = 0; i < n; i++) {
		uint16_t object = paths[i].object;

		/* They are in the order of objects: each is looked at once. */
		if (paths[i].depth == PATH_ROOT || (i > 0 && paths[i - 1].object == object))
			continue;
		what = path_of_object(object);
		if ((made_is(e, object) || object == CLUSTER_OBJECT) && touches(e->store, paths, n, &what))
			persist_save_made(e, object);
	}
	if (n > 0 && paths[0].depth == PATH_ROOT)
		save_all_made(e);
}

/* The type whose profile says what every server starts with; NULL: none. */
static const struct config_type *type_of(const struct registry *r, const struct config_endpoint *e)
{
	return e && e->device != UINT32_MAX ? r->config.config->devices[e->device].type : NULL;
}

static bool starts_with_attributes(const struct endpoint *e)
{
	const struct config_type *type = e->gone ? NULL : type_of(e->registry, e->config);

	return type && type->n_attributes > 0;
}

void persist_attributes(struct account *a)
{
	struct endpoint *e = a->endpoint;
	_cleanup_buf_ struct buf text = { 0 };
	char kind[PERSIST_KIND_MAX];
	int r;

	persist_kind(a, PERSIST_ATTRIBUTES, kind);
	r = client_save_attributes(a->client, &text);
	/* Those of the profile are not to come back where a server has taken them off. */
	if (r >= 0 && text.size == 0 && starts_with_attributes(e))
		r = buf_append_byte(&text, '\n');
	if (r >= 0 && text.size == 0)
		r = state_remove(e->registry->config.state, endpoint_label(e), kind);
	else if (r >= 0)
		r = state_save(e->registry->config.state, endpoint_label(e), kind, text.data, text.size);
	if (r < 0)
		persist_log_failure(e, kind, r);
}

static int add_line(struct buf *text, const struct path *path, const char *attributes)
{
	char name[PATH_TEXT_MAX];

	return buf_printf(text, "%s %s\n", path_format(path, name), attributes);
}

/* A line for each instance that the endpoint's map has of it; rows are in the order of paths. */
static int add_pattern(const struct config_endpoint *e, const struct config_attributes *attributes, struct buf *text)
{
	struct path path = attributes->path;
	int r = 0;

	if (path.depth < PATH_INSTANCE || path.instance != ID_NONE)
		return add_line(text, &path, attributes->text);
	for (size_t i = 0; i < e->n_map && r >= 0; i++) {
		const struct path *row = &e->map[i].path;

		if (row->object != path.object || row->instance == path.instance)
			continue;
		path.instance = row->instance;
		r = add_line(text, &path, attributes->text);
	}
	return r;
}

static int start_attributes(struct account *a, const struct config_endpoint *e)
{
	const struct config_type *type = type_of(a->registry, e);
	_cleanup_buf_ struct buf text = { 0 };
	int r = 0;

	for (size_t i = 0; type && i < type->n_attributes && r >= 0; i++)
		r = add_pattern(e, &type->attributes[i], &text);
	return r < 0 ? r : client_load_attributes(a->client, span_of(text.data, text.size));
}

void persist_forget_account(struct endpoint *e, uint16_t short_id, bool attributes)
{
	char kind[PERSIST_KIND_MAX];

	for (size_t i = 0; i < (attributes ? 2 : 1); i++) {
		persist_kind_of(short_id, i == 0 ? PERSIST_SERVER : PERSIST_ATTRIBUTES, kind);
		state_remove(e->registry->config.state, endpoint_label(e), kind);
	}
}

void persist_restore_attributes(struct account *a, const struct config_endpoint *config)
{
	struct endpoint *e = a->endpoint;
	_cleanup_buf_ struct buf text = { 0 };
	char kind[PERSIST_KIND_MAX];
	int r;

	persist_kind(a, PERSIST_ATTRIBUTES, kind);
	r = persist_read(e, kind, &text);
	if (r >= 0)
		r = client_load_attributes(a->client, span_of(text.data, text.size));
	else if (r == -ENOENT)
		r = start_attributes(a, config);
	log_lost(e, a, "attributes attached by server ", r);
}
