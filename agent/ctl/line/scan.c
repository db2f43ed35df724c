/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/line/scan.h"

#include <errno.h>
#include <stdlib.h>

#include "base/str.h"
#include "ctl/daemon/client.h"
#include "ctl/daemon/find.h"
#include "ctl/daemon/record.h"
#include "ctl/line/numbers.h"
#include "ctl/output/text.h"
#include "dbus/agent1.h"
#include "fieldbus/fieldbus.h"

#define REACH_USEC UINT64_C(30000000)
#define WITHIN_USEC UINT64_C(5000000)

enum kind {
	SCAN_UNITS,
	SCAN_REGISTERS,
	SCAN_REACH,
};

struct scan {
	enum kind kind;
	struct unit_scan units;
	struct register_scan registers;
	uint64_t time_usec;
};

static int refuse(const char *text)
{
	fprintf(stderr, "fieldwayctl scan: %s\nTry 'fieldwayctl scan --help'.\n", text);
	return -EINVAL;
}

/* --registers AREA FIRST-LAST; the second word is the first argument behind the bus. */
static int take_registers(const struct invocation *i, struct register_scan *ret)
{
	uint32_t most;

	if (i->n != 2)
		return refuse("--registers AREA FIRST-LAST, such as --registers holding 0-200");
	if (!area_function(ret->area, &most))
		return refuse("the area is coil, discrete, holding or input");
	if (numbers_parse(i->arguments[1], UINT16_MAX, &ret->first, &ret->last) < 0)
		return refuse("registers are numbers from 0 to 65535, such as 0-200");
	return 0;
}

static int take_units(const struct invocation *i, struct unit_scan *ret)
{
	const char *units = option_find(i, "units") ?: "1-247";
	uint32_t most;

	ret->area = option_find(i, "area") ?: "holding";
	ret->address = option_find(i, "address") ?: "0";
	if (numbers_parse(units, 255, &ret->first, &ret->last) < 0)
		return refuse("--units are numbers from 0 to 255, such as 1-247");
	return area_function(ret->area, &most) ?
		       0 :
		       refuse("the area is coil, discrete, holding or input");
}

static int take(const struct invocation *i, struct scan *ret)
{
	ret->registers.area = option_find(i, "registers");
	if (option_duration(i, "time", REACH_USEC, &ret->time_usec) < 0 ||
	    option_duration(i, "within", WITHIN_USEC, &ret->units.within_usec) < 0)
		return -EINVAL;
	if (ret->time_usec > FIELDBUS_SCAN_USEC || ret->units.within_usec > FIELDBUS_RAW_USEC)
		return refuse("--time is up to an hour, --within up to a minute");
	ret->registers.within_usec = ret->units.within_usec;
	if (ret->registers.area)
		return ret->kind = SCAN_REGISTERS, take_registers(i, &ret->registers);
	if (i->n > 1)
		return refuse("one argument too many");
	return take_units(i, &ret->units);
}

/* What is polled has to be asked; the rest speaks by itself. */
static int find_kind(struct client *c, const char *path, struct scan *scan)
{
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_arena_ struct arena arena = { 0 };
	struct bus_record b;
	int r = client_properties(c, path, AGENT1_BUS, &reply);

	if (r < 0 || scan->kind == SCAN_REGISTERS)
		return r;
	r = bus_record_read(reply, &arena, &b);
	if (r < 0)
		return client_misunderstood(r);
	scan->kind = streq(b.plugin, "modbus") ? SCAN_UNITS : SCAN_REACH;
	return 0;
}

static int scan_bus(struct client *c, const struct invocation *i, struct scan *scan)
{
	_cleanup_free_ char *path = NULL;
	int r = find_bus(c, i->arguments[0], &path);

	if (r < 0)
		return r;
	c->about = i->arguments[0];
	c->privileged = true;
	r = find_kind(c, path, scan);
	if (r < 0)
		return r;
	switch (scan->kind) {
	case SCAN_UNITS:
		return scan_units(c, path, i, &scan->units);
	case SCAN_REGISTERS:
		return scan_registers(c, path, i, &scan->registers);
	case SCAN_REACH:
		return scan_reach(c, path, i, scan->time_usec);
	}
	return -EINVAL;
}

static int run(const struct invocation *i)
{
	_cleanup_client_ struct client c = { 0 };
	struct scan scan = { 0 };
	int r;

	if (!find_name("bus", i->arguments[0]) || take(i, &scan) < 0)
		return EXIT_USAGE;
	r = client_open(i->bus, &c);
	return exit_status(r < 0 ? r : scan_bus(&c, i, &scan));
}

static const struct command_option options[] = {
	{ "units", "FIRST-LAST", "which units to ask (1-247)" },
	{ "area", "AREA", "coil, discrete, holding or input: what each is asked for (holding)" },
	{ "address", "NUMBER", "and at which address (0)" },
	{ "registers", "AREA FIRST-LAST", "instead: which registers does one device have" },
	{ "within", "DURATION", "how long each may take, the wait for the line included (5s)" },
	{ "time", "DURATION", "where devices speak by themselves: listen so long (30s)" },
	{ 0 },
};

const struct command command_scan = {
	.name = "scan",
	.arguments = "BUS",
	.help = "looks for devices on a bus, or for the registers of one",
	.details =
		"On a Modbus bus each unit is asked for one register; whoever answers is there, if\n"
		"only to say that it has no such register, and is asked who it is (function 43/14).\n"
		"One that is silent costs the bus's timeout, with its retries: 3 s unless the bus says\n"
		"otherwise, so --units 1-16 when somebody is waiting. On a network say which device:\n"
		"--host 10.0.1.7. 'device failure' of every unit is a gateway that has none.\n"
		"Polls go on meanwhile.\n"
		"\n"
		"With --unit 5 --registers holding 0-200 the registers that unit 5 has. Where devices\n"
		"speak by themselves (Bluetooth LE) those in reach. Needs root or the group\n" AGENT1_GROUP
		".\n",
	.least = 1,
	.most = 2,
	.bus = true,
	.options = options,
	.address = true,
	.completes = "bus =coil,discrete,holding,input",
	.run = run,
};
