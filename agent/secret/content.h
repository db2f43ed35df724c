/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A whole file into memory that secret_free() takes. As secret_content(); reason has SECRET_REASON_MAX bytes. */
int content_read(const char *path, bool is_private, char *reason, uint8_t **ret, size_t *ret_size);
