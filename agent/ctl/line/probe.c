/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl/daemon/attempt.h"
#include "ctl/daemon/client.h"
#include "ctl/daemon/find.h"
#include "ctl/line/decode.h"
#include "ctl/line/numbers.h"
#include "ctl/line/scan.h"
#include "ctl/output/document.h"
#include "dbus/agent1.h"
#include "dbus/field.h"

#define PROBE_MAX FIELD_POINTS_MAX

struct probe {
	const char *area;
	bool bits;
	uint32_t first;
	size_t n;
	uint64_t within_usec;
	char (*names)[sizeof("65535")];
	struct attempt_point *points;
	struct probed *registers;
};

/* A point for each register: whoever does not exist costs its neighbours nothing. */
static int prepare(struct probe *p)
{
	p->names = calloc(p->n, sizeof(*p->names));
	p->points = calloc(p->n, sizeof(*p->points));
	p->registers = calloc(p->n, sizeof(*p->registers));
	if (!p->names || !p->points || !p->registers)
		return -ENOMEM;
	for (size_t i = 0; i < p->n; i++) {
		sprintf(p->names[i], "%u", (uint16_t)(p->first + i));
		p->points[i] = (struct attempt_point){
			.name = p->names[i],
			.settings = { { "area", p->area },
				      { "address", p->names[i] },
				      { "type", p->bits ? "bool" : "uint16" } },
			.n = 3,
		};
		p->registers[i] =
			(struct probed){ .address = p->first + (uint32_t)i, .problem = "not read" };
	}
	return 0;
}

static void probe_done(struct probe *p)
{
	free(p->names);
	free(p->points);
	free(p->registers);
}

static void take_reading(struct probe *p, const struct reading *reading)
{
	struct probed *place;
	uint64_t address;

	if (parse_u64(reading->name, &address) < 0 || address - p->first >= p->n)
		return;
	place = &p->registers[address - p->first];
	place->there = reading->value.type == FIELDWAY_UINT || reading->value.type == FIELDWAY_BOOL;
	place->value = reading->value.type == FIELDWAY_BOOL ? reading->value.boolean :
							      (uint16_t)reading->value.unsignd;
	place->problem = *reading->problem ? reading->problem : "not a number";
}

static int print(struct probe *p, const struct invocation *i, sd_bus_message *reply)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct reading *readings;
	bool decoded = option_find(i, "decode") && !p->bits;
	size_t n;
	int r = readings_read(reply, &arena, &readings, &n);

	if (r < 0)
		return r;
	for (size_t k = 0; k < n; k++)
		take_reading(p, &readings[k]);
	if (i->json)
		return document_print(json_pack("{s:s, s:o, s:o}", "area", p->area, "registers",
						probe_document(p->registers, p->n), "decoded",
						decoded ? probe_decoded_document(p->registers, p->n) :
							  json_null()));
	r = probe_print(stdout, p->area, p->registers, p->n);
	return r >= 0 && decoded ? probe_print_decoded(stdout, p->registers, p->n) : r;
}

static int probe_bus(struct client *c, const struct invocation *i, struct probe *p)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	struct attempt attempt = { .address = i->address,
				   .n_address = i->n_address,
				   .within_usec = p->within_usec };
	_cleanup_message_ sd_bus_message *reply = NULL;
	_cleanup_free_ char *path = NULL;
	int r = find_bus(c, i->arguments[0], &path);

	if (r < 0)
		return r;
	c->about = i->arguments[0];
	c->privileged = true;
	attempt.path = path;
	r = attempt_points(c, &attempt, p->points, p->n, &error, &reply);
	if (r < 0)
		return client_complain(c, &error);
	r = print(p, i, reply);
	return r < 0 ? client_misunderstood(r) : 0;
}

static int take(const struct invocation *i, struct probe *ret)
{
	uint32_t last, most;
	uint8_t function;

	ret->area = i->arguments[1];
	function = area_function(ret->area, &most);
	ret->bits = function == 1 || function == 2;
	if (!function)
		fputs("fieldwayctl probe: the area is coil, discrete, holding or input\n", stderr);
	else if (numbers_parse(i->arguments[2], UINT16_MAX, &ret->first, &last) < 0 ||
		 last - ret->first >= PROBE_MAX)
		fprintf(stderr,
			"fieldwayctl probe: registers are numbers from 0 to 65535, such as 0-40, "
			"at most %u of them\n",
			PROBE_MAX);
	else if (option_duration(i, "within", 0, &ret->within_usec) >= 0)
		return ret->n = last - ret->first + 1, 0;
	return -EINVAL;
}

static int run(const struct invocation *i)
{
	_cleanup_client_ struct client c = { 0 };
	struct probe p = { 0 };
	int r;

	if (!find_name("bus", i->arguments[0]) || take(i, &p) < 0)
		return EXIT_USAGE;
	r = prepare(&p);
	if (r < 0)
		client_misunderstood(r);
	else
		r = client_open(i->bus, &c);
	if (r >= 0)
		r = probe_bus(&c, i, &p);
	probe_done(&p);
	return exit_status(r);
}

static const struct command_option options[] = {
	{ "decode", NULL, "also all other types of numbers, in all orders of bytes" },
	{ "within", "DURATION", "wait so long for all of it (1m)" },
	{ 0 },
};

const struct command command_probe = {
	.name = "probe",
	.arguments = "BUS AREA FIRST-LAST",
	.help = "reads registers of a device that need not be configured, as all that they can mean",
	.details =
		"AREA is coil, discrete, holding or input; addresses are those of the protocol, from\n"
		"0 on. Each row is a register, or what begins there. '*' stands where a number is of a\n"
		"size that measurements have, 0.001 to 10,000,000: look at a quantity that you know.\n"
		"The titles are what a profile's order: says. Needs root or the group\n" AGENT1_GROUP
		".\n",
	.least = 3,
	.most = 3,
	.bus = true,
	.options = options,
	.address = true,
	.completes = "bus =coil,discrete,holding,input",
	.run = run,
};
