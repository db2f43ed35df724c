/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <check.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "base/arena.h"
#include "link/marshal.h"

/* A whole host in a process of its own, whose plugin (eventful.c) does what tests tell it. */

#define SOON_USEC UINT64_C(20000000)
#define MSEC UINT64_C(1000)
#define DEVICES 3
#define POINTS 3

struct seen {
	struct fieldway_sample sample;
	unsigned n;
};

extern sd_bus *peer;
extern pid_t pid;
extern struct arena arena;

/* What has come up the link. */
extern struct seen seen[DEVICES][POINTS];
extern struct link_counters counters[DEVICES];
extern uint8_t states[DEVICES];
extern char reasons[DEVICES][256];
extern unsigned n_states;
extern uint64_t generation;
extern char found[256]; /* the last one: address and facts */
extern unsigned n_found;

/* What start() configures: the first two devices are event-driven. */
extern struct link_point points[POINTS];
extern struct link_type type;
extern struct fieldway_setting bus_settings[1], addresses[DEVICES][2];
extern struct link_device devices[DEVICES];
extern struct link_configuration configuration;
extern uint64_t lend_usec; /* from the start; 0: not */

/* A fixture, and how its host has to end. */
void setup(void);
void ends_with(int expected);

uint64_t now(void);
void turn(void);
#define expect(condition)                                        \
	do {                                                     \
		uint64_t _end = now() + SOON_USEC;               \
		bool _is;                                        \
		while (!(_is = (condition)) && now() < _end)     \
			turn();                                  \
		ck_assert_msg(_is, "%s", #condition);            \
	} while (0)
/* The last sample of a point is good and this. */
bool has(uint32_t device, uint32_t point, double value);

/* To the plugin, and its next word. */
void tell(const char *format, ...);
bool is_told(char *ret, size_t size);
void told(const char *text);
/* What becomes of writes; known before the next one comes by another way. */
void mode(enum fieldway_outcome outcome);

/* Calls of Host1. */
int keep_answer(sd_bus_message *m, void *userdata, sd_bus_error *error);
sd_bus_message *call(sd_bus_message *m);
size_t configure(struct link_refusal **ret);
void start(void);
extern sd_bus_message *write_answer;
void ask_write(uint32_t device, uint32_t point, double value, uint64_t within_usec);
void write_ends(uint8_t outcome, int error, const char *part);
