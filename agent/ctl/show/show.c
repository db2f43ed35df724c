/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/show/show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/daemon/client.h"
#include "ctl/daemon/find.h"
#include "ctl/output/colour.h"
#include "ctl/output/document.h"
#include "ctl/output/table.h"
#include "ctl/output/text.h"
#include "ctl/show/bus.h"
#include "dbus/agent1.h"

#define LABEL_COLUMNS 14u

/* ---- lines ---- */

static void print_label(FILE *to, const char *label)
{
	fprintf(to, "%-*s", (int)LABEL_COLUMNS, label);
}

static void print_line(FILE *to, const char *label, const char *text)
{
	if (!*text)
		return;
	print_label(to, label);
	text_print(to, text);
	fputc('\n', to);
}

static void print_state(FILE *to, const char *state, const char *more)
{
	print_label(to, "State");
	colour_begin(to, colour_of_state(state));
	text_print(to, state);
	colour_end(to, colour_of_state(state));
	if (*more) {
		fputs(": ", to);
		text_print(to, more);
	}
	fputc('\n', to);
}

static void print_table(FILE *to, const char *label, const struct table *t)
{
	table_print(to, t, &(struct table_frame){ .label = label, .indent = LABEL_COLUMNS });
}

/* ---- endpoints ---- */

static int print_servers(FILE *to, const struct endpoint_record *e)
{
	_cleanup_table_ struct table t = { .columns = 6, .state = 1 };
	int r = 0;

	for (size_t k = 0; k < e->n_accounts && r >= 0; k++) {
		const struct account_record *a = &e->accounts[k];

		r = table_add(&t, (const char *[]){ a->server, a->state, a->uri, a->security,
						    a->source, a->version });
	}
	if (r >= 0)
		print_table(to, "Server", &t);
	return r;
}

static bool shows(const struct endpoint_record *e, const char *device)
{
	for (size_t k = 0; k < e->n_devices; k++)
		if (streq(e->devices[k], device))
			return true;
	return false;
}

static int print_devices(FILE *to, const struct endpoint_record *e, const struct inventory *i)
{
	_cleanup_table_ struct table t = { .columns = 4, .state = 1 };
	int r = 0;

	for (size_t k = 0; k < i->n_devices && r >= 0; k++) {
		const struct device_record *d = &i->devices[k];

		if (shows(e, d->name))
			r = table_add(&t, (const char *[]){ d->name, d->state, d->bus,
							    device_record_reason(d) });
	}
	if (r >= 0)
		print_table(to, "Devices", &t);
	return r;
}

int show_endpoint(FILE *to, const struct endpoint_record *e, const struct inventory *i)
{
	int r;

	print_line(to, "Endpoint", e->name);
	print_line(to, "Client name", e->client_name);
	print_state(to, e->state, e->last_error);
	if (e->paused && !streq(e->state, "paused"))
		print_line(to, "Paused", "by a user");
	r = print_servers(to, e);
	return r < 0 ? r : print_devices(to, e, i);
}

static const struct endpoint_record *find_record(const struct inventory *i, const char *name)
{
	for (size_t k = 0; k < i->n_endpoints; k++)
		if (streq(i->endpoints[k].name, name))
			return &i->endpoints[k];
	for (size_t k = 0; k < i->n_endpoints; k++)
		if (streq(i->endpoints[k].client_name, name))
			return &i->endpoints[k];
	return NULL;
}

/* ---- devices ---- */

static void print_statistics(FILE *to, const struct device_record *d)
{
	char number[TEXT_NUMBER_MAX];

	for (size_t k = 0; k < d->n_statistics; k++) {
		if (k == 0)
			print_label(to, "Statistics");
		fprintf(to, "%s%s ", k > 0 ? ", " : "",
			text_number(d->statistics[k].count, number));
		text_print(to, d->statistics[k].name);
	}
	fputs(d->n_statistics > 0 ? "\n" : "", to);
}

