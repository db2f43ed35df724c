/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "example.h"
#include "fixture.h"

static struct fixture *f;
static struct config *c;

static void setup(void)
{
	f = fixture_new();
	fixture_file(f, CONFIG_PLACE_MAIN, "fieldway.yaml", example_main);
	fixture_file(f, CONFIG_PLACE_BUSES, "buses.d/hall1.yaml", example_buses);
	fixture_file(f, CONFIG_PLACE_DEVICES, "devices.d/site.yaml", example_devices);
	fixture_file(f, CONFIG_PLACE_PROFILES, "profiles.d/eastron-sdm630.yaml", example_meter);
	fixture_file(f, CONFIG_PLACE_PROFILES, "profiles.d/acme-vfd.yaml", example_drive);
	fixture_file(f, CONFIG_PLACE_PROFILES, "profiles.d/acme-plc.yaml", example_plc);
	c = fixture_good(f);
	config_files_free(f->files); /* not needed any more */
	f->files = NULL;
}

static void teardown(void)
{
	f = fixture_free(f);
}

static const struct config_device *device(const char *name)
{
	const struct config_device *d = config_device_find(c, name);

	ck_assert_msg(d, "%s", name);
	ck_assert_ptr_nonnull(d->type);
	return d;
}

static const struct config_point *point(const struct config_type *type, const char *name)
{
	for (size_t i = 0; i < type->n_points; i++)
		if (streq(type->points[i].name, name))
			return &type->points[i];
	ck_abort_msg("no point %s", name);
	return NULL;
}

static const struct config_map *row(const struct config_map *map, size_t n, const char *path)
{
	char text[PATH_TEXT_MAX];

	for (size_t i = 0; i < n; i++)
		if (streq(path_format(&map[i].path, text), path))
			return &map[i];
	ck_abort_msg("no row %s", path);
	return NULL;
}

static const struct config_endpoint *endpoint(const char *name)
{
	for (size_t i = 0; i < c->n_endpoints; i++)
		if (streq(c->endpoints[i].name, name))
			return &c->endpoints[i];
	return NULL;
}

static void assert_uint(const struct fieldway_settings *s, const char *key, uint64_t value)
{
	const struct fieldway_value *v = settings_find(s, key);

	ck_assert_msg(v, "%s", key);
	ck_assert_int_eq(v->type, FIELDWAY_UINT);
	ck_assert_uint_eq(v->unsignd, value);
}

static void assert_text(const struct fieldway_settings *s, const char *key, const char *value)
{
	const struct fieldway_value *v = settings_find(s, key);

	ck_assert_msg(v, "%s", key);
	ck_assert_int_eq(v->type, FIELDWAY_STRING);
	ck_assert_str_eq(v->data, value);
	ck_assert_uint_eq(v->size, strlen(value));
}

START_TEST(main_file)
{
	const struct config_server *s = &c->servers[0];

	ck_assert(!c->empty);
	ck_assert_str_eq(c->gateway.name, "gw7");
	ck_assert_str_eq(c->gateway.endpoint, "urn:dev:os:32473-gw7");
	ck_assert_str_eq(c->gateway.endpoint_template, "urn:dev:ops:32473-gw7-{name}");
	ck_assert_int_eq(c->gateway.modbus_access, CONFIG_MODBUS_OFF);
	ck_assert_uint_eq(c->gateway.n_modbus_buses, 1);
	ck_assert_str_eq(c->gateway.modbus_buses[0], "*");
	ck_assert_uint_eq(c->n_servers, 1);
	ck_assert_str_eq(s->name, "plant");
	ck_assert_uint_eq(s->short_id, 101);
	ck_assert_str_eq(s->uri, "coaps://lwm2m.example.com:5684");
	ck_assert_int_eq(s->protocol, CONFIG_PROTOCOL_AUTO);
	ck_assert_uint_eq(s->lifetime_s, 3600);
	ck_assert_int_eq(s->pmin_s, 10);
	ck_assert_int_eq(s->pmax_s, 900);
	ck_assert(s->send);
	ck_assert_uint_eq(s->n_formats, 2);
	ck_assert_str_eq(s->formats[1], "tlv");
	ck_assert_uint_eq(s->liveness_usec, 300000000);
	ck_assert_int_eq(s->security, CONFIG_SECURITY_PSK);
	ck_assert_str_eq(s->psk_identity, "{endpoint}");
	ck_assert_str_eq(s->psk_key, "psk-file:keys/plant.psk");
	ck_assert_uint_eq(s->n_endpoints, 1);
	ck_assert_str_eq(s->endpoints[0], "*");
	ck_assert_str_eq(s->mark.file, "fieldway.yaml");
	ck_assert_uint_eq(s->mark.line, 8);
	ck_assert_uint_eq(c->stale.times, 3);
	ck_assert_int_eq(c->stale.read, CONFIG_STALE_ERROR);
	ck_assert_int_eq(c->register_wait, CONFIG_WAIT_FIRST_READ);
	ck_assert_uint_eq(c->register_at_most_usec, 30000000);
	ck_assert(c->writes_audit && c->writes_allow && !c->writes_strict);
	ck_assert_uint_eq(c->limits.endpoints, 10000);
	ck_assert_uint_eq(c->limits.sessions, 10100);
	ck_assert_ptr_null(c->metrics.path);
	ck_assert_uint_eq(c->metrics.port, 0);
	ck_assert_ptr_null(c->bootstrap.server.uri);
}
END_TEST

