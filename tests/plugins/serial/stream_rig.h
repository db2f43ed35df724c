/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "plugins/lib/moment.h"
#include "plugins/serial/driver.h"
#include "plugins/serial/stream.h"
#include "pty.h"
#include "setup.h"

/* Devices that speak by themselves, on a pty, with a host that is as small as can be. */

#define SECOND UINT64_C(1000000)

struct fieldway_watch {
	int fd;
	uint32_t events;
	fieldway_watch_handler handler;
	void *userdata;
	bool used;
};

struct fieldway_timer {
	uint64_t due;
	fieldway_timer_handler handler;
	void *userdata;
	bool used;
};

struct fieldway_ticket {
	unsigned ended;
	enum fieldway_outcome outcome;
	struct fieldway_result result;
};

struct stream_seen {
	struct fieldway_watch watches[8];
	struct fieldway_timer timers[8];
	double last[4], of_device[2];
	enum fieldway_quality quality[4];
	char word[32];
	unsigned samples, frames, errors, states;
	enum fieldway_device_state state;
	char reason[192];
	size_t received, sent;
};
extern struct stream_seen seen;

extern struct pty pty;
extern char link_path[128];
extern struct fieldway_driver *driver;
extern struct fieldway_session *session;
extern struct fieldway_bus bus;
extern struct fieldway_setting port_setting; /* of the bus */
extern const struct fieldway_host host;

/* One turn of the loop. */
void turn(void);

#define UNTIL(condition)                                                              \
	do {                                                                          \
		uint64_t until = moment_now_usec() + 10 * SECOND;                     \
		while (!(condition)) {                                                \
			ck_assert_msg(moment_now_usec() < until, "never: " #condition); \
			turn();                                                       \
		}                                                                     \
	} while (0)
/* The device, and points of it. */
extern const struct fieldway_device scale;
enum { TARE = 2, ZERO = 3, DISPLAY = 4 };
#define IDLE_TIMER 1 /* by the order in which they are made */

void plug(void);
void unplug(void);
/* A session with a device on the port that is plugged; start() plugs one, and has the scale on it. */
void start_with(const struct fieldway_device *device);
void start(void);
void stop(void);
void say(const char *bytes);

/* Runs it, with a port of the program's own. */
int stream_suite_run(Suite *suite);
