/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "api/plugin.h"
#include "base/arena.h"

/* What fieldway-plugin-check holds against a plugin: each part prints a line, and one for each complaint. */
struct check {
	const struct fieldway_plugin *plugin;
	const char *path;
	char *const *arguments; /* SCOPE.KEY=VALUE, NULL-terminated */
	struct arena arena;
	/* Of the arguments, as the host would give them. */
	struct fieldway_bus bus;
	struct fieldway_point point;
	struct fieldway_device device;
	unsigned complaints;
	bool refused; /* the plugin does not take these settings, and has said why */
};

/* The name of what comes; the last one that is printed is where a plugin crashed. */
void check_part(const char *name);
void check_complain(struct check *c, const char *format, ...) _printf_(2, 3);
/* A refusal has to say something, about a key that there is. */
void check_error(struct check *c, const char *operation, const struct fieldway_error *error);
/* The plugin does not take the settings: its right, but then nothing more can be tried. */
void check_refused(struct check *c, const struct fieldway_error *error);

/* What it exports, and functions that it must not call. -EBADMSG: it is no ELF file of this machine. */
int check_symbols(struct check *c);
void check_keys(struct check *c);
/* Fills bus, point and device in. -EINVAL: arguments are wrong or missing, which is printed. */
int check_settings(struct check *c);
/* Drivers, plans, decoding, writes. False: there is no driver to go on with. */
bool check_pure(struct check *c);
/* All of that in several threads at once, and what it leaves behind. */
void check_threads(struct check *c);
