/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ctl/keys/targets.h"
#include "secret/secret.h"

/* The parts of `fieldwayctl credentials`; each returns what exit_status() takes. */
int credentials_create(const struct invocation *i);
int credentials_export(const struct invocation *i);
int credentials_rotate(const struct invocation *i);
int credentials_status(const struct invocation *i);

/* What they share. */

#define CREDENTIAL_BYTES 16u /* RFC 7925, 4.2: of a key that a machine makes */

/* --length in bytes, 16 to 64. 0, or -EDOM after a line on standard error. */
int credentials_length(const struct invocation *i, size_t *ret);
/* Random bytes of GnuTLS. -EIO. */
int credentials_random(uint8_t *ret, size_t size);
/*
 * A new psk-file's lines for all identities that have none in it (all: for all of them).
 * *ret_n: how many. Negative after a line on standard error.
 */
struct keyring;
int credentials_fill(struct keyring *k, const struct target_server *s, size_t length, bool all,
		     size_t *ret_n);

/* Keys as files have them now: a table of fingerprints, or the document. */
struct key_report;
int key_report_new(struct key_report **ret);
struct key_report *key_report_free(struct key_report *r);
DEFINE_FREEP(struct key_report *, key_report_free)
/*
 * Each key of a server, read from its file or from that with the pending ones; those
 * without a key are left out. was_there (may be NULL) tells "kept" from "new"; else the
 * state is `state`. Negative after a line on standard error.
 */
int key_report_add(struct key_report *report, const struct target_server *s, bool pending,
		   const char *state, bool (*was_there)(const void *userdata, const char *identity),
		   const void *userdata);
/*
 * All of a server: "in use" or "missing" (without a fingerprint), and those that wait for a
 * switch once more as "pending". A file that is not there has no keys.
 */
int key_report_add_state(struct key_report *report, const struct target_server *s);
int key_report_print(const struct key_report *report, const struct invocation *i);

/*
 * A key of a server's file: of the pending one where pending is set. As secret_lookup(),
 * -ENOKEY without a word, others after a line on standard error.
 */
int credentials_look_up(struct secret_store *store, const struct target_server *s, bool pending,
			const char *identity, uint8_t **ret, size_t *ret_size);
