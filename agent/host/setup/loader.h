/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "api/plugin.h"
#include "base/macro.h"

/* Plugins of a folder, loaded once each and kept: a driver's code must outlive it. */
struct loader;

/* folder is copied. 0 or -ENOMEM. */
int loader_new(const char *folder, struct loader **ret);
struct loader *loader_free(struct loader *l);

/*
 * A plugin by name, operations that it lacks NULL. -ENOENT no such plugin,
 * -ELIBBAD it is none, or one for another version; text says it for people.
 */
int loader_get(struct loader *l, const char *name, const struct fieldway_plugin **ret, char *text,
	       size_t size);

/* Is this a descriptor that the host can work with? 0 or -ELIBBAD with text. For tests. */
int descriptor_check(const struct fieldway_plugin *plugin, const char *name, char *text,
		     size_t size);
