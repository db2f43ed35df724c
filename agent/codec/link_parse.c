/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/codec.h"
#include "codec/link_text.h"

/* A list has at most this many links, one link this many attributes. */
#define LINKS_MAX 8192u
#define LINK_ATTRIBUTES_MAX 64u

struct input {
	const char *p, *end;
};

static bool is_at(const struct input *in, char c)
{
	return in->p < in->end && *in->p == c;
}

static bool take(struct input *in, char c)
{
	if (!is_at(in, c))
		return false;
	in->p++;
	return true;
}

/* RFC 6690 has none between links, but the examples of Core do. */
static void skip_space(struct input *in)
{
	while (is_at(in, ' ') || is_at(in, '\t') || is_at(in, '\r') || is_at(in, '\n'))
		in->p++;
}

static size_t span_while(const struct input *in, bool (*is)(char))
{
	const char *p = in->p;

	while (p < in->end && is(*p))
		p++;
	return (size_t)(p - in->p);
}

static int copy(const char *text, size_t size, char **ret)
{
	if (!link_is_text(text, size))
		return -EINVAL;
	*ret = strndup(text, size);
	return *ret ? 0 : -ENOMEM;
}

/* Behind the opening quote, up to and with the closing one. */
static int parse_quoted(struct input *in, char **ret)
{
	_cleanup_buf_ struct buf text = { 0 };
	int r = 0;

	while (r >= 0 && !take(in, '"')) {
		take(in, '\\');
		if (in->p == in->end)
			return -EINVAL;
		r = buf_append_byte(&text, (uint8_t)*in->p++);
	}
	if (r < 0)
		return r;
	return text.size > 0 ? copy((const char *)text.data, text.size, ret) : copy("", 0, ret);
}

static int parse_value(struct input *in, char **ret)
{
	size_t size;
	int r;

	if (take(in, '"'))
		return parse_quoted(in, ret);
	size = span_while(in, link_is_token);
	if (size == 0)
		return -EINVAL;
	r = copy(in->p, size, ret);
	in->p += size;
	return r;
}

static int parse_attribute(struct input *in, struct link_attribute_text *ret)
{
	size_t size;
	int r;

	skip_space(in);
	size = span_while(in, link_is_name);
	/* "title*" names its language (RFC 5987). */
	if (size > 0 && size < (size_t)(in->end - in->p) && in->p[size] == '*')
		size++;
	if (size == 0)
		return -EINVAL;
	r = copy(in->p, size, &ret->name);
	in->p += size;
	return r < 0 || !take(in, '=') ? r : parse_value(in, &ret->value);
}

static int add_attribute(struct input *in, struct link *link)
{
	struct link_attribute_text *grown;

	if (link->n >= LINK_ATTRIBUTES_MAX)
		return -EINVAL;
	grown = reallocarray(link->attributes, link->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	link->attributes = grown;
	grown[link->n] = (struct link_attribute_text){ 0 };
	/* Counted at once, so that half an attribute is freed with the rest. */
	return parse_attribute(in, &grown[link->n++]);
}

static int parse_link(struct input *in, struct link *link)
{
	const char *close;
	int r;

	if (!take(in, '<'))
		return -EINVAL;
	close = memchr(in->p, '>', (size_t)(in->end - in->p));
	if (!close)
		return -EINVAL;
	r = copy(in->p, (size_t)(close - in->p), &link->target);
	in->p = close + 1;
	skip_space(in);
	while (r >= 0 && take(in, ';')) {
		r = add_attribute(in, link);
		skip_space(in);
	}
	return r;
}

static int links_grow(struct links *links, size_t *allocated)
{
	struct link *items;

	if (links->n >= LINKS_MAX)
		return -EINVAL;
	if (links->n == *allocated) {
		*allocated = *allocated ? *allocated * 2 : 8;
		items = reallocarray(links->items, *allocated, sizeof(*items));
		if (!items)
			return -ENOMEM;
		links->items = items;
	}
	links->items[links->n] = (struct link){ 0 };
	return 0;
}

static int parse_all(struct input *in, struct links *links)
{
	size_t allocated = 0;
	int r = 0;

	skip_space(in);
	if (in->p == in->end)
		return 0;
	do {
		skip_space(in);
		r = links_grow(links, &allocated);
		if (r >= 0)
			r = parse_link(in, &links->items[links->n++]);
	} while (r >= 0 && take(in, ','));
	return r >= 0 && in->p < in->end ? -EINVAL : r;
}

int links_parse(const char *text, size_t size, struct links *ret)
{
	struct links links = { 0 };
	struct input in;
	int r = 0;

	if (size > 0) {
		in = (struct input){ text, text + size };
		r = parse_all(&in, &links);
	}
	if (r < 0) {
		links_done(&links);
		return r;
	}
	*ret = links;
	return 0;
}

void links_done(struct links *links)
{
	for (size_t i = 0; i < links->n; i++) {
		struct link *link = &links->items[i];

		for (size_t k = 0; k < link->n; k++) {
			free(link->attributes[k].name);
			free(link->attributes[k].value);
		}
		free(link->attributes);
		free(link->target);
	}
	free(links->items);
	*links = (struct links){ 0 };
}
