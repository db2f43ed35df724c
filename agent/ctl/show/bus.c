/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/daemon/client.h"
#include "ctl/daemon/find.h"
#include "ctl/daemon/inventory.h"
#include "ctl/output/document.h"
#include "ctl/output/table.h"
#include "ctl/output/text.h"
#include "ctl/show/bus.h"
#include "dbus/agent1.h"
#include "fieldbus/fieldbus.h"

/* ---- the page ---- */

static int print_devices(FILE *to, const struct bus_record *b, const struct inventory *i)
{
	_cleanup_table_ struct table t = { .columns = 4, .state = 2 };
	int r = 0;

	for (size_t k = 0; k < i->n_devices && r >= 0; k++) {
		const struct device_record *d = &i->devices[k];

		if (streq(d->bus, b->name))
			r = table_add(&t, (const char *[]){ d->name, d->profile,
							    d->enabled ? d->state : "disabled",
							    device_record_reason(d) });
	}
	if (r >= 0 && t.n > 0) {
		fputc('\n', to);
		table_print(to, &t, &(struct table_frame){ 0 });
	}
	return r;
}

int bus_print(FILE *to, const struct bus_record *b, const struct inventory *i)
{
	char number[TEXT_NUMBER_MAX];

	fputs("Bus         ", to);
	text_print(to, b->name);
	fputs("\nPlugin      ", to);
	text_print(to, b->plugin);
	fputs("\nState       ", to);
	text_print(to, b->state);
	fprintf(to, ", %" PRIu32 " of %" PRIu32 " devices online\n", b->online, b->devices);
	for (size_t k = 0; k < b->n_statistics; k++) {
		fputs(k == 0 ? "Statistics  " : ", ", to);
		fprintf(to, "%s ", text_number(b->statistics[k].count, number));
		text_print(to, b->statistics[k].name);
	}
	fputs(b->n_statistics > 0 ? "\n" : "", to);
	return print_devices(to, b, i);
}

/* ---- the command ---- */

static json_t *document_of(const struct bus_record *b, const struct inventory *i)
{
	json_t *devices = json_array(), *bus = bus_record_document(b);

	for (size_t k = 0; k < i->n_devices; k++)
		if (streq(i->devices[k].bus, b->name))
			document_add(&devices, device_record_document(&i->devices[k]));
	return json_pack("{s:o, s:o}", "bus", bus, "devices", devices);
}

static int show(struct client *c, const char *path, bool json)
{
	_cleanup_inventory_ struct inventory inventory = { 0 };
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_arena_ struct arena arena = { 0 };
	struct bus_record b;
	int r = client_properties(c, path, AGENT1_BUS, &reply);

	if (r >= 0)
		r = inventory_fetch(c, &inventory);
	if (r < 0)
		return r;
	r = bus_record_read(reply, &arena, &b);
	if (r >= 0 && json)
		return document_print(document_of(&b, &inventory));
	if (r >= 0)
		r = bus_print(stdout, &b, &inventory);
	return r < 0 ? client_misunderstood(r) : 0;
}

static int release(struct client *c, const char *path, uint64_t usec, bool json)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	char text[FORMAT_USEC_MAX];
	int r;

	c->privileged = true;
	r = client_call(c, path, AGENT1_BUS, "Release", &reply, "t", usec);
	if (r < 0)
		return r;
	if (json)
		return document_print(json_pack("{s:s, s:o}", "bus", c->about, "lent_usec",
						document_u64(usec)));
	if (usec > 0)
		printf("lent for %s; 'fieldwayctl bus %s release back' ends that\n",
		       format_usec(usec, text), c->about);
	return 0;
}

/* "back" is 0; UINT64_MAX: only to be shown. */
static int take_loan(const struct invocation *i, uint64_t *ret)
{
	*ret = UINT64_MAX;
	if (i->n == 1)
		return 0;
	if (i->n == 3 && streq(i->arguments[1], "release")) {
		if (streq(i->arguments[2], "back"))
			return *ret = 0, 0;
		if (parse_usec(i->arguments[2], ret) >= 0 && *ret > 0 && *ret <= FIELDBUS_LENT_USEC)
			return 0;
	}
	fputs("fieldwayctl: bus NAME, or bus NAME release 10m (up to 24h), or bus NAME release back\n",
	      stderr);
	return -EINVAL;
}

static int run(const struct invocation *i)
{
	const char *name = i->arguments[0];
	_cleanup_client_ struct client c = { 0 };
	_cleanup_free_ char *path = NULL;
	uint64_t usec;
	int r;

	if (!find_name("bus", name) || take_loan(i, &usec) < 0)
		return EXIT_USAGE;
	r = client_open(i->bus, &c);
	if (r >= 0)
		r = find_bus(&c, name, &path);
	if (r < 0)
		return exit_status(r);
	c.about = name;
	r = usec == UINT64_MAX ? show(&c, path, i->json) : release(&c, path, usec, i->json);
	return exit_status(r);
}

const struct command command_bus = {
	.name = "bus",
	.arguments = "NAME [release DURATION|back]",
	.help = "prints how a bus is; lends its port to another program, and takes it back",
	.details =
		"release closes the bus's port or connections for so long (10m, up to 24h), for\n"
		"another program to use them; its devices are 'failed' meanwhile. It comes back by\n"
		"itself, or by 'release back'. That needs root or the group " AGENT1_GROUP ".\n",
	.least = 1,
	.most = 3,
	.bus = true,
	.completes = "bus =release =back",
	.run = run,
};
