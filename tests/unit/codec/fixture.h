/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "codec/codec.h"

/*
 * A codec_lookup of the few facts that the tests need: objects 1, 2, 3 and the
 * examples' 65-67 and 72. In object 1000 resource n has value type n, and n + 100
 * is the same as a multiple resource.
 */
const struct resource_definition *fixture_lookup(void *userdata, const struct path *path);
#define FIXTURE_OBJECT 1000
#define FIXTURE_MULTIPLE 100

struct path fixture_path(const char *text);
/* One line a record: "/3/0/9 integer 100"; opaque as base64. The caller frees it. */
char *fixture_format(const struct record *records, size_t n);
/* Hexadecimal digits, or text behind a '.' in which ' stands for ". The caller frees it. */
struct span fixture_bytes(const char *text);

int fixture_decode(enum content_format format, const char *base, const char *payload,
		   struct records *ret, const char **ret_reason);
/* The payload as fixture_bytes() takes it. */
char *fixture_encode(enum content_format format, const char *base, const struct records *records,
		     bool times);
