/* SPDX-License-Identifier: Apache-2.0 */
#include "errors.h"

#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <string.h>

/* Application Protocol V1.1b3, section 7; a gateway without a path is as good as no device. */
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
	[10] = { -EHOSTUNREACH, FIELDWAY_REFUSED, "gateway path unavailable" },
	[11] = { -EHOSTDOWN, FIELDWAY_UNKNOWN, "gateway target did not answer" },
};
#define EXCEPTIONS (sizeof(exceptions) / sizeof(exceptions[0]))

static bool is_exception(int modbus_errno, unsigned *ret_code)
{
	*ret_code = (unsigned)(modbus_errno - ERROR_EXCEPTION(0));
	return *ret_code <= UINT8_MAX;
}

static bool is_known(unsigned code)
{
	return code < EXCEPTIONS && exceptions[code].text;
}

enum fieldway_outcome error_outcome(int modbus_errno)
{
	unsigned code;

	if (!is_exception(modbus_errno, &code))
		return FIELDWAY_UNKNOWN;
	return is_known(code) ? exceptions[code].outcome : FIELDWAY_REFUSED;
}

static enum fault translate_exception(unsigned code, struct fieldway_result *result)
{
	result->error = is_known(code) ? exceptions[code].error : -EREMOTEIO;
	result->code = (uint8_t)code;
	snprintf(result->detail, sizeof(result->detail), "exception %u (%s)", code,
		 is_known(code) ? exceptions[code].text : "that no standard knows");
	return FAULT_EXCEPTION;
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
	unsigned code;

	if (is_exception(e, &code))
		return translate_exception(code, result);
	switch (e) {
	case ETIMEDOUT:
		return fill(result, FAULT_SILENCE, -ETIMEDOUT, "no answer");
	case EMBBADCRC:
		return fill(result, FAULT_GARBLED, -EBADMSG, "checksum wrong");
	case EMBBADSLAVE:
		return fill(result, FAULT_FOREIGN, -EBADMSG, "answer of another unit");
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
