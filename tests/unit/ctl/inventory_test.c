/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>

#include "base/macro.h"
#include "ctl/daemon/inventory.h"
#include "ctl/show/explain.h"
#include "dbus/agent1.h"
#include "message.h"

static sd_bus_message *m;
static struct inventory inventory;

static void setup(void)
{
	message_setup();
	m = message_new();
}

static void teardown(void)
{
	inventory_done(&inventory);
	m = sd_bus_message_unref(m);
	message_teardown();
}

static void must(int r)
{
	ck_assert_int_ge(r, 0);
}

static void open_objects(void)
{
	must(sd_bus_message_open_container(m, 'a', "{oa{sa{sv}}}"));
}

/* Opens an object, its interfaces, one of them and its properties. */
static void open_object(const char *path, const char *interface)
{
	must(sd_bus_message_open_container(m, 'e', "oa{sa{sv}}"));
	must(sd_bus_message_append(m, "o", path));
	must(sd_bus_message_open_container(m, 'a', "{sa{sv}}"));
	must(sd_bus_message_append(m, "{sa{sv}}", "org.freedesktop.DBus.Peer", 0));
	must(sd_bus_message_open_container(m, 'e', "sa{sv}"));
	must(sd_bus_message_append(m, "s", interface));
	must(sd_bus_message_open_container(m, 'a', "{sv}"));
}

static void close_containers(int n)
{
	while (n-- > 0)
		must(sd_bus_message_close_container(m));
}

static void add_endpoint(const char *name)
{
	open_object(AGENT1_ENDPOINT_PATH "/x", AGENT1_ENDPOINT);
	must(sd_bus_message_append(m, "{sv}{sv}{sv}", "Name", "s", name, "ClientName", "s", "urn:x",
				   "State", "s", "waiting"));
	must(sd_bus_message_append(m, "{sv}", "Accounts", "aa{sv}", 2, 4, "Server", "s", "plant",
				   "Uri", "s", "coap://a", "ShortServerId", "q", 101, "State", "s",
				   "registered", 2, "State", "s", "waiting", "Server", "s",
				   "backup"));
	must(sd_bus_message_append(m, "{sv}{sv}", "Devices", "a(so)", 2, "m1", "/a", "m2", "/b",
				   "LastError", "s", "no answer"));
	close_containers(4);
}

static void add_device(const char *name)
{
	open_object(AGENT1_DEVICE_PATH "/x", AGENT1_DEVICE);
	must(sd_bus_message_append(m, "{sv}{sv}{sv}{sv}{sv}{sv}", "Name", "s", name, "Bus", "s",
				   "lan", "Profile", "s", "meter", "Enabled", "b", 1, "State", "s",
				   "offline", "Reason", "s", "no answer"));
	/* Of a later version. */
	must(sd_bus_message_append(m, "{sv}", "Latency", "a{sv}", 1, "p99", "d", 0.5));
	must(sd_bus_message_append(m, "{sv}", "Statistics", "a{st}", 2, "requests", UINT64_C(7),
				   "errors", UINT64_C(1)));
	close_containers(4);
}

static int take(void)
{
	return inventory_read(message_turn(m), &inventory);
}

START_TEST(reads_all_there_is)
{
	const struct endpoint_record *e;
	const struct device_record *d;

	open_objects();
	add_endpoint("gw");
	add_device("m1");
	open_object("/x", "org.fieldway.Agent1.Bus");
	must(sd_bus_message_append(m, "{sv}", "Name", "s", "lan"));
	close_containers(4);
	close_containers(1);
	ck_assert_int_eq(take(), 0);
	ck_assert_uint_eq(inventory.n_endpoints, 1);
	ck_assert_uint_eq(inventory.n_devices, 1);
	e = &inventory.endpoints[0];
	ck_assert_str_eq(e->name, "gw");
	ck_assert_str_eq(e->client_name, "urn:x");
	ck_assert_str_eq(e->state, "waiting");
	ck_assert_str_eq(e->last_error, "no answer");
	ck_assert_uint_eq(e->n_accounts, 2);
	ck_assert_str_eq(e->accounts[0].server, "plant");
	ck_assert_str_eq(e->accounts[0].uri, "coap://a");
	ck_assert_str_eq(e->accounts[0].state, "registered");
	ck_assert_str_eq(e->accounts[1].server, "backup");
	ck_assert_str_eq(e->accounts[1].uri, "");
	ck_assert_uint_eq(e->n_devices, 2);
	ck_assert_str_eq(e->devices[1], "m2");
	d = &inventory.devices[0];
	ck_assert_str_eq(d->name, "m1");
	ck_assert_str_eq(d->bus, "lan");
	ck_assert_str_eq(d->profile, "meter");
	ck_assert_str_eq(d->state, "offline");
	ck_assert_str_eq(d->reason, "no answer");
	ck_assert(d->enabled);
	ck_assert_uint_eq(d->n_statistics, 2);
	ck_assert_str_eq(d->statistics[1].name, "errors");
	ck_assert_uint_eq(d->statistics[1].count, 1);
}
END_TEST

