/* SPDX-License-Identifier: Apache-2.0 */
#include "history/file.h"

#include <errno.h>
#include <string.h>

#include "base/io.h"
#include "state/crc32.h"

static const uint8_t magic[8] = { 'F', 'W', 'H', 'I', 'S', 'T', 0, 1 };

int file_put_head(struct buf *out, const struct file_head *head)
{
	const size_t before = out->size;
	int r = buf_append(out, magic, sizeof(magic));

	if (r >= 0)
		r = buf_append_be(out, head->first_id, 8);
	if (r >= 0)
		r = buf_append_byte(out, head->level);
	if (r >= 0)
		r = buf_append(out, head->boot_id, sizeof(head->boot_id));
	if (r >= 0)
		r = buf_append_be(out, crc32_update(0, out->data + before, out->size - before), 4);
	return r;
}

int file_put_frame(struct buf *out, struct span entries)
{
	int r = buf_append_be(out, entries.n, 4);

	if (r >= 0)
		r = buf_append_be(out, crc32_update(0, entries.p, entries.n), 4);
	if (r >= 0)
		r = buf_append(out, entries.p, entries.n);
	return r;
}

static int take_head(struct span *in, struct file_head *ret)
{
	const uint32_t is = in->n < FILE_HEAD_SIZE ? 0 : crc32_update(0, in->p, FILE_HEAD_SIZE - 4);
	struct span text;
	uint64_t value;

	if (span_take(in, sizeof(magic), &text) < 0 || memcmp(text.p, magic, sizeof(magic)) != 0 ||
	    span_take_be(in, 8, &ret->first_id) < 0 || span_take_byte(in, &ret->level) < 0 ||
	    span_take(in, BOOT_ID_SIZE, &text) < 0 || span_take_be(in, 4, &value) < 0 || value != is)
		return -EBADMSG;
	memcpy(ret->boot_id, text.p, BOOT_ID_SIZE);
	return 0;
}

/* 1: a frame was damaged, or torn off. */
static int take_frames(struct span *in, struct buf *entries)
{
	uint64_t size, crc;
	struct span frame;
	int r, damaged = 0;

	while (in->n > 0) {
		if (span_take_be(in, 4, &size) < 0 || span_take_be(in, 4, &crc) < 0 ||
		    span_take(in, (size_t)size, &frame) < 0)
			return 1;
		if (crc32_update(0, frame.p, frame.n) != crc) {
			damaged = 1;
			continue;
		}
		r = buf_append(entries, frame.p, frame.n);
		if (r < 0)
			return r;
	}
	return damaged;
}

int file_read(int folder, const char *name, struct file_head *ret_head, struct buf *entries)
{
	_cleanup_buf_ struct buf raw = { 0 };
	struct span in;
	int r = io_read_file(folder, name, FILE_SIZE_MAX, &raw);

	if (r < 0)
		return r;
	in = span_of(raw.data, raw.size);
	r = take_head(&in, ret_head);
	return r < 0 ? r : take_frames(&in, entries);
}
