/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/* An Execute's arguments are at most this long. */
#define EXECUTE_ARGUMENT_MAX 1024u

/*
 * 0 when the text is empty or `arg *("," arg)` with arg = digit ["='" chars
 * "'"], no digit twice, no space and no quote among the chars (Core 6.3.5);
 * -EINVAL otherwise.
 */
int execute_argument_check(const char *text, size_t size);
