/* SPDX-License-Identifier: Apache-2.0 */
#include "errors.h"

#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <string.h>

/* Application Protocol V1.1b3, section 7. */
static const struct {
	int error;
	enum fieldway_outcome outcome; /* of a write */
	const char *text;
} exceptions[] = {
	[1] = { -EOPNOTSUPP, FIELDWAY_REFUSED, "illegal function" },
	[2] = { -ENXIO, FIELDWAY_REFUSED, "illegal data address" },
	[3] = { -EINVAL, FIELDWAY_REFUSED, "illegal data value" },
	[4] = { -EREMOTEIO, FIELDWAY_REFUSED, "device failure" },
	/* Accepted and not yet done; and sent on by a gateway that then heard nothing: nobody knows. */
	[5] = { -EBUSY, FIELDWAY_UNKNOWN, "acknowledge, still working" },
	[6] = { -EBUSY, FIELDWAY_REFUSED, "device busy" },
	[7] = { -EREMOTEIO, FIELDWAY_REFUSED, "negative acknowledge" },
	[8] = { -EREMOTEIO, FIELDWAY_REFUSED, "memory parity error" },
	[9] = { -EREMOTEIO, FIELDWAY_REFUSED, "not defined" },
	[10] = { -EREMOTEIO, FIELDWAY_REFUSED, "gateway path unavailable" },
	[11] = { -EHOSTDOWN, FIELDWAY_UNKNOWN, "gateway target did not answer" },
};
_Static_assert(sizeof(exceptions) / sizeof(exceptions[0]) == MODBUS_EXCEPTION_MAX, "all of libmodbus's");

/* 0: it is no exception. */
static unsigned exception_code(int modbus_errno)
{
	return modbus_errno > MODBUS_ENOBASE && modbus_errno < MODBUS_ENOBASE + MODBUS_EXCEPTION_MAX ?
		       (unsigned)(modbus_errno - MODBUS_ENOBASE) :
		       0;
}

enum fieldway_outcome error_outcome(int modbus_errno)
{
	unsigned code = exception_code(modbus_errno);

	if (code)
		return exceptions[code].outcome;
	return modbus_errno == EMBBADEXC ? FIELDWAY_REFUSED : FIELDWAY_UNKNOWN;
}

static enum fault fill(struct fieldway_result *result, enum fault fault, int error, const char *text)
{
	result->error = error;
	snprintf(result->detail, sizeof(result->detail), "%s", text);
	return fault;
}

static enum fault translate_system(int e, struct fieldway_result *result)
{
	switch (e) {
	case ECONNREFUSED:
	case EMFILE:
	case ENOMEM:
		return fill(result, FAULT_LINE, -e, strerror(e));
	case ECONNRESET:
	case EPIPE:
		return fill(result, FAULT_LINE, -ECONNRESET, "connection closed by the device");
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
		return fill(result, FAULT_LINE, -EHOSTUNREACH, strerror(e));
	case ENOENT:
	case ENODEV:
	case ENXIO:
	case EBUSY: /* of a port: somebody else has it */
	case EACCES:
	case EPERM:
	case ENOTTY:
		return fill(result, FAULT_LINE, -ENODEV, strerror(e));
	default:
		return fill(result, FAULT_LINE, -EIO, strerror(e));
	}
}

enum fault error_translate(int e, struct fieldway_result *result)
{
	unsigned code = exception_code(e);

	if (code) {
		result->error = exceptions[code].error;
		snprintf(result->detail, sizeof(result->detail), "exception %u (%s)", code, exceptions[code].text);
		return FAULT_EXCEPTION;
	}
	switch (e) {
	case ETIMEDOUT:
		return fill(result, FAULT_SILENCE, -ETIMEDOUT, "no answer");
	case EMBBADCRC:
		return fill(result, FAULT_GARBLED, -EBADMSG, "checksum wrong");
	case EMBBADSLAVE:
		return fill(result, FAULT_FOREIGN, -EBADMSG, "answer of another unit");
	case EMBBADEXC:
		return fill(result, FAULT_EXCEPTION, -EREMOTEIO, "an exception that no standard knows");
	case ERROR_ECHO_DIFFERS:
		return fill(result, FAULT_GARBLED, -EBADMSG, "echo differs from what was sent: a collision");
	case ERROR_NO_ECHO:
		return fill(result, FAULT_GARBLED, -EBADMSG, "no echo of what was sent, as echo: true expects");
	case EMBBADDATA:
	case EMBUNKEXC:
	case EMBMDATA:
		return fill(result, FAULT_FOREIGN, -EBADMSG, "answer does not fit the request");
	default:
		return translate_system(e, result);
	}
}
