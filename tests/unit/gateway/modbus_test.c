/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "config/config.h"
#include "fieldbus/fieldbus.h"
#include "gateway/modbus/modbus.h"
#include "state/state.h"

/* The connections that /10374 shows, before a fieldbus that the test plays itself. */

#define TEXT(k, v) { .key = (k), .value = { .type = FIELDWAY_STRING, .data = (v), .size = sizeof(v) - 1 } }
#define UINT(k, v) { .key = (k), .value = { .type = FIELDWAY_UINT, .unsignd = (v) } }

enum { YARD, LAN, SAFE, ROOM, BUSES };
enum { METER, FIRST, SECOND, SIXTH, SPARE, SENSOR, DEVICES };

static char folder[] = "/tmp/fieldway-modbus-XXXXXX";
static struct state *state;
static struct modbus_field *field;
static struct config config;
static struct config_bus buses[BUSES];
static struct config_device devices[DEVICES];
static char everything[] = "*", *globs[] = { everything };

static struct config_plugin modbus = { .name = (char *)"modbus" }, ble = { .name = (char *)"ble" };
static struct fieldway_setting yard[] = {
	TEXT("rtu.device", "/dev/ttyS1"), UINT("rtu.baud", 19200), TEXT("rtu.format", "8N2"),
	TEXT("rtu.rs485", "rts"), TEXT("rtu.rts_active", "low"),
};
static struct fieldway_setting safe[] = { TEXT("tls.ca", "x") };
static struct fieldway_setting unit[] = { UINT("unit", 3) };
static struct fieldway_setting first[] = { TEXT("host", "10.0.0.1"), UINT("unit", 1) };
static struct fieldway_setting second[] = { TEXT("host", "10.0.0.1"), UINT("unit", 2), UINT("port", 1502) };
static struct fieldway_setting sixth[] = { TEXT("host", "fe80::6") };

#define SETTINGS(array) { (array), ARRAY_SIZE(array) }

static void make_config(void)
{
	const struct config_bus all_buses[BUSES] = {
		[YARD] = { .name = (char *)"yard", .plugin = &modbus, .settings = SETTINGS(yard) },
		[LAN] = { .name = (char *)"lan", .plugin = &modbus },
		[SAFE] = { .name = (char *)"safe", .plugin = &modbus, .settings = SETTINGS(safe) },
		[ROOM] = { .name = (char *)"room", .plugin = &ble },
	};
	const struct config_device all_devices[DEVICES] = {
		[METER] = { .bus = YARD, .address = SETTINGS(unit), .enabled = true },
		[FIRST] = { .bus = LAN, .address = SETTINGS(first), .enabled = true },
		[SECOND] = { .bus = LAN, .address = SETTINGS(second), .enabled = true },
		[SIXTH] = { .bus = SAFE, .address = SETTINGS(sixth), .enabled = true },
		[SPARE] = { .bus = LAN, .address = SETTINGS(sixth), .enabled = false },
		[SENSOR] = { .bus = ROOM, .enabled = true },
	};

	memcpy(buses, all_buses, sizeof(buses));
	memcpy(devices, all_devices, sizeof(devices));
	config = (struct config){ .buses = buses, .n_buses = BUSES, .devices = devices, .n_devices = DEVICES,
				  .writes_allow = true };
	config.gateway.modbus_access = CONFIG_MODBUS_CHANGE;
	config.gateway.modbus_buses = globs;
	config.gateway.n_modbus_buses = 1;
}

/* ---- the fieldbus ---- */

static enum fieldbus_state states[DEVICES];
static bool refused, off[BUSES];
static int told[MODBUS_CONNECTIONS_MAX]; /* by connection; -1: nothing */
static fieldbus_raw_done raw_done;
static void *raw_userdata;
static char raw_address[128];
static uint32_t raw_bus;
static int answered, answer_error, n_ports;
static char answer_reason[64];

enum fieldbus_state fieldbus_device_state(const struct fieldbus *f, uint32_t device, const char **ret_reason)
{
	(void)f;
	(void)ret_reason;
	return states[device];
}

int fieldbus_enable(struct fieldbus *f, uint32_t bus, bool on)
{
	(void)f;
	off[bus] = !on;
	return 0;
}

bool fieldbus_is_refused(const struct fieldbus *f, uint32_t bus)
{
	(void)f;
	(void)bus;
	return refused;
}

static unsigned n_forgotten;

void fieldbus_forget(struct fieldbus *f, void *userdata)
{
	(void)f;
	ck_assert_ptr_eq(userdata, raw_userdata);
	n_forgotten++;
}

