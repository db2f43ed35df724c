/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macro.h"

ssize_t io_read(int fd, void *data, size_t size)
{
	uint8_t *at = data;
	size_t left = size;
	ssize_t n;

	while (left > 0) {
		n = read(fd, at, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		at += n;
		left -= (size_t)n;
	}
	return (ssize_t)(size - left);
}

int io_write(int fd, const void *data, size_t size)
{
	const uint8_t *at = data;
	ssize_t n;

	while (size > 0) {
		n = write(fd, at, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

int io_read_file(int folder, const char *name, size_t most, struct buf *ret)
{
	_cleanup_close_ int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	ssize_t n;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > most)
		return -EBADMSG;
	r = buf_reserve(ret, (size_t)st.st_size);
	if (r < 0)
		return r;
	n = io_read(fd, ret->data + ret->size, (size_t)st.st_size);
	if (n < 0)
		return (int)n;
	ret->size += (size_t)n;
	return 0;
}

int io_rename(int folder, const char *from, const char *to)
{
	return renameat(folder, from, folder, to) < 0 || fsync(folder) < 0 ? -errno : 0;
}
