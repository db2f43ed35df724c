/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"

void parse_done(struct parse *p)
{
	free(p->text);
	free(p->fields);
	*p = (struct parse){ 0 };
}

void message_done(struct message *m)
{
	m->pattern = pattern_free(m->pattern);
}

/* ---- the text ---- */

/* ISO 8859-1 in UTF-8: the upper half takes two bytes. */
static size_t from_latin1(const uint8_t *from, size_t size, char *to)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++) {
		if (from[i] < 0x80) {
			to[n++] = (char)from[i];
			continue;
		}
		to[n++] = (char)(0xc0 | from[i] >> 6);
		to[n++] = (char)(0x80 | (from[i] & 0x3f));
	}
	return n;
}

static int take_text(struct parse *p, const struct frame *frame, bool latin1)
{
	char *text = malloc(2 * frame->content_size + 1);

	if (!text)
		return -ENOMEM;
	free(p->text);
	p->text = text;
	p->size = frame->content_size;
	p->n = 0;
	if (latin1)
		p->size = from_latin1(frame->content, frame->content_size, text);
	else
		memcpy(text, frame->content, frame->content_size);
	return 0;
}

/* More fields than there may be are left out. */
static int add(struct parse *p, struct slice name, struct slice value, struct slice unit)
{
	if (p->n == p->room) {
		size_t room = p->room ? 2 * p->room : 16;
		struct field *fields;

		if (p->room >= MESSAGE_FIELDS_MAX)
			return 0;
		fields = realloc(p->fields, room * sizeof(*fields));
		if (!fields)
			return -ENOMEM;
		p->fields = fields;
		p->room = room;
	}
	p->fields[p->n++] = (struct field){ name, value, unit };
	return 0;
}

/* ---- groups ---- */

static struct slice group(const struct pattern *p, const struct slice *groups, const char *name)
{
	for (size_t i = 0; i < pattern_names(p); i++) {
		unsigned at;

		if (strcmp(pattern_name(p, i, &at), name) == 0)
			return groups[at];
	}
	return (struct slice){ 0 };
}

static int add_groups(const struct message *m, const struct slice *groups, struct parse *p)
{
	int r = 0;

	for (size_t i = 0; i < pattern_names(m->pattern) && r >= 0; i++) {
		unsigned at;
		const char *name = pattern_name(m->pattern, i, &at);

		if (groups[at].data)
			r = add(p, (struct slice){ name, strlen(name) }, groups[at], (struct slice){ 0 });
	}
	return r < 0 ? r : 1;
}

static int parse_match(const struct message *m, struct parse *p)
{
	struct slice groups[PATTERN_GROUPS_MAX];
	int r = pattern_match(m->pattern, p->text, p->size, &p->spent_usec, groups);

	return r > 0 ? add_groups(m, groups, p) : r;
}

/* ---- parts ---- */

static bool is_separator(const struct message *m, const char *at, size_t left)
{
	return left >= m->separator_size && memcmp(at, m->separator, m->separator_size) == 0;
}

/* A quoted part may have separators in it (RFC 4180); it comes without its quotes. */
static struct slice quoted_part(const struct parse *p, size_t *at)
{
	const char *from = p->text + *at + 1, *end = memchr(from, '"', p->size - *at - 1);

	if (!end)
		return (struct slice){ 0 };
	*at = (size_t)(end - p->text) + 1;
	return (struct slice){ from, (size_t)(end - from) };
}

/* From *at to the next separator; *at then is behind it, beyond the end after the last part. */
static struct slice next_part(const struct message *m, const struct parse *p, size_t *at)
{
	struct slice part = { 0 };
	size_t from = *at, i = from;

	if (m->columns && i < p->size && p->text[i] == '"')
		part = quoted_part(p, &i);
	while (i < p->size && !is_separator(m, p->text + i, p->size - i))
		i++;
	if (!part.data)
		part = (struct slice){ p->text + from, i - from };
	*at = i < p->size ? i + m->separator_size : p->size + 1;
	return part;
}

