/* SPDX-License-Identifier: Apache-2.0 */
#include "state/journal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "state/record.h"
#include "state/state.h"

/* Each change: size of the name u8, the name, 1 and the size u32 and the content, or 0. */

int state_journal_format(const struct state_change *changes, size_t n, struct buf *ret)
{
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++) {
		const struct state_change *c = &changes[i];

		r = buf_append_byte(ret, (uint8_t)strlen(c->file));
		if (r >= 0)
			r = buf_append_text(ret, c->file);
		if (r >= 0)
			r = buf_append_byte(ret, c->data != NULL);
		if (r >= 0 && c->data)
			r = buf_append_be(ret, c->size, 4);
		if (r >= 0 && c->data)
			r = buf_append(ret, c->data, c->size);
	}
	return r;
}

static int take_name(struct span *content, char ret[STATE_FILE_NAME_MAX + 1])
{
	struct span name;
	uint8_t size;

	if (span_take_byte(content, &size) < 0 || span_take(content, size, &name) < 0 || size == 0)
		return -EBADMSG;
	/* Nothing of it leads out of the folder. */
	if (memchr(name.p, '/', size) || memchr(name.p, 0, size) || name.p[0] == '.')
		return -EBADMSG;
	memcpy(ret, name.p, size);
	ret[size] = 0;
	return 0;
}

static int take_content(struct span *content, struct state_change *ret)
{
	struct span data;
	uint64_t size;
	uint8_t there;

	if (span_take_byte(content, &there) < 0 || there > 1)
		return -EBADMSG;
	ret->data = NULL;
	ret->size = 0;
	if (!there)
		return 0;
	if (span_take_be(content, 4, &size) < 0 || size > STATE_RECORD_MAX || span_take(content, size, &data) < 0)
		return -EBADMSG;
	ret->data = data.p;
	ret->size = data.n;
	return 0;
}

int state_journal_parse(struct span content, int (*f)(void *userdata, const struct state_change *change), void *userdata)
{
	char name[STATE_FILE_NAME_MAX + 1];
	int r = 0;

	while (content.n > 0 && r == 0) {
		struct state_change change = { .file = name };

		r = take_name(&content, name);
		if (r >= 0)
			r = take_content(&content, &change);
		if (r >= 0)
			r = f(userdata, &change);
	}
	return r;
}

int state_journal_write(int temporary, int records, const struct state_change *changes, size_t n)
{
	_cleanup_buf_ struct buf content = { .limit = STATE_RECORD_MAX };
	int r = state_journal_format(changes, n, &content);

	if (r >= 0)
		r = state_record_write(temporary, records, STATE_JOURNAL, content.data, content.size);
	return r >= 0 && fsync(records) < 0 ? -errno : r;
}

struct replay {
	int temporary, records;
};

static int replay_one(void *userdata, const struct state_change *change)
{
	const struct replay *replay = userdata;

	if (change->data)
		return state_record_write(replay->temporary, replay->records, change->file, change->data, change->size);
	return unlinkat(replay->records, change->file, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* Before anything is touched: is it whole? */
static int look(void *userdata, const struct state_change *change)
{
	return 0;
}

static int replay_all(int temporary, int records, struct span content)
{
	struct replay replay = { temporary, records };
	int r = state_journal_parse(content, replay_one, &replay);

	if (r >= 0 && fsync(records) < 0)
		r = -errno;
	return r < 0 ? r : state_journal_remove(records);
}

int state_journal_replay(int temporary, int records, struct buf *ret)
{
	_cleanup_buf_ struct buf content = { 0 };
	int r = state_record_read(records, STATE_JOURNAL, &content);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = state_journal_parse(span_of(content.data, content.size), look, NULL);
	if (r < 0)
		return r;
	r = replay_all(temporary, records, span_of(content.data, content.size));
	if (r >= 0)
		return 1;
	return buf_append(ret, content.data, content.size) < 0 ? -ENOMEM : r;
}

int state_journal_remove(int records)
{
	if (unlinkat(records, STATE_JOURNAL, 0) < 0 && errno != ENOENT)
		return -errno;
	return fsync(records) < 0 ? -errno : 0;
}
