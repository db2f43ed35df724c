/* SPDX-License-Identifier: Apache-2.0 */
#include "template.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"

enum part_kind {
	PART_BYTE,
	PART_VALUE,
	PART_CHECKSUM,
	PART_NAME,
};

struct number_format {
	bool zeros, left, plus;
	unsigned width;
	int precision; /* -1: none */
	char letter;   /* d f x X s, 0: whatever fits */
};

struct part {
	enum part_kind kind;
	struct slice text; /* BYTE: with escapes; NAME: the name */
	struct number_format format;
};

struct template {
	struct checksum checksum;
	size_t n;
	struct part parts[TEMPLATE_PARTS_MAX];
};

/* ---- compiling ---- */

static unsigned number(const char **at, const char *end)
{
	unsigned n = 0;

	for (; *at < end && **at >= '0' && **at <= '9' && n <= TEMPLATE_WIDTH_MAX; (*at)++)
		n = n * 10 + (unsigned)(**at - '0');
	return n;
}

static bool parse_format(const char *at, const char *end, struct number_format *f)
{
	f->precision = -1;
	for (; at < end && strchr("-+0", *at); at++) {
		f->left |= *at == '-';
		f->plus |= *at == '+';
		f->zeros |= *at == '0';
	}
	f->width = number(&at, end);
	if (at < end && *at == '.') {
		at++;
		f->precision = (int)number(&at, end);
	}
	if (at < end && strchr("dfxXs", *at))
		f->letter = *at++;
	if (at != end || f->width > TEMPLATE_WIDTH_MAX || f->precision > 17)
		return false;
	return f->precision < 0 || !strchr("dxX", f->letter ? f->letter : 'f');
}

static bool placeholder(struct slice inner, bool checksum, struct part *ret)
{
	const char *end = inner.data + inner.size, *colon = memchr(inner.data, ':', inner.size);
	struct slice name = { inner.data, colon ? (size_t)(colon - inner.data) : inner.size };

	*ret = (struct part){ .kind = PART_NAME, .text = name, .format.precision = -1 };
	if (slice_equals(name, "value", 5)) {
		ret->kind = PART_VALUE;
		return !colon || parse_format(colon + 1, end, &ret->format);
	}
	if (slice_equals(name, "checksum", 8)) {
		ret->kind = PART_CHECKSUM;
		return checksum && !colon;
	}
	return name.size > 0 && !colon;
}

static int refuse(char *why, size_t size, const char *text)
{
	snprintf(why, size, "%s", text);
	return -EINVAL;
}

/* The part that begins at *at. */
static int next_part(struct slice text, size_t *at, bool checksum, struct part *ret, char *why, size_t size)
{
	const char *from = text.data + *at, *close;

	if (*from == '{') {
		close = memchr(from, '}', text.size - *at);
		if (!close || !placeholder((struct slice){ from + 1, (size_t)(close - from - 1) }, checksum, ret))
			return refuse(why, size,
				      "a placeholder is {value}, {value:06.2f} (d f x X s), {checksum} where one is "
				      "configured, {id}, or {message.field}; a brace is \\{");
		*at += (size_t)(close - from) + 1;
		return 0;
	}
	*ret = (struct part){ .kind = PART_BYTE, .text = { from, 0 } };
	while (*at < text.size && text.data[*at] != '{')
		if (text_byte(text.data, text.size, at) < 0)
			return refuse(why, size, "a backslash goes before r n t 0 e x.. \\ { or }");
	ret->text.size = (size_t)(text.data + *at - from);
	return 0;
}

int template_new(struct slice text, const struct checksum *checksum, struct template **ret, char *why,
		 size_t size)
{
	struct template *t = calloc(1, sizeof(*t));
	int r = t ? 0 : -ENOMEM;

	if (t && checksum)
		t->checksum = *checksum;
	for (size_t at = 0; at < text.size && r >= 0;) {
		if (t->n == TEMPLATE_PARTS_MAX)
			r = refuse(why, size, "too many placeholders");
		else
			r = next_part(text, &at, checksum && checksum->kind != CHECKSUM_NONE, &t->parts[t->n++], why,
				      size);
	}
	if (r < 0) {
		template_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

struct template *template_free(struct template *t)
{
	free(t);
	return NULL;
}

bool template_has_value(const struct template *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->parts[i].kind == PART_VALUE)
			return true;
	return false;
}

struct slice template_name(const struct template *t, size_t index)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->parts[i].kind == PART_NAME && index-- == 0)
			return t->parts[i].text;
	return (struct slice){ 0 };
}