START_TEST(reads_none)
{
	open_objects();
	close_containers(1);
	ck_assert_int_eq(take(), 0);
	ck_assert_uint_eq(inventory.n_endpoints + inventory.n_devices, 0);
}
END_TEST

/* What is missing is empty, never NULL. */
START_TEST(reads_what_says_nothing)
{
	open_objects();
	open_object("/x", AGENT1_DEVICE);
	close_containers(4);
	close_containers(1);
	ck_assert_int_eq(take(), 0);
	ck_assert_str_eq(inventory.devices[0].reason, "");
	ck_assert(!inventory.devices[0].enabled);
}
END_TEST

START_TEST(sorts_as_people_count)
{
	static const char *const names[] = { "m10", "m2", "a", "m1", "m100" };
	static const char *const sorted[] = { "a", "m1", "m2", "m10", "m100" };

	open_objects();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		add_endpoint(names[i]);
		add_device(names[i]);
	}
	close_containers(1);
	ck_assert_int_eq(take(), 0);
	for (size_t i = 0; i < ARRAY_SIZE(sorted); i++) {
		ck_assert_str_eq(inventory.endpoints[i].name, sorted[i]);
		ck_assert_str_eq(inventory.devices[i].name, sorted[i]);
	}
}
END_TEST

START_TEST(reads_ten_thousand)
{
	char name[16];

	open_objects();
	for (int i = 0; i < 10000; i++) {
		sprintf(name, "m%d", i);
		add_endpoint(name);
		add_device(name);
	}
	close_containers(1);
	ck_assert_int_eq(take(), 0);
	ck_assert_uint_eq(inventory.n_endpoints, 10000);
	ck_assert_str_eq(inventory.devices[9999].name, "m9999");
}
END_TEST

START_TEST(has_a_limit)
{
	open_objects();
	for (unsigned i = 0; i <= INVENTORY_OBJECTS_MAX; i++)
		must(sd_bus_message_append(m, "{oa{sa{sv}}}", "/x", 0));
	close_containers(1);
	ck_assert_int_eq(take(), -E2BIG);
}
END_TEST

static const struct {
	const char *interface, *property, *type;
} wrong[] = {
	{ AGENT1_ENDPOINT, "Name", "x" },     { AGENT1_ENDPOINT, "Accounts", "x" },
	{ AGENT1_ENDPOINT, "Devices", "x" },  { AGENT1_DEVICE, "Enabled", "x" },
	{ AGENT1_DEVICE, "Statistics", "x" },
};

START_TEST(refuses_other_types)
{
	open_objects();
	add_device("m1");
	open_object("/x", wrong[_i].interface);
	must(sd_bus_message_append(m, "{sv}", wrong[_i].property, wrong[_i].type, INT64_C(1)));
	close_containers(4);
	close_containers(1);
	ck_assert_int_eq(take(), -EBADMSG);
	ck_assert_ptr_null(inventory.message);
}
END_TEST

START_TEST(refuses_another_answer)
{
	must(sd_bus_message_append(m, "s", "objects"));
	ck_assert_int_eq(take(), -EBADMSG);
}
END_TEST

/* ---- the others ---- */

