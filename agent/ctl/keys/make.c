/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/keys/make.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "ctl/files/file.h"
#include "ctl/keys/credentials.h"
#include "secret/secret.h"

static int write_master(const char *path, const uint8_t *bytes, size_t size)
{
	return file_replace(path, bytes, size, &rights_secret, true);
}

static int write_key(const char *path, const uint8_t *bytes, size_t size)
{
	_cleanup_free_ char *hex = hex_encode(bytes, size);
	int r;

	if (!hex)
		return -ENOMEM;
	r = file_replace(path, hex, strlen(hex), &rights_secret, true);
	explicit_bzero(hex, strlen(hex));
	return r;
}

int make_single(const char *path, enum secret_kind kind, size_t length)
{
	uint8_t bytes[SECRET_KEY_BYTES_MAX];
	size_t size = kind == SECRET_DERIVE ? MASTER_BYTES : length;
	int r = credentials_random(bytes, size);

	if (r >= 0)
		r = file_make_folder(path, &rights_secret);
	if (r >= 0)
		r = kind == SECRET_DERIVE ? write_master(path, bytes, size) :
					    write_key(path, bytes, size);
	explicit_bzero(bytes, sizeof(bytes));
	return r;
}
