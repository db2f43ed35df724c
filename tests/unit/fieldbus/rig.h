/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/clock.h"
#include "fieldbus/internal.h"

/*
 * A fieldbus on fake_host, what its user sees, and a configuration made by
 * hand. The loop is turned by hand; every wait fails the test after
 * RIG_PATIENCE_USEC of real time.
 *
 * Bus 0 "hall1" has the devices 0 "m1", 1 "m2" and 3 "m4" (disabled), bus 1
 * "lan" has 2 "m3"; all of one type with the points 0 "level" (R), 1 "order"
 * (RW), 2 "mode" (R, with labels).
 */
#define RIG_PATIENCE_USEC (20 * USEC_PER_SEC)
#define RIG_DEVICES 4
#define RIG_BUSES 2
#define RIG_POINTS 3
enum rig_point {
	RIG_LEVEL,
	RIG_ORDER,
	RIG_MODE,
};

struct rig_configuration {
	struct config config;
	struct config_plugin plugin;
	struct config_plugin *plugins[1];
	struct config_bus buses[RIG_BUSES];
	struct config_device devices[RIG_DEVICES];
	struct config_type type;
	struct config_type *types[1];
	struct config_point points[RIG_POINTS];
	struct config_label labels[2];
	struct config_sample sample;
	struct fieldway_setting settings[8];
	struct fieldway_key keys[2]; /* `key` of an address, `ca` of a bus; the plugin has none of them at first */
};

struct rig {
	struct sd_event *event;
	struct timers *timers;
	struct fieldbus *fieldbus;
	struct rig_configuration c;
	char program[4096];
	/* Values. */
	unsigned n_values[RIG_DEVICES];
	struct fieldway_sample first; /* of the last ones, without text */
	size_t n_samples;
	/* States. */
	unsigned n_states[RIG_DEVICES];
	enum fieldbus_state states[RIG_DEVICES];
	/* What references lead to; NULL: "no such key". */
	const char *content;
	struct fieldbus_content asked; /* the last one; its texts live as long as the configuration */
	/* What the program of a local device is told to write. */
	bool no_program, any_value;
	uint32_t told;
	uint64_t serial;
	unsigned n_told;
	/* Ends of writes. */
	unsigned n_done;
	enum fieldway_outcome outcome;
	int error;
	char detail[512];
};

extern struct rig rig;

void rig_set_up(void);
void rig_tear_down(void);
/* Setting i of the configuration as `key: text`. */
struct fieldway_settings rig_setting(unsigned i, const char *key, const char *text);
void rig_start(void); /* and waits until all enabled devices are online */

void rig_turn(void);
uint64_t rig_now(void); /* real */
void rig_check_patience(uint64_t start_usec);
#define rig_until(condition)                              \
	do {                                              \
		uint64_t start_ = rig_now();              \
		while (!(condition)) {                    \
			rig_turn();                       \
			rig_check_patience(start_);       \
		}                                         \
	} while (0)
/* Moves the clock and fires what is due. */
void rig_advance(uint64_t usec);

/* A write of text to a device's RIG_ORDER: fake_host.c says what it does. */
int rig_try(uint32_t device, const char *order);
void rig_order(uint32_t device, const char *order); /* must be taken */
void rig_wait_order(uint32_t device, const char *order); /* and waits for its end */
void rig_done(void *userdata, enum fieldway_outcome outcome, int error, const char *detail);
struct host *rig_host(uint32_t device);
const char *rig_reason(uint32_t device);
struct fieldbus_statistics rig_statistics(uint32_t device);
/* Another process than before serves the device, and says that it is there. */
bool rig_is_back(uint32_t device, int before);
