/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/device/parts.h"
#include "host/setup/loader.h"

/*
 * Requests as the user gives them (Raw of link/host1.h), ahead of polls. Their
 * address need not be configured: it gets a driver of its own, and a line that
 * the bus does not have is opened for it as a guest, which closes when nothing
 * was asked for a while.
 */

/* Of one bus. One more is refused with -EBUSY. */
#define ERRANDS_MAX 16u
#define ERRAND_BYTES_MAX 4096u /* of a request; of an answer WORKER_ANSWER_BYTES */
/* A guest without an errand stays open for so long: the next one often follows. */
#define ERRAND_GUEST_USEC UINT64_C(3000000)

/*
 * known: only on a line that the bus has; else the call is answered with
 * -EXDEV. The call is answered at once or later, with what went wrong in it; a
 * negative errno is left to the caller to answer with.
 */
int errand_begin(struct loader *loader, struct host_bus *b, struct sd_bus_message *call,
		 const struct fieldway_settings *address, const void *request, size_t size,
		 uint64_t deadline_usec, bool known);
/* The oldest one of the line becomes its job. */
void errand_start(struct line *l);
/* The line's job was this errand and has come back. */
void errand_done(struct line *l);
/* Those of a line that wait end with this error. */
void errands_cancel(struct line *l, int error, const char *text);

/* The bus's line of that name, or its guest. */
struct line *errand_find_line(const struct host_bus *b, const char *name);
/* One for the setup's only device; takes the setup over on success. 0, -EBUSY, -ENOMEM, -EAGAIN. */
int guest_new(struct host_bus *b, struct setup *setup, struct line **ret);
/* Nothing was asked for a while: it closes. */
void guest_due(struct line *l);
/* What a guest does when there is nothing to do. */
void guest_idle(struct line *l);
/* Guests close; those that have no thread any more are freed. */
void guests_retire(struct host_bus *b, int error, const char *text);
/* One of this name, whose line the bus wants itself. */
void guest_leave(struct host_bus *b, const char *name);
/* Its thread has ended. */
void guest_ended(struct line *l);
