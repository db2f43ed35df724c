/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "capture.h"
#include "ctl/show/bus.h"
#include "ctl/show/explain.h"
#include "ctl/show/list.h"
#include "ctl/show/status.h"

#define SITE 40u

static char names[SITE][16];
static struct endpoint_record endpoints[SITE];
static struct device_record devices[SITE];
static struct account_record accounts[SITE];
static const char *device_names[SITE];
static struct inventory inventory;
static struct manager_record manager;

/* Forty meters, registered and online. */
static void setup(void)
{
	page_open();
	for (unsigned i = 0; i < SITE; i++) {
		sprintf(names[i], "m%u", i + 1);
		device_names[i] = names[i];
		accounts[i] = (struct account_record){ .server = "plant",
						       .uri = "coaps://a.example",
						       .state = "registered",
						       .source = "yaml" };
		endpoints[i] = (struct endpoint_record){
			.name = names[i],
			.client_name = "urn:x",
			.state = "registered",
			.last_error = "",
			.accounts = &accounts[i],
			.n_accounts = 1,
			.devices = &device_names[i],
			.n_devices = 1,
		};
		devices[i] = (struct device_record){
			.name = names[i],
			.bus = "hall1",
			.profile = "meter",
			.state = "online",
			.reason = "",
			.enabled = true,
		};
	}
	inventory = (struct inventory){
		.endpoints = endpoints, .n_endpoints = SITE, .devices = devices, .n_devices = SITE
	};
	manager = (struct manager_record){ .version = "0.1.0", .state = "accepted" };
}

static void teardown(void)
{
	arena_done(&inventory.arena);
	page_close();
}

static void fail_device(unsigned i, const char *state, const char *reason)
{
	devices[i].state = state;
	devices[i].reason = reason;
}

static void fail_endpoint(unsigned i, const char *state, const char *error)
{
	endpoints[i].state = accounts[i].state = state;
	endpoints[i].last_error = error;
}

static const char *status(size_t rows, size_t columns)
{
	const struct screen screen = { rows, columns };

	ck_assert_int_eq(status_print(page, &manager, &inventory, &screen), 0);
	return printed();
}

