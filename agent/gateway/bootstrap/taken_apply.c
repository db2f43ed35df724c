/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "gateway/bootstrap/taken.h"
#include "gateway/kept/made.h"
#include "gateway/kept/persist_internal.h"
#include "lwm2m/bootstrap/account_objects.h"

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

static bool is_noted(const struct taken *t, uint16_t short_id)
{
	for (size_t i = 0; i < t->n_same; i++)
		if (t->same[i] == short_id)
			return true;
	return false;
}

static int add_account(struct endpoint *e, const struct taken *t, uint16_t security, uint16_t server,
		       struct account **list)
{
	struct account_terms terms;
	struct account *same;
	int r = taken_terms(t, e->registry->config.config, security, server, &terms);

	if (r < 0)
		return r;
	same = find_same(e, security, server, &terms);
	if (t->rest)
		persist_forget_account(e, terms.short_id, !is_noted(t, terms.short_id));
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

/* The account of the next /1 from *at on. */
static bool next_account(const struct taken *t, size_t *at, uint16_t *ret_security, uint16_t *ret_server)
{
	while (*at < t->records.n) {
		const struct record *record = &t->records.items[(*at)++];

		if (record->path.object != ACCOUNT_SERVER || record->path.resource != SERVER_SHORT_ID)
			continue;
		*ret_security = security_of(t, &record->value);
		*ret_server = record->path.instance;
		if (*ret_security != ID_NONE)
			return true;
	}
	return false;
}

int taken_accounts(struct endpoint *e, const struct taken *t, struct account **list)
{
	uint16_t security, server;
	size_t at = 0;
	int r = 0;

	for (struct account *a = e->accounts; a; a = a->next)
		a->stays = false;
	while (r >= 0 && next_account(t, &at, &security, &server))
		r = add_account(e, t, security, server, list);
	return r;
}

int taken_add_same(struct taken *t, uint16_t short_id)
{
	uint16_t *same = reallocarray(t->same, t->n_same + 1, sizeof(*same));

	if (!same)
		return -ENOMEM;
	t->same = same;
	same[t->n_same++] = short_id;
	return 0;
}

int taken_note_same(const struct endpoint *e, struct taken *t)
{
	uint16_t security, server;
	size_t at = 0;
	int r = 0;

	while (r >= 0 && next_account(t, &at, &security, &server)) {
		struct account_terms terms;

		r = taken_terms(t, e->registry->config.config, security, server, &terms);
		if (r < 0)
			break;
		if (find_same(e, security, server, &terms))
			r = taken_add_same(t, terms.short_id);
		terms_done(&terms);
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

static bool has_instance(const struct taken *t, const struct path *instance)
{
	for (size_t i = 0; i < t->n_instances; i++)
		if (path_equal(&t->instances[i], instance))
			return true;
	return false;
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

struct once {
	struct endpoint *endpoint;
	const struct taken *taken;
};

/* Access control is what the bootstrap left, which kept/access.c keeps, and nothing else. */
static int delete_others(void *userdata, const struct path *path)
{
	const struct once *once = userdata;
	struct store *s = once->endpoint->store;

	if (!taken_is_once(once->endpoint, path->object))
		return 0;
	account_for_each(id, s, path->object) {
		const struct path instance = path_of_instance(path->object, id);

		if (path->object == ACCOUNT_ACCESS || !has_instance(once->taken, &instance))
			store_remove_instance(s, path->object, id);
	}
	return 0;
}

static void write_once(struct endpoint *e, const struct taken *t)
{
	const struct path root = { .depth = PATH_ROOT };
	struct once once = { .endpoint = e, .taken = t };

	store_begin(e->store);
	/* Of the time before it. */
	persist_remove(e, PERSIST_ACCESS);
	store_children(e->store, &root, delete_others, &once);
	for (size_t i = 0; i < t->n_instances; i++)
		write_instance(e, t, &t->instances[i]);
	store_end(e->store);
	tell_uncovered(e);
}

void taken_apply_once(struct endpoint *e, struct taken *t)
{
	struct state *state = e->registry->config.state;
	int r;

	state_begin(state);
	write_once(e, t);
	r = taken_save(e, t);
	state_end(state);
	if (r < 0)
		persist_log_failure(e, "what was bootstrapped", r);
	t->rest = false;
}
