/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

#include <errno.h>

/* Where the texts of an answer go. */
struct texts {
	char *next;
	size_t room;
};

static int decode_value(const struct point *p, const uint8_t *bytes, size_t size,
			struct fieldway_sample *sample, struct texts *texts)
{
	ssize_t used = layout_decode(&p->layout, bytes, size, sample, texts->next, texts->room);

	if (used == -EBADMSG) { /* an object that is shorter than its type */
		sample->quality = FIELDWAY_INVALID;
		return 0;
	}
	if (used <= 0)
		return (int)used;
	texts->next += used;
	texts->room -= (size_t)used;
	return 0;
}

static int decode_register(const struct span *span, const struct point *p, const uint8_t *bytes,
			   size_t size, struct fieldway_sample *sample, struct texts *texts)
{
	size_t offset = p->address - span->address;

	if (area_has_bits(span->area)) {
		sample->value =
			(struct fieldway_value){ .type = FIELDWAY_BOOL,
						 .boolean = bytes[offset / 8] >> offset % 8 & 1 };
		return 0;
	}
	if (2 * (offset + p->count) > size) {
		sample->quality = FIELDWAY_INVALID;
		return 0;
	}
	return decode_value(p, bytes + 2 * offset, 2u * p->count, sample, texts);
}

/* The object's bytes, or NULL. */
static const uint8_t *find_object(const uint8_t *bytes, size_t size, uint16_t object,
				  size_t *ret_size)
{
	for (size_t i = 0; i + 2 <= size && i + 2 + bytes[i + 1] <= size; i += 2u + bytes[i + 1]) {
		if (bytes[i] != object)
			continue;
		*ret_size = bytes[i + 1];
		return bytes + i + 2;
	}
	return NULL;
}

static int decode_object(const struct point *p, const uint8_t *bytes, size_t size,
			 struct fieldway_sample *sample, struct texts *texts)
{
	const uint8_t *object = find_object(bytes, size, p->address, &size);

	if (object)
		return decode_value(p, object, size, sample, texts);
	sample->quality = FIELDWAY_INVALID;
	return 0;
}

static bool size_is_right(const struct span *span, size_t size)
{
	if (span->area == AREA_IDENTIFICATION)
		return true;
	return span->model ? size <= span_bytes(span) && size % 2 == 0 : size == span_bytes(span);
}

int answer_decode(const struct point *points, const struct fieldway_request *request,
		  const uint8_t *bytes, size_t size, struct fieldway_sample *samples, char *text,
		  size_t text_size)
{
	struct span span = request_span(request);
	struct texts texts = { text, text_size };

	if (!size_is_right(&span, size))
		return -EBADMSG;
	for (size_t i = 0; i < request->n_points; i++) {
		const struct point *p = &points[request->points[i]];
		struct fieldway_sample *s = &samples[i];
		int r;

		*s = (struct fieldway_sample){ .point = request->points[i],
					       .quality = FIELDWAY_GOOD };
		r = span.area == AREA_IDENTIFICATION ?
			    decode_object(p, bytes, size, s, &texts) :
			    decode_register(&span, p, bytes, size, s, &texts);
		if (r < 0)
			return r;
	}
	return 0;
}