int fieldbus_raw(struct fieldbus *f, uint32_t bus, const struct fieldway_settings *address, const void *request,
		 size_t size, uint64_t within_usec, fieldbus_raw_done done, void *userdata)
{
	size_t n = 0;

	(void)f;
	(void)request;
	ck_assert_uint_gt(within_usec, 0);
	for (size_t i = 0; i < address->n; i++) {
		const struct fieldway_setting *s = &address->items[i];

		n += (size_t)snprintf(raw_address + n, sizeof(raw_address) - n, "%s=", s->key);
		if (s->value.type == FIELDWAY_UINT)
			n += (size_t)snprintf(raw_address + n, sizeof(raw_address) - n, "%u ",
					      (unsigned)s->value.unsignd);
		else
			n += (size_t)snprintf(raw_address + n, sizeof(raw_address) - n, "%.*s ",
					      (int)s->value.size, s->value.data);
	}
	raw_bus = bus;
	raw_done = done;
	raw_userdata = userdata;
	return size == 5 ? 0 : -EINVAL;
}

void builtin_connection_state(struct builtin *b, uint16_t connection, enum builtin_connection_state s)
{
	(void)b;
	told[connection] = s;
}

/* ---- */

static void make(void)
{
	const struct modbus_field_config c = { .config = &config, .state = state };

	ck_assert_int_eq(modbus_field_new(&c, &field), 0);
	/* Somebody listens. */
	modbus_field_attach(field, (struct builtin *)(void *)&config);
}

static void make_again(void)
{
	field = modbus_field_free(field);
	make();
}

static void set_up(void)
{
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(state_new(folder, NULL, &state), 0);
	make_config();
	memset(told, -1, sizeof(told));
	memset(states, 0, sizeof(states));
	memset(off, 0, sizeof(off));
	refused = false;
	answered = n_ports = 0;
	n_forgotten = 0;
	make();
}

