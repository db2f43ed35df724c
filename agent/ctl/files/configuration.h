/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/config.h"
#include "ctl/files/checker.h"
#include "state/identity.h"

/*
 * The configuration of this machine as the daemon would read it, for commands
 * about files: by the same code, with the names that the daemon has kept.
 */
struct configuration {
	struct config_files *files;
	struct definitions *definitions;
	struct fieldbus *fieldbus; /* asked for the plugins' keys */
	struct identity identity;
	struct config *config;
};

/* Rows for a command's table of options. */
#define STATE_OPTION { "state", "DIR", "folder of the daemon's state (" LOCALSTATEDIR "/lib/fieldway)" }
#define CONFIGURATION_OPTIONS CONFIG_OPTION, STATE_OPTION, CHECKER_OPTIONS
const char *state_folder(const struct invocation *i);
const char *shared_folder(const struct invocation *i);
const char *objects_folder(const struct invocation *i);

/*
 * Reads it. Warnings are not printed: `check` does. 0; -EINVAL: it is wrong, errors
 * are on standard error; others after a line there.
 */
int configuration_load(const struct invocation *i, struct configuration *ret);
/* The same of other files, such as those of last-good; they become the configuration's, also on failure. */
int configuration_load_files(const struct invocation *i, struct config_files *files,
			     struct configuration *ret);
void configuration_done(struct configuration *c);
#define _cleanup_configuration_ _cleanup_(configuration_done)
