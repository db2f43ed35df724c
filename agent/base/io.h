/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct buf;

/* Files, where a call of the system does a part only. All return a negative errno when they fail. */

/* Reads until there are size bytes, or no more come: how many those were. */
ssize_t io_read(int fd, void *data, size_t size);
/* Writes them all, from where the descriptor stands. */
int io_write(int fd, const void *data, size_t size);
/*
 * Appends what a file of a folder has. Never follows a link, nor waits for whoever is behind a
 * name; -EBADMSG: it is no regular file, or has more than most bytes.
 */
int io_read_file(int folder, const char *name, size_t most, struct buf *ret);
/* Another name in the same folder, of which the disk knows when this is back. */
int io_rename(int folder, const char *from, const char *to);
