/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

#include <errno.h>
#include <string.h>

#include "point.h"
#include "plugins/lib/layout_number.h"
#include "plugins/lib/text.h"

/* The value's bits, whatever order they came in. */
static uint64_t gather(const struct point *p, const uint8_t *bytes)
{
	size_t size = point_size(p);
	uint64_t raw = 0;

	for (size_t i = 0; i < size; i++)
		raw = raw << 8 | bytes[i ^ (p->order & (size - 1))];
	return raw;
}

static void decode_float(uint64_t raw, enum data data, struct fieldway_sample *sample)
{
	uint32_t half = (uint32_t)raw;
	double wide;
	float single;

	if (data == DATA_FLOAT32) {
		memcpy(&single, &half, sizeof(single));
		wide = float_widen(single);
	} else {
		memcpy(&wide, &raw, sizeof(wide));
	}
	sample->value = (struct fieldway_value){ .type = FIELDWAY_FLOAT, .real = wide };
	if (wide != wide)
		sample->quality = FIELDWAY_INVALID;
}

static int64_t sign_extend(uint64_t raw, size_t size)
{
	uint64_t sign = UINT64_C(1) << (8 * size - 1);

	return (int64_t)((raw ^ sign) - sign);
}

static void decode_number(const struct point *p, uint64_t raw, struct fieldway_sample *sample)
{
	struct fieldway_value *v = &sample->value;

	if (p->bit >= 0) {
		*v = (struct fieldway_value){ .type = FIELDWAY_BOOL, .boolean = raw >> p->bit & 1 };
		return;
	}
	switch (p->data) {
	case DATA_BOOL:
		*v = (struct fieldway_value){ .type = FIELDWAY_BOOL, .boolean = raw != 0 };
		return;
	case DATA_INT16:
	case DATA_INT32:
	case DATA_INT64:
		*v = (struct fieldway_value){ .type = FIELDWAY_INT,
					      .integer = sign_extend(raw, point_size(p)) };
		return;
	case DATA_UINT16:
	case DATA_UINT32:
	case DATA_UINT64:
		*v = (struct fieldway_value){ .type = FIELDWAY_UINT, .unsignd = raw };
		return;
	case DATA_FLOAT32:
	case DATA_FLOAT64:
		decode_float(raw, p->data, sample);
		return;
	case DATA_STRING:
		return;
	}
}

/* Returns the room that the string took in text, or -ENOBUFS. */
static int decode_string(const struct point *p, const uint8_t *bytes, struct fieldway_sample *sample,
			 char *text, size_t text_size)
{
	size_t n = 0;

	if (text_size < p->length)
		return -ENOBUFS;
	for (size_t i = 0; i < p->length; i++)
		text[i] = (char)bytes[i ^ (p->order & 1u)];
	while (n < p->length && text[n])
		n++;
	while (n > 0 && text[n - 1] == ' ')
		n--;
	if (!text_is_utf8(text, n)) {
		sample->quality = FIELDWAY_INVALID;
		return 0;
	}
	sample->value = (struct fieldway_value){ .type = FIELDWAY_STRING, .data = text, .size = n };
	return (int)n;
}

int answer_decode(const struct point *points, const struct fieldway_request *request,
		  const uint8_t *bytes, size_t size, struct fieldway_sample *samples, char *text,
		  size_t text_size)
{
	struct span span = request_span(request);

	if (size != span_bytes(&span))
		return -EBADMSG;
	for (size_t i = 0; i < request->n_points; i++) {
		const struct point *p = &points[request->points[i]];
		size_t offset = p->address - span.address;
		struct fieldway_sample *s = &samples[i];
		int used;

		*s = (struct fieldway_sample){ .point = request->points[i], .quality = FIELDWAY_GOOD };
		if (area_has_bits(p->area)) {
			s->value = (struct fieldway_value){ .type = FIELDWAY_BOOL,
							    .boolean = bytes[offset / 8] >> offset % 8 & 1 };
		} else if (p->data == DATA_STRING) {
			used = decode_string(p, bytes + 2 * offset, s, text, text_size);
			if (used < 0)
				return used;
			text += used;
			text_size -= (size_t)used;
		} else {
			decode_number(p, gather(p, bytes + 2 * offset), s);
		}
	}
	return 0;
}
