/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "pattern.h"

/* Bytes as a configuration writes them: \r \n \t \0 \e \\ \{ \} and \xHH are one byte each. */

/*
 * One byte of text, from *at on. Returns the byte and moves *at behind it, or
 * -EINVAL: a backslash before something else.
 */
int text_byte(const char *text, size_t size, size_t *at);

/* All of a text. 0 and the number of bytes, -EINVAL, or -ENOBUFS when there are more than max. */
int text_bytes(const char *text, size_t size, uint8_t *ret, size_t max, size_t *ret_size);

/* The same without blanks at both ends. */
struct slice slice_trim(struct slice s);
int slice_equals(struct slice s, const char *text, size_t size);