/* Columns between blanks are as wide as it takes. */
static bool is_padding(const struct message *m, struct slice part)
{
	return part.size == 0 && m->separator_size == 1 && m->separator[0] == ' ';
}

static int parse_columns(const struct message *m, struct parse *p)
{
	size_t column = 0;

	for (size_t at = 0; at <= p->size;) {
		struct slice part = next_part(m, p, &at), name = { "", 0 };
		int r;

		if (is_padding(m, part))
			continue;
		if (column < m->n_columns_named)
			name = m->columns_named[column];
		column++;
		r = add(p, name, slice_trim(part), (struct slice){ 0 });
		if (r < 0)
			return r;
	}
	return column >= m->n_columns_named;
}

static int parse_records(const struct message *m, struct parse *p)
{
	struct slice groups[PATTERN_GROUPS_MAX];
	int found = 0;

	for (size_t at = 0; at <= p->size && p->n < MESSAGE_FIELDS_MAX;) {
		struct slice part = next_part(m, p, &at), key;
		int r = part.size ? pattern_match(m->pattern, part.data, part.size, &p->spent_usec, groups) : 0;

		if (r < 0)
			return r;
		key = r > 0 ? group(m->pattern, groups, "key") : (struct slice){ 0 };
		if (!key.data)
			continue;
		r = add(p, key, group(m->pattern, groups, "value"), group(m->pattern, groups, "unit"));
		if (r < 0)
			return r;
		found = 1;
	}
	return found;
}

/* ---- the whole ---- */

static int parse_text(const struct message *m, struct parse *p)
{
	int r = 1;

	if (m->records)
		return parse_records(m, p);
	if (m->pattern)
		r = parse_match(m, p);
	if (r <= 0 || !m->columns)
		return r;
	p->n = 0;
	return parse_columns(m, p);
}

int message_parse(const struct message *m, const struct frame *frame, bool latin1, struct parse *ret)
{
	int r;

	if (m->size && m->size != frame->content_size)
		return 0;
	r = take_text(ret, frame, latin1);
	if (r < 0)
		return r;
	r = parse_text(m, ret);
	if (r > 0 && checksum_check(&m->checksum, frame->raw, frame->size) < 0)
		r = -EBADMSG;
	ret->message = r > 0 ? m : NULL;
	return r;
}

static bool same(struct slice a, struct slice b)
{
	return slice_equals(a, b.data, b.size);
}

/* "KEY.unit" without its ".unit"; data NULL when it is none. */
static struct slice unit_key(struct slice name)
{
	static const char tail[] = ".unit";
	size_t n = sizeof(tail) - 1;

	if (name.size <= n || memcmp(name.data + name.size - n, tail, n) != 0)
		return (struct slice){ 0 };
	return (struct slice){ name.data, name.size - n };
}

struct slice parse_find(const struct parse *p, struct slice name)
{
	struct slice key = unit_key(name);

	if (!p->message)
		return (struct slice){ 0 };
	if (name.size == 0)
		return (struct slice){ p->text, p->size };
	for (size_t i = 0; i < p->n; i++)
		if (same(p->fields[i].name, name))
			return p->fields[i].value;
	for (size_t i = 0; key.data && i < p->n; i++)
		if (same(p->fields[i].name, key))
			return p->fields[i].unit;
	return (struct slice){ 0 };
}

struct slice parse_column(const struct parse *p, uint32_t column)
{
	if (!p->message || column == 0 || column > p->n)
		return (struct slice){ 0 };
	return p->fields[column - 1].value;
}

bool message_has(const struct message *m, struct slice name)
{
	if (m->records || name.size == 0)
		return true;
	for (size_t i = 0; i < m->n_columns_named; i++)
		if (same(m->columns_named[i], name))
			return true;
	for (size_t i = 0; !m->columns && m->pattern && i < pattern_names(m->pattern); i++) {
		unsigned at;
		const char *known = pattern_name(m->pattern, i, &at);

		if (slice_equals(name, known, strlen(known)))
			return true;
	}
	return false;
}
