/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A subcommand: arguments behind its name. Returns the exit status. */
struct command {
	const char *name, *arguments, *help;
	int (*run)(int argc, char **argv);
};

/* Exit status of wrong usage. */
#define EXIT_USAGE 2

int import_object_main(int argc, char **argv);
