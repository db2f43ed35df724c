/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "config/reader.h"

/* Words and numbers that other YAML readers take for something else than text. */
static bool is_ambiguous(const struct yaml_node *node)
{
	static const char *const words[] = {
		"yes", "no", "on", "off", "true", "false", "null", "~"
	};
	double number;
	int64_t integer;

	if (node->quoted)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(node->text, words[i]) == 0)
			return true;
	if (parse_double(node->text, &number) != -EINVAL ||
	    parse_i64(node->text, &integer) != -EINVAL)
		return true;
	/* 10:20:30 is a number in base 60. */
	return strchr(node->text, ':') && node->text[strspn(node->text, "0123456789:")] == '\0';
}

int scalar_text(struct loader *l, const struct yaml_node *node, const char **ret)
{
	if (node->kind != YAML_KIND_SCALAR || (!node->quoted && !*node->text)) {
		loader_error(l, node->mark, "expected text");
		return -EINVAL;
	}
	if (is_ambiguous(node)) {
		loader_error(l, node->mark, "as text, %s is written in quotes: \"%s\"", node->text,
			     node->text);
		return -EINVAL;
	}
	if (!*node->text) {
		loader_error(l, node->mark, "the text is empty");
		return -EINVAL;
	}
	*ret = node->text;
	return 0;
}

static bool is_name_character(char c)
{
	return isascii((unsigned char)c) &&
	       (isalnum((unsigned char)c) || c == '.' || c == '_' || c == '-');
}

bool name_is_valid(const char *text)
{
	size_t n = strlen(text);

	if (n == 0 || n > CONFIG_NAME_MAX || *text == '.' || *text == '-')
		return false;
	for (; *text; text++)
		if (!is_name_character(*text))
			return false;
	return true;
}

int scalar_name(struct loader *l, const struct yaml_node *node, const char **ret)
{
	const char *text;
	int r = scalar_text(l, node, &text);

	if (r < 0)
		return r;
	if (!strchr(text, '{') && !name_is_valid(text)) {
		loader_error(
			l, node->mark,
			"\"%s\" is no name: letters, digits, \"_\", \"-\" and \".\", at most %u of them",
			text, CONFIG_NAME_MAX);
		return -EINVAL;
	}
	*ret = text;
	return 0;
}

int scalar_bool(struct loader *l, const struct yaml_node *node, bool *ret)
{
	struct yaml_errors errors = { 0 };
	int r = yaml_to_bool(node, ret, &errors);

	reports_take(l, node->mark, &errors);
	return r;
}

int scalar_i64(struct loader *l, const struct yaml_node *node, int64_t *ret)
{
	struct yaml_errors errors = { 0 };
	long long value;
	int r = yaml_to_i64(node, &value, &errors);

	reports_take(l, node->mark, &errors);
	if (r >= 0)
		*ret = value;
	return r;
}

int scalar_u64(struct loader *l, const struct yaml_node *node, uint64_t *ret)
{
	int64_t value;
	int r;

	if (node->kind == YAML_KIND_SCALAR && !node->quoted && parse_u64(node->text, ret) >= 0)
		return 0;
	r = scalar_i64(l, node, &value);
	if (r >= 0) {
		loader_error(l, node->mark, "%s is negative", node->text);
		r = -EINVAL;
	}
	return r;
}

int scalar_double(struct loader *l, const struct yaml_node *node, double *ret)
{
	struct yaml_errors errors = { 0 };
	int r = yaml_to_double(node, ret, &errors);

	reports_take(l, node->mark, &errors);
	return r;
}

int scalar_usec(struct loader *l, const struct yaml_node *node, uint64_t *ret)
{
	struct yaml_errors errors = { 0 };
	unsigned long long value;
	int r = yaml_to_usec(node, &value, &errors);

	reports_take(l, node->mark, &errors);
	if (r >= 0)
		*ret = value;
	return r;
}

static size_t count(const char *const *choices)
{
	size_t n = 0;

	while (choices[n])
		n++;
	return n;
}

