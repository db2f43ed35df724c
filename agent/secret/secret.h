/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

/*
 * Key references -> bytes (configuration.md, Keys):
 *   psk-file:F  lines "identity:hex", split at the last colon
 *   table:F     the same of a device's name or address: "A4:C1:38:00:11:01:hex"
 *   file:F      one hex line
 *   derive:F    HKDF-SHA256 (RFC 5869) of a file of at least 32 bytes, salt
 *               "fieldway-psk-1", info = identity, 16 bytes
 * In the text files blank lines and lines that start with # are passed over.
 * Files are held in memory; each lookup does one stat and a changed file is
 * read again: at once, or by a thread when it is larger than
 * SECRET_SYNC_BYTES_MAX, with the former keys in force until then. Relative
 * paths start at the configuration folder. Only for the thread of the loop.
 */
struct secret_store;

#define SECRET_FILE_BYTES_MAX (16u << 20)
#define SECRET_SYNC_BYTES_MAX (1u << 20)
#define SECRET_KEY_BYTES_MAX 512u
#define SECRET_MASTER_BYTES_MIN 32u
#define SECRET_MASTER_BYTES_MAX 4096u
#define SECRET_DERIVED_BYTES 16u
#define SECRET_FILES_MAX 1024u

int secret_store_new(const char *base_dir, struct secret_store **ret);
/* Waits for its threads and wipes every key. */
struct secret_store *secret_store_free(struct secret_store *s);
DEFINE_FREEP(struct secret_store *, secret_store_free)

/*
 * The grammar only, no file is touched. 0; -EINVAL, or -EOPNOTSUPP for
 * credential: and pkcs11:, which are not in this version; then
 * *ret_error (may be NULL) is a constant text for people.
 */
int secret_reference_check(const char *reference, const char **ret_error);

/*
 * The key of an identity (that only psk-file:, table: and derive: look at). The caller
 * gives it back with secret_free().
 *
 * 0, or 1 when the file was changed into something that is refused and the
 * former keys stay in force. -EINVAL, -EOPNOTSUPP: see above; -ENOKEY: no such
 * identity; -EPERM: other users can read or write the file; -EBADMSG: its
 * content; -EFBIG; -ENOSPC: over SECRET_FILES_MAX; errno of the file system;
 * -EIO: GnuTLS. secret_reason() has the text for 1 and for every error.
 */
int secret_lookup(struct secret_store *s, const char *reference, const char *identity,
		  uint8_t **ret, size_t *ret_size);
/* Whether the file of a reference could be used, for --check. Results as above, without -ENOKEY. */
int secret_check(struct secret_store *s, const char *reference);
/*
 * A file as it is, for a plugin. Nothing of it is kept here. is_private: refused
 * when other users can read it. The caller gives it back with secret_free(). 0;
 * -EPERM, -EINVAL, -EFBIG (SECRET_CONTENT_BYTES_MAX), -ENOMEM, errno of the file
 * system; secret_reason() says why.
 */
#define SECRET_CONTENT_BYTES_MAX (64u << 10)
int secret_content(struct secret_store *s, const char *path, bool is_private, uint8_t **ret,
		   size_t *ret_size);
/*
 * With another configuration: files that none of these references lead to and that
 * nobody has asked for since the last call are wiped; who asks after all has them
 * read again.
 */
void secret_store_retain(struct secret_store *s, const char *const *references, size_t n);
/* Why the last call failed, with the file and the line but never a key. Lives until the next call. */
const char *secret_reason(const struct secret_store *s);

/*
 * What may be shown of a key: the first 8 bytes of its SHA-256 as "01:23:...". Needs
 * SECRET_FINGERPRINT_MAX bytes. -EIO: GnuTLS.
 */
#define SECRET_FINGERPRINT_MAX sizeof("00:11:22:33:44:55:66:77")
int secret_fingerprint(const uint8_t *key, size_t size, char ret[SECRET_FINGERPRINT_MAX]);

/* Wipes and frees; takes NULL, returns NULL. */
uint8_t *secret_free(uint8_t *key, size_t size);
