/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "dbus/internal.h"

static const struct {
	int error;
	const char *name, *text;
} table[] = {
	{ EACCES, SD_BUS_ERROR_ACCESS_DENIED, "Not allowed" },
	{ ENOENT, AGENT1_ERROR_NO_SUCH_PATH, "There is no such path" },
	{ EPERM, AGENT1_ERROR_NOT_ALLOWED, "The resource does not have this operation" },
	{ EINVAL, SD_BUS_ERROR_INVALID_ARGS, "The value does not fit the resource" },
	{ ERANGE, SD_BUS_ERROR_INVALID_ARGS, "The value is out of range" },
	{ E2BIG, SD_BUS_ERROR_INVALID_ARGS, "Too many values" },
	{ ENODATA, AGENT1_ERROR_NO_VALUE, "Not read yet" },
	{ ESTALE, AGENT1_ERROR_STALE, "The value is too old" },
	{ EHOSTDOWN, AGENT1_ERROR_OFFLINE, "The device is offline" },
	{ EHOSTUNREACH, AGENT1_ERROR_OFFLINE, "The device cannot be reached" },
	{ EBUSY, AGENT1_ERROR_BUSY, "Busy" },
	{ ETIMEDOUT, AGENT1_ERROR_NO_ANSWER, "No answer from the device, the outcome is unknown" },
	{ EREMOTEIO, AGENT1_ERROR_PARTLY, "Some of the values were accepted" },
	{ EREMOTE, AGENT1_ERROR_REFUSED, "The server refused it" },
	{ EAGAIN, AGENT1_ERROR_REFUSED, "The server cannot take it now" },
	{ EIO, AGENT1_ERROR_FAILED, "The device failed" },
	{ EILSEQ, AGENT1_ERROR_FAILED, "The device shows another value than the one that was written" },
	{ ENOMEM, SD_BUS_ERROR_NO_MEMORY, "Out of memory" },
	{ ENOSPC, SD_BUS_ERROR_LIMITS_EXCEEDED, "A limit is reached" },
	{ EFBIG, SD_BUS_ERROR_LIMITS_EXCEEDED, "Too large" },
};

char *error_echo(const char *text, char ret[ECHO_MAX + 1])
{
	size_t n = strnlen(text, ECHO_MAX);

	memcpy(ret, text, n);
	ret[utf8_valid_prefix(ret, n)] = '\0';
	return ret;
}

int error_set(sd_bus_error *error, int r, const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].error == -r)
			return sd_bus_error_set(error, table[i].name, text ?: table[i].text);
	return sd_bus_error_set(error, AGENT1_ERROR_FAILED, text ?: strerror(-r));
}

void call_fail(sd_bus_message *call, int error, const char *text)
{
	_cleanup_(sd_bus_error_free) sd_bus_error e = SD_BUS_ERROR_NULL;

	sd_bus_reply_method_errno(call, error_set(&e, error, text && *text ? text : NULL), &e);
}
