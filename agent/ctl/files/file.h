/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Files of the configuration as commands write them: all or nothing (a temporary
 * file beside it, fsync, rename, fsync of the folder), so that a daemon that
 * reads meanwhile sees the old one or the new one. A file that is there keeps
 * its owner, group and mode; a link is followed.
 */
struct file_rights {
	mode_t mode;	/* of a new file */
	bool is_secret; /* others lose what rights they have, and what root makes belongs to the group "fieldway" */
};

/* Rights of what everybody may read, and of keys. */
extern const struct file_rights rights_plain, rights_secret;

/* 0; negative errno, without a word. must_be_new: -EEXIST over a file that is there. */
int file_replace(const char *path, const void *data, size_t size, const struct file_rights *rights,
		 bool must_be_new);
/* Makes the folder that a file lies in, with rights of its kind, unless it is there. Its parent must be. */
int file_make_folder(const char *path, const struct file_rights *rights);
/*
 * A whole file with a NUL behind it; yours to free. -EFBIG: over `most` bytes, -EISDIR and
 * the like, without a word.
 */
int file_read(const char *path, size_t most, char **ret, size_t *ret_size);
/* The same, said: "fieldwayctl: PATH: Permission denied". Returns error. */
int file_complain(const char *path, int error);
