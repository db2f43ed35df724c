/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/difference.h"
#include "gateway/configuration/load.h"

struct sd_event;

/*
 * Reads a configuration beside the one that runs, in a thread of its own: with
 * thousands of devices, or plugins that take their time, it takes seconds that
 * the loop does not have.
 */
struct reader;

struct reader_config {
	struct sd_event *event;
	/* As load.h has it; secrets and stop_fd are not looked at. All must outlive the reader. */
	struct load_sources sources;
	const char *config_folder, *shared_folder;
	/* Read again instead of the folders, or NULL; taken over, also on failure. */
	struct config_files *files;
	/* Does not change, nor go, before the reader is done. NULL: nothing is compared. */
	const struct config *before;
	const char *state_folder; /* as unreached_tell() has it */
};

/* What came of it. */
struct reading {
	int error; /* 0; -EINVAL with errors, -ENOMEM ... */
	struct yaml_errors errors, warnings;
	struct yaml_errors unreached; /* unreached_tell() */
	struct config_files *files;	      /* NULL: the folders could not be read */
	struct loaded loaded;		      /* with error 0 */
	struct config_difference *difference; /* the same, where there was something before */
};
void reading_done(struct reading *r);

/*
 * done runs once, from the loop, unless the reader is freed before; it takes
 * *reading over, and may free the reader.
 */
typedef void (*reader_done)(void *userdata, struct reading *reading);
int reader_new(const struct reader_config *config, reader_done done, void *userdata, struct reader **ret);
/* Waits for the thread, which gives up what it asks plugins, but not what it computes. */
struct reader *reader_free(struct reader *r);
