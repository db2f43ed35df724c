/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "ctl/ctl.h"

/*
 * `fieldwayd --check`, run for a command: one program reads the files, so what a
 * command is about to write is judged by the daemon itself.
 */

/* Rows for a command's table of options: the daemon's program and its folders. */
#define CHECKER_OPTIONS                                                                            \
	{ "daemon", "FILE", "the program that checks (" SBINDIR "/fieldwayd)" },                   \
		{ "shared", "DIR", "folder of shipped profiles" },                                 \
		{ "objects", "DIR", "folder of shipped object definitions" },                      \
		{ "plugins", "DIR", "folder of plugins" },                                         \
	{                                                                                          \
		"host-program", "FILE", "program that loads plugins"                               \
	}

/* Where the configuration is, for commands that have that option. */
#define CONFIG_OPTION { "config", "DIR", "folder of the configuration (" SYSCONFDIR "/fieldway)" }
const char *config_folder(const struct invocation *i);

/* What it may say at most; it has limits of its own. */
#define CHECKER_BYTES_MAX (4u << 20)

/*
 * Checks a folder; those of CHECKER_OPTIONS that are given are handed on. 0: it is
 * accepted; -EINVAL: it is refused; others: it did not run, after a line on standard
 * error. ret_lines: what it said, warnings too, to be printed or looked at.
 */
int checker_run(const struct invocation *i, const char *folder, struct buf *ret_lines);
/* Messages about a copy name the files that it is to become: `from` in them is `to`. 0 or -ENOMEM. */
int checker_rename(struct buf *lines, const char *from, const char *to);
/* Those lines on standard error, harmless to a terminal. */
void checker_print(const struct buf *lines);

struct json_t;
/* [{file, line, column, text, warning}]; file null, line and column 0 where none is said. */
struct json_t *checker_document(const struct buf *lines);