int show_device(FILE *to, const struct device_record *d, const struct inventory *i)
{
	_cleanup_table_ struct table t = { .columns = 3, .state = 1 };
	int r = 0;

	print_line(to, "Device", d->name);
	print_line(to, "Bus", d->bus);
	print_line(to, "Profile", d->profile);
	print_state(to, d->enabled ? d->state : "disabled", device_record_reason(d));
	if (d->paused)
		print_line(to, "Paused", "by a user");
	print_statistics(to, d);
	for (size_t k = 0; k < i->n_endpoints && r >= 0; k++)
		if (shows(&i->endpoints[k], d->name))
			r = table_add(&t,
				      (const char *[]){ i->endpoints[k].name, i->endpoints[k].state,
							i->endpoints[k].client_name });
	if (r >= 0)
		print_table(to, "Endpoints", &t);
	return r;
}

/* ---- the command ---- */

static const struct device_record *find_device_record(const struct inventory *i, const char *name)
{
	for (size_t k = 0; k < i->n_devices; k++)
		if (streq(i->devices[k].name, name))
			return &i->devices[k];
	return NULL;
}

static const struct bus_record *find_bus_record(const struct inventory *i, const char *name)
{
	for (size_t k = 0; k < i->n_buses; k++)
		if (streq(i->buses[k].name, name))
			return &i->buses[k];
	return NULL;
}

static int finish(int r)
{
	return r < 0 ? client_misunderstood(r) : 0;
}

/* -ENOENT: there is none. */
static int show(const char *kind, const char *name, const struct inventory *i, bool json)
{
	const struct endpoint_record *e = streq(kind, "endpoint") ? find_record(i, name) : NULL;
	const struct device_record *d = streq(kind, "device") ? find_device_record(i, name) : NULL;
	const struct bus_record *b = streq(kind, "bus") ? find_bus_record(i, name) : NULL;

	if (e)
		return json ? document_print(
				      json_pack("{s:o}", "endpoint", endpoint_record_document(e))) :
			      finish(show_endpoint(stdout, e, i));
	if (d)
		return json ? document_print(
				      json_pack("{s:o}", "device", device_record_document(d))) :
			      finish(show_device(stdout, d, i));
	if (b)
		return json ? document_print(json_pack("{s:o}", "bus", bus_record_document(b))) :
			      finish(bus_print(stdout, b, i));
	return -ENOENT;
}

/* Whoever asks for one that is not there hears so from the daemon, with names that are near. */
static int show_named(struct client *c, const char *kind, const char *name, bool json)
{
	_cleanup_inventory_ struct inventory inventory = { 0 };
	_cleanup_free_ char *path = NULL;
	int r = streq(kind, "device") ? find_device(c, name, &path) :
		streq(kind, "bus")    ? find_bus(c, name, &path) :
					find_endpoint(c, name, &path);

	if (r >= 0)
		r = inventory_fetch(c, &inventory);
	return r < 0 ? r : show(kind, name, &inventory, json);
}

static int run(const struct invocation *i)
{
	const char *kind = i->n == 2 ? i->arguments[0] : "endpoint", *name = i->arguments[i->n - 1];
	_cleanup_client_ struct client c = { 0 };
	int r;

	if (!streq(kind, "endpoint") && !streq(kind, "device") && !streq(kind, "bus")) {
		fputs("fieldwayctl: show NAME, or show endpoint|device|bus NAME\n", stderr);
		return EXIT_USAGE;
	}
	if (!find_name(kind, name))
		return EXIT_USAGE;
	r = client_open(i->bus, &c);
	return exit_status(r < 0 ? r : show_named(&c, kind, name, i->json));
}

const struct command command_show = {
	.name = "show",
	.arguments = "[endpoint|device|bus] NAME",
	.help = "prints how an endpoint is, a device, or a bus",
	.details =
		"An endpoint with its server and its devices, a device with its endpoints, a bus\n"
		"with its devices. A name alone is that of an endpoint, as for read.\n",
	.least = 1,
	.most = 2,
	.bus = true,
	.completes = "endpoint",
	.run = run,
};
