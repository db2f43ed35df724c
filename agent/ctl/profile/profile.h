/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/config.h"
#include "ctl/ctl.h"

struct client;
struct definitions;
struct fieldbus;

/*
 * One profile as the daemon reads it: by the same code, with those that it
 * extends and the object definitions of both folders, but without the buses,
 * devices and other profiles of this machine.
 */
struct profile_load {
	char *name;
	struct fieldbus *fieldbus; /* asked for the plugins' keys */
	struct definitions *definitions;
	struct config *config;
};

/* What its device is to be; all of it text of the command line. */
struct profile_device {
	const char *plugin; /* of the bus; NULL: the profile's own, and there is no address */
	const struct given_option *address;
	size_t n_address;
};

/*
 * what: a file (a '/' in it, or the suffix .yaml), or the name of a profile in
 * the own or the shipped folder. device: it gets one, named "try", on bus "try";
 * -p options are its parameters. NULL: only the profile, and its samples. 0; or
 * negative after lines on standard error.
 */
#define PROFILE_COMMAND_LINE "(command line)" /* the file that device and parameters stand in */
int profile_load(const struct invocation *i, const char *what, const struct profile_device *device,
		 struct profile_load *ret);
void profile_load_done(struct profile_load *l);
#define _cleanup_profile_load_ _cleanup_(profile_load_done)

/* The parts of `fieldwayctl profile`; each returns the exit status. */
int profile_test(const struct invocation *i);
int profile_try(const struct invocation *i);
int profile_show(const struct invocation *i);

/* Lines of errors or warnings on standard error, harmless to a terminal. */
void profile_print_errors(const struct yaml_errors *errors, const char *suffix);
