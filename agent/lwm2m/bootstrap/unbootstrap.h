/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct store;
struct path;

/*
 * What goes along with the /0 of a server (Transport 5.2.5): its /1, its
 * entries in /2 and, where it alone had rights to an instance that servers
 * make, that instance. What it owned and others may use belongs to the one of
 * those with the most of Write and Delete from then on; without others to
 * whoever bootstraps (65535). Its registration and its observations are the
 * owner's of the accounts to end.
 */
struct unbootstrap_terms {
	/* May this instance go? The agent's own stay. */
	bool (*may_delete)(void *userdata, const struct path *instance);
	void *userdata;
};

/* 0, or -ENOMEM. */
int unbootstrap(struct store *s, uint16_t short_id, const struct unbootstrap_terms *terms);
