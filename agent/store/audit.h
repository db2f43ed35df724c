/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

struct record;
struct store;

/* Message id of "who wrote what", for journalctl MESSAGE_ID=. */
#define AUDIT_MESSAGE_ID "6a1f6a1b0c9c4f0e8a7e5a3d4c1b9f27"

/*
 * What a write is about to change, in words: "write /3/0/14 +01:00 -> +02:00".
 * Long values and long lists are cut. NULL without memory.
 */
char *audit_write(struct store *store, const struct record *records, size_t n);
/* How it ended, "done" or "failed", where reason (may be NULL) follows. Without one it is the error's text. */
const char *audit_end(int error, const char *reason);
