/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugins/ble/session.h"
#include "setup.h"

/* What bluetoothd and devices can make grow, and where it ends. */

static sd_bus *bus;
static struct fieldway_session session;
static struct remote remote;
static unsigned refused;
static int error;

static void take_written(const struct fieldway_host *h, struct fieldway_ticket *ticket, enum fieldway_outcome outcome,
			 const struct fieldway_result *result)
{
	refused += outcome == FIELDWAY_NOT_SENT;
	error = result->error;
}

static void take_timer(struct fieldway_timer *timer, uint64_t usec)
{
}

static const struct fieldway_host host = { .written = take_written, .timer_set = take_timer };

/* Messages are of a connection, though nobody is at its other end. */
static void setup(void)
{
	static struct remote *remotes[] = { &remote };
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	ck_assert_int_ge(sd_bus_new(&bus), 0);
	ck_assert_int_ge(sd_bus_set_fd(bus, ends[0], ends[0]), 0);
	ck_assert_int_ge(sd_bus_start(bus), 0);
	close(ends[1]);
	session = (struct fieldway_session){ .host = &host, .remotes = remotes, .n_remotes = 1 };
	remote = (struct remote){ .session = &session };
	refused = 0;
}

static void teardown(void)
{
	sd_bus_close(bus);
	bus = sd_bus_unref(bus);
}

static sd_bus_message *properties(const char *name, const char *text)
{
	sd_bus_message *m;

	ck_assert_int_ge(sd_bus_message_new_signal(bus, &m, "/", "org.example.Any", "Any"), 0);
	ck_assert_int_ge(sd_bus_message_append(m, "a{sv}", 1, name, "s", text), 0);
	ck_assert_int_ge(sd_bus_message_seal(m, 1, 0), 0);
	ck_assert_int_ge(sd_bus_message_rewind(m, true), 0);
	return m;
}

static void add(const char *format, unsigned i, const char *name, const char *text,
		int (*take)(const char *path, sd_bus_message *m))
{
	sd_bus_message *m = properties(name, text);
	char path[64];

	snprintf(path, sizeof(path), "%s%04x", format, i);
	ck_assert_int_ge(take(path, m), 0);
	sd_bus_message_unref(m);
}

static int take_adapter(const char *path, sd_bus_message *m)
{
	return adapter_properties(&session, path, m);
}

static int take_service(const char *path, sd_bus_message *m)
{
	return gatt_service_added(&remote, path, m);
}

static int take_characteristic(const char *path, sd_bus_message *m)
{
	return gatt_characteristic_properties(&remote, path, m, false);
}

START_TEST(adapters)
{
	session.condition = CONDITION_LOOKING;
	for (unsigned i = 0; i < 2 * ADAPTERS_MAX; i++)
		add("/org/bluez/hci", i, "Address", "00:1A:7D:DA:71:13", take_adapter);
	ck_assert_uint_eq(session.n_adapters, ADAPTERS_MAX);
	/* One that is known already needs no more room. */
	add("/org/bluez/hci", 0, "Address", "00:1A:7D:DA:71:14", take_adapter);
	ck_assert_str_eq(session.adapters[0].address, "00:1A:7D:DA:71:14");
	tree_forget(&session);
}
END_TEST

START_TEST(services_and_characteristics)
{
	for (unsigned i = 0; i < 2 * SERVICES_MAX; i++)
		add("/d/service", i, "UUID", "180f", take_service);
	for (unsigned i = 0; i < 2 * CHARACTERISTICS_MAX; i++)
		add("/d/service0000/char", i, "UUID", "2a19", take_characteristic);
	ck_assert_uint_eq(remote.n_services, SERVICES_MAX);
	ck_assert_uint_eq(remote.n_characteristics, CHARACTERISTICS_MAX);
	gatt_forget(&remote);
	free(remote.characteristics);
}
END_TEST

START_TEST(writes)
{
	const struct fieldway_bus any = { .name = "b" };
	const struct fieldway_device device = {
		.name = "lock",
		.settings = SETTINGS(TEXT("mac", "A4:C1:38:00:11:01")),
		.points = (const struct fieldway_point[]){
			{ .name = "target", .writable = true, .settings = SETTINGS(TEXT("characteristic", "2a19")) } },
		.n_points = 1,
	};
	const struct fieldway_value value = { .type = FIELDWAY_UINT, .unsignd = 7 };
	struct fieldway_driver *driver;
	struct fieldway_error why;

	ck_assert_msg(driver_new(&any, &device, &driver, &why) >= 0, "%s", why.text);
	remote.driver = driver;
	session.condition = CONDITION_READY;
	for (unsigned i = 0; i < WRITES_MAX; i++)
		session_write(&session, 0, 0, &value, UINT64_MAX, NULL);
	ck_assert_uint_eq(refused, 0);
	session_write(&session, 0, 0, &value, UINT64_MAX, NULL);
	ck_assert_uint_eq(refused, 1);
	ck_assert_int_eq(error, -EBUSY);
	/* All of them end, once. */
	write_abort(&remote, -ENODEV, "it is over");
	ck_assert_uint_eq(refused, 1 + WRITES_MAX);
	ck_assert_uint_eq(remote.n_writes, 0);
	driver_free(driver);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ble/limits");
	TCase *t = tcase_create("limits");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, adapters);
	tcase_add_test(t, services_and_characteristics);
	tcase_add_test(t, writes);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
