/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/config.h"
#include "ctl/files/configuration.h"
#include "secret/reference.h"

/* An endpoint at a server that it authenticates itself to by a key. */
struct target_key {
	const struct config_server *server;
	const char *name;   /* in YAML, "host" */
	const char *client; /* endpoint client name */
	char *identity;
};

/* A server with its file, and what it needs keys for: in the order of the configuration. */
struct target_server {
	const struct config_server *server;
	enum secret_kind kind;
	char *path; /* of the file that `key:` names */
	struct target_key *keys;
	size_t n, allocated;
};

struct targets {
	struct target_server *servers;
	size_t n;
};

/*
 * Those of the servers named by arguments from `first` on (none: all that have keys)
 * whose endpoints fit the option --endpoint. 0; -ENOENT: there is none, -EINVAL: one
 * has no keys, after a line on standard error; -ENOMEM.
 */
int targets_find(const struct invocation *i, int first, const struct configuration *c,
		 struct targets *ret);
/* All servers with keys, and all their endpoints; there may be none. 0 or -ENOMEM, without a word. */
int targets_with_keys(const struct invocation *i, const struct configuration *c, struct targets *ret);
void targets_done(struct targets *t);
#define _cleanup_targets_ _cleanup_(targets_done)

/* Where new keys wait until they are switched to. Yours to free; NULL without memory. */
char *target_pending(const struct target_server *s);
