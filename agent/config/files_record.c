/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "config/files.h"

/*
 * Version and number of files (4 bytes); of each place, shared, sizes of name and
 * text (4 bytes each), both.
 */
#define RECORD_VERSION 1

static int save_file(const struct config_file *file, struct buf *b)
{
	size_t name = strlen(file->name);
	int r = buf_append_byte(b, (uint8_t)file->place);

	r = r < 0 ? r : buf_append_byte(b, file->shared);
	r = r < 0 ? r : buf_append_be(b, name, 4);
	r = r < 0 ? r : buf_append_be(b, file->size, 4);
	r = r < 0 ? r : buf_append(b, file->name, name);
	return r < 0 ? r : buf_append(b, file->text, file->size);
}

int config_files_save(const struct config_files *f, struct buf *ret)
{
	int r = buf_append_byte(ret, RECORD_VERSION);

	r = r < 0 ? r : buf_append_be(ret, f->n, 4);
	for (size_t i = 0; i < f->n && r >= 0; i++)
		r = save_file(&f->items[i], ret);
	return r;
}

static int load_file(struct span *s, struct config_files *f)
{
	uint64_t name_size, size;
	struct span name, text;
	uint8_t place, shared;
	char *copy;
	int r;

	if (span_take_byte(s, &place) < 0 || span_take_byte(s, &shared) < 0 ||
	    span_take_be(s, 4, &name_size) < 0 || span_take_be(s, 4, &size) < 0 ||
	    span_take(s, name_size, &name) < 0 || span_take(s, size, &text) < 0)
		return -EBADMSG;
	if (place >= CONFIG_PLACES || shared > 1 || name.n == 0 || memchr(name.p, '\0', name.n))
		return -EBADMSG;
	copy = strndup((const char *)name.p, name.n);
	if (!copy)
		return -ENOMEM;
	r = files_add(f, place, shared, copy, text.p, text.n);
	free(copy);
	return r == -E2BIG ? -EBADMSG : r;
}

static int load(struct span s, struct config_files *f)
{
	uint8_t version;
	uint64_t n;
	int r = 0;

	if (span_take_byte(&s, &version) < 0 || version != RECORD_VERSION ||
	    span_take_be(&s, 4, &n) < 0)
		return -EBADMSG;
	for (uint64_t i = 0; i < n && r >= 0; i++)
		r = load_file(&s, f);
	return r >= 0 && s.n > 0 ? -EBADMSG : r;
}

int config_files_load(struct span record, struct config_files **ret)
{
	struct config_files *f = calloc(1, sizeof(*f));
	int r = f ? load(record, f) : -ENOMEM;

	if (r < 0) {
		config_files_free(f);
		return r;
	}
	*ret = f;
	return 0;
}
