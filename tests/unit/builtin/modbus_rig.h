/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "builtin/modbus_pdu.h"
#include "tests/unit/builtin/rig.h"

/* The Modbus objects, before a bus that the test holds in its hands. */

#define ASKED_MAX 300

struct asked {
	uint16_t connection;
	uint8_t unit, pdu[PDU_MAX];
	size_t size;
	builtin_modbus_done done;
	void *userdata;
};

extern struct asked asked[ASKED_MAX];
extern size_t n_asked;
extern int refuses;	  /* errno of the bus for what it is asked; 0: it takes it */
extern int enabled;	  /* what connection 4 was switched to; -1: it was not */
extern uint16_t observed; /* which resource */
extern const char *ports_found[3];

extern const struct builtin_ports ports;
#define N_CONNECTIONS 2u
/* 4 is a serial line; 7 is one of several of its bus. */
extern const struct builtin_connection connections[N_CONNECTIONS];

void modbus_set_up(void);
/* The objects; change: servers may write. */
void make(bool change);

/* ---- the server ---- */

extern int ended; /* requests that came to their end */
/* The end of such a request. */
void server_done(void *userdata, int e, const char *why);
/* "0=10374:4 1=3": resources, or "5/2=7" resource instances, of a target. */
void server_write(const char *target, enum store_write_mode mode, const char *contents);
void server_read(const char *target);
#define CLUSTER "0=10374:4 1=3 2=9 3=256 4=3"
void create(const char *target, const char *contents);
/* With the read that follows it answered. */
void create_read(const char *target, const char *contents, size_t n);
/* One request has come to this end; why NULL: whatever it says. */
void expect_error(int want, const char *why);
void expect_unreadable(const char *text);

/* ---- the bus: answers the first request that has no answer ---- */

void answer(int e, const char *why, const void *pdu, size_t size);
/* n registers: first, first + 1, ... */
void answer_registers(size_t n, uint16_t first);
void answer_write(void);
