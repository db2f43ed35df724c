/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hex.h"
#include "plugins/ble/session.h"
#include "setup.h"

/* What becomes of what is heard with a device's address: not all of it is the device's. */

#define MAC "54:48:E6:8F:80:A5"
#define DEVICE_PATH "/org/bluez/hci0/dev_54_48_E6_8F_80_A5"
#define KEY "\x23\x1d\x39\xc1\xd7\xcc\x1a\xb1\xae\xe2\x24\xcd\x09\x6d\xb9\x32"
/* Sealed with the key: counter and temperature. */
#define N5000_2506 "4112f16f881300001a3ebc37"
#define N5001_0 "41826d9f891300004add3e88"
#define N5_2506 "416bb58705000000fbaddf28"
#define DAMAGED "4112f16f881300001a3ebc38"
#define CLEAR "4002ffff"

static sd_bus *bus;
static struct fieldway_session session;
static struct fieldway_driver *driver;
static unsigned samples, online, errors;
static double value;
static enum fieldway_device_state state;
static uint32_t last_device;
static unsigned ended;
static enum fieldway_outcome outcome;
static char reason[REASON_MAX];

static void take_samples(const struct fieldway_host *h, uint32_t device, const struct fieldway_sample *all, size_t n)
{
	samples += (unsigned)n;
	last_device = device;
	value = all[0].value.real;
	state = FIELDWAY_DEVICE_ONLINE;
}

static void take_state(const struct fieldway_host *h, uint32_t device, enum fieldway_device_state new, const char *why)
{
	state = new;
	online += new == FIELDWAY_DEVICE_ONLINE;
	snprintf(reason, sizeof(reason), "%s", why);
}

static void take_count(const struct fieldway_host *h, uint32_t device, unsigned requests, unsigned n_errors,
		       unsigned timeouts)
{
	errors += n_errors;
}

static void take_written(const struct fieldway_host *h, struct fieldway_ticket *ticket, enum fieldway_outcome how,
			 const struct fieldway_result *result)
{
	ended++;
	outcome = how;
}

static void take_timer(struct fieldway_timer *timer, uint64_t usec)
{
}

static const struct fieldway_host host = { .samples = take_samples, .state = take_state, .count = take_count,
					   .written = take_written, .timer_set = take_timer };

static void start(const struct fieldway_settings *settings)
{
	const struct fieldway_bus any = { .name = "b" };
	const struct fieldway_point point = { .name = "t", .readable = true,
					      .settings = SETTINGS(TEXT("bthome", "temperature")) };
	const struct fieldway_device device = { .name = "th", .settings = *settings, .points = &point, .n_points = 1 };
	struct fieldway_error why;
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	ck_assert_int_ge(sd_bus_new(&bus), 0);
	ck_assert_int_ge(sd_bus_set_fd(bus, ends[0], ends[0]), 0);
	ck_assert_int_ge(sd_bus_start(bus), 0);
	close(ends[1]);
	ck_assert_msg(driver_new(&any, &device, &driver, &why) >= 0, "%s", why.text);
	session = (struct fieldway_session){ .host = &host, .remotes = calloc(1, sizeof(struct remote *)), .n_remotes = 1 };
	session.remotes[0] = calloc(1, sizeof(struct remote));
	*session.remotes[0] = (struct remote){ .session = &session, .driver = driver, .path = strdup(DEVICE_PATH),
					       .samples = calloc(1, sizeof(struct fieldway_sample)) };
	samples = online = errors = 0;
	state = FIELDWAY_DEVICE_FAILED;
}

static void stop(void)
{
	remote_free(session.remotes[0]);
	free(session.remotes);
	driver_free(driver);
	sd_bus_close(bus);
	bus = sd_bus_unref(bus);
}

static void hear(const char *hex)
{
	uint8_t bytes[64];
	size_t size = hex_bytes(hex, bytes, sizeof(bytes));
	sd_bus_message *m;

	ck_assert_int_ge(sd_bus_message_new_signal(bus, &m, "/", "org.example.Any", "Any"), 0);
	ck_assert_int_ge(sd_bus_message_open_container(m, 'a', "{sv}"), 0);
	ck_assert_int_ge(sd_bus_message_open_container(m, 'e', "sv"), 0);
	ck_assert_int_ge(sd_bus_message_append(m, "s", "ServiceData"), 0);
	ck_assert_int_ge(sd_bus_message_open_container(m, 'v', "a{sv}"), 0);
	ck_assert_int_ge(sd_bus_message_open_container(m, 'a', "{sv}"), 0);
	ck_assert_int_ge(sd_bus_message_open_container(m, 'e', "sv"), 0);
	ck_assert_int_ge(sd_bus_message_append(m, "s", "0000fcd2-0000-1000-8000-00805f9b34fb"), 0);
	ck_assert_int_ge(sd_bus_message_open_container(m, 'v', "ay"), 0);
	ck_assert_int_ge(sd_bus_message_append_array(m, 'y', bytes, size), 0);
	for (unsigned i = 0; i < 6; i++)
		ck_assert_int_ge(sd_bus_message_close_container(m), 0);
	ck_assert_int_ge(sd_bus_message_seal(m, 1, 0), 0);
	ck_assert_int_ge(sd_bus_message_rewind(m, true), 0);
	ck_assert_int_ge(remote_properties(&session, DEVICE_PATH, m, true), 0);
	sd_bus_message_unref(m);
}