static void tear_down(void)
{
	char command[64];

	field = modbus_field_free(field);
	state = state_free(state);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static const struct builtin_connection *find(const char *address)
{
	const struct builtin_modbus *v = modbus_field_values(field);

	for (size_t i = 0; i < v->n_connections; i++)
		if (strcmp(v->connections[i].address, address) == 0)
			return &v->connections[i];
	return NULL;
}

static uint16_t id_of(const char *address)
{
	const struct builtin_connection *c = find(address);

	ck_assert_msg(c != NULL, "%s", address);
	return c->id;
}

START_TEST(what_is_shown)
{
	const struct builtin_connection *c = find("/dev/ttyS1");

	ck_assert_uint_eq(modbus_field_values(field)->n_connections, 4);
	ck_assert(c && c->serial && !c->shared && c->enabled);
	ck_assert_uint_eq(c->layer, 2); /* RS-485 */
	ck_assert_uint_eq(c->baud, 19200);
	ck_assert_uint_eq(c->parity, 0);
	ck_assert_uint_eq(c->stop_bits, 2);
	ck_assert_uint_eq(c->flow, 2); /* RTS is set when nothing is sent */
	c = find("10.0.0.1:502");
	ck_assert(c && !c->serial && c->shared);
	ck_assert(find("10.0.0.1:1502"));
	c = find("[fe80::6]:802"); /* TLS has a port of its own; that of a device that is off is not shown */
	ck_assert(c && !c->shared);
	ck_assert(modbus_field_values(field)->change);
	config.writes_allow = false;
	make_again();
	ck_assert(!modbus_field_values(field)->change);
}
END_TEST

START_TEST(only_buses_that_are_named)
{
	static char glob[] = "la*";

	globs[0] = glob;
	make_again();
	globs[0] = everything;
	ck_assert_uint_eq(modbus_field_values(field)->n_connections, 2);
	ck_assert(!find("/dev/ttyS1"));
	/* Nor is anybody told of the others. */
	modbus_field_device(field, METER);
	modbus_field_device(field, SENSOR);
	for (size_t i = 0; i < ARRAY_SIZE(told); i++)
		ck_assert_int_eq(told[i], -1);
}
END_TEST

START_TEST(numbers_stay)
{
	uint16_t serial = id_of("/dev/ttyS1"), tls = id_of("[fe80::6]:802");

	devices[SIXTH].enabled = false;
	devices[SPARE].enabled = true;
	make_again();
	ck_assert_uint_eq(id_of("/dev/ttyS1"), serial);
	ck_assert_uint_ne(id_of("[fe80::6]:502"), tls);
	devices[SIXTH].enabled = true;
	make_again();
	ck_assert_uint_eq(id_of("[fe80::6]:802"), tls);
	ck_assert_uint_eq(modbus_field_values(field)->n_connections, 5);
}
END_TEST

START_TEST(a_record_that_is_none)
{
	static const char record[] = "x\n1\n2 on\n65535 on a/b\n70000 on a/b\n3 off yard//dev/ttyS1\n3 on lan/10.0.0.1:502\n";

	ck_assert_int_eq(state_save(state, "host", "modbus-connections", record, sizeof(record) - 1), 0);
	make_again();
	ck_assert_uint_eq(id_of("/dev/ttyS1"), 3);
	ck_assert(!find("/dev/ttyS1")->enabled);
	ck_assert_uint_ne(id_of("10.0.0.1:502"), 3);
}
END_TEST

START_TEST(switched)
{
	uint16_t id = id_of("/dev/ttyS1");

	ck_assert_int_eq(modbus_field_enable(field, id, false), 0);
	ck_assert(off[YARD] && !off[LAN]);
	ck_assert_int_eq(told[id], BUILTIN_CONNECTION_DISABLED);
	refused = true; /* off is off */
	states[METER] = FIELDBUS_ONLINE;
	modbus_field_device(field, METER);
	ck_assert_int_eq(told[id], BUILTIN_CONNECTION_DISABLED);
	refused = false;
	/* Over a restart, too. */
	off[YARD] = false;
	make_again();
	ck_assert(!find("/dev/ttyS1")->enabled);
	modbus_field_started(field);
	ck_assert(off[YARD] && !off[LAN]);
	ck_assert_int_eq(modbus_field_enable(field, id, true), 0);
	ck_assert(!off[YARD]);
	ck_assert_int_eq(told[id], BUILTIN_CONNECTION_CONNECTED);
	ck_assert_int_eq(modbus_field_enable(field, 99, true), -ENOENT);
}
END_TEST

static const struct {
	enum fieldbus_state meter, other;
	bool refused;
	enum builtin_connection_state want;
} rows[] = {
	{ FIELDBUS_UNKNOWN, FIELDBUS_UNKNOWN, false, BUILTIN_CONNECTION_CONNECTING },
	{ FIELDBUS_ONLINE, FIELDBUS_OFFLINE, false, BUILTIN_CONNECTION_CONNECTED },
	{ FIELDBUS_OFFLINE, FIELDBUS_UNKNOWN, false, BUILTIN_CONNECTION_CONNECTING },
	{ FIELDBUS_OFFLINE, FIELDBUS_FAILED, false, BUILTIN_CONNECTION_ERROR },
	{ FIELDBUS_PAUSED, FIELDBUS_FAILED, false, BUILTIN_CONNECTION_ERROR },
	{ FIELDBUS_PAUSED, FIELDBUS_ONLINE, false, BUILTIN_CONNECTION_CONNECTED },
	{ FIELDBUS_PAUSED, FIELDBUS_PAUSED, false, BUILTIN_CONNECTION_DISABLED },
	{ FIELDBUS_FAILED, FIELDBUS_FAILED, true, BUILTIN_CONNECTION_INVALID },
};

START_TEST(how_it_is)
{
	/* Two on the serial line. */
	devices[SPARE] = devices[METER];
	make_again();
	states[METER] = rows[_i].meter;
	states[SPARE] = rows[_i].other;
	refused = rows[_i].refused;
	modbus_field_device(field, SPARE);
	refused = false;
	ck_assert_int_eq(told[id_of("/dev/ttyS1")], rows[_i].want);
	states[METER] = states[SPARE] = FIELDBUS_UNKNOWN;
}
END_TEST

static void on_answer(void *userdata, int error, const char *reason, const uint8_t *answer, size_t size)
{
	(void)userdata;
	(void)answer;
	(void)size;
	answered++;
	answer_error = error;
	snprintf(answer_reason, sizeof(answer_reason), "%s", reason);
}

static void request(uint16_t id, uint8_t to)
{
	static const uint8_t pdu[] = { 3, 0, 0, 0, 1 };

	ck_assert_int_eq(modbus_field_request(field, id, to, pdu, sizeof(pdu), on_answer, NULL), 0);
}

static const struct {
	int error, want;
} errors[] = {
	{ 0, 0 },
	{ -EBUSY, -EBUSY },
	{ -ETIMEDOUT, -ETIMEDOUT },
	{ -ECONNRESET, -ETIMEDOUT },
	{ -ECONNREFUSED, -EHOSTDOWN },
	{ -ENODEV, -EHOSTDOWN },
	{ -EBADMSG, -EIO },
};

START_TEST(requests)
{
	request(id_of("10.0.0.1:1502"), 7);
	ck_assert_uint_eq(raw_bus, LAN);
	ck_assert_str_eq(raw_address, "unit=7 host=10.0.0.1 port=1502 ");
	raw_done(raw_userdata, errors[_i].error, "", "", 0);
	ck_assert_int_eq(answered, 1);
	ck_assert_int_eq(answer_error, errors[_i].want);
	ck_assert_str_eq(answer_reason, strerror(-errors[_i].error));
	ck_assert_int_eq(modbus_field_request(field, 99, 1, (const uint8_t *)"", 1, on_answer, NULL), -EHOSTDOWN);
	/* Not taken: nothing is answered later. */
	ck_assert_int_eq(modbus_field_request(field, id_of("/dev/ttyS1"), 1, (const uint8_t *)"", 1, on_answer, NULL),
			 -EHOSTDOWN);
	ck_assert_int_eq(answered, 1);
}
END_TEST

/* Nobody else says how a line without devices is. */
START_TEST(a_line_without_devices)
{
	uint16_t id;

	devices[METER].enabled = false;
	make_again();
	id = id_of("/dev/ttyS1");
	request(id, 1);
	raw_done(raw_userdata, -ENODEV, "no such port", "", 0);
	ck_assert_int_eq(told[id], BUILTIN_CONNECTION_ERROR);
	request(id, 1);
	raw_done(raw_userdata, -EBUSY, "", "", 0);
	ck_assert_int_eq(told[id], BUILTIN_CONNECTION_ERROR);
	request(id, 1);
	raw_done(raw_userdata, 0, "", "\x83\x02", 2);
	ck_assert_int_eq(told[id], BUILTIN_CONNECTION_CONNECTED);
}
END_TEST

static void on_port(void *userdata, const char *port)
{
	(void)userdata;
	n_ports += strcmp(port, "/dev/ttyS1") == 0;
	ck_assert_ptr_null(strstr(port, "10.0.0.1"));
}

START_TEST(ports)
{
	modbus_field_ports(field, on_port, NULL);
	ck_assert_int_eq(n_ports, 1);
}
END_TEST

/* More than there is room for: the first have one, and whoever had one keeps it. */
START_TEST(many)
{
	const struct builtin_modbus *v;
	uint16_t serial = id_of("/dev/ttyS1");

	static struct config_device more[MODBUS_CONNECTIONS_MAX + 10];
	static struct fieldway_setting ports_of[ARRAY_SIZE(more)][2];

	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		ports_of[i][0] = first[0];
		ports_of[i][1] = (struct fieldway_setting)UINT("port", 2000 + i);
		more[i] = (struct config_device){ .bus = LAN, .address = { ports_of[i], 2 }, .enabled = true };
	}
	config.devices = more;
	config.n_devices = ARRAY_SIZE(more);
	make_again();
	v = modbus_field_values(field);
	ck_assert_uint_eq(v->n_connections, MODBUS_CONNECTIONS_MAX);
	ck_assert_uint_eq(id_of("/dev/ttyS1"), serial);
	for (size_t i = 0; i < v->n_connections; i++)
		ck_assert_uint_lt(v->connections[i].id, MODBUS_CONNECTIONS_MAX);
	modbus_field_device(field, ARRAY_SIZE(more) - 1);
}
END_TEST

