/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The character sets of RFC 6690 section 2, for the writer and the parser. False for NUL. */
bool link_is_name(char c);
bool link_is_token(char c);
bool link_is_text(const char *text, size_t size);
