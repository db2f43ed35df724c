/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <check.h>

#include "config/config.h"

/* A configuration made of texts, with plugins that only have key tables. */
struct fixture {
	struct config_files *files;
	struct definitions *definitions;
	struct yaml_errors errors, warnings;
	struct config_sources sources;
	struct config *config;
	/* After fixture_read(); warnings of points that nothing maps are apart. */
	char *error_text, *warning_text, *unmapped_text;
};

struct fixture *fixture_new(void);
struct fixture *fixture_free(struct fixture *f);
/* Adds a file of the own folder, named as in messages: "fieldway.yaml", "buses.d/hall.yaml" ... */
void fixture_file(struct fixture *f, enum config_place place, const char *name, const char *text);
void fixture_shared(struct fixture *f, enum config_place place, const char *name, const char *text);
/*
 * A whole small configuration of which one file has this text: letter m
 * fieldway.yaml, b a bus, p a profile, d devices; capital letters: without the
 * lines that such a file starts with.
 */
void fixture_case(struct fixture *f, char letter, const char *text);
/* Forgets files, messages and the configuration; definitions stay. */
void fixture_reset(struct fixture *f);
int fixture_read(struct fixture *f);
/* Reads and fails the test with all messages when something is wrong. */
struct config *fixture_good(struct fixture *f);

/*
 * Tables like those of the Modbus plugin, one of a plugin that cannot write, and one
 * with keys whose names the user chooses, lists, secrets and contents.
 */
extern const struct config_plugin fixture_modbus, fixture_reader, fixture_talker;
