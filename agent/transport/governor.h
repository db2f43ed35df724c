/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/timer.h"

/*
 * Paces what all sessions send to one server: an adaptive window over what
 * waits for an answer of the server (handshakes, requests, confirmable
 * notifications), and a burst budget of the same size over what does not (NON).
 * The window grows by 1/window with each answer and is halved, once per
 * window's worth of messages, when one is lost.
 */
#define GOVERNOR_WINDOW_FIRST 64u
#define GOVERNOR_WINDOW_MIN 4u
#define GOVERNOR_WINDOW_MAX 256u /* about what a default socket buffer takes */
/* A whole window of NON messages may go in this time. */
#define GOVERNOR_ROUND_USEC (5 * USEC_PER_MSEC)

/* In the order in which waiting tickets are served. */
enum ticket_priority {
	TICKET_UPDATE,
	TICKET_RESPONSE,
	TICKET_NOTIFICATION,
	TICKET_REGISTRATION,
	TICKET_PRIORITIES,
};

enum ticket_state {
	TICKET_IDLE,
	TICKET_WAITING,
	TICKET_HELD, /* occupies a place in the window */
};

struct ticket;
typedef void (*ticket_handler)(struct ticket *ticket);
/* Lies inside what is to be sent. */
struct ticket {
	struct list node;
	ticket_handler granted;
	uint32_t epoch;
	uint8_t state;
	uint8_t priority;
	bool burst; /* takes budget, not a place in the window */
};
void ticket_init(struct ticket *ticket, enum ticket_priority priority, ticket_handler granted);

struct governor;
int governor_create(struct timers *timers, struct governor **ret);
struct governor *governor_destroy(struct governor *g);

/* True: go ahead (a burst ticket is idle again, another one held). False: granted() is called later. */
bool governor_acquire(struct governor *g, struct ticket *ticket, bool burst);
/*
 * Takes a place beyond the window: for responses to requests in hand, which
 * must never wait behind our own traffic. They still count.
 */
void governor_force(struct governor *g, struct ticket *ticket);
/* Answered: the place is free, the window grows. */
void governor_success(struct governor *g, struct ticket *ticket);
/* Not answered in time: the place is free, the window shrinks. Retransmissions go on without a place. */
void governor_loss(struct governor *g, struct ticket *ticket);
/* The place is free, or the wait over, without a verdict. Harmless on an idle ticket. */
void governor_cancel(struct governor *g, struct ticket *ticket);
/* A held place changes its owner. */
void governor_transfer(struct ticket *from, struct ticket *to);

unsigned governor_window(const struct governor *g);
unsigned governor_in_flight(const struct governor *g);
