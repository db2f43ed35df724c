/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/yaml.h"
#include "config/config.h"

struct fieldbus;
struct secret_store;

/* From the files of a configuration to what the agent runs on. */

struct load_sources {
	const char *config_folder;    /* handlers of packages are looked for in its install.d */
	const char *objects_folder;   /* the shipped object definitions */
	const char *host_socket;      /* NULL: none */
	const char *host_program;     /* asked for key tables and what only plugins can judge */
	const char *plugin_folder;
	struct secret_store *secrets; /* relative references start at the configuration folder */
	const char *host_name, *machine_id;
	bool plugins_optional;	      /* as config_sources has it */
	bool keys_optional;	      /* keys of servers that cannot be used are a warning: handshakes will fail */
	const int *stop_fd;	      /* when it is readable nobody wants the configuration any more; NULL: never */
};

struct loaded {
	struct definitions *definitions;
	struct config *config;
	struct fieldbus *describer; /* has the key tables that config points to, and its lines; runs nothing */
};

/*
 * Reads, checks everything, and leaves nothing behind when it fails: -EINVAL
 * with file:line:column messages in errors, -ENOMEM, -ECANCELED by stop_fd.
 * Blocks while plugins are asked; any thread may do it, with secrets of its own.
 */
int load_files(const struct load_sources *sources, const struct config_files *files,
	       struct yaml_errors *errors, struct yaml_errors *warnings, struct loaded *ret);
void loaded_done(struct loaded *l);
/* By stop_fd of load_sources. */
bool load_is_stopped(const int *stop_fd);

/*
 * check.c: what config/ cannot know: URIs, keys, content formats, limits. -EINVAL with entries in errors.
 * Endpoints without a key are a warning.
 */
int load_check(const struct load_sources *sources, const struct config *config,
	       struct yaml_errors *errors, struct yaml_errors *warnings);
/* advice.c: what is right and does not do what somebody may expect of it. -ENOMEM. */
int load_advise(const struct load_sources *sources, const struct config *config, struct yaml_errors *warnings);