/* ---- another configuration ---- */

/* The same with its buses the other way round; what it came from is nobody's any more. */
static struct config_bus next_buses[BUSES];
static struct config_device next_devices[DEVICES];
static struct config next;

static void make_next(void)
{
	for (size_t i = 0; i < BUSES; i++)
		next_buses[i] = buses[BUSES - 1 - i];
	for (size_t i = 0; i < DEVICES; i++) {
		next_devices[i] = devices[DEVICES - 1 - i];
		next_devices[i].bus = BUSES - 1 - next_devices[i].bus;
	}
	next = config;
	next.buses = next_buses;
	next.devices = next_devices;
}

static void reload(void)
{
	ck_assert_int_eq(modbus_field_reload(field, &next), 0);
	memset(buses, 0xee, sizeof(buses));
	memset(devices, 0xee, sizeof(devices));
	memset(&config, 0xee, sizeof(config));
	memset(off, 0, sizeof(off));
	memset(told, -1, sizeof(told));
	modbus_field_attach(field, (struct builtin *)(void *)&config);
	modbus_field_started(field);
}

START_TEST(the_same_in_another_order)
{
	uint16_t serial = id_of("/dev/ttyS1"), tcp = id_of("10.0.0.1:1502");

	states[DEVICES - 1 - METER] = FIELDBUS_ONLINE;
	make_next();
	reload();
	ck_assert_uint_eq(id_of("/dev/ttyS1"), serial);
	ck_assert_uint_eq(id_of("10.0.0.1:1502"), tcp);
	ck_assert_int_eq(told[serial], BUILTIN_CONNECTION_CONNECTED);
	ck_assert_int_eq(told[tcp], BUILTIN_CONNECTION_CONNECTING);
	request(tcp, 7);
	ck_assert_uint_eq(raw_bus, BUSES - 1 - LAN);
	ck_assert_str_eq(raw_address, "unit=7 host=10.0.0.1 port=1502 ");
	raw_done(raw_userdata, 0, "", "", 0);
	ck_assert_int_eq(modbus_field_enable(field, serial, false), 0);
	ck_assert(off[BUSES - 1 - YARD]);
}
END_TEST