/* Forged, damaged, replayed: dropped and counted, and the device is what it was. */
START_TEST(a_device_with_a_key_is_not_put_down)
{
	static const char *const others[] = { CLEAR, DAMAGED, N5_2506, "41", "00" };

	start(&SETTINGS(TEXT("mac", MAC), BYTES("key", KEY, 16)));
	hear(N5000_2506);
	ck_assert_uint_eq(samples, 1);
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		hear(others[i]);
		ck_assert_uint_eq(errors, i + 1);
		ck_assert_uint_eq(samples, 1);
		ck_assert_int_eq(state, FIELDWAY_DEVICE_ONLINE);
	}
	/* What is recorded and sent again does not keep it alive either. */
	hear(N5000_2506);
	ck_assert_uint_eq(online, 0);
	hear(N5001_0);
	ck_assert_uint_eq(samples, 2);
	ck_assert_double_eq(value, 0);
	stop();
}
END_TEST

START_TEST(who_has_the_wrong_key_is_told)
{
	start(&SETTINGS(TEXT("mac", MAC), BYTES("key", KEY, 16)));
	hear(CLEAR);
	ck_assert_int_eq(state, FIELDWAY_DEVICE_OFFLINE);
	ck_assert_str_eq(reason, "heard, but it does not encrypt as it should");
	hear(DAMAGED);
	ck_assert_str_eq(reason, "heard, but its key is another");
	hear(N5000_2506);
	ck_assert_int_eq(state, FIELDWAY_DEVICE_ONLINE);
	stop();
}
END_TEST

/* With packet ids the same packet may come for hours: nothing new, but no silence. */
START_TEST(repetitions_are_signs_of_life)
{
	start(&SETTINGS(TEXT("mac", MAC)));
	hear("40000102ca09");
	hear("40000102ca09");
	hear("40000102ca09");
	ck_assert_uint_eq(samples, 1);
	ck_assert_uint_eq(online, 2);
	stop();
}
END_TEST

static struct fieldway_driver *make_driver(const char *mac)
{
	static const struct fieldway_bus any = { .name = "b" };
	const struct fieldway_point point = { .name = "t", .readable = true,
					      .settings = SETTINGS(TEXT("bthome", "temperature")) };
	const struct fieldway_device device = { .name = "th", .settings = SETTINGS(TEXT("mac", mac)), .points = &point,
						.n_points = 1 };
	struct fieldway_driver *d;
	struct fieldway_error why;

	ck_assert_msg(driver_new(&any, &device, &d, &why) >= 0, "%s", why.text);
	return d;
}

/* One comes, one stays with what was heard of it, and in the end goes with the write that waits. */
START_TEST(devices_change)
{
	struct fieldway_driver *drivers[2], *again;
	struct remote *stays;

	start(&SETTINGS(TEXT("mac", MAC)));
	session.condition = CONDITION_OFF;
	hear("40000102ca09");
	ck_assert_uint_eq(samples, 1);
	stays = session.remotes[0];
	drivers[0] = make_driver("00:00:00:00:00:01");
	drivers[1] = make_driver(MAC);
	again = make_driver(MAC);
	ck_assert_int_eq(session_change(&session, NULL, (const struct fieldway_driver *const *)drivers, 2,
					(const uint32_t[]){ UINT32_MAX, 0 }), 0);
	driver_free(driver);
	ck_assert_ptr_eq(session.remotes[1], stays);
	/* The new one is told what is wrong with the bus, the other one heard it long ago. */
	ck_assert_int_eq(state, FIELDWAY_DEVICE_FAILED);
	hear("40000102ca09");
	ck_assert_uint_eq(samples, 1);
	hear("40000202ca09");
	ck_assert_uint_eq(samples, 2);
	ck_assert_uint_eq(last_device, 1);
	ck_assert_int_eq(session_change(&session, NULL, (const struct fieldway_driver *const *)&again, 1,
					(const uint32_t[]){ 1 }), 0);
	for (unsigned i = 0; i < 2; i++)
		driver_free(drivers[i]);
	hear("40000302ca09");
	ck_assert_uint_eq(last_device, 0);
	stays->writes[0] = calloc(1, sizeof(struct write));
	stays->n_writes = 1;
	driver = make_driver("00:00:00:00:00:01");
	ck_assert_int_eq(session_change(&session, NULL, (const struct fieldway_driver *const *)&driver, 1,
					(const uint32_t[]){ UINT32_MAX }), 0);
	driver_free(again);
	ck_assert_uint_eq(ended, 1);
	ck_assert_int_eq(outcome, FIELDWAY_NOT_SENT);
	ck_assert_ptr_null(remote_by_mac(&session, MAC));
	stop();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ble/remote");
	TCase *t = tcase_create("remote");
	SRunner *runner;
	int failed;

	tcase_add_test(t, a_device_with_a_key_is_not_put_down);
	tcase_add_test(t, who_has_the_wrong_key_is_told);
	tcase_add_test(t, repetitions_are_signs_of_life);
	tcase_add_test(t, devices_change);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
