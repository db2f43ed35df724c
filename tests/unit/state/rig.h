/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <limits.h>

#include "base/buf.h"
#include "state/state.h"

/* Records in a folder of their own, all of kind "k". */

extern char folder[PATH_MAX];
extern struct state *state;
extern struct buf loaded; /* what was loaded last */

void rig_set_up(void);
void rig_tear_down(void);
/* Of who has the state, without a loop. */
void restart(void);
/* Of a file of the folder; valid until the next call. */
const char *path_in(const char *name);
void save(const char *name, const char *text);
void assert_loads(const char *name, const char *text);
/* The bytes of a file of the folder. */
size_t read_raw(const char *name, uint8_t *data, size_t size);
void write_raw(const char *name, const void *data, size_t size);
