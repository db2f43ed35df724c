/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/str.h"
#include "gateway/bootstrap/bootstrapping.h"

/* The accounts of an endpoint. Most have one: a list costs those nothing. */

void accounts_add(struct account **list, struct account *a)
{
	while (*list && (*list)->instance < a->instance)
		list = &(*list)->next;
	a->next = *list;
	*list = a;
}

void accounts_free(struct account **list)
{
	while (*list) {
		struct account *a = *list;

		*list = a->next;
		account_free(a);
	}
}

size_t accounts_count(const struct account *list)
{
	size_t n = 0;

	for (; list; list = list->next)
		n++;
	return n;
}

struct account *accounts_at(struct account *list, uint16_t instance)
{
	while (list && list->instance != instance)
		list = list->next;
	return list;
}

struct account *accounts_nth(struct account *list, unsigned index)
{
	for (; list && index > 0; index--)
		list = list->next;
	return list;
}

/* ---- which it is to have ---- */

static bool is_wanted(const struct endpoint *e, const char *label, uint32_t server)
{
	return config_server_wants(&e->registry->config.config->servers[server], label);
}

/* The one that it has there under the name that it will have. */
static struct account *find_same(const struct endpoint *e, const struct server *server)
{
	struct account *a = e->accounts;

	while (a && !(a->server == server && streq(a->name, endpoint_client_name(e))))
		a = a->next;
	return a;
}

/* True: some go. */
static bool mark_staying(struct endpoint *e, const char *label, struct server *const *servers)
{
	bool all = true;

	for (struct account *a = e->accounts; a; a = a->next)
		a->stays = false;
	for (uint32_t i = 0; i < e->registry->config.config->n_servers; i++) {
		struct account *a = is_wanted(e, label, i) ? find_same(e, servers[i]) : NULL;

		if (a)
			a->stays = true;
	}
	for (const struct account *a = e->accounts; a; a = a->next)
		all = all && a->stays;
	return !all;
}

/* Servers know it by its short id: whoever has that one keeps its instance. */
static const struct account *find_former(const struct endpoint *e, const struct server *server)
{
	const struct account *a = e->accounts;

	while (a && (a->stays || a->server->terms.short_id != server->terms.short_id))
		a = a->next;
	return a;
}

static uint16_t free_instance(const struct endpoint *e, struct account *list)
{
	uint16_t instance = 0;
	const struct account *former;

	while (accounts_at(list, instance) ||
	       ((former = accounts_at(e->accounts, instance)) && former->stays))
		instance++;
	return instance;
}

/* Those that replace others come first: what they leave is given to nobody else. */
static int make_missing(struct endpoint *e, const struct config_endpoint *config, struct server *const *servers,
			bool replacing, struct account **list)
{
	struct account *made;
	int r, n = 0;

	for (uint32_t i = 0; i < e->registry->config.config->n_servers; i++) {
		const struct account *former = find_former(e, servers[i]);

		if (!is_wanted(e, config_label(config), i) || find_same(e, servers[i]) || (former != NULL) != replacing)
			continue;
		r = account_new(e, config, servers[i], former ? former->instance : free_instance(e, *list), &made);
		if (r < 0)
			return r;
		accounts_add(list, made);
		n++;
	}
	return n;
}

/* servers[] has no say in what a bootstrap left. */
static int keep_all(struct endpoint *e)
{
	for (struct account *a = e->accounts; a; a = a->next)
		a->stays = true;
	return 0;
}

/* Of another client name it is not. */
static bool is_bootstrapped(const struct endpoint *e, const char *label)
{
	const struct bootstrapping *b = e->bootstrapping;

	return b && b->in_force && bootstrapping_is_wanted(e->registry, label) &&
	       streq(b->name, endpoint_client_name(e));
}

int accounts_make(struct endpoint *e, const struct config_endpoint *config, struct server *const *servers,
		  struct account **list)
{
	bool some_go;
	int replaced, more;

	if (is_bootstrapped(e, config_label(config)))
		return keep_all(e);
	some_go = mark_staying(e, config_label(config), servers);
	replaced = make_missing(e, config, servers, true, list);
	if (replaced < 0)
		return replaced;
	more = make_missing(e, config, servers, false, list);
	return more < 0 ? more : some_go || replaced + more > 0;
}

void accounts_exchange(struct endpoint *e, struct account **list)
{
	struct account *former = e->accounts, *a;

	e->accounts = *list;
	*list = NULL;
	while ((a = former)) {
		former = a->next;
		accounts_add(a->stays ? &e->accounts : list, a);
	}
}