START_TEST(reads_the_manager)
{
	_cleanup_arena_ struct arena arena = { 0 };
	struct manager_record manager;

	must(sd_bus_message_append(m, "a{sv}", 6, "Version", "s", "0.1.0", "Endpoints", "u", 41, "History", "a{st}", 5,
				   "waiting", UINT64_C(7), "bytes", UINT64_C(300), "oldest", UINT64_C(1790000000000000), "lost",
				   UINT64_C(2), "more", UINT64_C(1),
				   "ConfigurationState", "s", "last-good", "ConfigurationErrors",
				   "a(suus)", 2, "a.yaml", 3, 5, "unknown key", "b.yaml", 0, 0,
				   "cannot be read", "ReloadWarnings", "a(suus)", 1, "", 0, 0, "old"));
	ck_assert_int_eq(manager_record_read(message_turn(m), &arena, &manager), 0);
	ck_assert_str_eq(manager.version, "0.1.0");
	ck_assert_str_eq(manager.state, "last-good");
	ck_assert_uint_eq(manager.history.waiting, 7);
	ck_assert_uint_eq(manager.history.bytes, 300);
	ck_assert_uint_eq(manager.history.oldest_usec, UINT64_C(1790000000000000));
	ck_assert_uint_eq(manager.history.lost, 2);
	ck_assert_uint_eq(manager.n_errors, 2);
	ck_assert_str_eq(manager.errors[0].file, "a.yaml");
	ck_assert_uint_eq(manager.errors[0].line, 3);
	ck_assert_uint_eq(manager.errors[0].column, 5);
	ck_assert_str_eq(manager.errors[1].text, "cannot be read");
	ck_assert_str_eq(place_record_text(&arena, &manager.errors[0]), "a.yaml:3:5: unknown key");
	ck_assert_str_eq(place_record_text(&arena, &manager.errors[1]), "b.yaml: cannot be read");
	ck_assert_uint_eq(manager.n_warnings, 1);
	ck_assert_str_eq(place_record_text(&arena, &manager.warnings[0]), "old");
}
END_TEST

START_TEST(reads_an_explanation)
{
	_cleanup_explanation_ struct explanation e = { 0 };

	must(sd_bus_message_append(m, "sa(tsut)", "10.0.1.7:502", 4, UINT64_MAX, "d", 1,
				   UINT64_C(0), UINT64_C(60000000), "c", 2, UINT64_C(0),
				   UINT64_C(2000000), "a", 3, UINT64_C(1500), UINT64_C(2000000), "b", 4,
				   UINT64_C(0)));
	ck_assert_int_eq(explanation_read(message_turn(m), &e), 0);
	ck_assert_str_eq(e.line, "10.0.1.7:502");
	ck_assert_uint_eq(e.n, 4);
	/* By period, else as they came. */
	ck_assert_str_eq(e.requests[0].text, "a");
	ck_assert_str_eq(e.requests[1].text, "b");
	ck_assert_str_eq(e.requests[2].text, "c");
	ck_assert_str_eq(e.requests[3].text, "d");
	ck_assert_uint_eq(e.requests[0].wire_bytes, 3);
	ck_assert_uint_eq(e.requests[0].wire_usec, 1500);
}
END_TEST

START_TEST(refuses_another_explanation)
{
	struct explanation e;

	must(sd_bus_message_append(m, "sa(ts)", "x", 1, UINT64_C(1), "a"));
	ck_assert_int_eq(explanation_read(message_turn(m), &e), -EBADMSG);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("inventory");
	TCase *tcase = tcase_create("inventory");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, reads_all_there_is);
	tcase_add_test(tcase, reads_none);
	tcase_add_test(tcase, reads_what_says_nothing);
	tcase_add_test(tcase, sorts_as_people_count);
	tcase_add_test(tcase, reads_ten_thousand);
	tcase_add_test(tcase, has_a_limit);
	tcase_add_loop_test(tcase, refuses_other_types, 0, ARRAY_SIZE(wrong));
	tcase_add_test(tcase, refuses_another_answer);
	tcase_add_test(tcase, reads_the_manager);
	tcase_add_test(tcase, reads_an_explanation);
	tcase_add_test(tcase, refuses_another_explanation);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
