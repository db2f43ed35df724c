/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "builtin/access_control.h"
#include "gateway/bootstrap/bootstrapping.h"
#include "gateway/kept/made.h"
#include "gateway/kept/persist_internal.h"

/*
 * Object 2 of an endpoint with several servers: YAML makes it (`access:`), servers
 * change it. Kept is what is not as YAML would have it, under a line that says
 * what YAML was: when that changes, the servers' word stands, and the log says so.
 *
 * What a bootstrap left takes the place of all that: YAML makes nothing beside it,
 * and it is kept whole, under a line of its own.
 */

static bool is_bootstrapped(const struct endpoint *e)
{
	return e->bootstrapping && e->bootstrapping->in_force;
}

/* One server may do all: thousands of endpoints have nothing of this. */
static bool is_controlled(const struct endpoint *e)
{
	return (e->accounts && e->accounts->next) || is_bootstrapped(e);
}

struct description {
	struct builtin_party *parties;
	uint16_t *makes;
	struct builtin_control control;
};

static void description_done(struct description *d)
{
	free(d->parties);
	free(d->makes);
}
#define _cleanup_description_ _cleanup_(description_done)

static struct builtin_party party_of(const struct account *a)
{
	return (struct builtin_party){
		.instance = a->instance,
		.short_id = a->server->terms.short_id,
		.access = a->server->terms.source == ACCOUNT_YAML ? &a->server->terms.access : NULL,
	};
}

static int describe(const struct endpoint *e, struct description *ret)
{
	struct builtin_control *c = &ret->control;

	ret->parties = calloc(accounts_count(e->accounts) + 1, sizeof(*ret->parties));
	if (!ret->parties || made_list(e, &ret->makes, &c->n_makes) < 0)
		return -ENOMEM;
	for (const struct account *a = e->accounts; a; a = a->next)
		ret->parties[c->n_parties++] = party_of(a);
	c->definitions = e->registry->config.definitions;
	c->parties = ret->parties;
	c->makes = ret->makes;
	c->bare = is_bootstrapped(e);
	return 0;
}

/* What YAML says of access here: "access 101 15 3=1 102 15". */
static char *access_head(const struct endpoint *e)
{
	_cleanup_buf_ struct buf text = { 0 };
	int r;

	if (is_bootstrapped(e))
		return strdup(PERSIST_ACCESS_BOOTSTRAP);
	r = buf_append_text(&text, PERSIST_ACCESS);
	for (const struct account *a = e->accounts; a && r >= 0; a = a->next)
		r = terms_access(&a->server->terms, &text);
	return r < 0 ? NULL : buf_take_text(&text);
}

/* Told of the same change once. */
static void compare(struct endpoint *e, const char *former, const char *head)
{
	struct log_about about = { .endpoint = endpoint_client_name(e) };
	uint32_t sum = persist_sum(head);

	if (!streq_null(former, head) && sum != e->access_sum)
		log_warning(&about,
			    "%s: `access:` of servers was changed in YAML; where servers have written to /2, that "
			    "stays in force",
			    endpoint_label(e));
	e->access_sum = sum;
}

/* None where nothing was kept. */
static void load(struct endpoint *e, struct records *ret)
{
	const struct path path = path_of_object(ACCESS_OBJECT);
	_cleanup_free_ char *head = access_head(e), *former = NULL;
	int r = persist_load(e, &path, PERSIST_ACCESS, &former, ret);

	persist_log_lost(e, "what servers wrote to /2", r);
	/* What stands there of the time before a bootstrap, or of a bootstrap that holds no more, is over. */
	if (r < 0 || is_bootstrapped(e) != streq_null(former, PERSIST_ACCESS_BOOTSTRAP))
		records_done(ret);
	else
		compare(e, former, head);
}

void access_follow(struct endpoint *e, bool renew)
{
	_cleanup_description_ struct description d = { 0 };
	const struct path path = path_of_object(ACCESS_OBJECT);
	_cleanup_records_ struct records kept = { 0 };
	int r;

	if (!is_controlled(e) && !store_exists(e->store, &path))
		return;
	if (is_controlled(e))
		load(e, &kept);
	r = describe(e, &d);
	d.control.kept = &kept;
	e->following = true;
	if (r >= 0)
		r = builtin_control_follow(e->store, &d.control, renew);
	e->following = false;
	if (r < 0)
		log_error(&(struct log_about){ .endpoint = endpoint_client_name(e) },
			  "%s: access to its instances is not as YAML has it: %s", endpoint_label(e), strerror(-r));
}

void access_follow_these(struct endpoint *e, const struct path *paths, size_t n)
{
	if (!builtin_control_is_complete(e->store, paths, n))
		access_follow(e, false);
}

static int save(struct endpoint *e)
{
	const struct path path = path_of_object(ACCESS_OBJECT);
	_cleanup_description_ struct description d = { 0 };
	_cleanup_records_ struct records records = { 0 };
	_cleanup_free_ char *head = access_head(e);
	int r = head ? describe(e, &d) : -ENOMEM;

	if (r >= 0)
		r = builtin_control_changed(e->store, &d.control, &records);
	if (r >= 0 && records.n == 0)
		return persist_remove(e, PERSIST_ACCESS);
	return r < 0 ? r : persist_save(e, &path, &records, head, PERSIST_ACCESS);
}

void access_changed(struct endpoint *e, const struct path *paths, size_t n)
{
	bool touched = false;
	int r;

	for (size_t i = 0; i < n; i++)
		touched |= paths[i].depth == PATH_ROOT || paths[i].object == ACCESS_OBJECT;
	if (!touched || !is_controlled(e) || e->following || e->held)
		return;
	r = save(e);
	if (r < 0)
		persist_log_failure(e, PERSIST_ACCESS, r);
}