START_TEST(bootstrap)
{
	const struct config_bootstrap *b;

	fixture_reset(f);
	fixture_case(f, 'm',
		     "bootstrap:\n  uri: coaps://bs.example.com:5694\n"
		     "  security: {mode: psk, key: \"derive:keys/bs.key\"}\n"
		     "  use: always\n  pack: true\n  hold_off: 2m\n  endpoints: [\"em*\", host]\n");
	b = &fixture_good(f)->bootstrap;
	ck_assert_str_eq(b->server.uri, "coaps://bs.example.com:5694");
	ck_assert_int_eq(b->server.security, CONFIG_SECURITY_PSK);
	ck_assert_str_eq(b->server.psk_identity, "{endpoint}");
	ck_assert_str_eq(b->server.psk_key, "derive:keys/bs.key");
	ck_assert_int_eq(b->use, CONFIG_BOOTSTRAP_ALWAYS);
	ck_assert(b->pack);
	ck_assert_uint_eq(b->hold_off_s, 120);
	ck_assert(config_server_wants(&b->server, "em1-001") && config_server_wants(&b->server, "host"));
	ck_assert(!config_server_wants(&b->server, "vfd"));
	fixture_reset(f);
	fixture_case(f, 'm', "bootstrap: {uri: \"coap://bs\"}\n");
	b = &fixture_good(f)->bootstrap;
	ck_assert_int_eq(b->server.security, CONFIG_SECURITY_NONE);
	ck_assert_int_eq(b->use, CONFIG_BOOTSTRAP_FALLBACK);
	ck_assert(!b->pack);
	ck_assert(config_server_wants(&b->server, "vfd"));
}
END_TEST

START_TEST(buses)
{
	const struct config_bus *bus = &c->buses[0];

	ck_assert_uint_eq(c->n_buses, 3);
	ck_assert_str_eq(bus->name, "hall1");
	ck_assert_ptr_eq(bus->plugin, &fixture_modbus);
	ck_assert_uint_eq(bus->timeout_usec, 500000);
	ck_assert_uint_eq(bus->retries, 1);
	ck_assert_uint_eq(bus->offline_after, 3);
	ck_assert_uint_eq(bus->offline_first_usec, 5000000);
	ck_assert_uint_eq(bus->offline_last_usec, 300000000);
	assert_uint(&bus->settings, "rtu.baud", 9600);
	assert_uint(&bus->settings, "rtu.pause", 5000);
	assert_text(&bus->settings, "rtu.format", "8E1");
	ck_assert_ptr_null(settings_find(&bus->settings, "tcp.port"));
	ck_assert_uint_eq(bus->settings.n, 4);
	bus = &c->buses[1];
	ck_assert_uint_eq(bus->timeout_usec, 1000000);
	ck_assert_uint_eq(bus->offline_after, 3);
	assert_uint(&bus->settings, "tcp.port", 502);
	ck_assert_uint_eq(c->n_plugins, 1);
	ck_assert_ptr_eq(c->plugins[0], &fixture_modbus);
}
END_TEST

