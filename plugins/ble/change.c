/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"

/*
 * Another configuration while the adapter is at work: connections of devices
 * that stay go on, and what was heard of them stays known.
 */

static const char gone[] = "its device has gone from the configuration";

static int make_remotes(struct fieldway_session *s, const struct fieldway_driver *const *drivers, size_t n,
			const uint32_t *before, struct remote **ret)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n; i++) {
		if (before[i] == UINT32_MAX)
			r = remote_new(s, drivers[i], (uint32_t)i, &ret[i]);
		else
			ret[i] = s->remotes[before[i]];
	}
	for (size_t i = 0; r < 0 && i < n; i++)
		if (before[i] == UINT32_MAX)
			remote_free(ret[i]);
	return r;
}

static bool stays(struct remote *const *remotes, size_t n, const struct remote *r)
{
	for (size_t i = 0; i < n; i++)
		if (remotes[i] == r)
			return true;
	return false;
}

/* True: some have gone, or come. */
static bool install(struct fieldway_session *s, struct remote **remotes, size_t n)
{
	struct remote **former = s->remotes;
	size_t n_former = s->n_remotes;
	bool other = n != n_former;

	s->remotes = remotes;
	s->n_remotes = n;
	for (size_t i = 0; i < n_former; i++) {
		if (stays(remotes, n, former[i]))
			continue;
		other = true;
		remote_leave(former[i]);
		remote_free(former[i]);
	}
	free(former);
	return other;
}

static void end_writes(struct fieldway_session *s, struct remote *const *remotes, size_t n)
{
	for (size_t i = 0; i < s->n_remotes; i++)
		if (!stays(remotes, n, s->remotes[i]))
			write_abort(s->remotes[i], -ECANCELED, gone);
}

int session_change(struct fieldway_session *s, const struct fieldway_bus *bus,
		   const struct fieldway_driver *const *drivers, size_t n_drivers, const uint32_t *before)
{
	struct remote **remotes = calloc(n_drivers + 1, sizeof(struct remote *));
	const char *capability;
	int r = remotes ? make_remotes(s, drivers, n_drivers, before, remotes) : -ENOMEM;

	if (r < 0) {
		free(remotes);
		return r;
	}
	capability = agent_capability(s);
	end_writes(s, remotes, n_drivers);
	for (size_t i = 0; i < n_drivers; i++) {
		remotes[i]->driver = drivers[i];
		remotes[i]->index = (uint32_t)i;
	}
	s->bus = bus;
	if (install(s, remotes, n_drivers))
		adapter_change(s, strcmp(capability, agent_capability(s)) != 0);
	session_tell(s);
	/* The new ones may be known already. */
	if (s->condition == CONDITION_READY)
		tree_look(s);
	s->host->timer_set(s->timer, 0);
	return 0;
}
