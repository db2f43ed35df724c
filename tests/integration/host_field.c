/* SPDX-License-Identifier: Apache-2.0 */
#include "host_field.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/plugins/modbus/setup.h"

static const struct row {
	const char *name, *area, *type;
	unsigned address, length, access;
	double scale;
	uint64_t period_usec;
	bool reject;
	struct link_verify verify;
} rows[POINTS] = {
	[VOLTS] = { "volts", "input", "uint16", 0, 0, LINK_READ, 0.1, PERIOD_USEC },
	[LEVEL] = { "level", "holding", "uint16", 100, 0, LINK_READ | LINK_WRITE, 0.1, PERIOD_USEC,
		    true },
	[RUN] = { "run",
		  "coil",
		  "bool",
		  0,
		  0,
		  LINK_READ | LINK_WRITE,
		  1,
		  PERIOD_USEC,
		  false,
		  { true, 400 * MSEC, 0, RUNNING } },
	[RUNNING] = { "running", "discrete", "bool", 0, 0, LINK_READ, 1, PERIOD_USEC },
	[SERIAL] = { "serial", "holding", "uint32", 200, 0, LINK_READ, 1, LINK_PERIOD_ONCE },
	[MODE] = { "mode",
		   "holding",
		   "uint16",
		   110,
		   0,
		   LINK_READ | LINK_WRITE,
		   1,
		   LINK_PERIOD_ON_DEMAND,
		   false,
		   { true, 1000 * MSEC, 0, -1 } },
	[NAME] = { "name", "holding", "string", 300, 8, LINK_READ, 1, PERIOD_USEC },
	[GAP] = { "gap", "input", "uint16", 40, 0, LINK_READ, 1, PERIOD_USEC },
	[FAR] = { "far", "input", "uint16", 600, 0, LINK_READ, 1, PERIOD_USEC }, /* exception 2 */
};


struct field field;

static void make_points(void)
{
	for (int i = 0; i < POINTS; i++) {
		const struct row *row = &rows[i];
		struct fieldway_setting *s = field.point_settings[i];
		size_t n = 0;

		s[n++] = TEXT("area", row->area);
		s[n++] = TEXT("type", row->type);
		s[n++] = UINT("address", row->address);
		if (row->length)
			s[n++] = UINT("length", row->length);
		field.points[i] = (struct link_point){
			.name = row->name,
			.access = row->access,
			.scale = row->scale,
			.factor = 1,
			.inexact_reject = row->reject,
			.verify = row->verify,
			.period_usec = row->period_usec,
			.scale10 = -1,
			.settings = { s, n },
		};
	}
	field.points[GAP].invalid = &field.no_value;
	field.points[GAP].n_invalid = 1;
	field.type = (struct link_type){ .points = field.points, .n_points = POINTS };
}

static void make_configuration(uint64_t generation, const char *name, size_t n_devices)
{
	field.configuration = (struct link_configuration){
		.generation = generation,
		.plugin = "modbus",
		.bus = { .name = name, .timeout_usec = TIMEOUT_USEC },
		.retries = 1,
		.offline_after = 3,
		.offline_first_usec = 300 * MSEC,
		.offline_last_usec = 600 * MSEC,
		.types = &field.type,
		.n_types = 1,
		.devices = field.devices,
		.n_devices = n_devices,
	};
	for (size_t i = 0; i < n_devices; i++) {
		snprintf(field.names[i], sizeof(field.names[i]), "m%zu", i);
		field.devices[i] = (struct link_device){ .id = (uint32_t)i,
						     .name = field.names[i],
						     .address = { field.addresses[i], 1 } };
	}
}

static void start(const char *const *arguments)
{
	field = (struct field){ .no_value = { .type = FIELDWAY_UINT, .unsignd = 65535 } };
	ck_assert_int_eq(simulated_start(&field.simulated, arguments), 0);
	make_points();
	rig_start(rig);
}

void field_start_tcp(size_t n_devices)
{
	const char *arguments[2 * RIG_DEVICES + 1] = { 0 };

	for (size_t i = 0; i < n_devices; i++) {
		arguments[2 * i] = "--tcp";
		arguments[2 * i + 1] = "127.0.0.1:0";
	}
	start(arguments);
	make_configuration(1, "lan", n_devices);
	field.bus_settings[0] = UINT("tcp.port", 502);
	field.configuration.bus.settings = (struct fieldway_settings){ field.bus_settings, 1 };
	for (size_t i = 0; i < n_devices; i++) {
		field.addresses[i][0] = UINT("unit", 1);
		field.addresses[i][1] = TEXT("host", "127.0.0.1");
		field.addresses[i][2] = UINT("port", field.simulated.port[i]);
		field.devices[i].address.n = 3;
	}
}

void field_start_rtu(size_t n_devices)
{
	char pty[64];

	snprintf(pty, sizeof(pty), "/tmp/fieldway-host-test-%d", getpid());
	start((const char *const[]){ "--rtu", pty, NULL });
	make_configuration(1, "hall1", n_devices);
	field.bus_settings[0] = TEXT("rtu.device", field.simulated.place[0]);
	field.bus_settings[1] = UINT("rtu.baud", 115200);
	field.bus_settings[2] = TEXT("rtu.format", "8N1"); /* a pty drops PARENB */
	field.configuration.bus.settings = (struct fieldway_settings){ field.bus_settings, 3 };
	for (size_t i = 0; i < n_devices; i++)
		field.addresses[i][0] = UINT("unit", i + 1);
}

void field_stop(void)
{
	rig_stop(rig);
	simulated_stop(&field.simulated);
	arena_done(&field.arena);
}

void field_configure(void)
{
	size_t n = rig_configure(rig, &field.configuration, &field.arena, &field.refusals);

	ck_assert_msg(n == 0, "%s", n > 0 ? field.refusals[0].text : "");
}

const char *field_ask(const char *command)
{
	const char *answer = simulated_ask(&field.simulated, command);

	ck_assert_msg(answer != NULL, "%s", command);
	return answer;
}

unsigned long field_requests(const char *command)
{
	return strtoul(field_ask(command), NULL, 10);
}

const struct fieldway_sample *field_sample(uint32_t device, uint32_t point)
{
	return &rig->devices[device].points[point].sample;
}

bool field_has(uint32_t device, uint32_t point, double value)
{
	const struct fieldway_sample *s = field_sample(device, point);

	if (rig->devices[device].points[point].n == 0 || s->quality != FIELDWAY_GOOD)
		return false;
	switch (s->value.type) {
	case FIELDWAY_FLOAT:
		return s->value.real == value;
	case FIELDWAY_INT:
		return (double)s->value.integer == value;
	case FIELDWAY_UINT:
		return (double)s->value.unsignd == value;
	case FIELDWAY_BOOL:
		return s->value.boolean == (value != 0);
	case FIELDWAY_NONE:
	case FIELDWAY_STRING:
	case FIELDWAY_BYTES:
		break;
	}
	return false;
}

struct rig_outcome field_write(uint32_t device, uint32_t point, double number)
{
	const struct fieldway_value value = { .type = FIELDWAY_FLOAT, .real = number };

	return rig_write(rig, field.configuration.generation, device, point, &value);
}
