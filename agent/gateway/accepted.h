/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/load.h"

struct state;

enum accepted_from {
	ACCEPTED_FILES,
	ACCEPTED_LAST_GOOD, /* the files are wrong */
};

/*
 * The configuration to run on: that of the folders, or, where its files are
 * wrong, the last one that was accepted (design: Boot). What is accepted is
 * kept. Errors and warnings are logged. -EBADMSG: neither is usable.
 * ret_errors: those of the files, a line each; empty when they are good.
 */
int accepted_load(const struct load_sources *sources, const char *config_folder,
		  const char *shared_folder, struct state *state, struct loaded *ret,
		  enum accepted_from *ret_from, struct buf *ret_errors);
