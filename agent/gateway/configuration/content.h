/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "fieldbus/fieldbus.h"

struct secret_store;

/*
 * What a key or file of a bus or device leads to (fieldbus_config.content):
 * `file:F` one key in hex, `table:F` the line of the device's `mac:`, in either
 * case, or of its name or the bus's; of a key that is a file, its content. Errors as
 * secret_lookup() and secret_content(), with secret_reason().
 */
int content_find(struct secret_store *s, const struct fieldbus_content *what, uint8_t **ret,
		 size_t *ret_size);
