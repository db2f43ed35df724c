/* SPDX-License-Identifier: Apache-2.0 */
#include "state/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "state/crc32.h"
#include "state/state.h"

static const char magic[4] = "FWST";

#define CRC_OFFSET 12u

static void put_be32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

void state_record_header(const void *data, size_t size, uint8_t ret[STATE_RECORD_HEADER_BYTES])
{
	uint32_t crc;

	memcpy(ret, magic, sizeof(magic));
	put_be32(ret + 4, STATE_RECORD_VERSION << 16);
	put_be32(ret + 8, (uint32_t)size);
	crc = crc32_update(0, ret, CRC_OFFSET);
	put_be32(ret + CRC_OFFSET, crc32_update(crc, data, size));
}

int state_record_parse(struct span file, struct span *ret)
{
	struct span rest = file, start;
	uint64_t version, size, crc;

	if (span_take(&rest, sizeof(magic), &start) < 0 ||
	    memcmp(start.p, magic, sizeof(magic)) != 0 || span_take_be(&rest, 4, &version) < 0 ||
	    span_take_be(&rest, 4, &size) < 0 || span_take_be(&rest, 4, &crc) < 0 || size != rest.n)
		return -EBADMSG;
	if (crc32_update(crc32_update(0, file.p, CRC_OFFSET), rest.p, rest.n) != crc)
		return -EBADMSG;
	if (version != STATE_RECORD_VERSION << 16)
		return -EPROTO;
	*ret = rest;
	return 0;
}

static int write_temporary(int temporary, const char *file, const void *data, size_t size)
{
	uint8_t header[STATE_RECORD_HEADER_BYTES];
	_cleanup_close_ int fd = -1;
	int r;

	fd = openat(temporary, file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	state_record_header(data, size, header);
	r = io_write(fd, header, sizeof(header));
	if (r < 0)
		return r;
	r = io_write(fd, data, size);
	if (r < 0)
		return r;
	return fsync(fd) < 0 ? -errno : 0;
}

int state_record_write(int temporary, int records, const char *file, const void *data, size_t size)
{
	int r;

	r = write_temporary(temporary, file, data, size);
	if (r >= 0 && renameat(temporary, file, records, file) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(temporary, file, 0);
	return r;
}

int state_record_read(int records, const char *file, struct buf *ret)
{
	_cleanup_buf_ struct buf b = { 0 };
	struct span content;
	int r = io_read_file(records, file, STATE_RECORD_HEADER_BYTES + STATE_RECORD_MAX, &b);

	if (r < 0)
		return r == -ELOOP ? -EBADMSG : r;
	r = state_record_parse(span_of(b.data, b.size), &content);
	if (r < 0)
		return r;
	return buf_append(ret, content.p, content.n);
}
