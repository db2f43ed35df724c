/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "observe/attributes.h"

struct attached {
	struct path path;
	struct attributes attributes;
};

struct attribute_set {
	struct attached *items;
	unsigned n;
};

int attribute_set_new(struct attribute_set **ret)
{
	struct attribute_set *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	*ret = s;
	return 0;
}

struct attribute_set *attribute_set_free(struct attribute_set *s)
{
	if (s)
		free(s->items);
	free(s);
	return NULL;
}

static struct attached *find(const struct attribute_set *s, const struct path *path)
{
	for (unsigned i = 0; i < s->n; i++)
		if (path_equal(&s->items[i].path, path))
			return &s->items[i];
	return NULL;
}

const struct attributes *attribute_set_find(const struct attribute_set *s, const struct path *path)
{
	const struct attached *a = find(s, path);

	return a ? &a->attributes : NULL;
}

static int append(struct attribute_set *s, const struct path *path, const struct attributes *attributes)
{
	struct attached *grown;

	if (s->n == ATTRIBUTE_PATHS_MAX)
		return -ENOSPC;
	grown = reallocarray(s->items, s->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	s->items = grown;
	grown[s->n++] = (struct attached){ .path = *path, .attributes = *attributes };
	return 0;
}

int attribute_set_put(struct attribute_set *s, const struct path *path, const struct attributes *attributes)
{
	struct attached *a = find(s, path);

	if (a && attributes->present)
		a->attributes = *attributes;
	else if (a)
		*a = s->items[--s->n];
	else if (attributes->present)
		return append(s, path, attributes);
	return 0;
}

struct attributes attribute_set_effective(const struct attribute_set *s, const struct path *path)
{
	struct attributes effective = { 0 };

	for (unsigned depth = path->depth; depth >= PATH_OBJECT; depth--) {
		struct path level = path_cut(path, depth);
		const struct attributes *attached = attribute_set_find(s, &level);

		if (attached)
			attributes_inherit(&effective, attached);
	}
	return effective;
}

bool attribute_set_confirms_below(const struct attribute_set *s, const struct path *path)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->items[i].attributes.present & ATTRIBUTE_CON && s->items[i].attributes.con &&
		    s->items[i].path.depth > path->depth && path_contains(path, &s->items[i].path))
			return true;
	return false;
}

bool attribute_set_stores_below(const struct attribute_set *s, const struct path *path)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->items[i].attributes.present & ATTRIBUTE_HQMAX && s->items[i].attributes.hqmax > 0 &&
		    s->items[i].path.depth > path->depth && path_contains(path, &s->items[i].path))
			return true;
	return false;
}

bool attribute_set_remove(struct attribute_set *s, const struct path *path)
{
	unsigned kept = 0, before = s->n;

	for (unsigned i = 0; i < s->n; i++)
		if (!path_contains(path, &s->items[i].path))
			s->items[kept++] = s->items[i];
	s->n = kept;
	return kept < before;
}

struct line {
	struct buf *out;
	bool any;
};

static int format_one(void *userdata, const char *name, const char *value)
{
	struct line *line = userdata;
	bool any = line->any;

	line->any = true;
	return buf_printf(line->out, "%s%s=%s", any ? "&" : " ", name, value);
}

int attribute_set_format(const struct attribute_set *s, struct buf *ret)
{
	char path[PATH_TEXT_MAX];
	int r = 0;

	for (unsigned i = 0; i < s->n && r >= 0; i++) {
		struct line line = { .out = ret };

		r = buf_append_text(ret, path_format(&s->items[i].path, path));
		if (r >= 0)
			r = attributes_each(&s->items[i].attributes, format_one, &line);
		if (r >= 0)
			r = buf_append_byte(ret, '\n');
	}
	return r;
}

/* "/3/0 pmin=10&st=0.5" */
static int parse_line(struct attribute_set *s, const char *text, size_t size)
{
	const char *space = memchr(text, ' ', size), *p, *end = text + size;
	struct attributes attributes = { 0 };
	struct path path;

	if (!space || path_parse(text, space - text, &path) < 0)
		return 0;
	for (p = space + 1; p < end; p++) {
		const char *stop = memchr(p, '&', end - p) ?: end;
		struct span query = span_of(p, stop - p);

		if (attributes_apply(&attributes, &query, 1, path.depth) < 0)
			return 0;
		p = stop;
	}
	return attribute_set_put(s, &path, &attributes);
}

int attribute_set_parse(struct attribute_set *s, struct span text)
{
	const char *p = (const char *)text.p, *end = p ? p + text.n : NULL;
	int r = 0;

	while (p < end && r >= 0) {
		const char *stop = memchr(p, '\n', end - p) ?: end;

		r = parse_line(s, p, stop - p);
		p = stop + 1;
	}
	return r;
}
