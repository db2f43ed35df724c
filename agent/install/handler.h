/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "install/protocol.h"

/*
 * Whether folder has a handler of that name that root vouches for: a file that
 * can be executed, and that nobody but the user of this process may change, nor
 * what is in its folder. path becomes its path. -ENOENT; -EACCES, and reason says why.
 */
int handler_find(const char *folder, const char *name, char *path, size_t size,
		 char reason[INSTALL_TEXT_MAX]);

/* What a handler prints to people who ask for a package's name and version: no more is read. */
#define HANDLER_OUTPUT_MAX 4096u

struct handler_run {
	const char *program;
	const char *action;
	const char *package; /* its second argument; NULL: none */
	int input;	     /* its standard input; -1: nothing */
	uint32_t severity, defer_s;
	const char *software; /* "": none */
	bool collect;	     /* its standard output, which else goes where its complaints go */
};

/*
 * Runs it and waits for its end. 0, and *ret_code is its exit status,
 * INSTALL_CODE_FAILED for an end by a signal; errno: it could not be started.
 * output: HANDLER_OUTPUT_MAX bytes, *ret_size of them are used; NULL without collect.
 */
int handler_run(const struct handler_run *run, uint8_t *ret_code, char *output, size_t *ret_size);
