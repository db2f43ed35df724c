/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/* A D-Bus error, for people. */
struct complaint {
	const char *about; /* what was asked for: "m1 /3303/0/5700"; "": nothing in particular */
	const char *bus;   /* as in struct invocation */
	const char *name;  /* of the error */
	const char *text;  /* of whoever sent it; or NULL */
	bool write;	   /* it was to change something */
	bool root;	   /* root asked for it */
	bool privileged;   /* needs rights that not everybody has */
};

/*
 * As errno, which exit_status() knows: -EHOSTDOWN (no daemon, nothing was asked),
 * -EACCES, -ENOENT (nothing of the name, no good value), -EIO.
 */
int complaint_error(const char *name);
/* One line: what failed, why, and what to do about it. */
void complaint_print(FILE *to, const struct complaint *c);
