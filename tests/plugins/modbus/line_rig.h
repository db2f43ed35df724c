/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <time.h>

#include "setup.h"
#include "tests/lib/simulated.h"

/* A line of the plugin to a simulated device, of every kind. */

#define plugin (&fieldway_plugin)
#define TIMEOUT_USEC UINT64_C(200000)
#define LONG_USEC UINT64_C(5000000)

enum {
	HOLDING,
	COIL,
	DISCRETE,
	INPUT,
	COIL_15,
	HOLDING_16,
	FLOAT,
	TEXT_123,
	BEYOND,
	OTHER,
	POINTS,
};

enum kind {
	TCP,
	TLS,
	RTU_TCP,
	ASCII_TCP,
	RTU,
	ASCII,
	KINDS,
};

struct fixture {
	enum kind kind;
	struct simulated simulated;
	struct fieldway_setting point_settings[POINTS][5];
	struct fieldway_point points[POINTS];
	struct fieldway_setting device_settings[4], bus_settings[8];
	char keys[3][24];
	struct fieldway_device device;
	struct fieldway_bus bus;
	struct fieldway_driver *driver;
	struct fieldway_line *line;
	char pty[64];
};

extern struct fixture f;

struct outcome {
	int r;
	struct fieldway_result result;
	bool broken;
	struct fieldway_sample sample; /* text lies in text_room */
};

extern char text_room[256];
extern char folder[]; /* of the certificates */

/* Of which answers can be told by their transaction. */
bool has_transactions(void);
bool is_serial(void);

/* Everything but the line. */
void prepare(int kind);
/* A setting more for the bus; make_driver() takes it up. */
void add_setting(struct fieldway_setting setting);
struct fieldway_setting file_setting(const char *key, const char *name);
void make_driver(void);
int open_line(struct fieldway_result *result);
/* prepare(), and the line. */
void start(int kind);
void start_with(int kind, struct fieldway_setting setting);
void stop(void);

uint64_t clock_usec(clockid_t id);
uint64_t deadline(uint64_t usec);
/* Of the simulator, which must not refuse. */
const char *ask(const char *command);
struct outcome read_until(uint32_t point, uint64_t deadline_usec);
struct outcome read_point(uint32_t point);
void reads(uint32_t point, uint64_t expected);
void fails(uint32_t point, int error, const char *detail);
void writes(uint32_t point, struct fieldway_value value, enum fieldway_outcome expected, int error);
struct fieldway_value number(int64_t i);

void make_certificates(void);
void remove_certificates(void);
