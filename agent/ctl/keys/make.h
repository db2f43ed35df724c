/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "secret/reference.h"

/*
 * A new file of one secret: the key of `file:` in hexadecimal, or the master of
 * `derive:`, whose keys HKDF makes (secret/derive.h). -EEXIST: it is there already;
 * negative errno, without a word.
 */
#define MASTER_BYTES 32u
int make_single(const char *path, enum secret_kind kind, size_t length);
