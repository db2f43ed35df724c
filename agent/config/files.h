/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/config.h"

#define CONFIG_BYTES_MAX (256u << 20) /* of all files together */

struct config_files {
	struct config_file *items;
	size_t n, allocated;
	size_t bytes;
};

/* revision.c: is it the file of the profile of this name, and the revision in it, or 0. */
bool is_file_of(const struct config_file *file, const char *profile);
uint64_t file_revision(const struct config_file *file);
/* Copies name and text. -ENOMEM; -E2BIG over CONFIG_FILES_MAX or CONFIG_BYTES_MAX. */
int files_add(struct config_files *f, enum config_place place, bool shared, const char *name,
	      const void *text, size_t size);
