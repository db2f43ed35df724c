/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/path.h"

/*
 * The end of a Modbus request. error as backing_done's, reason text for people
 * or ""; answer: a PDU, exceptions too. All live during the call.
 */
typedef void (*builtin_modbus_done)(void *userdata, int error, const char *reason,
				    const uint8_t *answer, size_t size);

/* What the objects that the agent backs itself ask of the rest; implemented in gateway/. The first three run after the answer was sent. */
struct builtin_ports {
	/* Execute /1/x/8: Update without parameters. */
	void (*update)(void *endpoint, uint16_t server_instance);
	/* Execute /1/x/4: De-register, away for /1/x/5 seconds. */
	void (*disable)(void *endpoint, uint16_t server_instance);
	/* Execute /3/0/4 without a mapping: the endpoint registers anew; it never touches device or host. */
	void (*restart)(void *endpoint);
	/* What follows is asked by the Modbus objects only; connection: an instance of /10374. */
	/*
	 * Sends a PDU to a unit. 0: done runs exactly once, and not before this
	 * call has returned; else it does not run, and the error is as backing_done's.
	 */
	int (*modbus_request)(void *endpoint, uint16_t connection, uint8_t unit, const uint8_t *pdu,
			      size_t size, builtin_modbus_done done, void *userdata);
	/* Switches its bus on or off, also over restarts. */
	int (*modbus_enable)(void *endpoint, uint16_t connection, bool enable);
	/* Names serial ports that a bus could have, each once. */
	void (*serial_ports)(void *endpoint, void (*found)(void *userdata, const char *port),
			     void *userdata);
	/* Does a server observe it, or what is above it? */
	bool (*is_observed)(void *endpoint, const struct path *path);
};
