/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/timer.h"
#include "model/definition.h"
#include "observe/observation.h"

/* Observations over a real store, on a clock that the test moves. */

extern struct definitions *definitions;
extern struct store *store;
extern struct timers *timers;
extern struct attribute_set *attributes;
extern struct observations *observations;
extern unsigned second; /* how many have passed */

/* objects: definitions in YAML. config: without timers and attributes. */
void rig_set_up(const char *objects, const struct observations_config *config);
/* Nothing is armed any more. */
void rig_tear_down(void);
struct path path_of(const char *text);
void pass(unsigned seconds);
