/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "base/macro.h"

/* The daemon, asked over D-Bus (dbus/agent1.h). */
struct client {
	sd_bus *bus;
	const char *place; /* as in struct invocation */
	const char
		*about; /* what its calls are about, for messages: "m1 /3303/0/5700"; "" at first */
	bool write;	/* its calls change something: a lost answer leaves that open */
	bool privileged; /* they need rights, and leave nothing open */
	uint64_t deadline_usec; /* of an answer; 0: CLIENT_DEADLINE_USEC */
};

/* Longer than the daemon takes for a field device (4 s), retries and all. */
#define CLIENT_DEADLINE_USEC UINT64_C(10000000)
/* And so much longer where somebody may be typing his password. */
#define CLIENT_PASSWORD_USEC UINT64_C(60000000)

/* Each returns 0, or negative after one line on standard error: as exit_status() has it. */
int client_open(const char *place, struct client *ret);
/* Calls a method of the daemon; arguments as sd_bus_message_append() takes them, types "": none. */
int client_call(struct client *c, const char *path, const char *interface, const char *method,
		sd_bus_message **ret, const char *types, ...);
/* All properties of one interface; the answer stands before its a{sv}. */
int client_properties(struct client *c, const char *path, const char *interface,
		      sd_bus_message **ret);

/* The same as client_call(), but the error is the caller's to print, by client_complain(). */
int client_try(struct client *c, const char *path, const char *interface, const char *method,
	       sd_bus_error *ret_error, sd_bus_message **ret, const char *types, ...);
/*
 * The same in parts, for arguments that are appended one by one: both say what went
 * wrong themselves. deadline_usec 0: CLIENT_DEADLINE_USEC.
 */
int client_call_new(struct client *c, const char *path, const char *interface, const char *method,
		    sd_bus_message **ret);
int client_call_send(struct client *c, sd_bus_message *call, uint64_t deadline_usec,
		     sd_bus_message **ret);
/* Says it, and returns what it is as errno: complaint_error(). */
int client_complain(const struct client *c, const sd_bus_error *error);
/* An answer that could not be read, by -errno, which is returned. */
int client_misunderstood(int error);

void client_done(struct client *c);
#define _cleanup_client_ _cleanup_(client_done)
#define _cleanup_message_ _cleanup_(sd_bus_message_unrefp)
