/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/record.h"

struct buf;

/* Bits 7 and 6 of a type byte (Core table 7.5.5-1). */
enum tlv_kind {
	TLV_INSTANCE = 0,
	TLV_RESOURCE_INSTANCE = 1,
	TLV_MULTIPLE = 2,
	TLV_RESOURCE = 3,
};

/* Bit 5: the id has two bytes. */
#define TLV_WIDE_ID 0x20u
/* A length has three bytes at most. */
#define TLV_SIZE_MAX 0xffffffu

/* struct codec's encode; records ascending. */
int tlv_encode(const struct path *base, const struct record *records, size_t n, bool times,
	       struct buf *out);