/* ---- filling ---- */

/* Anything that a value could be on the line but a value: ends of frames, other commands. */
static bool is_plain(const char *text, size_t size, const struct frame_delimiter *end)
{
	if (end && end->size && memmem(text, size, end->bytes, end->size))
		return false;
	for (size_t i = 0; i < size; i++)
		if ((uint8_t)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	return true;
}

static int print_integer(const struct number_format *f, bool negative, uint64_t magnitude, char *ret, size_t max)
{
	const char *sign = negative ? "-" : f->plus ? "+" : "";
	int width = (int)f->width - (int)strlen(sign), n;
	char digits[TEMPLATE_WIDTH_MAX + 32];

	if (f->letter == 'x' || f->letter == 'X')
		snprintf(digits, sizeof(digits), f->letter == 'x' ? "%" PRIx64 : "%" PRIX64, magnitude);
	else
		snprintf(digits, sizeof(digits), "%" PRIu64, magnitude);
	n = (int)strlen(digits);
	if (f->left)
		return snprintf(ret, max, "%s%-*s", sign, width > 0 ? width : 0, digits);
	if (f->zeros)
		return snprintf(ret, max, "%s%.*s%s", sign, width > n ? width - n : 0,
				"0000000000000000000000000000000000000000000000000000000000000000", digits);
	return snprintf(ret, max, "%*s%s%s", width > n ? width - n : 0, "", sign, digits);
}

/* As few digits as give the same number again. */
static int shortest(double value)
{
	char text[40];
	int precision = 1;

	for (; precision < 17; precision++) {
		snprintf(text, sizeof(text), "%.*g", precision, value);
		if (strtod(text, NULL) == value)
			break;
	}
	return precision;
}

static int print_real(const struct number_format *f, double value, char *ret, size_t max)
{
	int width = f->left ? -(int)f->width : (int)f->width, precision = f->precision, digits;

	if (precision < 0) {
		/* The decimals of the shortest form, never an exponent: devices seldom know one. */
		digits = shortest(value);
		precision = value == 0 ? 0 : digits - 1 - (int)floor(log10(fabs(value)));
		if (precision < 0 || fabs(value) >= 1e15)
			precision = 0;
		if (precision > 17)
			precision = 17;
	}
	if (f->zeros && f->plus)
		return snprintf(ret, max, "%+0*.*f", width, precision, value);
	if (f->zeros)
		return snprintf(ret, max, "%0*.*f", width, precision, value);
	if (f->plus)
		return snprintf(ret, max, "%+*.*f", width, precision, value);
	return snprintf(ret, max, "%*.*f", width, precision, value);
}

static bool is_whole(double value)
{
	return value == trunc(value) && fabs(value) < 9007199254740992.0;
}

static int print_number(const struct number_format *f, double value, char *ret, size_t max)
{
	if (f->letter == 's' || !isfinite(value))
		return -EINVAL;
	if (!f->letter || f->letter == 'f')
		return print_real(f, value, ret, max);
	if (!is_whole(value) || (value < 0 && f->letter != 'd'))
		return -EINVAL;
	return print_integer(f, value < 0, (uint64_t)fabs(value), ret, max);
}

static int print_signed(const struct number_format *f, int64_t value, char *ret, size_t max)
{
	if (f->letter == 'f' || f->letter == 's')
		return print_number(f, (double)value, ret, max);
	if (value < 0 && f->letter && f->letter != 'd')
		return -EINVAL;
	return print_integer(f, value < 0, value < 0 ? -(uint64_t)value : (uint64_t)value, ret, max);
}

static int print_value(const struct number_format *f, const struct template_fill *fill, char *ret, size_t max)
{
	const struct fieldway_value *v = fill->value;

	switch (v->type) {
	case FIELDWAY_BOOL:
		return print_integer(f, false, v->boolean, ret, max);
	case FIELDWAY_INT:
		return print_signed(f, v->integer, ret, max);
	case FIELDWAY_UINT:
		if (f->letter == 'f')
			return print_real(f, (double)v->unsignd, ret, max);
		return f->letter == 's' ? -EINVAL : print_integer(f, false, v->unsignd, ret, max);
	case FIELDWAY_FLOAT:
		return print_number(f, v->real, ret, max);
	case FIELDWAY_STRING:
		if ((f->letter && f->letter != 's') || !is_plain(v->data, v->size, fill->end) || v->size >= max)
			return -EINVAL;
		if (f->precision >= 0 && v->size > (size_t)f->precision)
			return -EINVAL;
		return snprintf(ret, max, "%*.*s", f->left ? -(int)f->width : (int)f->width, (int)v->size, v->data);
	case FIELDWAY_NONE:
	case FIELDWAY_BYTES:
		break;
	}
	return -EINVAL;
}

struct output {
	uint8_t *bytes;
	size_t n, max;
};

static int put(struct output *o, const void *bytes, size_t size)
{
	if (size > o->max - o->n)
		return -ENOBUFS;
	memcpy(o->bytes + o->n, bytes, size);
	o->n += size;
	return 0;
}

static int put_literal(struct output *o, struct slice text)
{
	for (size_t at = 0; at < text.size;) {
		uint8_t byte = (uint8_t)text_byte(text.data, text.size, &at);

		if (put(o, &byte, 1) < 0)
			return -ENOBUFS;
	}
	return 0;
}

static int put_value(struct output *o, const struct part *p, const struct template_fill *fill, char *why,
		     size_t size)
{
	char text[TEMPLATE_BYTES_MAX];
	int n = fill->value ? print_value(&p->format, fill, text, sizeof(text)) : -EINVAL;
	char *point;

	if (n < 0 || n >= (int)sizeof(text))
		return refuse(why, size, "the value cannot be written as the template says");
	point = fill->comma ? memchr(text, '.', (size_t)n) : NULL;
	if (point && fill->value->type != FIELDWAY_STRING)
		*point = ',';
	return put(o, text, (size_t)n);
}

/* Where the checksum counts from and to, seen from where it stands, is as in a frame that has it there. */
static int put_checksum(struct output *o, const struct checksum *c, char *why, size_t size)
{
	int64_t first = c->first >= 0 ? c->first : (int64_t)o->n + c->first - c->at;
	int64_t last = (int64_t)o->n + c->last - c->at;
	uint8_t bytes[4];

	if (c->last >= 0)
		last = c->last;
	if (first < 0 || last < first - 1 || last >= (int64_t)o->n)
		return refuse(why, size, "the checksum counts bytes that this does not have");
	checksum_put(c, checksum_compute(c->kind, o->bytes + first, (size_t)(last - first + 1)), bytes);
	return put(o, bytes, checksum_size(c));
}

static int put_name(struct output *o, const struct part *p, const struct template_fill *fill)
{
	struct slice text = fill->find ? fill->find(fill->userdata, p->text) : (struct slice){ 0 };

	return text.data ? put(o, text.data, text.size) : -ENODATA;
}

static int put_part(struct output *o, const struct template *t, const struct part *p,
		    const struct template_fill *fill, char *why, size_t size)
{
	switch (p->kind) {
	case PART_BYTE:
		return put_literal(o, p->text);
	case PART_VALUE:
		return put_value(o, p, fill, why, size);
	case PART_CHECKSUM:
		return put_checksum(o, &t->checksum, why, size);
	case PART_NAME:
		break;
	}
	return put_name(o, p, fill);
}

int template_fill(const struct template *t, const struct template_fill *fill, uint8_t *ret, size_t max,
		  size_t *ret_size, char *why, size_t size)
{
	struct output o = { .bytes = ret, .max = max };

	snprintf(why, size, "%s", "");
	for (size_t i = 0; i < t->n; i++) {
		int r = put_part(&o, t, &t->parts[i], fill, why, size);

		if (r < 0)
			return r;
	}
	*ret_size = o.n;
	return 0;
}