START_TEST(lines_come_and_go)
{
	uint16_t tcp = id_of("10.0.0.1:1502"), serial = id_of("/dev/ttyS1");

	make_next();
	next_devices[DEVICES - 1 - SECOND].enabled = false;
	next_devices[DEVICES - 1 - SPARE].enabled = true;
	reload();
	ck_assert_ptr_null(find("10.0.0.1:1502"));
	ck_assert_uint_ne(id_of("[fe80::6]:502"), tcp);
	ck_assert_uint_eq(id_of("/dev/ttyS1"), serial);
	ck_assert_uint_eq(modbus_field_values(field)->n_connections, 4);
	/* It is not forgotten. */
	make_config();
	memcpy(next_buses, buses, sizeof(buses));
	memcpy(next_devices, devices, sizeof(devices));
	next = config;
	next.buses = next_buses;
	next.devices = next_devices;
	reload();
	ck_assert_uint_eq(id_of("10.0.0.1:1502"), tcp);
}
END_TEST

/* What is asked of a line goes on with it, and ends with it. */
START_TEST(requests_follow)
{
	request(id_of("10.0.0.1:1502"), 7);
	make_next();
	next_devices[DEVICES - 1 - SECOND].enabled = !_i;
	reload();
	if (_i) {
		ck_assert_uint_eq(n_forgotten, 1);
		ck_assert_int_eq(answered, 1);
		ck_assert_int_eq(answer_error, -EHOSTDOWN);
		return;
	}
	ck_assert_int_eq(answered, 0);
	raw_done(raw_userdata, 0, "", "", 0);
	ck_assert_int_eq(answered, 1);
	ck_assert_int_eq(answer_error, 0);
}
END_TEST

/* What a server switched off stays off while it has a say in it. */
START_TEST(off_over_a_reload)
{
	uint16_t serial = id_of("/dev/ttyS1");

	ck_assert_int_eq(modbus_field_enable(field, serial, false), 0);
	make_next();
	reload();
	/* The fieldbus knows of it. */
	ck_assert(!off[BUSES - 1 - YARD]);
	ck_assert(!find("/dev/ttyS1")->enabled);
	ck_assert_int_eq(told[serial], BUILTIN_CONNECTION_DISABLED);
	next.gateway.modbus_access = CONFIG_MODBUS_OFF;
	ck_assert_int_eq(modbus_field_reload(field, &next), 0);
	ck_assert_ptr_null(modbus_field_values(field));
	off[BUSES - 1 - YARD] = true;
	modbus_field_started(field);
	ck_assert(!off[BUSES - 1 - YARD]);
	next.gateway.modbus_access = CONFIG_MODBUS_READ;
	ck_assert_int_eq(modbus_field_reload(field, &next), 0);
	ck_assert_uint_eq(id_of("/dev/ttyS1"), serial);
	ck_assert(!find("/dev/ttyS1")->enabled);
	modbus_field_started(field);
	ck_assert(off[BUSES - 1 - YARD]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("modbus");
	TCase *tcase = tcase_create("modbus");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, what_is_shown);
	tcase_add_test(tcase, only_buses_that_are_named);
	tcase_add_test(tcase, numbers_stay);
	tcase_add_test(tcase, a_record_that_is_none);
	tcase_add_test(tcase, switched);
	tcase_add_loop_test(tcase, how_it_is, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tcase, requests, 0, ARRAY_SIZE(errors));
	tcase_add_test(tcase, a_line_without_devices);
	tcase_add_test(tcase, ports);
	tcase_add_test(tcase, many);
	tcase_add_test(tcase, the_same_in_another_order);
	tcase_add_test(tcase, lines_come_and_go);
	tcase_add_loop_test(tcase, requests_follow, 0, 2);
	tcase_add_test(tcase, off_over_a_reload);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
