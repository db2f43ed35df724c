/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>

#include "plugins/ble/session.h"

/* What D-Bus and BlueZ say, and what people read. */
static const struct {
	const char *name, *message;
	int expected;
	const char *text;
} troubles[] = {
	{ "org.bluez.Error.NotReady", "Resource Not Ready", -ENODEV, "the adapter is not ready" },
	{ "org.bluez.Error.NotPermitted", "Read not permitted", -EOPNOTSUPP, "the device does not permit it" },
	{ "org.bluez.Error.NotPermitted", "Not paired", -EREMOTEIO, "the device wants to be paired first" },
	{ "org.bluez.Error.InvalidArguments", "Invalid Length", -EINVAL, "the value has a length that the device refuses" },
	{ "org.bluez.Error.InvalidArguments", "Invalid arguments in method call", -EINVAL, "bluetoothd takes it for invalid" },
	{ "org.bluez.Error.Failed", "le-connection-refused", -EHOSTUNREACH, "the device does not take the connection" },
	{ "org.bluez.Error.InProgress", "In Progress", -EBUSY, "busy with another request" },
	{ "org.bluez.Error.Failed", "Not connected", -ECONNRESET, "not connected" },
	{ "org.bluez.Error.Failed", "Operation failed with ATT error: 0x0e", -EREMOTEIO, "the device failed" },
	{ "org.bluez.Error.Failed", "Operation failed with ATT error: 0x13", -EINVAL,
	  "the device does not allow this value" },
	{ "org.bluez.Error.Failed", "le-connection-abort-by-local", -EHOSTUNREACH,
	  "the device does not take the connection" },
	{ "org.bluez.Error.Failed", "Blocked through rfkill", -ENODEV, "the adapter is blocked (rfkill)" },
	{ "org.bluez.Error.Failed", "Something new", -EREMOTEIO, "Something new" },
	{ "org.bluez.Error.Failed", NULL, -EREMOTEIO, "failed, and bluetoothd does not say why" },
	{ "org.bluez.Error.AuthenticationFailed", NULL, -EREMOTEIO,
	  "pairing failed: wrong passkey, or the device lost its bond" },
	{ SD_BUS_ERROR_ACCESS_DENIED, "Rejected send message", -EIO, "not allowed by the bus policy" },
	{ SD_BUS_ERROR_SERVICE_UNKNOWN, NULL, -ENODEV, "bluetoothd is not running" },
	{ SD_BUS_ERROR_NO_REPLY, NULL, -ETIMEDOUT, "no answer" },
	{ "org.example.Odd", "why", -EREMOTEIO, "org.example.Odd: why" },
	{ "org.example.Odd", NULL, -EREMOTEIO, "org.example.Odd" },
};

START_TEST(texts)
{
	const sd_bus_error e = SD_BUS_ERROR_MAKE_CONST(troubles[_i].name, troubles[_i].message);
	char text[TROUBLE_MAX];

	ck_assert_int_eq(trouble_of(&e, text, sizeof(text)), troubles[_i].expected);
	ck_assert_str_eq(text, troubles[_i].text);
}
END_TEST

/* Only what an answer of the device, or of its rules in bluetoothd, proves is more than unknown. */
static const struct {
	const char *name, *message;
	enum fieldway_outcome expected;
} writes[] = {
	{ "org.bluez.Error.NotPermitted", "Write not permitted", FIELDWAY_REFUSED },
	{ "org.bluez.Error.NotPermitted", "Not paired", FIELDWAY_REFUSED },
	{ "org.bluez.Error.NotAuthorized", NULL, FIELDWAY_REFUSED },
	{ "org.bluez.Error.NotSupported", NULL, FIELDWAY_REFUSED },
	{ "org.bluez.Error.InvalidArguments", "Invalid Length", FIELDWAY_REFUSED },
	{ "org.bluez.Error.Failed", "Operation failed with ATT error: 0x0e", FIELDWAY_REFUSED },
	{ "org.bluez.Error.Failed", "Operation failed with ATT error: 0x80", FIELDWAY_REFUSED },
	{ "org.bluez.Error.InProgress", NULL, FIELDWAY_NOT_SENT },
	{ "org.bluez.Error.NotConnected", NULL, FIELDWAY_NOT_SENT },
	{ "org.bluez.Error.Failed", "Not connected", FIELDWAY_NOT_SENT },
	{ SD_BUS_ERROR_ACCESS_DENIED, "Rejected send message", FIELDWAY_NOT_SENT },
	{ SD_BUS_ERROR_SERVICE_UNKNOWN, NULL, FIELDWAY_NOT_SENT },
	{ SD_BUS_ERROR_UNKNOWN_OBJECT, NULL, FIELDWAY_NOT_SENT },
	{ SD_BUS_ERROR_UNKNOWN_METHOD, NULL, FIELDWAY_NOT_SENT },
	{ SD_BUS_ERROR_UNKNOWN_INTERFACE, NULL, FIELDWAY_NOT_SENT },
	{ "org.bluez.Error.Failed", "Operation failed", FIELDWAY_UNKNOWN },
	{ "org.bluez.Error.Failed", NULL, FIELDWAY_UNKNOWN },
	{ SD_BUS_ERROR_NO_REPLY, NULL, FIELDWAY_UNKNOWN },
	{ SD_BUS_ERROR_TIMEOUT, NULL, FIELDWAY_UNKNOWN },
	{ SD_BUS_ERROR_DISCONNECTED, NULL, FIELDWAY_UNKNOWN },
	{ "org.example.Odd", NULL, FIELDWAY_UNKNOWN },
};

START_TEST(outcomes_of_writes)
{
	const sd_bus_error e = SD_BUS_ERROR_MAKE_CONST(writes[_i].name, writes[_i].message);
	char text[TROUBLE_MAX];

	ck_assert_int_eq(write_outcome(trouble_of(&e, text, sizeof(text)), &e), writes[_i].expected);
}
END_TEST

START_TEST(room_is_respected)
{
	const sd_bus_error e = SD_BUS_ERROR_MAKE_CONST("org.bluez.Error.NotReady", NULL);
	char text[8];

	ck_assert_int_eq(trouble_of(&e, text, sizeof(text)), -ENODEV);
	ck_assert_str_eq(text, "the ada");
}
END_TEST

START_TEST(retries_double_up_to_a_minute)
{
	ck_assert_uint_eq(retry_delay(0), 1000000);
	ck_assert_uint_eq(retry_delay(1), 2000000);
	ck_assert_uint_eq(retry_delay(5), 32000000);
	ck_assert_uint_eq(retry_delay(6), 60000000);
	ck_assert_uint_eq(retry_delay(UINT32_MAX), 60000000);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ble/trouble");
	TCase *t = tcase_create("trouble");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(t, texts, 0, sizeof(troubles) / sizeof(troubles[0]));
	tcase_add_loop_test(t, outcomes_of_writes, 0, sizeof(writes) / sizeof(writes[0]));
	tcase_add_test(t, room_is_respected);
	tcase_add_test(t, retries_double_up_to_a_minute);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
