/* SPDX-License-Identifier: Apache-2.0 */
#include "layout.h"

#include <errno.h>
#include <string.h>

#include "layout_bytes.h"
#include "layout_number.h"
#include "layout_time.h"
#include "text.h"

#define VALUE_BOOL(x) ((struct fieldway_value){ .type = FIELDWAY_BOOL, .boolean = (x) })
#define VALUE_INT(x) ((struct fieldway_value){ .type = FIELDWAY_INT, .integer = (x) })
#define VALUE_UINT(x) ((struct fieldway_value){ .type = FIELDWAY_UINT, .unsignd = (x) })

static void decode_float(const struct layout *l, uint64_t raw, struct fieldway_sample *sample)
{
	uint32_t half = (uint32_t)raw;
	double wide;
	float single;

	if (l->type == LAYOUT_FLOAT16) {
		wide = half_widen((uint16_t)raw);
	} else if (l->type == LAYOUT_FLOAT32) {
		memcpy(&single, &half, sizeof(single));
		wide = float_widen(single);
	} else {
		memcpy(&wide, &raw, sizeof(wide));
	}
	sample->value = (struct fieldway_value){ .type = FIELDWAY_FLOAT, .real = wide };
	if (wide != wide)
		sample->quality = FIELDWAY_INVALID;
}

static void decode_bcd(const struct layout *l, uint64_t raw, struct fieldway_sample *sample)
{
	uint64_t number;

	if (bcd_decode(layout_unmask(l, raw), 2u * l->size, &number))
		sample->value = VALUE_UINT(number);
	else
		sample->quality = FIELDWAY_INVALID;
}

/* Seconds in an unsigned number: what an int64 cannot hold is no time. */
static bool unix_decode(const struct layout *l, const uint8_t *bytes, int64_t *ret_seconds)
{
	uint64_t raw = layout_gather(l, bytes);

	*ret_seconds = (int64_t)raw;
	return raw <= INT64_MAX;
}

static bool time_decode(const struct layout *l, const uint8_t *wire, int64_t *ret_seconds)
{
	uint8_t bytes[LAYOUT_MAX_TIME] = { 0 };

	if (l->type == LAYOUT_UNIX32 || l->type == LAYOUT_UNIX64)
		return unix_decode(l, wire, ret_seconds);
	for (size_t i = 0; i < l->size; i++)
		bytes[i] = wire[layout_place(l, i)];
	if (l->type == LAYOUT_CP56TIME2A)
		return cp56_decode(bytes + l->size - CP56_BYTES, ret_seconds);
	if (l->type == LAYOUT_YMDHMS16)
		return ymdhms16_decode(bytes, ret_seconds);
	return ymdhms_decode(bytes, l->type == LAYOUT_YMDHMS_BCD, ret_seconds);
}

static void decode_time(const struct layout *l, const uint8_t *bytes,
			struct fieldway_sample *sample)
{
	int64_t seconds;

	if (time_decode(l, bytes, &seconds))
		sample->value = VALUE_INT(seconds);
	else
		sample->quality = FIELDWAY_INVALID;
}

static void decode_number(const struct layout *l, const uint8_t *bytes,
			  struct fieldway_sample *sample)
{
	uint64_t raw = layout_gather(l, bytes);

	switch (layout_kind(l->type)) {
	case LAYOUT_KIND_BOOL:
		sample->value = VALUE_BOOL(raw != 0);
		return;
	case LAYOUT_KIND_SIGNED:
		sample->value = l->is_bit ? VALUE_BOOL(layout_unmask(l, raw) != 0) :
					    VALUE_INT((int64_t)layout_unmask(l, raw));
		return;
	case LAYOUT_KIND_UNSIGNED:
		sample->value = l->is_bit ? VALUE_BOOL(layout_unmask(l, raw) != 0) :
					    VALUE_UINT(layout_unmask(l, raw));
		return;
	case LAYOUT_KIND_FLOAT:
		decode_float(l, raw, sample);
		return;
	case LAYOUT_KIND_BCD:
		decode_bcd(l, raw, sample);
		return;
	case LAYOUT_KIND_TIME:
	case LAYOUT_KIND_TEXT:
		return;
	}
}

static ssize_t decode_string(const char *text, size_t length, struct fieldway_sample *sample)
{
	size_t n = strnlen(text, length);

	while (n > 0 && text[n - 1] == ' ')
		n--;
	if (!text_is_utf8(text, n)) {
		sample->quality = FIELDWAY_INVALID;
		return 0;
	}
	sample->value = (struct fieldway_value){ .type = FIELDWAY_STRING, .data = text, .size = n };
	return (ssize_t)n;
}

static ssize_t decode_text(const struct layout *l, const uint8_t *bytes, size_t size,
			   struct fieldway_sample *sample, char *text, size_t text_size)
{
	size_t length = l->rest ? size : l->length;

	if (text_size < length)
		return -ENOBUFS;
	for (size_t i = 0; i < length; i++)
		text[i] = (char)bytes[layout_place(l, i)];
	if (l->type == LAYOUT_STRING)
		return decode_string(text, length, sample);
	sample->value =
		(struct fieldway_value){ .type = FIELDWAY_BYTES, .data = text, .size = length };
	return (ssize_t)length;
}

ssize_t layout_decode(const struct layout *l, const uint8_t *bytes, size_t size,
		      struct fieldway_sample *sample, char *text, size_t text_size)
{
	enum layout_kind kind = layout_kind(l->type);

	if (size < l->size)
		return -EBADMSG;
	sample->quality = FIELDWAY_GOOD;
	sample->value = (struct fieldway_value){ 0 };
	if (kind == LAYOUT_KIND_TEXT)
		return decode_text(l, bytes, size, sample, text, text_size);
	if (kind == LAYOUT_KIND_TIME)
		decode_time(l, bytes, sample);
	else
		decode_number(l, bytes, sample);
	return 0;
}