START_TEST(devices)
{
	const struct config_device *first = device("em1-001"), *last = device("em1-040");

	ck_assert_uint_eq(c->n_devices, 40 + 200 + 2 + 1 + 1);
	ck_assert_ptr_null(config_device_find(c, "em1-041"));
	assert_uint(&first->address, "unit", 1);
	assert_uint(&last->address, "unit", 40);
	ck_assert_str_eq(c->buses[first->bus].name, "hall1");
	ck_assert_ptr_eq(first->type, last->type);
	ck_assert(first->enabled);
	ck_assert_ptr_null(first->note);
	assert_text(&device("lan-200")->address, "host", "10.0.1.200");
	assert_text(&device("th-roof")->address, "host", "10.0.2.2");
	ck_assert(!device("em1-023")->enabled);
	ck_assert_str_eq(device("em1-023")->note, "cable cut");
	ck_assert_str_eq(first->mark.file, "devices.d/site.yaml");
	ck_assert_uint_eq(first->mark.line, 3);
}
END_TEST

/* Bus beats profile, override beats bus; whoever ends up equal shares a type. */
START_TEST(precedence)
{
	const struct config_type *plain = device("em1-001")->type, *slow = device("em1-017")->type;
	const struct config_type *own = device("em1-031")->type, *lan = device("lan-001")->type;

	ck_assert_uint_eq(point(plain, "v1")->period_usec, 10000000);
	ck_assert_uint_eq(point(plain, "energy")->period_usec, 60000000);
	ck_assert_uint_eq(point(slow, "v1")->period_usec, 60000000);
	ck_assert_uint_eq(point(lan, "v1")->period_usec, 2000000);
	ck_assert_uint_eq(point(plain, "serial")->period_usec, CONFIG_RATE_ONCE);
	ck_assert_uint_eq(point(plain, "meter_code")->period_usec, CONFIG_RATE_ON_DEMAND);
	ck_assert_double_eq(point(plain, "power")->factor, 1);
	ck_assert_double_eq(point(own, "power")->factor, 40);
	ck_assert_double_eq(point(own, "v1")->factor, 1);
	ck_assert_ptr_eq(device("em1-023")->type, plain);
	ck_assert_ptr_eq(device("lan-200")->type, lan);
	ck_assert_ptr_ne(plain, lan);
	ck_assert_uint_eq(c->n_types, 7); /* four of the meter, two of the PLC, the drive */
	ck_assert_ptr_eq(lan, c->samples[0].type);
}
END_TEST

START_TEST(stale)
{
	const struct config_type *meter = device("em1-001")->type, *plc = device("plc1")->type;

	ck_assert_uint_eq(point(meter, "v1")->stale.times, 3);
	ck_assert_uint_eq(point(meter, "power")->stale.times, 0);
	ck_assert_uint_eq(point(meter, "power")->stale.after_usec, UINT64_C(3600000000));
	ck_assert_int_eq(point(meter, "power")->stale.read, CONFIG_STALE_ERROR);
	ck_assert_uint_eq(point(plc, "temp1")->stale.times, 3);
	ck_assert_int_eq(point(plc, "temp1")->stale.read, CONFIG_STALE_LAST);
	ck_assert_int_eq(point(device("th-roof")->type, "temp1")->stale.read, CONFIG_STALE_ERROR);
}
END_TEST

START_TEST(points)
{
	const struct config_type *meter = device("em1-001")->type, *drive = device("vfd")->type;
	const struct config_point *p = point(meter, "v3");

	ck_assert_uint_eq(meter->n_points, 10);
	ck_assert_str_eq(meter->profile, "eastron-sdm630");
	ck_assert_uint_eq(meter->revision, 3);
	ck_assert_str_eq(meter->manufacturer, "Eastron");
	assert_uint(&meter->settings, "max_gap", 8);
	assert_uint(&meter->settings, "max_registers", 80);
	assert_uint(&drive->settings, "max_gap", 0);
	assert_uint(&p->settings, "address", 4);
	assert_text(&p->settings, "area", "input");
	assert_text(&p->settings, "type", "float32");
	assert_text(&p->settings, "order", "ABCD");
	ck_assert_ptr_null(settings_find(&p->settings, "bit"));
	ck_assert_str_eq(unit_name(p->unit), "V");
	ck_assert_uint_eq(p->access, CONFIG_ACCESS_READ);
	ck_assert_uint_eq(p->n_invalid, 1);
	ck_assert_int_eq(p->invalid[0].type, FIELDWAY_FLOAT);
	ck_assert(isnan(p->invalid[0].real));
	p = point(meter, "meter_code");
	ck_assert_uint_eq(p->n_invalid, 3);
	ck_assert_int_eq(p->invalid[0].integer, 0xFFFF);
	ck_assert_double_eq(p->invalid[1].real, 1.5);
	ck_assert_str_eq(p->invalid[2].data, "x");
	assert_text(&p->settings, "area", "holding");
	assert_uint(&point(device("plc1")->type, "run12")->settings, "address", 21);
}
END_TEST

