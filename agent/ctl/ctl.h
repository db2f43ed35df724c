/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/* What the user asked for; all of it belongs to argv. */
struct invocation {
	const char *bus; /* "system", "session", or an address */
	char **arguments;
	int n;
};

/* A subcommand. */
struct command {
	const char *name, *arguments, *help; /* help: one line */
	const char *details; /* more lines for its --help, each with its newline; or NULL */
	int least, most;     /* arguments */
	bool bus;	     /* talks to the daemon, and takes --bus */
	int (*run)(const struct invocation *i); /* returns the exit status */
};

/* Exit status of wrong usage. */
#define EXIT_USAGE 2

extern const struct command command_status;
extern const struct command command_list;
extern const struct command command_read;
extern const struct command command_write;
extern const struct command command_explain;
extern const struct command command_import_object;

/*
 * Options and arguments behind the command's name; argv is put in order. Options
 * stand anywhere before "--"; what begins like a negative number is none. 0;
 * -EINVAL: wrong usage, said on standard error; -ECANCELED: --help was printed.
 */
int arguments_take(const struct command *c, int argc, char **argv, struct invocation *ret);
void command_print_help(FILE *to, const struct command *c);

/* Ends what was printed on standard output. The exit status: a full disk is no success. */
int output_finish(void);
