/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/device/parts.h"

/* One device: what is known of it, and who is told. */

/* More silences of one request than this, or than make a device offline, are logged while the device answers others. */
#define POLL_SILENCES 3u

/* What an error says about the device: exceptions are answers, all else proves nothing. */
enum schedule_answer answer_of(int error);
/* "bus hall1: device em1-003: input 0-17 (18 registers): no answer" */
#define DEVICE_TEXT_MAX 512u
void device_text(const struct device *d, const char *what, const struct fieldway_result *result,
		 char *ret, size_t size);
/* Within the device's budget. */
void device_log(int level, struct device *d, const char *text);
/* Tells the daemon, and the log of a state; of another reason for the same one only the daemon. */
void device_enter_state(struct device *d, enum link_state state, const char *reason);
/*
 * Tells what the device's schedule says of it after something was heard, or
 * not: result, of what. One that is offline has its writes cancelled.
 */
void device_settle(struct device *d, const struct fieldway_result *result, const char *what);
/* What a request met, for the log: when it begins and when it ends. */
void device_note(struct device *d, struct poll *poll, const struct fieldway_result *result);
/* The poll whose request holds the point, or -1. */
int32_t device_poll_of(const struct device *d, uint32_t point);
/* The poll is due now, out of its turn, until it was good so often. */
void device_read_soon(struct device *d, uint32_t poll, unsigned good);
/* A turn of the poll is over: was it such a one, and is another one due? */
void device_read(struct device *d, uint32_t poll, int error);
