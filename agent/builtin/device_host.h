/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Shared by the files of the host's object 3 only. */

#include "base/timer.h"
#include "builtin/internal.h"

/* Core appendix E.4 */
enum {
	DEVICE_FACTORY_RESET = 5,
	DEVICE_POWER_SOURCES = 6,
	DEVICE_VOLTAGE = 7,
	DEVICE_CURRENT = 8,
	DEVICE_BATTERY_LEVEL = 9,
	DEVICE_MEMORY_FREE = 10,
	DEVICE_ERROR_CODE = 11,
	DEVICE_RESET_ERRORS = 12,
	DEVICE_TIME = 13,
	DEVICE_UTC_OFFSET = 14,
	DEVICE_TIMEZONE = 15,
	DEVICE_BATTERY_STATUS = 20,
	DEVICE_MEMORY_TOTAL = 21,
};

/* Values of /3/0/11; bits of a mask are their numbers. */
enum {
	ERROR_LOW_BATTERY = 1,
	ERROR_NO_SUPPLY = 2,
	ERROR_OUT_OF_MEMORY = 5,
	ERROR_CODES = 33,
};

struct device_host {
	struct builtin *builtin;
	bool may_reboot, may_set_time, may_set_timezone, may_factory_reset;
	struct builtin_clock clock;
	uint64_t own_errors, other_errors; /* by number: of this machine, and of what it shows */
	uint64_t errors; /* both */
	uint64_t reset;	 /* those of them that a server has reset: not told until they come anew */
	uint64_t free_kb; /* that was told last */
	struct timer timer;
	struct timer reboot, factory_reset;
};

/* Nobody stands behind a resource of /3/0 yet: now h does, by ops. */
int device_host_back(struct device_host *h, uint16_t resource, const struct backing_ops *ops);

/* device_clock.c: /3/0/13 to 15 */
int clock_init(struct device_host *h);

/* device_facts.c: what the kernel says */
int facts_init(struct device_host *h);
