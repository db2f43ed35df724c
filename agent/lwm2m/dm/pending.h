/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "lwm2m/client_internal.h"

/*
 * A request of the server whose end the field decides. It outlives its client
 * if it must: then its result is dropped.
 */
struct pending {
	struct list list; /* client.pending */
	struct client *client; /* NULL: forgotten */
	struct exchange *exchange;
	uint8_t success;
	struct path location; /* depth > 0: Location-Path of a Create */
	char *audit;	      /* what is being written, for the log; may be NULL */
	struct target target; /* of a Read, and how it wants to be answered */
	int32_t accept;
};

/* NULL without memory (the request has been answered then). */
struct pending *pending_new(struct request *q, uint8_t success);
/* A backing_done; userdata is the operation: answers, logs, frees. */
void pending_done(void *userdata, int error, const char *reason);
/* Answered, or forgotten. */
void pending_free(struct pending *op);
