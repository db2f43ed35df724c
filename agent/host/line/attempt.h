/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/device/parts.h"

/*
 * A device that is not configured, read once: over the line that it would share
 * with devices of its bus, ahead of their polls, over a guest of that bus, or,
 * where that is not at work, over a line of its own. Nothing of it stays.
 */
struct attempt;
struct attempts; /* all of a host */

/* At a time, of a host. One more is -EBUSY. */
#define ATTEMPTS_MAX 8u

int attempts_new(const struct host_services *services, struct attempts **ret);
/* No more of them; each is answered. */
void attempts_stop(struct attempts *a);
/* True when no thread of theirs is at work. */
bool attempts_have_ended(const struct attempts *a);
/* Takes NULL; only when they have ended. */
struct attempts *attempts_free(struct attempts *a);

/*
 * bus: the one of that name that is at work, or NULL. Takes the setup, which
 * has one device, over, answers the call at once or takes a reference to it and
 * answers by the deadline (the kernel's CLOCK_MONOTONIC). 0 or a negative errno
 * for the call.
 */
int attempt_begin(struct attempts *a, struct host_bus *bus, struct setup *setup,
		  struct sd_bus_message *call, uint64_t deadline_usec);

/* ---- for the line that is shared ---- */

/* The next request of the oldest one. */
struct job *attempt_start(struct line *l);
/* It has come back. */
void attempt_done(struct line *l);
void attempts_cancel(struct line *l, int error, const char *text);
