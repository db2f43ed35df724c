/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

struct record;
struct store;

/*
 * What a write is about to change, in words: "write /3/0/14 +01:00 -> +02:00".
 * Long values and long lists are cut. NULL without memory.
 */
char *audit_write(struct store *store, const struct record *records, size_t n);
/* How it ended, "done" or "failed", where reason (may be NULL) follows. Without one it is the error's text. */
const char *audit_end(int error, const char *reason);
