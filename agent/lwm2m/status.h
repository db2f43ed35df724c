/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The one table between negative errno and CoAP response codes (lwm2m.md "Operations", configuration.md "Writes"). */

/* The response code for a negative errno; an errno without a row is 5.00. */
uint8_t status_code(int error);
/* The negative errno for a response code of a server, 0 for class 2. */
int status_error(uint8_t code);
/* "4.03 Forbidden": the code with its name (RFC 7252 12.1.2, 7959, 8132), without one where there is none. */
#define STATUS_TEXT_MAX 48u
const char *status_format(uint8_t code, char ret[STATUS_TEXT_MAX]);
/* Does a TLS alert of a server say that trying again is of no use (Transport 5.2.10)? -1: there was none. */
bool status_alert_is_final(int alert);
