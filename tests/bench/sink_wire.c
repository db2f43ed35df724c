/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tests/bench/sink.h"

enum {
	OPTION_OBSERVE = 6,
	OPTION_LOCATION_PATH = 8,
	OPTION_URI_PATH = 11,
	OPTION_CONTENT_FORMAT = 12,
	OPTION_URI_QUERY = 15,
};

/* ---- reading ---- */

struct reader {
	const uint8_t *at, *end;
	unsigned option;
};

/* 13 and 14 stand for one and two more bytes (RFC 7252 section 3.1). */
static bool read_extended(struct reader *r, unsigned nibble, unsigned *ret)
{
	unsigned n = nibble < 13 ? 0 : nibble - 12;

	if (nibble == 15 || (size_t)(r->end - r->at) < n)
		return false;
	*ret = nibble;
	if (n == 1)
		*ret = 13u + r->at[0];
	else if (n == 2)
		*ret = 269u + (unsigned)(r->at[0] << 8 | r->at[1]);
	r->at += n;
	return true;
}

/* False: no more options, or broken ones. */
static bool next_option(struct reader *r, struct wire_text *ret)
{
	unsigned head, delta, size;

	if (r->at == r->end || *r->at == 0xff)
		return false;
	head = *r->at++;
	if (!read_extended(r, head >> 4, &delta) || !read_extended(r, head & 15, &size) ||
	    (size_t)(r->end - r->at) < size)
		return false;
	r->option += delta;
	*ret = (struct wire_text){ (const char *)r->at, size };
	r->at += size;
	return true;
}

bool wire_parse(const uint8_t *data, size_t n, struct wire *ret)
{
	struct reader r = { .end = data + n };
	struct wire_text value;

	if (n < 4 || data[0] >> 6 != 1 || (data[0] & 15) > 8 || n < 4u + (data[0] & 15))
		return false;
	*ret = (struct wire){
		.type = data[0] >> 4 & 3,
		.code = data[1],
		.id = (uint16_t)(data[2] << 8 | data[3]),
		.token_size = data[0] & 15,
		.token = data + 4,
	};
	r.at = data + 4 + ret->token_size;
	while (next_option(&r, &value)) {
		if (r.option == OPTION_URI_PATH && ret->n_path < WIRE_PATH_MAX)
			ret->path[ret->n_path++] = value;
		else if (r.option == OPTION_URI_QUERY && value.n > 3 && memcmp(value.p, "ep=", 3) == 0)
			ret->endpoint = (struct wire_text){ value.p + 3, value.n - 3 };
	}
	return true;
}

bool wire_is(const struct wire_text *text, const char *expected)
{
	return text->n == strlen(expected) && memcmp(text->p, expected, text->n) == 0;
}

/* ---- writing: options are short, and their numbers close ---- */

struct writer {
	uint8_t *out, *at;
	unsigned option;
};

static struct writer begin(uint8_t *out, uint8_t type, uint8_t code, uint16_t id, const void *token,
			   size_t token_size)
{
	out[0] = (uint8_t)(1 << 6 | type << 4 | (uint8_t)token_size);
	out[1] = code;
	out[2] = (uint8_t)(id >> 8);
	out[3] = (uint8_t)id;
	if (token_size > 0)
		memcpy(out + 4, token, token_size);
	return (struct writer){ .out = out, .at = out + 4 + token_size };
}

static void put_option(struct writer *w, unsigned option, const char *value, size_t n)
{
	*w->at++ = (uint8_t)((option - w->option) << 4 | (n & 15));
	w->option = option;
	memcpy(w->at, value, n);
	w->at += n;
}

static void put_path(struct writer *w, unsigned option, const char *path)
{
	while (*path == '/') {
		size_t n = strcspn(++path, "/");

		put_option(w, option, path, n > 12 ? 12 : n);
		path += n;
	}
}

size_t wire_answer(uint8_t *out, const struct wire *request, uint8_t code, const char *location)
{
	struct writer w = begin(out, WIRE_ACK, code, request->id, request->token, request->token_size);

	if (location)
		put_path(&w, OPTION_LOCATION_PATH, location);
	return (size_t)(w.at - out);
}

size_t wire_empty(uint8_t *out, uint8_t type, uint16_t id)
{
	struct writer w = begin(out, type, 0, id, NULL, 0);

	return (size_t)(w.at - out);
}

size_t wire_request(uint8_t *out, uint16_t id, uint16_t token, const char *path, const char *text)
{
	uint8_t code = text ? WIRE_CODE(0, 3) : WIRE_CODE(0, 1);
	struct writer w = begin(out, WIRE_CON, code, id, &token, sizeof(token));

	if (!text)
		put_option(&w, OPTION_OBSERVE, "", 0);
	put_path(&w, OPTION_URI_PATH, path);
	if (text) {
		put_option(&w, OPTION_CONTENT_FORMAT, "", 0);
		*w.at++ = 0xff;
		w.at = (uint8_t *)mempcpy(w.at, text, strlen(text));
	}
	return (size_t)(w.at - out);
}
