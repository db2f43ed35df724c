/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/device/parts.h"

/*
 * Lends what a bus uses to another program: its lines are closed, its devices
 * FAILED, and nothing is sent, until the time is over.
 */

#define RELEASE_USEC_MAX UINT64_C(86400000000)

/* Of one that starts: nothing is opened for so long. */
void release_from_start(struct host_bus *b, uint64_t usec);
/* Devices that come to a bus that is lent. */
void release_tell_new(struct host_bus *b);
/* usec 0: takes it back. The call is answered when all is closed, or open to be used. */
int release_begin(struct host_bus *b, struct sd_bus_message *call, uint64_t usec);
/* A line of a lent bus is idle: closes it. False: it is closed. */
bool release_line(struct line *l);
void release_line_closed(struct line *l);
/* Something else has closed: was that all? */
void release_check(struct host_bus *b);
/* The bus goes: an answer that is still owed is given. */
void release_done(struct host_bus *b);
