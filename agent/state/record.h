/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"

/*
 * A record in its file, big-endian: "FWST", version u16, zero u16, size of
 * the content u32, CRC-32 u32 of the 12 bytes before it and the content, then
 * the content.
 */
#define STATE_RECORD_VERSION 1u
#define STATE_RECORD_HEADER_BYTES 16u

/* Header for a content that follows it. */
void state_record_header(const void *data, size_t size, uint8_t ret[STATE_RECORD_HEADER_BYTES]);
/* The content of a whole file. -EBADMSG, -EPROTO: a version that is not ours (and undamaged). */
int state_record_parse(struct span file, struct span *ret);

/*
 * Files below folders that are open. All or nothing: temporary, fsync, rename;
 * the fsync of the folder is the caller's, once for several records.
 */
int state_record_write(int temporary, int records, const char *file, const void *data, size_t size);
/* Appends the content. -ENOENT, -EBADMSG, -EPROTO, errno. */
int state_record_read(int records, const char *file, struct buf *ret);
