/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"

/* The direction of a serial line with two wires: who switches it, and what comes back. */

#define RS485_REST_MAX_USEC 100000 /* as of the kernel's RS-485 mode: nobody waits for a deadline meanwhile */

enum rs485_mode {
	RS485_NONE,   /* nobody has to, or the adapter does */
	RS485_KERNEL, /* the port's driver (TIOCSRS485) */
	RS485_RTS,    /* we, by the RTS line */
};

struct rs485 {
	enum rs485_mode mode;
	bool rts_high;                    /* RTS is high while sending */
	bool echo;                        /* what is sent comes back */
	uint64_t before_usec, after_usec; /* rest between RTS and the bytes */
};

/* What the keys are called; RS485_SECTION("rtu") are those of RS485_KEYS("rtu"). */
struct rs485_section {
	const char *mode, *rts_active, *rts_before, *rts_after, *echo;
};
#define RS485_SECTION(section)                                                         \
	{ section ".rs485", section ".rts_active", section ".rts_before", section ".rts_after", section ".echo" }

extern const char *const rs485_mode_names[], *const rs485_level_names[];

/* Rows of a plugin's table, of its buses. */
#define RS485_KEYS(section)                                                                               \
	{ .name = section ".rs485", .scope = FIELDWAY_SCOPE_BUS, .type = FIELDWAY_STRING,                 \
	  .choices = rs485_mode_names, .help = "who switches the line's direction: none, kernel, rts (none)" }, \
	{ .name = section ".rts_active", .scope = FIELDWAY_SCOPE_BUS, .type = FIELDWAY_STRING,            \
	  .choices = rs485_level_names, .help = "RTS while sending (high)" },                             \
	{ .name = section ".rts_before", .scope = FIELDWAY_SCOPE_BUS, .flags = FIELDWAY_KEY_DURATION,     \
	  .type = FIELDWAY_UINT, .maximum = RS485_REST_MAX_USEC, .help = "between RTS and the first byte (0)" }, \
	{ .name = section ".rts_after", .scope = FIELDWAY_SCOPE_BUS, .flags = FIELDWAY_KEY_DURATION,      \
	  .type = FIELDWAY_UINT, .maximum = RS485_REST_MAX_USEC, .help = "between the last byte and RTS (0)" }, \
	{ .name = section ".echo", .scope = FIELDWAY_SCOPE_BUS, .type = FIELDWAY_BOOL,                    \
	  .help = "what is sent comes back, is checked and dropped (false)" }

/* 0, or -EINVAL with error. */
int rs485_compile(const struct fieldway_settings *s, const struct rs485_section *keys, struct rs485 *ret,
		  struct fieldway_error *error);

/* Makes an open port ready: it listens. 0 or a negative errno with *ret_why, a text for people. */
int rs485_start(int fd, const struct rs485 *r, const char **ret_why);
/* Before the first byte of what is sent. 0 or a negative errno. */
int rs485_begin(int fd, const struct rs485 *r);
/*
 * Behind the last: waits until it is out, where we switch. all: everything was
 * written. 0 or a negative errno; -ETIMEDOUT: it was not until then, and is dropped.
 */
int rs485_end(int fd, const struct rs485 *r, bool all, uint64_t deadline_usec);
