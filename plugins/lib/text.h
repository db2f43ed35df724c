/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Is it well-formed UTF-8 (RFC 3629 section 4: no overlong forms, no surrogates)? */
bool text_is_utf8(const char *text, size_t size);
