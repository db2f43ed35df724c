/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/plugin.h"

struct poll;
struct device;
struct sd_bus_message;

/*
 * The last request that was asked and its answer, as they went over the wire,
 * for people who do not believe a value. A frame of Modbus TCP has 260 bytes;
 * what is longer is cut.
 */
#define EXCHANGE_SENT_MAX 64u
#define EXCHANGE_RECEIVED_MAX 288u

/* What a line has on the wire now: its thread's, while a job is at work. */
struct exchange {
	uint16_t n_sent, n_received;
	bool cut;
	uint8_t sent[EXCHANGE_SENT_MAX], received[EXCHANGE_RECEIVED_MAX];
};

/* What a poll keeps of it, in as many bytes as it takes. */
struct kept_exchange {
	uint64_t boottime_usec; /* when it ended */
	uint16_t n_sent, n_received, room;
	bool cut;
	uint8_t bytes[]; /* sent, then received */
};

/* A request behind an answer is another one. */
void exchange_note(struct exchange *e, enum fieldway_direction direction, const void *bytes,
		   size_t size);
/* Without memory it keeps what it has. */
void exchange_keep(struct poll *p, const struct exchange *e);
/* LINK_TYPE_EXCHANGE: of the request that reads the point; without bytes where none has been kept. */
int exchange_append(struct sd_bus_message *m, const struct device *d, uint32_t point);
