/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ctl/files/checker.h"

/*
 * Changes of the configuration's files that are checked before they are made: the
 * daemon's own check reads a folder that has them (links to all that stays), and only
 * when it accepts that they are written, each file whole.
 */
struct edit {
	char *path; /* below the configuration's folder: "devices.d/site.yaml" */
	char *text; /* NULL: the file is removed */
	size_t size;
	bool is_new; /* a file that is there is not replaced: -EEXIST */
	bool is_secret; /* nobody else reads it, and --print does not either */
};

#define EDITS_MAX 256u
struct edits {
	struct edit items[EDITS_MAX];
	size_t n;
};

/* Copies path, takes text (also on failure). -ENOMEM; -E2BIG. */
int edits_add(struct edits *e, const char *path, char *text, size_t size, bool is_new);
/* The same of a new file of keys. */
int edits_add_secret(struct edits *e, const char *path, char *text);
void edits_done(struct edits *e);
#define _cleanup_edits_ _cleanup_(edits_done)

/*
 * Checks and writes. --print: prints the files' texts instead, and --force writes what is
 * refused, too. 0; or negative after lines on standard error: then nothing was changed
 * (or, of several files, the last ones were not, which is said).
 */
#define EDIT_OPTIONS                                                                               \
	{ "print", NULL, "print what would be written, and write nothing" },                       \
	{                                                                                          \
		"force", NULL, "write it even if it is refused"                                    \
	}
int edits_commit(const struct edits *e, const struct invocation *i);
/* After a commit: what to do so that it counts; with --json the document {files: [], printed}. */
int edits_tell(const struct edits *e, const struct invocation *i);
