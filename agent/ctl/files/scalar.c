/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/files/scalar.h"

#include <ctype.h>
#include <string.h>

#include "base/str.h"

static bool is_number(const char *text)
{
	uint64_t natural;
	int64_t integer;
	double real;

	return parse_u64(text, &natural) >= 0 || parse_i64(text, &integer) >= 0 ||
	       /* An exponent is more likely a letter: "8E1". */
	       (parse_double(text, &real) >= 0 && !strpbrk(text, "eE"));
}

/* Words that YAML 1.1 takes for something else; true and false are meant as such. */
static bool is_special(const char *text)
{
	static const char *const words[] = { "null", "yes", "no", "on", "off", "y", "n", "~" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(words[i], text) == 0)
			return true;
	return false;
}

/* Nothing that has a meaning anywhere in a line, and no colon: 8E1 and MACs are quoted. */
static bool is_plain(const char *text)
{
	if (is_number(text))
		return true;
	if (!isalpha((unsigned char)*text) && *text != '/')
		return false;
	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("/._-", *p))
			return false;
	return !is_special(text);
}

int scalar_append(struct buf *b, const char *text)
{
	int r;

	if (is_plain(text))
		return buf_append_text(b, text);
	r = buf_append_byte(b, '"');
	for (; *text && r >= 0; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f) {
			r = buf_printf(b, "\\x%02x", (unsigned char)*text);
			continue;
		}
		if (*text == '"' || *text == '\\')
			r = buf_append_byte(b, '\\');
		r = r < 0 ? r : buf_append_byte(b, (uint8_t)*text);
	}
	return r < 0 ? r : buf_append_byte(b, '"');
}

int settings_append_yaml(struct buf *b, const struct given_option *settings, size_t n)
{
	int r = buf_append_byte(b, '{');

	for (size_t i = 0; i < n && r >= 0; i++) {
		r = buf_printf(b, "%s%s: ", i > 0 ? ", " : "", settings[i].name);
		if (r >= 0)
			r = scalar_append(b, settings[i].value);
	}
	return r < 0 ? r : buf_append_byte(b, '}');
}

bool key_is_plain(const char *text)
{
	if (!isalpha((unsigned char)*text))
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("_.-", *text))
			return false;
	return true;
}
