/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ctl/ctl.h"

/*
 * One tar file of this machine's configuration and state. Its members are "fieldway-backup" (JSON:
 * version, program, keys), "config/..." and "state/...". tar(1) packs and unpacks.
 */
#define ARCHIVE_VERSION 1
#define ARCHIVE_MANIFEST "fieldway-backup"

/* A folder of our own that is removed with all that is in it; mode 0700. */
struct scratch {
	char folder[sizeof("/tmp/fieldway-backup-XXXXXX")];
};
/* 0, or negative after a line on standard error. */
int scratch_make(struct scratch *s);
void scratch_remove(struct scratch *s);

/* Runs tar(1) or cp(1), with its errors on standard error; arguments end with NULL. 0; -EIO. most: highest exit status that will do. */
int tool_run(const char *const *words, int most);

/* "FOLDER/NAME", yours to free; NULL without memory. */
char *path_join(const char *folder, const char *name);
