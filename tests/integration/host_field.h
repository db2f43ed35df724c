/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "host_rig.h"
#include "tests/lib/simulated.h"

/* A running plugin host with plugins/modbus, and the simulated devices that it polls. */

#define MSEC UINT64_C(1000)
#define PERIOD_USEC (100 * MSEC)
#define TIMEOUT_USEC (120 * MSEC)

enum {
	VOLTS,
	LEVEL,
	RUN,
	RUNNING,
	SERIAL,
	MODE,
	NAME,
	GAP,
	FAR,
	POINTS,
};

struct field {
	struct rig rig;
	struct simulated simulated;
	struct fieldway_setting point_settings[POINTS][4];
	struct link_point points[POINTS];
	struct fieldway_value no_value; /* of GAP */
	struct link_type type;
	struct fieldway_setting bus_settings[3], addresses[RIG_DEVICES][3];
	struct link_device devices[RIG_DEVICES];
	struct link_configuration configuration;
	struct arena arena;
	struct link_refusal *refusals;
	char names[RIG_DEVICES][8];
};

extern struct field field;
#define rig (&field.rig)

/* A device on each of the simulator's TCP places. */
void field_start_tcp(size_t n_devices);
/* Units 1, which answers, and 2 and so on, which nobody has, on one serial line. */
void field_start_rtu(size_t n_devices);
void field_stop(void);

/* Configures the host, which must have nothing against it. */
void field_configure(void);
/* The simulator's answer to a command; it must have one. */
const char *field_ask(const char *command);
unsigned long field_requests(const char *command);
/* The last sample of a point; is it good and equal to value? */
const struct fieldway_sample *field_sample(uint32_t device, uint32_t point);
bool field_has(uint32_t device, uint32_t point, double value);
struct rig_outcome field_write(uint32_t device, uint32_t point, double number);

#define expect_outcome(o, expected, expected_error, part)                                          \
	do {                                                                                       \
		struct rig_outcome _o = (o);                                                       \
		ck_assert_msg(_o.outcome == (expected) && _o.error == (expected_error),            \
			      "%u %d %s", _o.outcome, _o.error, _o.text);                          \
		ck_assert_msg(strstr(_o.text, (part)) != NULL, "%s", _o.text);                     \
	} while (0)
