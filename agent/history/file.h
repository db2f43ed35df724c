/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * A segment on the disk: a head, then frames with a checksum each, which are only
 * ever appended. What a power cut tears off is the last frame, and what was
 * damaged is left out.
 */
#define BOOT_ID_SIZE 16u

struct file_head {
	uint64_t first_id;
	uint8_t level; /* how often its records have been thinned */
	uint8_t boot_id[BOOT_ID_SIZE]; /* what ENTRY_RECORD_BOOT counts from */
};

#define FILE_HEAD_SIZE (8u + 8u + 1u + BOOT_ID_SIZE + 4u)
#define FILE_FRAME_HEAD_SIZE 8u
#define FILE_SIZE_MAX (16u << 20)

int file_put_head(struct buf *out, const struct file_head *head);
int file_put_frame(struct buf *out, struct span entries);

/*
 * entries: those of all whole frames, one behind the other; appended. 0; 1: some
 * of it is damaged or torn off; -EBADMSG: not even the head is whole, or it is too large; errno
 * of the file system.
 */
int file_read(int folder, const char *name, struct file_head *ret_head, struct buf *entries);
