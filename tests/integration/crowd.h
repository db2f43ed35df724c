/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <check.h>

#include "tests/unit/fieldbus/rig.h"

/* Many Modbus TCP devices, each at an address of its own, in a process of their own. */

#define CROWD_MAX 1000u
#define CROWD_PERIOD_USEC USEC_PER_SEC

extern struct crowd {
	unsigned n;
	uint16_t port;
	struct config_device devices[CROWD_MAX];
	/* What the devices see, in memory that their process shares with the test's. */
	struct crowd_seen {
		unsigned connections, open, requests;
		uint64_t last_usec, longest_usec; /* between two requests */
	} *seen;
} crowd;

void crowd_start(unsigned n);
void crowd_stop(void);
/* The rig, with a fieldbus that launches the program as built. */
void crowd_set_up(const struct fieldbus_ops *ops);
/* The rig's configuration: all of them on its first bus, each with the one point whose register, 0, holds 7. */
void crowd_configure(void);
struct fieldway_setting crowd_number(const char *key, uint64_t value);
/* main(): skipped where so many descriptors cannot be. */
int crowd_run(const char *name, const TTest *test, unsigned n);