static unsigned count_lines(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void expect_line(const char *text, const char *line)
{
	char whole[200];

	snprintf(whole, sizeof(whole), "\n%s\n", line);
	ck_assert_msg(strstr(text, whole), "no line '%s' in:\n%s", line, text);
}

/* ---- status ---- */

START_TEST(all_is_well)
{
	ck_assert_str_eq(status(24, 0),
			 "fieldwayd 0.1.0, configuration accepted\n"
			 "Servers         plant  40 of 40 registered  coaps://a.example\n"
			 "Endpoints       40: 40 registered\n"
			 "Buses           hall1  40 of 40 online\n");
}
END_TEST

START_TEST(some_waits_for_servers)
{
	setenv("TZ", "UTC", 1);
	manager.history = (struct history_record){ .waiting = 46080, .bytes = 700 << 10, .oldest_usec = UINT64_C(1790000000000000) };
	expect_line(status(24, 0), "History         46080 values wait, 700 KiB, the oldest of 2026-09-21 14:13");
}
END_TEST

START_TEST(some_is_gone)
{
	manager.history = (struct history_record){ .waiting = 1, .bytes = 60, .lost = 12 };
	expect_line(status(24, 0), "History         1 value waits, 60 bytes; 12 gone for want of room, or for their age");
}
END_TEST

START_TEST(nothing_is_configured)
{
	manager.state = "not-configured";
	inventory.n_endpoints = inventory.n_devices = 0;
	ck_assert_str_eq(status(24, 0),
			 "fieldwayd 0.1.0, not configured: run fieldwayctl setup\n"
			 "Endpoints       0\n");
}
END_TEST

START_TEST(some_is_in_trouble)
{
	devices[4].enabled = false;
	fail_device(1, "offline", "bus hall1: device m2: no answer");
	fail_device(9, "failed", "bus hall1: no such\033[2J file");
	fail_device(19, "unknown", "");
	fail_endpoint(1, "unread", "");
	fail_endpoint(2, "waiting", "a.example: connection refused");
	ck_assert_str_eq(status(24, 0),
			 "fieldwayd 0.1.0, configuration accepted\n"
			 "Servers         plant  38 of 40 registered  coaps://a.example\n"
			 "Endpoints       40: 38 registered, 1 unread, 1 waiting\n"
			 "Buses           hall1  36 of 39 online, 1 disabled\n"
			 "Not online      m10  failed   no such\\x1b[2J file\n"
			 "                m2   offline  no answer\n"
			 "                m20  unknown  nothing was heard of it yet\n"
			 "Not registered  m3  waiting  a.example: connection refused\n"
			 "                m2  unread   its devices have not been read yet\n");
}
END_TEST

START_TEST(last_good_is_shown_loudly)
{
	struct place_record errors[] = {
		{ "fieldway.yaml", "unknown key 'srvers'", 3, 5 },
		{ "a.yaml", "duplicate", 7, 0 },
		{ "b.yaml", "cannot be read", 0, 0 },
		{ "c.yaml", "x", 1, 1 },
		{ "d.yaml", "x", 1, 1 },
	};

	manager.state = "last-good";
	manager.errors = errors;
	manager.n_errors = ARRAY_SIZE(errors);
	ck_assert(has_prefix(
		status(24, 0),
		"fieldwayd 0.1.0, THE CONFIGURATION FILES ARE NOT IN FORCE: what runs is the last good one\n"
		"Errors          fieldway.yaml:3:5: unknown key 'srvers'\n"
		"                a.yaml:7: duplicate\n"
		"                b.yaml: cannot be read\n"
		"                and 2 more: fieldwayd --check\n"
		"Servers"));
}
END_TEST

/* All is silent and no server answers: what fits, and how to see the rest. */
START_TEST(fits_the_screen)
{
	const char *text;

	for (unsigned i = 0; i < SITE; i++) {
		fail_device(i, "offline", "no answer");
		fail_endpoint(i, "waiting", "refused");
	}
	text = status(24, 0);
	ck_assert_uint_eq(count_lines(text), 23);
	expect_line(text, "Not online      m1  offline  no answer");
	expect_line(text, "                and 31 more: fieldwayctl list devices");
	expect_line(text, "                and 32 more: fieldwayctl list");
}
END_TEST

START_TEST(gives_all_rows_to_what_needs_them)
{
	const char *text;

	for (unsigned i = 0; i < SITE; i++)
		fail_endpoint(i, "waiting", "refused");
	fail_device(7, "offline", "no answer");
	text = status(24, 0);
	ck_assert_uint_eq(count_lines(text), 23);
	expect_line(text, "Not online      m8  offline  no answer");
	expect_line(text, "                and 23 more: fieldwayctl list");
}
END_TEST

/* Where nothing fits, the worst is shown nevertheless. */
START_TEST(shows_some_on_a_small_screen)
{
	const char *text;

	for (unsigned i = 0; i < SITE; i++)
		fail_device(i, i == 20 ? "failed" : "offline", "no answer");
	text = status(1, 0);
	expect_line(text, "Not online      m21  failed   no answer");
	expect_line(text, "                and 38 more: fieldwayctl list devices");
}
END_TEST

START_TEST(cuts_to_the_screen)
{
	fail_device(1, "offline", "bus hall1: device m2: input 0 to 73: no answer in 500 ms");
	expect_line(status(24, 60), "Not online      m2  offline  input 0 to 73: no answer in ...");
}
END_TEST

/* Of many buses, those in trouble. */
START_TEST(shows_buses_in_trouble_first)
{
	const char *text;

	for (unsigned i = 0; i < SITE; i++)
		devices[i].bus = names[i];
	fail_device(30, "offline", "no answer");
	text = status(24, 0);
	expect_line(text, "Buses           m31  0 of 1 online");
	expect_line(text, "                m1   1 of 1 online");
	expect_line(text, "                and 37 more: fieldwayctl list devices");
}
END_TEST

/* ---- list ---- */

START_TEST(lists_endpoints)
{
	struct account_record both[] = {
		{ .server = "plant", .uri = "", .state = "registered", .source = "bootstrap" },
		{ .server = "backup", .uri = "", .state = "waiting", .source = "bootstrap" },
	};

	struct account_record different[] = {
		{ .server = "plant", .uri = "", .state = "registered", .source = "yaml" },
		{ .server = "backup", .uri = "", .state = "registered", .source = "bootstrap" },
	};

	inventory.n_endpoints = 5;
	endpoints[1] = (struct endpoint_record){
		.name = "boiler",
		.client_name = "urn:x-boiler",
		.state = "waiting",
		.last_error = "no answer",
		.accounts = both,
		.n_accounts = 2,
		.devices = device_names,
		.n_devices = 3,
	};
	endpoints[2].state = "no-server";
	endpoints[2].n_accounts = endpoints[2].n_devices = 0;
	endpoints[3].accounts = different;
	endpoints[3].n_accounts = 2;
	endpoints[4].state = "bootstrapping";
	endpoints[4].n_accounts = 0;
	ck_assert_int_eq(list_endpoints(page, &inventory), 0);
	ck_assert_str_eq(
		printed(),
		"NAME    CLIENT NAME   STATE          SERVER                    SOURCE          DEVICES   LAST ERROR\n"
		"m1      urn:x         registered     plant                     yaml            m1        -\n"
		"boiler  urn:x-boiler  waiting        plant(registered),backup  bootstrap       m1,m2,m3  no answer\n"
		"m3      urn:x         no-server      -                         -               -         -\n"
		"m4      urn:x         registered     plant,backup              yaml,bootstrap  m4        -\n"
		"m5      urn:x         bootstrapping  -                         -               m5        -\n");
}
END_TEST

START_TEST(lists_devices)
{
	inventory.n_devices = 3;
	fail_device(1, "offline", "bus hall2: device m2: no\nanswer");
	devices[2].enabled = false;
	ck_assert_int_eq(list_devices(page, &inventory), 0);
	ck_assert_str_eq(printed(),
			 "NAME  BUS    PROFILE  STATE     REASON\n"
			 "m1    hall1  meter    online    -\n"
			 "m2    hall1  meter    offline   bus hall2: device m2: no\\nanswer\n"
			 "m3    hall1  meter    disabled  -\n");
}
END_TEST

/* ---- explain ---- */

START_TEST(lists_buses)
{
	struct bus_record buses[] = {
		{ .name = "hall1", .plugin = "modbus", .state = "online", .devices = 40, .online = 39 },
		{ .name = "a\033b", .plugin = "ble", .state = "unused" },
	};

	inventory.buses = buses;
	inventory.n_buses = 2;
	ck_assert_int_eq(list_buses(page, &inventory), 0);
	ck_assert_str_eq(printed(), "NAME    PLUGIN  STATE   ONLINE\n"
				    "hall1   modbus  online  39 of 40\n"
				    "a\\x1bb  ble     unused  0 of 0\n");
}
END_TEST

START_TEST(shows_a_bus)
{
	struct statistic_record statistics[] = { { "requests", 24800 }, { "errors", 2 } };
	struct bus_record b = {
		.name = "roof", .plugin = "modbus", .state = "online", .devices = 2, .online = 1, .statistics = statistics, .n_statistics = 2
	};

	devices[3].bus = devices[4].bus = "roof";
	fail_device(3, "offline", "bus roof: device m4: no answer");
	devices[4].enabled = false;
	ck_assert_int_eq(bus_print(page, &b, &inventory), 0);
	ck_assert_str_eq(printed(), "Bus         roof\nPlugin      modbus\n"
				    "State       online, 1 of 2 devices online\n"
				    "Statistics  24,800 requests, 2 errors\n\n"
				    "m4  meter  offline   no answer\n"
				    "m5  meter  disabled  -\n");
}
END_TEST

START_TEST(explains_a_device)
{
	struct request_record requests[] = {
		{ 0, "holding 64512 to 64513", 34 }, { 2000000, "input 0 to 13", 49 },
		{ 2000000, "input 52 to 53", 25 },   { 60000000, "input 72 to 73", 25 },
		{ UINT64_MAX, "input 100", 23 },
	};
	struct statistic_record statistics[] = { { "requests", 12345 }, { "errors", 0 } };
	const struct explanation e = { .line = "/dev/ttyUSB0",
				       .requests = requests,
				       .n = ARRAY_SIZE(requests) };

	devices[0].statistics = statistics;
	devices[0].n_statistics = ARRAY_SIZE(statistics);
	ck_assert_int_eq(explain_print(page, &devices[0], &e), 0);
	ck_assert_str_eq(printed(), "Device      m1\n"
				    "Profile     meter\n"
				    "Bus         hall1\n"
				    "Line        /dev/ttyUSB0\n"
				    "State       online\n"
				    "\n"
				    "once\n"
				    "  holding 64512 to 64513  34 bytes\n"
				    "\n"
				    "every 2s\n"
				    "  input 0 to 13   49 bytes\n"
				    "  input 52 to 53  25 bytes\n"
				    "\n"
				    "every 1m\n"
				    "  input 72 to 73  25 bytes\n"
				    "\n"
				    "on demand\n"
				    "  input 100  23 bytes\n"
				    "\n"
				    "Together 61 requests, 2,245 bytes a minute\n"
				    "Since fieldwayd started: 12,345 requests, 0 errors\n");
}
END_TEST

START_TEST(explains_a_device_that_cannot_be_asked)
{
	fail_device(0, "failed", "no such plugin");
	ck_assert_int_eq(explain_print(page, &devices[0], NULL), 0);
	ck_assert_str_eq(printed(), "Device      m1\n"
				    "Profile     meter\n"
				    "Bus         hall1\n"
				    "State       failed\n"
				    "Reason      no such plugin\n");
}
END_TEST

/* Once an hour is not 0 a minute. */
START_TEST(explains_a_rare_request)
{
	struct request_record request = { UINT64_C(3600000000), "input 0", 24 };
	const struct explanation e = { .line = "x", .requests = &request, .n = 1 };

	ck_assert_int_eq(explain_print(page, &devices[0], &e), 0);
	expect_line(printed(), "Together 0.017 requests, 0.4 bytes a minute");
}
END_TEST

START_TEST(packages)
{
	static struct package_record rows[] = {
		{ "firmware", "", "downloading", "", 3 << 20, 9 << 20 },
		{ "software", "vpn", "delivered", "the installation failed", 1 << 19, 0 },
		{ "software", "report", "initial", "", 0, 0 },
	};

	manager.packages = rows;
	manager.n_packages = 3;
	ck_assert_str_eq(status(24, 0),
			 "fieldwayd 0.1.0, configuration accepted\n"
			 "Packages        firmware  downloading  3.0 of 9.0 MiB  -\n"
			 "                vpn       delivered    512.0 KiB       the installation failed\n"
			 "                report    initial      -               -\n"
			 "Servers         plant  40 of 40 registered  coaps://a.example\n"
			 "Endpoints       40: 40 registered\n"
			 "Buses           hall1  40 of 40 online\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pages");
	TCase *tcase = tcase_create("pages");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, all_is_well);
	tcase_add_test(tcase, nothing_is_configured);
	tcase_add_test(tcase, packages);
	tcase_add_test(tcase, some_waits_for_servers);
	tcase_add_test(tcase, some_is_gone);
	tcase_add_test(tcase, some_is_in_trouble);
	tcase_add_test(tcase, last_good_is_shown_loudly);
	tcase_add_test(tcase, fits_the_screen);
	tcase_add_test(tcase, gives_all_rows_to_what_needs_them);
	tcase_add_test(tcase, shows_some_on_a_small_screen);
	tcase_add_test(tcase, cuts_to_the_screen);
	tcase_add_test(tcase, shows_buses_in_trouble_first);
	tcase_add_test(tcase, lists_endpoints);
	tcase_add_test(tcase, lists_devices);
	tcase_add_test(tcase, lists_buses);
	tcase_add_test(tcase, shows_a_bus);
	tcase_add_test(tcase, explains_a_device);
	tcase_add_test(tcase, explains_a_device_that_cannot_be_asked);
	tcase_add_test(tcase, explains_a_rare_request);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
