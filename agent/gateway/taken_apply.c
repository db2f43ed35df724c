/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "gateway/made.h"
#include "gateway/persist_internal.h"
#include "gateway/taken.h"
#include "lwm2m/account_objects.h"

/* What a bootstrap left, put in force. */

static bool is_same_key(const struct account_terms *a, const struct account_terms *b)
{
	if (!a->secret != !b->secret)
		return false;
	return a->secret ? a->n_secret == b->n_secret && memcmp(a->secret, b->secret, a->n_secret) == 0 :
			   streq_null(a->key, b->key);
}

/* Servers know it by what they see of it; whether it sleeps they learn by Register. */
static bool is_same_account(const struct account *a, const struct account_terms *t)
{
	const struct account_terms *own = &a->server->terms;
	_cleanup_free_ char *identity = t->identity ? terms_identity(t, a->name) : NULL;

	return streq(own->uri, t->uri) && own->short_id == t->short_id && own->security == t->security &&
	       own->queue_mode == t->queue_mode && streq_null(a->identity, identity) && is_same_key(own, t);
}

static struct account *find_same(const struct endpoint *e, uint16_t security, uint16_t server, const struct account_terms *t)
{
	struct account *a = e->accounts;

	while (a && !(a->security == security && a->instance == server && is_same_account(a, t)))
		a = a->next;
	return a;
}

/* terms are taken over. */
static int make_account(struct endpoint *e, struct account_terms *terms, uint16_t security, uint16_t instance,
			struct account **list)
{
	struct server *server;
	struct account *a;
	int r = server_new_on(terms, e->registry->config.transport, &server);

	if (r < 0)
		return r;
	r = account_new(e, e->config, server, instance, &a);
	server_unref(server);
	if (r < 0)
		return r;
	a->security = security;
	accounts_add(list, a);
	return 0;
}

static int add_account(struct endpoint *e, const struct taken *t, uint16_t security, uint16_t server, bool fresh,
		       struct account **list)
{
	struct account_terms terms;
	struct account *same;
	int r = taken_terms(t, e->registry->config.config, security, server, &terms);

	if (r < 0)
		return r;
	same = find_same(e, security, server, &terms);
	if (fresh)
		persist_forget_account(e, terms.short_id, !same);
	if (!same)
		return make_account(e, &terms, security, server, list);
	same->stays = true;
	terms_done(&terms);
	return 0;
}

static uint16_t security_of(const struct taken *t, const struct value *short_id)
{
	for (size_t i = 0; i < t->records.n; i++) {
		const struct record *record = &t->records.items[i];

		if (record->path.object == ACCOUNT_SECURITY && record->path.resource == SECURITY_SHORT_ID &&
		    record->value.integer == short_id->integer && record->path.instance != taken_bootstrap(t))
			return record->path.instance;
	}
	return ID_NONE;
}

int taken_accounts(struct endpoint *e, const struct taken *t, bool fresh, struct account **list)
{
	int r = 0;

	for (struct account *a = e->accounts; a; a = a->next)
		a->stays = false;
	for (size_t i = 0; i < t->records.n && r >= 0; i++) {
		const struct record *record = &t->records.items[i];
		uint16_t security;

		if (record->path.object != ACCOUNT_SERVER || record->path.resource != SERVER_SHORT_ID)
			continue;
		security = security_of(t, &record->value);
		if (security != ID_NONE)
			r = add_account(e, t, security, record->path.instance, fresh, list);
	}
	return r;
}

/* ---- values ---- */

static bool goes_into_store(const struct endpoint *e, const struct path *path)
{
	/* /0 is builtin's, who leaves the keys out, and those of others stay outside, too. */
	return !object_is_secret(path->object) && !taken_is_once(e, path->object) && path->depth >= PATH_RESOURCE;
}

static int put_value(struct endpoint *e, const struct record *record)
{
	const struct path instance = path_cut(&record->path, PATH_INSTANCE);
	const struct object_definition *object =
		store_object(e->store, instance.object) ?:
			definitions_newest(e->registry->config.definitions, instance.object);
	int r = store_exists(e->store, &instance) ? 0 : -ENOENT;

	/* The one of an account that has gone since, or an object that is unknown by now. */
	if (r < 0 && (instance.object == ACCOUNT_SERVER || !object))
		return 0;
	if (r < 0)
		r = store_add_instance(e->store, object, instance.instance);
	return r < 0 ? r : store_update_one(e->store, &record->path, &record->value);
}

struct absence {
	struct store *store;
	const struct taken *taken;
	struct path path;
};

static bool is_named(const struct taken *t, const struct path *path)
{
	for (size_t i = 0; i < t->records.n; i++)
		if (path_contains(path, &t->records.items[i].path))
			return true;
	return false;
}

/* Kept in memory, and not written by the bootstrap server. */
static int find_absent(void *userdata, const struct path *path)
{
	struct absence *absence = userdata;
	const struct resource_definition *resource = store_resource(absence->store, path);

	if (path->depth == PATH_RESOURCE &&
	    (!resource || resource->mandatory || resource->operations & OPERATION_EXECUTE))
		return 0;
	if (is_named(absence->taken, path))
		return 0;
	absence->path = *path;
	return 1;
}

static void remove_absent(struct endpoint *e, const struct taken *t)
{
	struct absence absence = { .store = e->store, .taken = t };

	for (const struct account *a = e->accounts; a; a = a->next) {
		const struct path server = path_of_instance(ACCOUNT_SERVER, a->instance);

		while (store_children(e->store, &server, find_absent, &absence) > 0)
			store_remove_resource(e->store, &absence.path);
	}
}

