/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "base/list.h"
#include "base/log.h"
#include "base/timer.h"
#include "history/history.h"
#include "store/store.h"

struct account;
struct endpoint;
struct registry;

/*
 * `history:` of profiles: what endpoints show of its points is recorded for each of
 * their servers that takes Send (/1/x/23), and sent to it with the times of the
 * samples, oldest first. What a server acknowledges is done with; while it is away, or
 * answers by an error, it waits. One that the server refuses (4.xx) while it takes others is given up. An endpoint without such points costs a pointer.
 */
struct recording;
struct outbox;

/*
 * Who comes back after two days has thousands of values from each endpoint: they go
 * out so many at a time, in messages that fit into a datagram as SenML CBOR, one on its way for each account
 * and so far apart for all of them together, behind all else that a server is told.
 */
#define HISTORY_SEND_VALUES 24u
#define HISTORY_SEND_BYTES 512u /* of texts and opaque values; one that is longer goes alone */
#define HISTORY_PACE_USEC (50 * USEC_PER_MSEC)
/* What is recorded at about the same time goes out together. */
#define HISTORY_GATHER_USEC USEC_PER_SEC
/* After an answer that is an error, or none. */
#define HISTORY_RETRY_USEC USEC_PER_MINUTE

/* Of the registry. Zero-initialised: no endpoint has ever had such points. */
struct recordings {
	struct history *history; /* NULL: none */
	struct list ready; /* struct outbox: registered, and something waits */
	struct timer pump;
	struct log_budget lost, refused;
};

void recordings_init(struct registry *r);
/* The configuration that is in force by now. Without memory or a disk it goes on without; that is logged. */
void recordings_follow(struct registry *r);
/* Before the state folder and all endpoints go; what waits is on the disk then. */
void recordings_done(struct registry *r);
/* Zeros where there is none. */
void recordings_count(const struct registry *r, struct history_counts *ret);

/* Records what its configuration says by now. */
void recording_follow(struct endpoint *e);
void recording_free(struct endpoint *e);
/* What its store's watch said. */
void recording_changed(struct endpoint *e, enum store_change change, const struct path *paths, size_t n);

/* It has registered, or may be sent to again. */
void outbox_wake(struct account *a);
/* Values wait for it; 0 where it has none. */
uint64_t outbox_waiting(const struct account *a);
/* Its server is no server of its endpoint any more: nobody wants what waits. */
void outbox_forget(struct account *a);
/* Sendings of its client have ended. */
struct outbox *outbox_free(struct outbox *d);
/* Puts a value into its queue. Returns as history_add(). */
int outbox_add(struct account *a, const struct path *path, const struct value *value, uint64_t boottime_usec);
