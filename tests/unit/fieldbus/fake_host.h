/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "link/marshal.h"

struct sd_bus;
struct sd_bus_message;

/* What fake_host and the tests have to agree on. */
#define FAKE_HELD_MAX 128
#define FAKE_REASON_SIZE 1000000u
#define FAKE_STATES 2000u
#define FAKE_SECONDS_MAX 50

#define FAKE_FD 3

struct fake {
	struct sd_bus *link;
	unsigned fds; /* open at the start: newer libsystemd opens some of its own */
	const char *folder;
	uint64_t generation;
	uint64_t clock_usec;
	int level; /* that Ping has brought */
	uint32_t first; /* of its devices */
	struct sd_bus_message *held[FAKE_HELD_MAX]; /* writes to be answered after the next Ping */
	size_t n_held;
	unsigned unanswered;
	/* Batches still to be sent to a device before a write is answered. */
	struct sd_bus_message *awaiting;
	uint32_t device;
	unsigned batches;
};

void fake_must(int r); /* ends the process on an error */
void fake_sleep(void); /* for ever */
void fake_send_state(struct fake *f, uint64_t generation, uint32_t device, unsigned state, const char *reason);
/* Write does what its text says: fake_orders.c. */
void fake_write(struct fake *f, struct sd_bus_message *m);
/* Read, Statistics and Attempt: fake_inquiries.c. */
void fake_read(struct fake *f, struct sd_bus_message *m);
void fake_statistics(struct sd_bus_message *m);
void fake_attempt(const struct fake *f, struct sd_bus_message *m);
/* Raw, Scan, Release, Record: fake_services.c. False: none of them. */
bool fake_service(struct fake *f, struct sd_bus_message *m);
void fake_answer(struct sd_bus_message *m, unsigned outcome, int error, const char *detail);