void taken_apply(struct endpoint *e, const struct taken *t)
{
	struct log_about about = { .endpoint = endpoint_client_name(e) };
	int error = 0;

	store_begin(e->store);
	remove_absent(e, t);
	for (size_t i = 0; i < t->records.n; i++) {
		int r = goes_into_store(e, &t->records.items[i].path) ? put_value(e, &t->records.items[i]) : 0;

		error = error < 0 ? error : r;
	}
	store_end(e->store);
	/* Not as a reload has it: YAML says nothing of these. */
	for (struct account *a = e->accounts; a; a = a->next)
		a->overlaid = true;
	if (error < 0)
		log_error(&about, "%s: not all that was bootstrapped is in force: %s", endpoint_label(e),
			  strerror(-error));
}

/* ---- what servers make ---- */

bool taken_is_once(const struct endpoint *e, uint16_t object)
{
	return object == ACCOUNT_ACCESS || made_is(e, object);
}

static void delete_missing(struct endpoint *e, struct store *staged, uint16_t object)
{
	account_for_each(id, e->store, object) {
		const struct path path = path_of_instance(object, id);

		if (!store_exists(staged, &path))
			store_remove_instance(e->store, object, id);
	}
}

static void written(void *userdata, int error, const char *reason)
{
	const struct endpoint *e = userdata;
	struct log_about about = { .endpoint = endpoint_client_name(e) };

	if (error < 0)
		log_error(&about, "%s: not all that was bootstrapped is in force: %s", endpoint_label(e),
			  reason ?: strerror(-error));
}

/* With one server there has been no /2. */
static int ensure_object(struct endpoint *e, uint16_t id)
{
	const struct object_definition *object = store_object(e->store, id) ?:
							 definitions_newest(e->registry->config.definitions, id);

	return object ? store_add_object(e->store, object) : -ENOENT;
}

/* Records come by their paths: those of an instance stand together. */
static void write_instance(struct endpoint *e, const struct taken *t, const struct path *instance)
{
	size_t first = 0, n = 0;
	int r = ensure_object(e, instance->object);

	if (r < 0) {
		written(e, r, NULL);
		return;
	}
	while (first < t->records.n && !path_contains(instance, &t->records.items[first].path))
		first++;
	while (first + n < t->records.n && path_contains(instance, &t->records.items[first + n].path))
		n++;
	/* One without values was there before, or is one all the same. */
	if (n > 0 || !store_exists(e->store, instance))
		store_write(e->store, instance, STORE_BOOTSTRAP, t->records.items + first, n, written, e);
}

struct uncovered {
	struct store *store;
	size_t n;
	struct path first;
};

static bool is_covered(struct store *s, const struct path *path)
{
	account_for_each(id, s, ACCOUNT_ACCESS)
		if (account_number(s, ACCOUNT_ACCESS, id, ACCESS_OBJECT_ID, -1) == path->object &&
		    account_number(s, ACCOUNT_ACCESS, id, ACCESS_INSTANCE_ID, -1) == path->instance)
			return true;
	return false;
}

static int find_uncovered(void *userdata, const struct path *path)
{
	struct uncovered *u = userdata;

	if (object_is_secret(path->object) || path->object == ACCOUNT_ACCESS)
		return 0;
	if (path->depth < PATH_INSTANCE)
		return store_children(u->store, path, find_uncovered, u);
	if (!is_covered(u->store, path) && u->n++ == 0)
		u->first = *path;
	return 0;
}

/* It is what Core wants (8.2.1), and hardly what the operator does. */
static void tell_uncovered(struct endpoint *e)
{
	const struct path root = { .depth = PATH_ROOT };
	struct log_about about = { .endpoint = endpoint_client_name(e) };
	struct uncovered u = { .store = e->store };
	char text[PATH_TEXT_MAX];

	if (!e->accounts || !e->accounts->next)
		return;
	store_children(e->store, &root, find_uncovered, &u);
	if (u.n > 0)
		log_warning(&about,
			    "%s: no /2 of the bootstrap says who may use %zu instance%s, the first is %s: closed to all servers",
			    endpoint_label(e), u.n, u.n > 1 ? "s" : "", path_format(&u.first, text));
}

/* Access control as the bootstrap left it, which access.c keeps. */
static void put_access(struct endpoint *e, const struct taken *t, struct store *staged)
{
	/* Of the time before it. */
	persist_remove(e, PERSIST_ACCESS);
	account_for_each(id, e->store, ACCOUNT_ACCESS)
		store_remove_instance(e->store, ACCOUNT_ACCESS, id);
	account_for_each(id, staged, ACCOUNT_ACCESS) {
		const struct path instance = path_of_instance(ACCOUNT_ACCESS, id);

		write_instance(e, t, &instance);
	}
}

struct once {
	struct endpoint *endpoint;
	const struct taken *taken;
	struct store *staged;
};

static int put_object(void *userdata, const struct path *path)
{
	struct once *once = userdata;

	if (!made_is(once->endpoint, path->object))
		return 0;
	delete_missing(once->endpoint, once->staged, path->object);
	account_for_each(id, once->staged, path->object) {
		const struct path instance = path_of_instance(path->object, id);

		write_instance(once->endpoint, once->taken, &instance);
	}
	return 0;
}

void taken_apply_once(struct endpoint *e, const struct taken *t, struct store *staged)
{
	const struct path root = { .depth = PATH_ROOT };
	struct once once = { .endpoint = e, .taken = t, .staged = staged };

	store_begin(e->store);
	put_access(e, t, staged);
	store_children(staged, &root, put_object, &once);
	store_end(e->store);
	tell_uncovered(e);
}
