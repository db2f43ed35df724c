/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "codec/codec.h"
#include "codec/link_text.h"

bool link_is_name(char c)
{
	return c != 0 && (isalnum((unsigned char)c) || strchr("!#$&+-.^_`|~", c));
}

/* ptoken: what may stand unquoted; commas and semicolons may not. */
bool link_is_token(char c)
{
	return c != 0 && (isalnum((unsigned char)c) || strchr("!#$%&'()*+-./:<=>?@[]^_`{|}~", c));
}

static bool all(const char *text, bool (*is)(char))
{
	const char *p = text;

	while (is(*p))
		p++;
	return p > text && *p == 0;
}

static bool is_target(char c)
{
	return (unsigned char)c > 0x20 && c != 0x7f && c != '<' && c != '>' && c != '"';
}

int link_begin(struct link_writer *w, const char *path_text)
{
	int r;

	if (!all(path_text, is_target))
		return -EINVAL;
	r = buf_printf(w->out, "%s<%s>", w->any ? "," : "", path_text);
	if (r >= 0)
		w->any = true;
	return r;
}

static int write_quoted(struct buf *out, const char *value)
{
	int r = buf_append_byte(out, '"');

	for (; *value && r >= 0; value++) {
		if (*value == '"' || *value == '\\')
			r = buf_append_byte(out, '\\');
		if (r >= 0)
			r = buf_append_byte(out, (uint8_t)*value);
	}
	return r < 0 ? r : buf_append_byte(out, '"');
}

int link_attribute(struct link_writer *w, const char *name, const char *value, bool quoted)
{
	int r;

	if (!w->any || !all(name, link_is_name))
		return -EINVAL;
	if (value && (quoted ? !link_is_text(value, strlen(value)) : !all(value, link_is_token)))
		return -EINVAL;
	r = buf_printf(w->out, ";%s%s", name, value ? "=" : "");
	if (r < 0 || !value)
		return r;
	return quoted ? write_quoted(w->out, value) : buf_append_text(w->out, value);
}

/* UTF-8 without control characters. */
bool link_is_text(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return utf8_is_valid(text, size);
}
