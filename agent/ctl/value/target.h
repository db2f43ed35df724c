/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/macro.h"
#include "ctl/ctl.h"
#include "ctl/daemon/client.h"
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

/*
 * Of the invocation's EP and PATH: finds the endpoint's object, and hands it to ask, with a client
 * whose messages are about both. The exit status of what ask returns, or of what came before it.
 */
int target_ask(const struct invocation *i, int (*ask)(struct client *c, const struct target *t,
						      const char *object, bool json));
