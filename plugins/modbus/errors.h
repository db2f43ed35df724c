/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <errno.h>

#include "api/plugin.h"

/* The one table between libmodbus's errno values, some of our own, and the contract's errors. */

/* Beside libmodbus's: what the echo of a request shows. */
#define ERROR_ECHO_DIFFERS ECOMM
#define ERROR_NO_ECHO ENOMSG
/* An exception, whose number may be one that libmodbus has no errno for. */
#define ERROR_EXCEPTION(code) (0x10000000 + (int)(code))

enum fault {
	FAULT_NONE,
	FAULT_EXCEPTION, /* the device answered, with a refusal: the line is in order */
	FAULT_SILENCE,   /* no answer in time: it may still come */
	FAULT_GARBLED,   /* bytes that are no answer */
	FAULT_FOREIGN,   /* an answer, but not to this request: the right one may still come */
	FAULT_LINE,      /* the connection or the port */
};

/* What became of a write whose request was sent and met this error (from libmodbus). */
enum fieldway_outcome error_outcome(int modbus_errno);

/* Fills result; modbus_errno is positive: errno, as libmodbus sets it too, or one of the above. */
enum fault error_translate(int modbus_errno, struct fieldway_result *result);
