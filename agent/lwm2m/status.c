/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m/status.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "base/macro.h"
#include "transport/message.h"

/* The first row of a code is the errno that it is read back as. */
static const struct {
	int error;
	uint8_t code;
} table[] = {
	{ -EINVAL, CODE(4, 00) },	   { -ERANGE, CODE(4, 00) },
	{ -EEXIST, CODE(4, 00) },	   { -EFBIG, CODE(4, 00) },
	{ -E2BIG, CODE(4, 00) },	   { -EBADMSG, CODE(4, 00) },
	{ -EACCES, CODE(4, 01) },	   { -ECONNREFUSED, CODE(4, 03) },
	{ -ENOENT, CODE(4, 04) },	   { -EPERM, CODE(4, 05) },
	{ -ENOMEDIUM, CODE(4, 06) },	   { -EPROTO, CODE(4, 12) },
	{ -EMSGSIZE, CODE(4, 13) },	   { -EPROTONOSUPPORT, CODE(4, 15) },
	{ -EIO, CODE(5, 00) },		   { -EREMOTEIO, CODE(5, 00) },
	{ -ENOMEM, CODE(5, 00) },	   { -EILSEQ, CODE(5, 00) },
	{ -EHOSTDOWN, CODE(5, 03) },
	{ -EBUSY, CODE(5, 03) },	   { -ENODATA, CODE(5, 03) },
	{ -ESTALE, CODE(5, 03) },	   { -ETIMEDOUT, CODE(5, 04) },
	{ -EHOSTUNREACH, CODE(5, 04) },
};

uint8_t status_code(int error)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].error == error)
			return table[i].code;
	return CODE(5, 00);
}

int status_error(uint8_t code)
{
	if (code_class(code) == 2)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].code == code)
			return table[i].error;
	return code_class(code) == 4 ? -EINVAL : -EIO;
}

static const struct {
	uint8_t code;
	const char *name;
} names[] = {
	{ CODE(2, 01), "Created" },
	{ CODE(2, 02), "Deleted" },
	{ CODE(2, 04), "Changed" },
	{ CODE(2, 05), "Content" },
	{ CODE(2, 31), "Continue" },
	{ CODE(4, 00), "Bad Request" },
	{ CODE(4, 01), "Unauthorized" },
	{ CODE(4, 02), "Bad Option" },
	{ CODE(4, 03), "Forbidden" },
	{ CODE(4, 04), "Not Found" },
	{ CODE(4, 05), "Method Not Allowed" },
	{ CODE(4, 06), "Not Acceptable" },
	{ CODE(4, 8), "Request Entity Incomplete" },
	{ CODE(4, 9), "Conflict" },
	{ CODE(4, 12), "Precondition Failed" },
	{ CODE(4, 13), "Request Entity Too Large" },
	{ CODE(4, 15), "Unsupported Content-Format" },
	{ CODE(4, 29), "Too Many Requests" },
	{ CODE(5, 00), "Internal Server Error" },
	{ CODE(5, 01), "Not Implemented" },
	{ CODE(5, 02), "Bad Gateway" },
	{ CODE(5, 03), "Service Unavailable" },
	{ CODE(5, 04), "Gateway Timeout" },
	{ CODE(5, 05), "Proxying Not Supported" },
};

const char *status_format(uint8_t code, char ret[STATUS_TEXT_MAX])
{
	const char *name = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].code == code)
			name = names[i].name;
	snprintf(ret, STATUS_TEXT_MAX, "%u.%02u%s%s", code_class(code), code & 0x1fu, name ? " " : "",
		 name ?: "");
	return ret;
}

/* The rows that Transport table 5.2.10-1 calls Fail: certificates, access, and who we say we are. */
bool status_alert_is_final(int alert)
{
	return (alert >= 42 && alert <= 46) || alert == 48 || alert == 49 ||
	       (alert >= 112 && alert <= 115);
}
