/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "codec/codec.h"
#include "gateway/internal.h"

/*
 * What servers wrote, over restarts (design: State). A record of the state
 * folder each: the account's /1 as it is in force, its attributes, and the
 * instances that servers made. The first line of the account's record is the
 * YAML that it was made over: when that changes, the server's word stands, and
 * the log says so.
 */
#define SERVER_OBJECT 1
#define PORTFOLIO_OBJECT 16
#define CLUSTER_OBJECT 10375
#define CLUSTER_VALUES 5
#define KIND_MAX 32

static void kind_of_account(const struct server *server, const char *what, char ret[KIND_MAX])
{
	snprintf(ret, KIND_MAX, "%s-%u", what, server->config->short_id);
}

static void log_failure(struct endpoint *e, const char *kind, int error)
{
	struct log_about about = { .endpoint = endpoint_client_name(e) };

	if (!log_budget_take(&e->not_kept, NULL))
		return;
	log_error(&about, "%s: cannot keep %s over restarts: %s", endpoint_label(e), kind, strerror(-error));
}

/* What was kept cannot be used; no record at all is no news. */
static void log_lost(const struct endpoint *e, const struct server *server, const char *what, int error)
{
	struct log_about about = { .endpoint = endpoint_client_name(e) };

	if (error < 0 && error != -ENOENT)
		log_warning(&about, "%s: %s%s are lost: %s", endpoint_label(e), what, server ? server->config->name : "",
			    error == -EBADMSG ? "their record was damaged and lies in quarantine/ of the state folder" :
						strerror(-error));
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

static int save_path(struct endpoint *e, const struct path *path, const char *head, const char *kind)
{
	_cleanup_records_ struct records records = { 0 };
	_cleanup_buf_ struct buf out = { 0 };
	int r;

	r = store_collect(e->store, path, true, &records, NULL);
	if (r < 0)
		return r;
	keep_writable(e->store, &records);
	r = buf_printf(&out, "%s\n", head);
	if (r >= 0)
		r = text_codec()->encode(path, records.items, records.n, false, &out);
	return r < 0 ? r : state_save(e->registry->config.state, endpoint_label(e), kind, out.data, out.size);
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
	const uint8_t *end = memchr(text->p, '\n', text->n);
	struct span line;

	if (!end || span_take(text, end - text->p, &line) < 0)
		return NULL;
	text->p++;
	text->n--;
	return strndup((const char *)line.p, line.n);
}

/* -ENOENT: nothing was kept. */
static int load_record(const struct endpoint *e, const char *kind, struct buf *ret)
{
	return e->nameless ? -ENOENT : state_load(e->registry->config.state, endpoint_label(e), kind, ret);
}

/* The same. */
static int load_path(struct endpoint *e, const struct path *path, const char *kind, char **ret_head,
		     struct records *ret)
{
	_cleanup_buf_ struct buf record = { 0 };
	const char *reason = NULL;
	struct span text;
	int r;

	r = load_record(e, kind, &record);
	if (r < 0)
		return r;
	text = span_of(record.data, record.size);
	*ret_head = take_line(&text);
	if (!*ret_head)
		return -EBADMSG;
	return text_codec()->decode(path, text, lookup, e, ret, &reason);
}

/* ---- the account's /1 ---- */

/* What YAML says of the account. */
static char *account_head(const struct config_server *s)
{
	char *text;

	if (asprintf(&text, "account %u %s lifetime=%" PRIu32 " pmin=%" PRId64 " pmax=%" PRId64 "%s",
		     s->short_id, s->uri, s->lifetime_s, s->pmin_s, s->pmax_s, s->send ? " send" : "") < 0)
		return NULL;
	return text;
}

/* FNV-1a: it is there to be compared with a former one of the same run. */
static uint32_t sum_of(const char *text)
{
	uint32_t sum = UINT32_C(0x811c9dc5);

	for (; text && *text; text++)
		sum = (sum ^ (uint8_t)*text) * UINT32_C(0x01000193);
	return sum;
}

static void save_account(struct endpoint *e)
{
	const struct path path = path_of_instance(SERVER_OBJECT, 0);
	const struct server *server = e->account->server;
	_cleanup_free_ char *head = account_head(server->config);
	char kind[KIND_MAX];
	int r = -ENOMEM;

	kind_of_account(server, "server", kind);
	if (head)
		r = save_path(e, &path, head, kind);
	if (r < 0)
		log_failure(e, kind, r);
	/* It stands, kept or not. */
	e->overlaid = true;
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

static int restore_settings(struct endpoint *e, const struct path *account, const struct records *kept)
{
	struct removed removed = { .endpoint = e, .kept = kept };
	int r = 0;

	while (r >= 0 && store_children(e->store, account, find_removed, &removed) > 0)
		r = store_remove_resource(e->store, &removed.path);
	return r < 0 ? r : store_update(e->store, kept->items, kept->n);
}

static void tell_overlaid(const struct endpoint *e, const struct server *server)
{
	struct log_about about = { .endpoint = endpoint_client_name(e) };

	log_warning(&about,
		    "%s: settings of server %s were changed in YAML; those that the server wrote to /1 stay in "
		    "force",
		    endpoint_label(e), server->config->name);
}

static void restore_account(struct endpoint *e, const struct server *server)
{
	const struct path path = path_of_instance(SERVER_OBJECT, 0);
	_cleanup_free_ char *head = account_head(server->config), *former = NULL;
	_cleanup_records_ struct records records = { 0 };
	char kind[KIND_MAX];
	int r;

	kind_of_account(server, "server", kind);
	r = load_path(e, &path, kind, &former, &records);
	if (r >= 0)
		r = restore_settings(e, &path, &records);
	log_lost(e, server, "settings in /1 by server ", r);
	e->overlaid = r >= 0;
	e->account_sum = sum_of(head);
	if (r >= 0 && !streq_null(head, former))
		tell_overlaid(e, server);
}

/* ---- what servers make at the host ---- */

static const struct made {
	uint16_t object;
	const char *kind; /* of the record, and its first line */
	const char *text;
} made[] = {
	{ PORTFOLIO_OBJECT, "portfolio", "portfolios in /16" },
	{ CLUSTER_OBJECT, "modbus-clusters", "register clusters in /10375" },
};

static void save_made(struct endpoint *e, const struct made *what)
{
	const struct path path = path_of_object(what->object);
	int r = store_exists(e->store, &path) ? save_path(e, &path, what->kind, what->kind) : 0;

	if (r < 0)
		log_failure(e, what->kind, r);
}

static int restore_records(struct endpoint *e, uint16_t id, const struct records *records)
{
	const struct object_definition *object = definitions_newest(e->registry->config.definitions, id);
	int r = 0;

	for (size_t i = 0; i < records->n && r >= 0; i++)
		r = store_add_instance(e->store, object, records->items[i].path.instance);
	return r < 0 ? r : store_update(e->store, records->items, records->n);
}

static void restore_made(struct endpoint *e, const struct made *what)
{
	const struct path path = path_of_object(what->object);
	_cleanup_records_ struct records records = { 0 };
	_cleanup_free_ char *head = NULL;
	int r;

	if (!store_exists(e->store, &path))
		return;
	r = load_path(e, &path, what->kind, &head, &records);
	if (r >= 0)
		r = restore_records(e, what->object, &records);
	log_lost(e, NULL, what->text, r);
}

/* ---- doors ---- */

void persist_restore(struct endpoint *e, const struct server *server)
{
	if (server)
		restore_account(e, server);
	for (size_t i = 0; i < ARRAY_SIZE(made) && !e->config; i++)
		restore_made(e, &made[i]);
	builtin_clusters_adopt(e->builtin);
}

static bool has_clusters(const struct endpoint *e)
{
	const struct path path = path_of_object(CLUSTER_OBJECT);

	return store_exists(e->store, &path);
}

void persist_prepare(struct endpoint *e, bool same_account, struct persist_before *ret)
{
	*ret = (struct persist_before){ .same_account = same_account, .has_clusters = has_clusters(e) };
	/* Of another account. */
	e->overlaid = e->overlaid && same_account;
}

static void follow_account(struct endpoint *e, const struct server *server)
{
	_cleanup_free_ char *head = account_head(server->config);
	uint32_t sum = sum_of(head);

	if (e->overlaid && sum != e->account_sum)
		tell_overlaid(e, server);
	e->account_sum = sum;
}

void persist_reload(struct endpoint *e, const struct server *server, const struct persist_before *before)
{
	if (server && !before->same_account)
		restore_account(e, server);
	else if (server)
		follow_account(e, server);
	for (size_t i = 0; i < ARRAY_SIZE(made) && !e->config; i++)
		if (made[i].object == CLUSTER_OBJECT && !before->has_clusters)
			restore_made(e, &made[i]);
	builtin_clusters_adopt(e->builtin);
}

static bool touches(const struct store *s, const struct path *paths, size_t n, uint16_t object)
{
	for (size_t i = 0; i < n; i++)
		if (paths[i].depth == PATH_ROOT || (paths[i].object == object && is_kept(s, &paths[i])))
			return true;
	return false;
}

void persist_changed(struct endpoint *e, enum store_change change, const struct path *paths, size_t n)
{
	if (change == STORE_CHANGE_VALUES && e->account && touches(e->store, paths, n, SERVER_OBJECT))
		save_account(e);
	for (size_t i = 0; i < ARRAY_SIZE(made) && !e->config; i++)
		if (touches(e->store, paths, n, made[i].object))
			save_made(e, &made[i]);
}

void persist_attributes(struct account *a)
{
	struct endpoint *e = a->endpoint;
	_cleanup_buf_ struct buf text = { 0 };
	char kind[KIND_MAX];
	int r;

	kind_of_account(a->server, "attributes", kind);
	r = client_save_attributes(a->client, &text);
	if (r >= 0 && text.size == 0)
		r = state_remove(e->registry->config.state, endpoint_label(e), kind);
	else if (r >= 0)
		r = state_save(e->registry->config.state, endpoint_label(e), kind, text.data, text.size);
	if (r < 0)
		log_failure(e, kind, r);
}

void persist_restore_attributes(struct account *a)
{
	struct endpoint *e = a->endpoint;
	_cleanup_buf_ struct buf text = { 0 };
	char kind[KIND_MAX];
	int r;

	kind_of_account(a->server, "attributes", kind);
	r = load_record(e, kind, &text);
	if (r >= 0)
		r = client_load_attributes(a->client, span_of(text.data, text.size));
	log_lost(e, a->server, "attributes attached by server ", r);
}

/* Of the account that it has; without one nothing is known of the kinds. */
static bool kind_of(const struct endpoint *e, size_t i, char ret[KIND_MAX])
{
	static const char *const kinds[PERSIST_KINDS] = { "server", "attributes" };

	if (e->account)
		kind_of_account(e->account->server, kinds[i], ret);
	return e->account != NULL;
}

void persist_lift(struct endpoint *e, struct persist_kept *ret)
{
	char kind[KIND_MAX];
	int r;

	for (size_t i = 0; i < PERSIST_KINDS && kind_of(e, i, kind); i++) {
		r = load_record(e, kind, &ret->records[i]);
		if (r < 0 && r != -ENOENT)
			log_failure(e, kind, r);
	}
}

void persist_lay(struct endpoint *e, const struct persist_kept *kept)
{
	struct state *state = e->registry->config.state;
	char kind[KIND_MAX];
	int r;

	for (size_t i = 0; i < PERSIST_KINDS && kind_of(e, i, kind); i++) {
		const struct buf *record = &kept->records[i];

		r = record->size > 0 ? state_save(state, endpoint_label(e), kind, record->data, record->size) :
				       state_remove(state, endpoint_label(e), kind);
		if (r < 0)
			log_failure(e, kind, r);
	}
}

void persist_drop(struct endpoint *e, const char *name)
{
	char kind[KIND_MAX];

	for (size_t i = 0; i < PERSIST_KINDS && kind_of(e, i, kind); i++)
		state_remove(e->registry->config.state, name, kind);
}

void persist_kept_done(struct persist_kept *kept)
{
	for (size_t i = 0; i < PERSIST_KINDS; i++)
		buf_done(&kept->records[i]);
}
