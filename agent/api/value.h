/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a plugin and its host exchange: a tagged value, with quality and time for what was read. */

enum fieldway_type {
	FIELDWAY_NONE = 0,
	FIELDWAY_BOOL,
	FIELDWAY_INT,
	FIELDWAY_UINT,
	FIELDWAY_FLOAT,
	FIELDWAY_STRING, /* UTF-8 */
	FIELDWAY_BYTES,
};

/* data of STRING and BYTES is owned by whoever made the value and lives as its call says. */
struct fieldway_value {
	enum fieldway_type type;
	union {
		bool boolean;
		int64_t integer;
		uint64_t unsignd;
		double real;
		struct {
			const char *data;
			size_t size;
		};
	};
};

enum fieldway_quality {
	FIELDWAY_GOOD = 0,
	FIELDWAY_INVALID, /* read, but the device or the configuration says that it is no value */
	FIELDWAY_FAILED,  /* not read; error says why, and a UINT how the device's protocol numbers that */
};

struct fieldway_sample {
	uint32_t point; /* index of the point in its device */
	enum fieldway_quality quality;
	int error;              /* negative errno with FAILED, else 0 */
	uint64_t boottime_usec; /* CLOCK_BOOTTIME when its last byte arrived */
	struct fieldway_value value;
};
