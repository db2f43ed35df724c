/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl/files/configuration.h"
#include "ctl/machine/ports.h"
#include "ctl/output/document.h"
#include "ctl/output/table.h"

static const char *const titles[] = { "PORT", "DEVICE", "DRIVER", "BUS", "HELD BY" };

static int print(const struct ports *p, const struct invocation *i)
{
	static const char *const keys[] = { "port", "device", "driver", "bus", "holder" };
	_cleanup_table_ struct table t = { .columns = ARRAY_SIZE(titles) };
	int r = table_add(&t, titles);

	for (size_t k = 0; k < p->n && r >= 0; k++)
		r = table_add(&t, (const char *[]){ p->items[k].path, p->items[k].device,
						    p->items[k].driver, p->items[k].bus,
						    p->items[k].holder });
	if (r < 0)
		return r;
	if (i->json)
		return document_print(json_pack("{s:o}", "ports", document_rows(&t, keys)));
	if (p->n == 0)
		puts("no serial port and no Bluetooth adapter");
	else
		table_print(stdout, &t, &(struct table_frame){ 0 });
	return 0;
}

/* A configuration that is wrong is no reason not to show what there is. */
static int run(const struct invocation *i)
{
	_cleanup_configuration_ struct configuration c = { 0 };
	_cleanup_ports_ struct ports p = { 0 };
	int r = ports_find("", &p);

	if (r >= 0 && configuration_load(i, &c) >= 0)
		r = ports_assign(&p, "", c.config);
	if (r >= 0)
		r = print(&p, i);
	if (r < 0)
		fputs("fieldwayctl: out of memory\n", stderr);
	return exit_status(r);
}

static const struct command_option options[] = { CONFIGURATION_OPTIONS, { 0 } };

const struct command command_ports = {
	.name = "ports",
	.arguments = "",
	.help = "prints serial ports and Bluetooth adapters, and who uses them",
	.details = "PORT is what a bus names best: a name that stays the same wherever the adapter is\n"
		   "plugged in. BUS is that of the configuration; HELD BY a program that has the port\n"
		   "open and is none of ours, which root sees.\n",
	.options = options,
	.run = run,
};
