/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/macro.h"

struct state;

/*
 * The names of this machine that endpoint client names are made of. What was
 * found first is kept in the state folder: a host name that changes later must
 * not make new endpoints of old ones.
 */
struct identity {
	char *host_name, *machine_id;
};

/* state may be NULL: nothing is kept. -ENOMEM. */
int identity_read(struct state *state, struct identity *ret);
/* For programs beside the daemon: what it has kept in its folder, else what it would. -ENOMEM. */
int identity_peek(const char *folder, struct identity *ret);
void identity_done(struct identity *i);
#define _cleanup_identity_ _cleanup_(identity_done)
