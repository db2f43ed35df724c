/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/macro.h"
#include "ctl/ctl.h"
#include "model/path.h"

/* The EP and PATH of a command. */
struct target {
	const char *endpoint;
	struct path path;
	char path_text[PATH_TEXT_MAX];
	char *about; /* "m1 /3303/0/5700" */
};

/* EXIT_SUCCESS; or, after a line on standard error, EXIT_USAGE or EXIT_FAILURE. */
int target_take(const struct invocation *i, struct target *ret);
void target_done(struct target *t);
#define _cleanup_target_ _cleanup_(target_done)