START_TEST(writing)
{
	const struct config_type *drive = device("vfd")->type;
	const struct config_point *p = point(drive, "speed_sp");

	ck_assert_double_eq(p->scale, 0.1);
	ck_assert_double_eq(p->offset, 0);
	ck_assert_uint_eq(p->access, CONFIG_ACCESS_READ | CONFIG_ACCESS_WRITE);
	ck_assert(p->range.present && p->range.minimum == 0 && p->range.maximum == 50);
	ck_assert(p->inexact_reject);
	assert_uint(&p->settings, "write.address", 2100);
	assert_uint(&p->settings, "write.function", 16);
	ck_assert(p->verify.enabled);
	ck_assert_uint_eq(p->verify.within_usec, 2000000);
	ck_assert_double_eq(p->verify.tolerance, 0.1);
	ck_assert_int_eq(p->verify.point, -1);
	p = point(drive, "run");
	ck_assert_uint_eq(p->verify.within_usec, 3000000);
	ck_assert_str_eq(drive->points[p->verify.point].name, "running");
	p = point(drive, "mode");
	ck_assert_uint_eq(p->n_labels, 3);
	ck_assert_int_eq(p->labels[2].number, 2);
	ck_assert_str_eq(p->labels[2].text, "reverse");
	ck_assert(!p->inexact_reject);
	ck_assert(!p->verify.enabled);
	ck_assert_uint_eq(point(drive, "ack")->access, CONFIG_ACCESS_WRITE);
	ck_assert_uint_eq(point(drive, "ack")->period_usec, CONFIG_RATE_ON_DEMAND);
}
END_TEST

START_TEST(maps)
{
	const struct config_type *meter = device("em1-001")->type, *own = device("em1-031")->type;
	const struct config_type *drive = device("vfd")->type;
	const struct config_map *m = row(meter->map, meter->n_map, "/3316/2/5700");

	ck_assert_uint_eq(meter->n_map, 6 + 6 + 3 + 1);
	ck_assert_int_eq(m->kind, CONFIG_MAP_POINT);
	ck_assert_uint_eq(m->device, UINT32_MAX);
	ck_assert_str_eq(meter->points[m->point].name, "v3");
	m = row(meter->map, meter->n_map, "/3316/2/5750");
	ck_assert_int_eq(m->kind, CONFIG_MAP_CONSTANT);
	ck_assert_int_eq(m->constant.type, VALUE_STRING);
	ck_assert_str_eq(m->constant.data, "L3");
	ck_assert_str_eq(row(meter->map, meter->n_map, "/3305/3/5750")->constant.data, "total");
	ck_assert_str_eq(row(own->map, own->n_map, "/3305/3/5750")->constant.data, "Chiller 2");
	ck_assert_uint_eq(own->n_map, meter->n_map);
	m = row(drive->map, drive->n_map, "/3/0/11");
	ck_assert_int_eq(m->kind, CONFIG_MAP_ALARM);
	ck_assert_uint_eq(m->alarm, 16);
	ck_assert_str_eq(drive->points[m->point].name, "overtemp");
	m = row(drive->map, drive->n_map, "/3/0/12");
	ck_assert_int_eq(m->kind, CONFIG_MAP_EXECUTE);
	ck_assert_int_eq(m->constant.type, VALUE_BOOLEAN);
	ck_assert(m->constant.boolean);
	ck_assert_str_eq(drive->points[m->point].name, "ack");
	for (size_t i = 1; i < meter->n_map; i++)
		ck_assert_int_lt(path_compare(&meter->map[i - 1].path, &meter->map[i].path), 0);
}
END_TEST