static void refuse_choice(struct loader *l, const struct yaml_node *node,
			  const char *const *choices)
{
	const char *near = str_nearest(node->text, choices, count(choices));
	_cleanup_buf_ struct buf b = { 0 };

	for (size_t i = 0; choices[i]; i++)
		buf_printf(&b, "%s%s", i > 0 ? ", " : "", choices[i]);
	buf_append_byte(&b, 0);
	loader_error(l, node->mark, "\"%s\" is none of %s%s%s%s", node->text,
		     b.data ? (char *)b.data : "", near ? "; did you mean \"" : "", near ?: "",
		     near ? "\"?" : "");
}

int scalar_choice(struct loader *l, const struct yaml_node *node, const char *const *choices,
		  int *ret)
{
	if (node->kind != YAML_KIND_SCALAR) {
		loader_error(l, node->mark, "expected one word");
		return -EINVAL;
	}
	for (int i = 0; choices[i]; i++) {
		if (!streq(choices[i], node->text))
			continue;
		*ret = i;
		return 0;
	}
	refuse_choice(l, node, choices);
	return -EINVAL;
}

static int parse_bound(const char *text, size_t size, double *ret)
{
	_cleanup_free_ char *copy = strndup(text, size);
	int64_t integer;

	if (!copy)
		return -ENOMEM;
	if (!*copy || parse_double(copy, ret) >= 0)
		return 0;
	if (parse_i64(copy, &integer) < 0)
		return -EINVAL;
	*ret = (double)integer;
	return 0;
}

int scalar_unit(struct loader *l, const struct yaml_node *node, const struct unit **ret)
{
	const char *near = NULL;
	const struct unit *unit;

	if (node->kind != YAML_KIND_SCALAR || !*node->text) {
		loader_error(l, node->mark, "expected a unit such as kWh");
		return -EINVAL;
	}
	unit = unit_find(node->text, &near);
	if (!unit) {
		loader_error(l, node->mark, "unknown unit %s%s%s%s", node->text,
			     near ? ", did you mean \"" : "", near ?: "", near ? "\"?" : "");
		return -EINVAL;
	}
	if (streq(node->text, "C"))
		loader_warning(l, node->mark, "C is the coulomb, degrees Celsius are Cel");
	*ret = unit;
	return 0;
}

int scalar_range(struct loader *l, const struct yaml_node *node, struct range *ret)
{
	struct range range = { .present = true, .minimum = -HUGE_VAL, .maximum = HUGE_VAL };
	const char *dots = node->kind == YAML_KIND_SCALAR ? strstr(node->text, "..") : NULL;

	/* "0...5" is not 0 to .5. */
	if (!dots || dots[2] == '.' ||
	    parse_bound(node->text, (size_t)(dots - node->text), &range.minimum) < 0 ||
	    parse_bound(dots + 2, strlen(dots + 2), &range.maximum) < 0 ||
	    streq(node->text, "..")) {
		loader_error(l, node->mark, "a range is written 0..50; either end may be missing");
		return -EINVAL;
	}
	if (range.minimum > range.maximum) {
		loader_error(l, node->mark, "%s: the range ends before it starts", node->text);
		return -EINVAL;
	}
	*ret = range;
	return 0;
}

int number_check(struct loader *l, struct yaml_mark mark, const char *text, double value,
		 double minimum, double maximum)
{
	char low[FORMAT_DOUBLE_MAX], high[FORMAT_DOUBLE_MAX];

	if ((minimum == 0 && maximum == 0) || (value >= minimum && value <= maximum))
		return 0;
	loader_error(l, mark, "%s is not between %s and %s", text, format_double(minimum, low),
		     format_double(maximum, high));
	return -EINVAL;
}

int usec_check(struct loader *l, struct yaml_mark mark, const char *text, uint64_t value,
	       double minimum, double maximum)
{
	char low[FORMAT_USEC_MAX], high[FORMAT_USEC_MAX];

	if ((minimum == 0 && maximum == 0) ||
	    ((double)value >= minimum && (double)value <= maximum))
		return 0;
	loader_error(l, mark, "%s is not between %s and %s", text,
		     format_usec((uint64_t)minimum, low), format_usec((uint64_t)maximum, high));
	return -EINVAL;
}
