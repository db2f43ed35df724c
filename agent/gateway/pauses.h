/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "dbus/dbus.h"

struct state;

/*
 * What users have paused: endpoints that stay away from their server, devices
 * and buses that are left alone. Kept by name, over restarts and whatever
 * becomes of the configuration meanwhile; a record of the state folder each
 * time that it changes.
 */
struct pauses;

#define PAUSES_MAX 32768u

struct pause {
	enum dbus_kind kind;
	char *name; /* in YAML, "host" */
	struct dbus_pause by;
};

/* With what was kept; a damaged record is logged and lost. state may be NULL. -ENOMEM. */
int pauses_new(struct state *state, struct pauses **ret);
struct pauses *pauses_free(struct pauses *p);
/* NULL: it is not paused. Lives until the next change. */
const struct pause *pauses_find(const struct pauses *p, enum dbus_kind kind, const char *name);
bool pauses_is_empty(const struct pauses *p);
/*
 * 1: it is now; 0: it was before. -ENOSPC: PAUSES_MAX are; else as state_save(),
 * and nothing has changed.
 */
int pauses_add(struct pauses *p, enum dbus_kind kind, const char *name, uid_t uid);
/* 1: it was and is not now; 0: it was not. As pauses_add(). */
int pauses_remove(struct pauses *p, enum dbus_kind kind, const char *name);

/* What has another name now. */
struct pause_move {
	enum dbus_kind kind;
	const char *from, *to;
};
/*
 * All at once, so that names may be exchanged; what is not paused is passed over.
 * How many were; as state_save(), or -ENOMEM: those are as good as moved until the
 * agent ends.
 */
int pauses_move(struct pauses *p, const struct pause_move *moves, size_t n);
