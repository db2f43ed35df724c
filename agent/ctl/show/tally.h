/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ctl/daemon/inventory.h"

/* Things of one name: a server's accounts, a bus's devices, endpoints in a state. */
struct tally {
	const char *name, *about; /* about: a server's URI; or "" */
	size_t good, total, disabled;
};

struct tallies {
	struct tally *items;
	size_t n, allocated;
	size_t last; /* found; neighbours are mostly of one name */
};

/* By name; states with "registered" in front. 0 or -ENOMEM. */
int tally_servers(struct tallies *t, const struct inventory *i);
int tally_buses(struct tallies *t, const struct inventory *i); /* good: online */
int tally_states(struct tallies *t,
		 const struct inventory *i); /* of endpoints; only total counts */
/* Those with total above good in front. */
void tallies_trouble_first(struct tallies *t);
void tallies_done(struct tallies *t);
#define _cleanup_tallies_ _cleanup_(tallies_done)
