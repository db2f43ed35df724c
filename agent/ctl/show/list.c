/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/daemon/client.h"
#include "ctl/daemon/inventory.h"
#include "ctl/output/document.h"
#include "ctl/output/table.h"
#include "ctl/output/text.h"
#include "ctl/show/list.h"

/* "plant", or "plant(waiting)" where that is another state than the endpoint's. */
static const char *account_text(struct arena *arena, const struct account_record *a,
				const char *state)
{
	size_t server = strlen(a->server);
	char *text;

	if (streq(a->state, state))
		return a->server;
	text = arena_new(arena, server + strlen(a->state) + sizeof("()"));
	if (text)
		sprintf(text, "%s(%s)", a->server, a->state);
	return text;
}

static const char *servers_text(struct arena *arena, const struct endpoint_record *e)
{
	const char **texts = arena_new(arena, e->n_accounts * sizeof(*texts));

	for (size_t i = 0; texts && i < e->n_accounts; i++) {
		texts[i] = account_text(arena, &e->accounts[i], e->state);
		if (!texts[i])
			return NULL;
	}
	return texts ? text_join(arena, texts, e->n_accounts) : NULL;
}

/* "yaml" or "bootstrap", once where all of its servers are of one. */
static const char *sources_text(struct arena *arena, const struct endpoint_record *e)
{
	const char **texts = arena_new(arena, e->n_accounts * sizeof(*texts));
	bool same = true;

	for (size_t i = 0; texts && i < e->n_accounts; i++) {
		texts[i] = e->accounts[i].source;
		same = same && streq(texts[i], texts[0]);
	}
	return texts ? text_join(arena, texts, same ? MIN(e->n_accounts, 1u) : e->n_accounts) : NULL;
}

static int add_endpoint(struct table *t, struct arena *arena, const struct endpoint_record *e)
{
	const char *servers = servers_text(arena, e), *sources = sources_text(arena, e),
		   *devices = text_join(arena, e->devices, e->n_devices);

	if (!servers || !sources || !devices)
		return -ENOMEM;
	return table_add(t, (const char *[]){ e->name, e->client_name, e->state, servers, sources, devices,
					      e->last_error });
}

int list_endpoints(FILE *to, struct inventory *i)
{
	static const char *const titles[] = { "NAME",	"CLIENT NAME", "STATE",	    "SERVER",
					      "SOURCE", "DEVICES",     "LAST ERROR" };
	_cleanup_table_ struct table t = { .columns = ARRAY_SIZE(titles), .state = 2 };
	int r = table_add(&t, titles);

	for (size_t k = 0; k < i->n_endpoints && r >= 0; k++)
		r = add_endpoint(&t, &i->arena, &i->endpoints[k]);
	if (r >= 0)
		table_print(to, &t, &(struct table_frame){ 0 });
	return r;
}

int list_devices(FILE *to, const struct inventory *i)
{
	static const char *const titles[] = { "NAME", "BUS", "PROFILE", "STATE", "REASON" };
	_cleanup_table_ struct table t = { .columns = ARRAY_SIZE(titles), .state = 3 };
	int r = table_add(&t, titles);

	for (size_t k = 0; k < i->n_devices && r >= 0; k++) {
		const struct device_record *d = &i->devices[k];

		r = table_add(&t, (const char *[]){ d->name, d->bus, d->profile,
						    d->enabled ? d->state : "disabled",
						    device_record_reason(d) });
	}
	if (r >= 0)
		table_print(to, &t, &(struct table_frame){ 0 });
	return r;
}

static int add_bus(struct table *t, struct arena *arena, const struct bus_record *b)
{
	char online[sizeof("4294967295 of 4294967295")];
	const char *kept;
	int n = sprintf(online, "%" PRIu32 " of %" PRIu32, b->online, b->devices);

	kept = arena_text(arena, online, n);
	return kept ? table_add(t, (const char *[]){ b->name, b->plugin, b->state, kept }) :
		      -ENOMEM;
}

int list_buses(FILE *to, struct inventory *i)
{
	static const char *const titles[] = { "NAME", "PLUGIN", "STATE", "ONLINE" };
	_cleanup_table_ struct table t = { .columns = ARRAY_SIZE(titles), .state = 2 };
	int r = table_add(&t, titles);

	for (size_t k = 0; k < i->n_buses && r >= 0; k++)
		r = add_bus(&t, &i->arena, &i->buses[k]);
	if (r >= 0)
		table_print(to, &t, &(struct table_frame){ 0 });
	return r;
}

static int print(const char *what, struct inventory *i)
{
	return streq(what, "devices") ? list_devices(stdout, i) :
	       streq(what, "buses")   ? list_buses(stdout, i) :
					list_endpoints(stdout, i);
}

static json_t *document_of(const char *what, const struct inventory *i)
{
	json_t *array = json_array();

	if (streq(what, "devices"))
		for (size_t k = 0; k < i->n_devices; k++)
			document_add(&array, device_record_document(&i->devices[k]));
	else if (streq(what, "buses"))
		for (size_t k = 0; k < i->n_buses; k++)
			document_add(&array, bus_record_document(&i->buses[k]));
	else
		for (size_t k = 0; k < i->n_endpoints; k++)
			document_add(&array, endpoint_record_document(&i->endpoints[k]));
	return array;
}

static int run(const struct invocation *i)
{
	const char *what = i->n > 0 ? i->arguments[0] : "endpoints";
	_cleanup_inventory_ struct inventory inventory = { 0 };
	_cleanup_client_ struct client c = { 0 };
	int r;

	if (!streq(what, "endpoints") && !streq(what, "devices") && !streq(what, "buses")) {
		fputs("fieldwayctl list: '", stderr);
		text_print(stderr, what);
		fputs("': endpoints, devices or buses\n", stderr);
		return EXIT_USAGE;
	}
	r = client_open(i->bus, &c);
	if (r >= 0)
		r = inventory_fetch(&c, &inventory);
	if (r < 0)
		return exit_status(r);
	if (i->json)
		return exit_status(document_print(document_of(what, &inventory)));
	r = print(what, &inventory);
	return exit_status(r < 0 ? client_misunderstood(r) : 0);
}

const struct command command_list = {
	.name = "list",
	.arguments = "[endpoints|devices|buses]",
	.help = "prints all endpoints, devices or buses with their states",
	.details = "One line each behind a line of titles, sorted by name; '-' where there is\n"
		   "nothing. Where an endpoint has another state at one server than STATE says,\n"
		   "that state is behind the server's name, in brackets. SOURCE is whose word its\n"
		   "servers are: yaml, or bootstrap, which the configuration does not reach.\n",
	.most = 1,
	.bus = true,
	.completes = "=endpoints,devices,buses",
	.run = run,
};
