/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/timer.h"
#include "builtin/builtin.h"

/* A store with the definitions of objects/, into which a test puts objects of the agent. */

extern struct definitions *definitions;
extern struct timers *timers;
extern struct store *store;
extern struct builtin *builtin; /* the test makes it */
/* What the store told since rig_watch(), or since the test emptied it: "/3/0/9 /3/0/10 ". */
extern char changes[512];

void rig_set_up(void);
void rig_tear_down(void);
/* Everything below objects/; the caller frees it. */
void rig_watch(void);
struct path path_of(const char *text);
/* The value as text; want NULL: it is not there. */
void expect(const char *path, const char *want);