START_TEST(endpoints)
{
	const struct config_endpoint *e = endpoint("em1-004");
	const struct config_map *m;

	/* All devices but plc1 and the disabled one, twelve pumps and the boiler room. */
	ck_assert_uint_eq(c->n_endpoints, 244 - 2 + 13);
	ck_assert_str_eq(e->endpoint, "urn:dev:ops:32473-gw7-em1-004");
	ck_assert_str_eq(e->model, "SDM630");
	ck_assert_str_eq(c->devices[e->device].name, "em1-004");
	ck_assert_ptr_eq(e->map, device("em1-004")->type->map);
	ck_assert_ptr_null(endpoint("plc1"));
	ck_assert_ptr_null(endpoint("em1-023"));
	ck_assert_str_eq(endpoint("th-roof")->endpoint, "urn:x:roof-th-roof");
	e = endpoint("pump-12");
	ck_assert_uint_eq(e->device, UINT32_MAX);
	ck_assert_str_eq(e->manufacturer, "ACME");
	ck_assert_uint_eq(e->n_map, 2);
	m = row(e->map, e->n_map, "/3306/0/5850");
	ck_assert_str_eq(c->devices[m->device].name, "plc1");
	ck_assert_str_eq(c->devices[m->device].type->points[m->point].name, "run12");
	e = endpoint("boiler-room");
	m = row(e->map, e->n_map, "/3305/0/5800");
	ck_assert_str_eq(c->devices[m->device].name, "em1-004");
	ck_assert_str_eq(c->devices[m->device].type->points[m->point].name, "power");
	ck_assert_ptr_null(e->manufacturer);
}
END_TEST

START_TEST(samples)
{
	const struct config_sample *s = &c->samples[0];

	ck_assert_uint_eq(c->n_samples, 1);
	ck_assert_uint_eq(s->n_cells, 3);
	ck_assert_str_eq(s->cells[1].area, "input");
	ck_assert_uint_eq(s->cells[1].address, 1);
	ck_assert_uint_eq(s->cells[1].value, 0x3333);
	ck_assert_uint_eq(s->cells[2].address, 72);
	ck_assert_uint_eq(s->n_expectations, 4);
	ck_assert_str_eq(s->type->points[s->expectations[0].point].name, "v1");
	ck_assert_int_eq(s->expectations[0].value.type, FIELDWAY_FLOAT);
	ck_assert_double_eq(s->expectations[0].value.real, 230.2);
	ck_assert_int_eq(s->expectations[1].value.type, FIELDWAY_NONE);
	ck_assert_int_eq(s->expectations[2].value.integer, 3);
	ck_assert_str_eq(s->expectations[3].value.data, "x");
}
END_TEST

static void assert_mark(struct yaml_mark mark, const char *file, unsigned line, unsigned column)
{
	ck_assert_str_eq(mark.file, file);
	ck_assert_uint_eq(mark.line, line);
	ck_assert_uint_eq(mark.column, column);
}

/* What a plugin refuses leads back to where it was written. */
START_TEST(marks)
{
	const struct config_type *meter = device("em1-001")->type;
	const struct config_point *p = point(meter, "v3"), *serial = point(meter, "serial");
	const char *file = "profiles.d/eastron-sdm630.yaml";

	assert_mark(config_setting_mark(c, &p->settings, "address"), file, 11, 40);
	assert_mark(config_setting_mark(c, &p->settings, "type"), file, 9, 31);
	assert_mark(config_setting_mark(c, &serial->settings, "type"), file, 15, 51);
	assert_mark(config_setting_mark(c, &p->settings, "bit"), file, 11, 3);
	assert_mark(config_setting_mark(c, &p->settings, NULL), file, 11, 3);
	assert_mark(config_setting_mark(c, &meter->settings, "max_gap"), file, 9, 74);
	assert_mark(config_setting_mark(c, &device("vfd")->type->settings, "max_gap"),
		    "profiles.d/acme-vfd.yaml", 6, 11);
	assert_mark(config_setting_mark(c, &device("em1-009")->address, "unit"),
		    "devices.d/site.yaml", 6, 21);
	assert_mark(config_setting_mark(c, &c->buses[0].settings, "rtu.baud"), "buses.d/hall1.yaml",
		    4, 63);
	assert_mark(config_setting_mark(c, &c->buses[1].settings, "rtu.baud"), "buses.d/hall1.yaml",
		    10, 1);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("config");
	TCase *t = tcase_create("example");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, main_file);
	tcase_add_test(t, bootstrap);
	tcase_add_test(t, buses);
	tcase_add_test(t, devices);
	tcase_add_test(t, precedence);
	tcase_add_test(t, stale);
	tcase_add_test(t, points);
	tcase_add_test(t, writing);
	tcase_add_test(t, maps);
	tcase_add_test(t, endpoints);
	tcase_add_test(t, samples);
	tcase_add_test(t, marks);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *runner = srunner_create(suite());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
