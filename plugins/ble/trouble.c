/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "session.h"

/*
 * The one table from names of errors to errno and text; the first row that fits. text NULL: the
 * error's own message. part: what its message has in it; NULL: anything.
 */
static const struct {
	const char *name;
	int error;
	const char *text, *part;
} troubles[] = {
	{ "org.bluez.Error.NotReady", -ENODEV, "the adapter is not ready" },
	{ "org.bluez.Error.NotConnected", -ECONNRESET, "not connected" },
	/* src/gatt-client.c: insufficient authentication or encryption, as long as there is no bond. */
	{ "org.bluez.Error.NotPermitted", -EREMOTEIO, "the device wants to be paired first", "Not paired" },
	{ "org.bluez.Error.NotPermitted", -EOPNOTSUPP, "the device does not permit it" },
	{ "org.bluez.Error.NotAuthorized", -EREMOTEIO, "the device wants to be paired first" },
	{ "org.bluez.Error.NotSupported", -EOPNOTSUPP, "the device does not support it" },
	{ "org.bluez.Error.InvalidArguments", -EINVAL, "the value has a length that the device refuses", "Invalid Length" },
	{ "org.bluez.Error.InvalidArguments", -EINVAL, "bluetoothd takes it for invalid" },
	{ "org.bluez.Error.InvalidValueLength", -EINVAL, "the value has a length that the device refuses" },
	{ "org.bluez.Error.InvalidOffset", -EINVAL, "the device refuses the offset" },
	{ "org.bluez.Error.InProgress", -EBUSY, "busy with another request" },
	{ "org.bluez.Error.AuthenticationFailed", -EREMOTEIO, "pairing failed: wrong passkey, or the device lost its bond" },
	{ "org.bluez.Error.AuthenticationCanceled", -EREMOTEIO, "pairing was cancelled" },
	{ "org.bluez.Error.AuthenticationRejected", -EREMOTEIO, "pairing was rejected" },
	{ "org.bluez.Error.AuthenticationTimeout", -ETIMEDOUT, "pairing took too long" },
	{ "org.bluez.Error.ConnectionAttemptFailed", -EHOSTUNREACH, "the device does not take the connection" },
	{ "org.bluez.Error.DoesNotExist", -ENODEV, "bluetoothd no longer knows the device" },
	{ "org.bluez.Error.Blocked", -ENODEV, "the adapter is blocked (rfkill)" },
	{ "org.bluez.Error.Failed", -EREMOTEIO, NULL },
	{ SD_BUS_ERROR_ACCESS_DENIED, -EIO, "not allowed by the bus policy" },
	{ SD_BUS_ERROR_SERVICE_UNKNOWN, -ENODEV, "bluetoothd is not running" },
	{ SD_BUS_ERROR_NAME_HAS_NO_OWNER, -ENODEV, "bluetoothd is not running" },
	{ SD_BUS_ERROR_UNKNOWN_OBJECT, -ENODEV, "bluetoothd no longer knows the device" },
	{ SD_BUS_ERROR_UNKNOWN_METHOD, -EOPNOTSUPP, "bluetoothd cannot do that" },
	{ SD_BUS_ERROR_UNKNOWN_INTERFACE, -EOPNOTSUPP, "bluetoothd cannot do that" },
	{ SD_BUS_ERROR_NO_REPLY, -ETIMEDOUT, "no answer" },
	{ SD_BUS_ERROR_TIMEOUT, -ETIMEDOUT, "no answer" },
	{ SD_BUS_ERROR_DISCONNECTED, -ECONNRESET, "the connection to the system bus was lost" },
};

/* Messages of org.bluez.Error.Failed, which says everything in prose. */
static const struct {
	const char *part;
	int error;
	const char *text;
} failures[] = {
	{ "Not connected", -ECONNRESET, "not connected" },
	{ "not-connected", -ECONNRESET, "not connected" },
	{ "le-connection-abort-by-local", -EHOSTUNREACH, "the device does not take the connection" },
	{ "Software caused connection abort", -EHOSTUNREACH, "the device does not take the connection" },
	{ "le-connection-", -EHOSTUNREACH, "the device does not take the connection" },
	{ "br-connection-", -EHOSTUNREACH, "the device does not take the connection" },
	{ "ATT error: 0x02", -EOPNOTSUPP, "the device does not permit reading" },
	{ "ATT error: 0x03", -EOPNOTSUPP, "the device does not permit writing" },
	{ "ATT error: 0x05", -EREMOTEIO, "the device wants to be paired first" },
	{ "ATT error: 0x0a", -ENXIO, "the device no longer has the characteristic" },
	{ "ATT error: 0x0d", -EINVAL, "the value has a length that the device refuses" },
	{ "ATT error: 0x0e", -EREMOTEIO, "the device failed" },
	{ "ATT error: 0x13", -EINVAL, "the device does not allow this value" },
	{ "ATT error: 0xff", -EINVAL, "the value is out of the device's range" },
	{ "rfkill", -ENODEV, "the adapter is blocked (rfkill)" },
};

static int trouble_of_failure(const char *message, char *ret, size_t size)
{
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (strstr(message, failures[i].part)) {
			snprintf(ret, size, "%s", failures[i].text);
			return failures[i].error;
		}
	snprintf(ret, size, "%s", *message ? message : "failed, and bluetoothd does not say why");
	return -EREMOTEIO;
}

int trouble_of(const sd_bus_error *error, char *ret, size_t size)
{
	const char *message = error->message ? error->message : "";

	for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
		if (strcmp(troubles[i].name, error->name) != 0 ||
		    (troubles[i].part && !strstr(message, troubles[i].part)))
			continue;
		if (!troubles[i].text)
			return trouble_of_failure(message, ret, size);
		snprintf(ret, size, "%s", troubles[i].text);
		return troubles[i].error;
	}
	snprintf(ret, size, "%s%s%s", error->name, *message ? ": " : "", message);
	return -EREMOTEIO;
}
