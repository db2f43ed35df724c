/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

/*
 * A psk-file as it is edited: lines "identity:hex" that a command replaces or adds;
 * all others, and their order, stay as they are. Memory that held keys is wiped.
 */
struct keyring;

/* A file that is not there is empty. 0; negative errno after a line on standard error. */
int keyring_read(const char *path, struct keyring **ret);
/* Replaces the file (files/file.h); likewise. */
int keyring_write(const struct keyring *k);
struct keyring *keyring_free(struct keyring *k);
DEFINE_FREEP(struct keyring *, keyring_free)

bool keyring_has(const struct keyring *k, const char *identity);
size_t keyring_count(const struct keyring *k); /* of identities */
/* -ENOMEM; -EINVAL: the identity cannot stand in such a file. */
int keyring_put(struct keyring *k, const char *identity, const uint8_t *key, size_t size);
/* Puts everything that `from` has. */
int keyring_merge(struct keyring *k, const struct keyring *from);
