/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "secret/reference.h"

#define SECRET_REASON_MAX 512u

/* The keys of one file in memory. Reading touches nothing else, so a thread may do it. */
struct keyfile;

/*
 * Reads and checks a file. Errors as secret_lookup(), with a text in reason
 * (SECRET_REASON_MAX bytes) that never holds a key.
 */
int keyfile_read(const char *path, enum secret_kind kind, char *reason, struct keyfile **ret);
struct keyfile *keyfile_free(struct keyfile *k);
DEFINE_FREEP(struct keyfile *, keyfile_free)

/* Key of an identity (psk-file), or the only content (NULL). -ENOKEY. The bytes stay the keyfile's. */
int keyfile_find(const struct keyfile *k, const char *identity, const uint8_t **ret,
		 size_t *ret_size);
/* Mode and type; -EPERM, -EINVAL, -EFBIG. */
int keyfile_check_stat(const char *path, const struct stat *st, enum secret_kind kind,
		       char *reason);
/* How the file looked before it was read. */
const struct stat *keyfile_stat(const struct keyfile *k);
