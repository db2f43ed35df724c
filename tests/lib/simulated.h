/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* Runs tests/lib/modbus_simulator from a test; it ends with the test, whatever becomes of that. */

struct simulated {
	pid_t pid;
	FILE *in, *out;
	char place[16][128]; /* "127.0.0.1:40001", or the path of the serial line, by index */
	uint16_t port[16];   /* TCP */
	size_t n;
};

/* arguments: of the program, NULL-terminated, without its name. Returns when all of it can be reached. 0 or -errno. */
int simulated_start(struct simulated *s, const char *const *arguments);
void simulated_stop(struct simulated *s);
/*
 * Sends a command and returns what follows "ok " ("" for nothing), valid until
 * the next call; NULL for an error. Traces in between go to stderr.
 */
const char *simulated_ask(struct simulated *s, const char *command);
