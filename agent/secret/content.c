/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/content.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "secret/keyfile.h"
#include "secret/secret.h"

static int refuse(int error, char *reason, const char *path, const char *why)
{
	snprintf(reason, SECRET_REASON_MAX, "%s: %s", path, why);
	return error;
}

static int check(const struct stat *st, bool is_private, const char *path, char *reason)
{
	if (!S_ISREG(st->st_mode))
		return refuse(-EINVAL, reason, path, "not a regular file");
	if (is_private && st->st_mode & (S_IROTH | S_IWOTH))
		return refuse(-EPERM, reason, path,
			      "other users can read or write it; chmod o-rw, then change it");
	if (st->st_size > (off_t)SECRET_CONTENT_BYTES_MAX)
		return refuse(-EFBIG, reason, path, "larger than 64 KiB");
	return 0;
}

int content_read(const char *path, bool is_private, char *reason, uint8_t **ret, size_t *ret_size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	uint8_t *bytes;
	struct stat st;
	ssize_t n;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return refuse(-errno, reason, path, strerror(errno));
	r = check(&st, is_private, path, reason);
	if (r < 0)
		return r;
	bytes = malloc(SECRET_CONTENT_BYTES_MAX + 1);
	if (!bytes)
		return refuse(-ENOMEM, reason, path, "out of memory");
	/* A byte more than allowed tells a file that grew meanwhile. */
	n = io_read(fd, bytes, SECRET_CONTENT_BYTES_MAX + 1);
	if (n < 0 || (size_t)n > SECRET_CONTENT_BYTES_MAX) {
		r = n < 0 ? (int)n : -EFBIG;
		secret_free(bytes, SECRET_CONTENT_BYTES_MAX + 1);
		return refuse(r, reason, path, strerror(-r));
	}
	*ret = bytes;
	*ret_size = (size_t)n;
	return 0;
}
