/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "config/reader.h"
#include "config/variables.h"

/* Tables of rows: RFC 4180, first line names, UTF-8. */

struct cursor {
	struct loader *l;
	const struct config_file *file;
	const char *p, *end;
	const char *line_start;
	unsigned line;
};

static struct yaml_mark cursor_mark(const struct cursor *c)
{
	return (struct yaml_mark){ .file = c->file->name,
				   .line = c->line,
				   .column = (unsigned)(c->p - c->line_start) + 1 };
}

static bool at_line_end(const struct cursor *c)
{
	return c->p == c->end || *c->p == '\n' || *c->p == '\r';
}

static void skip_line_end(struct cursor *c)
{
	if (c->p < c->end && *c->p == '\r')
		c->p++;
	if (c->p < c->end && *c->p == '\n')
		c->p++;
	c->line++;
	c->line_start = c->p;
}

/* A field in quotes; "" is one quote. */
static int read_quoted(struct cursor *c, struct buf *b)
{
	int r = 0;

	for (c->p++; c->p < c->end && r >= 0; c->p++) {
		if (*c->p == '\n')
			break;
		if (*c->p != '"') {
			r = buf_append_byte(b, (uint8_t)*c->p);
			continue;
		}
		if (c->p + 1 == c->end || c->p[1] != '"') {
			c->p++;
			return 0;
		}
		r = buf_append_byte(b, '"');
		c->p++;
	}
	if (r >= 0)
		loader_error(c->l, cursor_mark(c), "a quote is not closed in its line");
	return r < 0 ? r : -EINVAL;
}

static int read_field(struct cursor *c, const char **ret)
{
	_cleanup_buf_ struct buf b = { 0 };
	const char *start = c->p;
	int r = 0;

	if (!at_line_end(c) && *c->p == '"') {
		r = read_quoted(c, &b);
	} else {
		while (!at_line_end(c) && *c->p != ',')
			c->p++;
		r = buf_append(&b, start, (size_t)(c->p - start));
	}
	if (r >= 0 && !at_line_end(c) && *c->p != ',') {
		loader_error(c->l, cursor_mark(c), "expected a comma or the end of the line");
		r = -EINVAL;
	}
	if (r < 0)
		return r;
	if (b.size > 0 && (memchr(b.data, '{', b.size) || memchr(b.data, '}', b.size))) {
		loader_error(c->l, cursor_mark(c),
			     "a value for a placeholder has no placeholders itself");
		return -EINVAL;
	}
	*ret = loader_scratch_text(c->l, b.data ? (char *)b.data : "", b.size);
	return *ret ? 0 : -ENOMEM;
}

/* The fields of one line, at most `max`; their number. */
static int read_line(struct cursor *c, const char **fields, size_t max)
{
	size_t n = 0;
	int r;

	do {
		if (n > 0)
			c->p++;
		if (n == max) {
			loader_error(c->l, cursor_mark(c), "more than %zu fields", max);
			return -EINVAL;
		}
		r = read_field(c, &fields[n++]);
		if (r < 0)
			return r;
	} while (!at_line_end(c));
	skip_line_end(c);
	return (int)n;
}

static size_t count_lines(const struct cursor *c)
{
	size_t n = 1;

	for (const char *p = c->p; p < c->end; p++)
		n += *p == '\n' || *p == '\r';
	return n;
}

static int read_rows(struct cursor *c, struct dimension *d)
{
	struct yaml_mark mark;
	int r;

	while (c->p < c->end) {
		if (at_line_end(c)) {
			skip_line_end(c);
			continue;
		}
		mark = cursor_mark(c);
		r = read_line(c, d->texts + d->n_rows * d->n_names, d->n_names);
		if (r >= 0 && (size_t)r != d->n_names) {
			loader_error(c->l, mark, "the line has %d fields, the first one has %zu", r,
				     d->n_names);
			r = -EINVAL;
		}
		if (r < 0)
			return r;
		d->n_rows++;
	}
	return 0;
}

static int read_table(struct cursor *c, struct dimension *ret)
{
	const char *names[CONFIG_VARIABLES_MAX];
	struct yaml_mark mark = cursor_mark(c);
	size_t lines;
	int r = read_line(c, names, ARRAY_SIZE(names));

	if (r < 0)
		return r;
	ret->n_names = (size_t)r;
	for (size_t i = 0; i < ret->n_names; i++)
		if (!name_is_valid(names[i])) {
			loader_error(c->l, mark, "\"%s\" is no name of a placeholder", names[i]);
			return -EINVAL;
		}
	lines = count_lines(c);
	r = loader_expand(c->l, mark, lines);
	if (r < 0)
		return r;
	ret->names = loader_scratch(c->l, ret->n_names * sizeof(*ret->names));
	ret->texts = loader_scratch(c->l, lines * ret->n_names * sizeof(*ret->texts));
	if (!ret->names || !ret->texts)
		return -ENOMEM;
	memcpy(ret->names, names, ret->n_names * sizeof(*names));
	return read_rows(c, ret);
}

/*
 * Files carry the folder in front of the name that the reference has; the shortest
 * is the nearest.
 */
static const struct config_file *find_table(const struct loader *l, const char *name)
{
	const struct config_file *best = NULL;
	size_t size = strlen(name), n;

	for (size_t i = 0; i < l->n_files; i++) {
		const struct config_file *file = l->files[i].file;

		n = strlen(file->name);
		if (file->place != CONFIG_PLACE_TABLES || n < size ||
		    !streq(file->name + n - size, name))
			continue;
		if (n > size && *name != '/' && file->name[n - size - 1] != '/')
			continue;
		if (!best || n < strlen(best->name))
			best = file;
	}
	return best;
}

int table_read(struct loader *l, const struct yaml_node *reference, const char *name,
	       struct dimension *ret)
{
	const struct config_file *file = *name ? find_table(l, name) : NULL;
	struct cursor c = { .l = l, .file = file, .line = 1 };
	int r;

	if (!file) {
		loader_error(l, reference->mark, "there is no table %s in the folder of the configuration", name);
		return -EINVAL;
	}
	c.p = c.line_start = file->text;
	c.end = file->text + file->size;
	if (utf8_valid_prefix(file->text, file->size) != file->size ||
	    memchr(file->text, '\0', file->size)) {
		loader_error(l, cursor_mark(&c), "the table is not UTF-8 text");
		return -EINVAL;
	}
	if (file->size >= 3 && memcmp(c.p, "\xef\xbb\xbf", 3) == 0)
		c.p = c.line_start = c.p + 3;
	r = read_table(&c, ret);
	if (r >= 0 && ret->n_rows == 0) {
		loader_error(l, reference->mark, "the table %s has no rows", name);
		r = -EINVAL;
	}
	return r < 0 ? r : 0;
}
