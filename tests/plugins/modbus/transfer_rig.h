/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "setup.h"
#include "tests/lib/simulated.h"

/* A device of many kinds of points, simulated on TCP or RTU, and a line to it. */

#define plugin (&fieldway_plugin)
#define TIMEOUT_USEC UINT64_C(200000)
#define LONG_USEC UINT64_C(5000000)

enum {
	BIT,
	MASK,
	MERGED,
	WIDE,
	BACK,
	ELSEWHERE,
	VENDOR,
	REVISION,
	NAME,
	EXTRA,
	UNKNOWN,
	POWER,
	LIMIT,
	BATTERY,
	FAR,
	ID,
	PLAIN,
	POINTS,
};

struct fixture {
	bool serial;
	struct simulated simulated;
	struct fieldway_point points[POINTS];
	struct fieldway_setting device_settings[5], bus_settings[3];
	struct fieldway_device device;
	struct fieldway_bus bus;
	struct fieldway_driver *driver;
	struct fieldway_line *line;
	char pty[64], text[4096];
	struct fieldway_result result;
};

extern struct fixture f;

/* The simulator alone. */
void simulate(bool serial);
/* What f.bus and f.device are then; the test may change them before open_line(). */
void make_device(uint64_t unit);
void open_line(void);
/* All of that, for unit 1. */
void start(bool serial);
void stop(void);

/* On the monotonic clock, in so much time. */
uint64_t deadline(uint64_t usec);
/* Of the simulator, which must not refuse. */
const char *ask(const char *command);
/* How many requests came until now. */
int requests(void);

/* Points of one request; what went wrong is in f.result, texts lie in f.text. */
int read_until(const uint32_t *points, size_t n, uint64_t deadline_usec, struct fieldway_sample *samples);
int read_points(const uint32_t *points, size_t n, struct fieldway_sample *samples);
struct fieldway_sample read_one(uint32_t point);
void reads(uint32_t point, int64_t expected);
void reads_nothing(uint32_t point);
void fails(uint32_t point, int error);
void writes(uint32_t point, struct fieldway_value value, enum fieldway_outcome expected, int error);
struct fieldway_value number(int64_t i);
struct fieldway_value on(bool b);
