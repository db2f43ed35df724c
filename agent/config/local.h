/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/profile.h"

/*
 * The plugin `local`, which no host loads: a program of this machine gives the
 * values of its devices over D-Bus (dbus/agent1.h). They lie on a bus that no
 * file has.
 */
#define LOCAL_NAME "local"

/* The bus, which is made for the first who asks; the mark is his. -EINVAL: a file has one of its name. */
int local_bus(struct loader *l, struct yaml_mark mark);
/* Is there something at a point of a local device that only bytes from a wire have? */
int local_point_check(struct loader *l, const struct profile *p, const struct point_source *source);
/* The same of a profile. */
int local_profile_check(struct loader *l, const struct profile *p, const struct profile_section *section);
/* Who may publish; he has to be known to the system, where that can be asked. */
int local_owner_find(struct loader *l, struct yaml_mark owner, struct config_device *device);
