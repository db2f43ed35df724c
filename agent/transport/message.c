/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/message.h"

#include <coap3/coap.h>
#include <errno.h>
#include <string.h>

#define PROTOCOL_VERSION 1u
#define PAYLOAD_MARKER 0xffu
#define TOKEN_MAX 8u
#define BLOCK_NUMBER_MAX 0xfffffu
#define BLOCK_SIZE_RESERVED 7u /* RFC 7959 section 2.2: 4.00 */

enum {
	OPTION_IF_MATCH = COAP_OPTION_IF_MATCH,
	OPTION_URI_HOST = COAP_OPTION_URI_HOST,
	OPTION_ETAG = COAP_OPTION_ETAG,
	OPTION_OBSERVE = COAP_OPTION_OBSERVE,
	OPTION_URI_PORT = COAP_OPTION_URI_PORT,
	OPTION_LOCATION_PATH = COAP_OPTION_LOCATION_PATH,
	OPTION_URI_PATH = COAP_OPTION_URI_PATH,
	OPTION_CONTENT_FORMAT = COAP_OPTION_CONTENT_FORMAT,
	OPTION_MAX_AGE = COAP_OPTION_MAXAGE,
	OPTION_URI_QUERY = COAP_OPTION_URI_QUERY,
	OPTION_ACCEPT = COAP_OPTION_ACCEPT,
	OPTION_BLOCK2 = COAP_OPTION_BLOCK2,
	OPTION_BLOCK1 = COAP_OPTION_BLOCK1,
	OPTION_SIZE2 = COAP_OPTION_SIZE2,
	OPTION_SIZE1 = COAP_OPTION_SIZE1,
	OPTION_ECHO = 252,
	OPTION_REQUEST_TAG = 292,
};

/* What the kinds of message may carry. */
enum {
	IN_REQUEST = 1,
	IN_RESPONSE = 2,
	IN_BOTH = IN_REQUEST | IN_RESPONSE,
};

/* RFC 7252 table 4, 7641 2, 7959 table 1, 9175 2.2.1 and 3.2.1: length range, and which messages know it. */
static const struct option_rule {
	uint16_t number;
	uint8_t min, max;
	uint8_t messages;
	bool repeatable;
} rules[] = {
	{ OPTION_URI_HOST, 1, 255, IN_REQUEST, false },
	{ OPTION_ETAG, 1, 8, IN_BOTH, true },
	{ OPTION_OBSERVE, 0, 3, IN_BOTH, false },
	{ OPTION_URI_PORT, 0, 2, IN_REQUEST, false },
	{ OPTION_LOCATION_PATH, 0, 255, IN_RESPONSE, true },
	{ OPTION_URI_PATH, 0, 255, IN_REQUEST, true },
	{ OPTION_CONTENT_FORMAT, 0, 2, IN_BOTH, false },
	{ OPTION_MAX_AGE, 0, 4, IN_RESPONSE, false },
	{ OPTION_URI_QUERY, 0, 255, IN_REQUEST, true },
	{ OPTION_ACCEPT, 0, 2, IN_REQUEST, false },
	{ OPTION_BLOCK2, 0, 3, IN_BOTH, false },
	{ OPTION_BLOCK1, 0, 3, IN_BOTH, false },
	{ OPTION_SIZE2, 0, 4, IN_BOTH, false },
	{ OPTION_SIZE1, 0, 4, IN_BOTH, false },
	{ OPTION_ECHO, 1, 40, IN_BOTH, false },
	{ OPTION_REQUEST_TAG, 0, 8, IN_REQUEST, true },
};

void message_init(struct message *m, uint8_t type, uint8_t code)
{
	*m = (struct message){
		.type = type,
		.code = code,
		.content_format = -1,
		.accept = -1,
		.observe = -1,
		.size1 = -1,
		.size2 = -1,
		.max_age = -1,
	};
}

static int add_span(struct span *items, uint8_t *n, unsigned max, struct span item)
{
	if (*n >= max)
		return -ENOBUFS;
	items[(*n)++] = item;
	return 0;
}

int message_add_path(struct message *m, const char *segment)
{
	return add_span(m->path, &m->n_path, MESSAGE_SEGMENTS_MAX, span_of(segment, strlen(segment)));
}

int message_add_query(struct message *m, const char *query)
{
	return add_span(m->query, &m->n_query, MESSAGE_QUERIES_MAX, span_of(query, strlen(query)));
}

static bool is_request(const struct message *m)
{
	return code_class(m->code) == 0;
}

static uint32_t decode_uint(const coap_option_t *option)
{
	uint32_t value = 0;

	for (size_t i = 0; i < option->length; i++)
		value = value << 8 | option->value[i];
	return value;
}

static int decode_block(const coap_option_t *option, struct message_block *ret)
{
	uint32_t value = decode_uint(option);

	if ((value & 7) == BLOCK_SIZE_RESERVED)
		return -ENOBUFS;
	*ret = (struct message_block){
		.present = true,
		.more = value & 8,
		.number = value >> 4,
		.size = (uint16_t)(16u << (value & 7)),
	};
	return 0;
}

static const struct option_rule *find_rule(const struct message *m, uint16_t number, size_t length,
					   bool repeated)
{
	unsigned kind = is_request(m) ? IN_REQUEST : IN_RESPONSE;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		const struct option_rule *rule = &rules[i];

		if (rule->number != number)
			continue;
		/* RFC 7252 5.4.3 and 5.4.5: a wrong length or a second one counts as not recognised. */
		if (!(rule->messages & kind) || length < rule->min || length > rule->max ||
		    (repeated && !rule->repeatable))
			return NULL;
		return rule;
	}
	return NULL;
}

static void set_first(struct span *span, const coap_option_t *option)
{
	if (!span->p)
		*span = span_of(option->value, option->length);
}

static int take_option(struct message *m, uint16_t number, const coap_option_t *option)
{
	struct span span = span_of(option->value, option->length);

	switch (number) {
	case OPTION_LOCATION_PATH:
	case OPTION_URI_PATH:
		return add_span(m->path, &m->n_path, MESSAGE_SEGMENTS_MAX, span);
	case OPTION_URI_QUERY:
		return add_span(m->query, &m->n_query, MESSAGE_QUERIES_MAX, span);
	case OPTION_BLOCK1:
		return decode_block(option, &m->block1);
	case OPTION_BLOCK2:
		return decode_block(option, &m->block2);
	case OPTION_CONTENT_FORMAT:
		m->content_format = (int32_t)decode_uint(option);
		break;
	case OPTION_ACCEPT:
		m->accept = (int32_t)decode_uint(option);
		break;
	case OPTION_OBSERVE:
		m->observe = (int32_t)decode_uint(option);
		break;
	case OPTION_SIZE1:
		m->size1 = decode_uint(option);
		break;
	case OPTION_SIZE2:
		m->size2 = decode_uint(option);
		break;
	case OPTION_MAX_AGE:
		m->max_age = decode_uint(option);
		break;
	case OPTION_ETAG:
		set_first(&m->etag, option);
		break;
	case OPTION_REQUEST_TAG:
		set_first(&m->request_tag, option);
		break;
	case OPTION_ECHO:
		m->echo = span;
		break;
	}
	return 0;
}

/* An option that is too much or too odd does not end the walk: the format of the rest still counts. */
static int decode_options(struct span rest, struct message *m)
{
	uint32_t number = 0;
	int result = 0;
	bool first = true;

	while (rest.n > 0 && rest.p[0] != PAYLOAD_MARKER) {
		coap_option_t option;
		size_t size = coap_opt_parse(rest.p, rest.n, &option);
		bool repeated = !first && option.delta == 0;
		int r;

		if (size == 0 || size > rest.n || number + option.delta > UINT16_MAX)
			return -EBADMSG;
		number += option.delta;
		first = false;
		if (find_rule(m, (uint16_t)number, option.length, repeated)) {
			r = take_option(m, (uint16_t)number, &option);
			if (r < 0)
				result = r;
		} else if ((number & 1) && m->bad_option == 0) {
			m->bad_option = (uint16_t)number;
		}
		rest = span_of(rest.p + size, rest.n - size);
	}
	if (rest.n > 0) {
		if (rest.n == 1) /* RFC 7252 section 3: a marker without payload */
			return -EBADMSG;
		m->payload = span_of(rest.p + 1, rest.n - 1);
	}
	return result;
}

static bool is_empty_code_misused(const struct message *m, size_t size)
{
	return m->code == CODE_EMPTY && size > 4;
}

int message_decode(const void *data, size_t size, struct message *ret)
{
	const uint8_t *p = data;
	unsigned token_size;

	message_init(ret, MESSAGE_NON, CODE_EMPTY);
	if (size < 4)
		return -EBADMSG;
	ret->type = p[0] >> 4 & 3;
	ret->code = p[1];
	ret->id = (uint16_t)(p[2] << 8 | p[3]);
	if (p[0] >> 6 != PROTOCOL_VERSION)
		return -EPROTO;
	token_size = p[0] & 15;
	if (token_size > TOKEN_MAX || size < 4 + token_size || is_empty_code_misused(ret, size))
		return -EBADMSG;
	ret->token_size = (uint8_t)token_size;
	if (token_size > 0)
		memcpy(ret->token, p + 4, token_size);
	if (size > MESSAGE_SIZE_MAX)
		return -ENOBUFS;
	return decode_options(span_of(p + 4 + token_size, size - 4 - token_size), ret);
}

/* ---- encoding ---- */

struct encoder {
	uint8_t data[MESSAGE_SIZE_MAX];
	size_t size;
	uint16_t number; /* of the last option */
	int error;
};

static void put_option(struct encoder *e, uint16_t number, const void *value, size_t length)
{
	size_t n;

	if (e->error < 0)
		return;
	n = coap_opt_encode_size((uint16_t)(number - e->number), length);
	if (n > sizeof(e->data) - e->size) {
		e->error = -EMSGSIZE;
		return;
	}
	n = coap_opt_encode(e->data + e->size, sizeof(e->data) - e->size,
			    (uint16_t)(number - e->number), value, length);
	if (n == 0) {
		e->error = -EMSGSIZE;
		return;
	}
	e->size += n;
	e->number = number;
}

static void put_span(struct encoder *e, uint16_t number, struct span span)
{
	if (span.n > 0)
		put_option(e, number, span.p, span.n);
}

static void put_spans(struct encoder *e, uint16_t number, const struct span *spans, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		put_option(e, number, spans[i].n > 0 ? spans[i].p : (const uint8_t *)"", spans[i].n);
}

/* RFC 7252 3.2: without leading zero bytes, nothing for 0; nothing is sent below 0. */
static void put_uint(struct encoder *e, uint16_t number, int64_t value)
{
	uint8_t bytes[4];
	unsigned n;

	if (value < 0)
		return;
	n = coap_encode_var_safe(bytes, sizeof(bytes), (unsigned)value);
	put_option(e, number, bytes, n);
}

static void put_block(struct encoder *e, uint16_t number, const struct message_block *block)
{
	unsigned exponent = 0;

	if (!block->present)
		return;
	if (block->number > BLOCK_NUMBER_MAX) {
		e->error = -EMSGSIZE;
		return;
	}
	while (exponent < 6 && 16u << exponent < block->size)
		exponent++;
	put_uint(e, number, (int64_t)block->number << 4 | (block->more ? 8 : 0) | exponent);
}

static void put_header(struct encoder *e, const struct message *m)
{
	e->data[0] = (uint8_t)(PROTOCOL_VERSION << 6 | (m->type & 3u) << 4 | m->token_size);
	e->data[1] = m->code;
	e->data[2] = (uint8_t)(m->id >> 8);
	e->data[3] = (uint8_t)m->id;
	if (m->token_size > 0)
		memcpy(e->data + 4, m->token, m->token_size);
	e->size = 4 + m->token_size;
}

static void put_options(struct encoder *e, const struct message *m)
{
	put_span(e, OPTION_ETAG, m->etag);
	put_uint(e, OPTION_OBSERVE, m->observe);
	if (!is_request(m))
		put_spans(e, OPTION_LOCATION_PATH, m->path, m->n_path);
	else
		put_spans(e, OPTION_URI_PATH, m->path, m->n_path);
	put_uint(e, OPTION_CONTENT_FORMAT, m->content_format);
	put_uint(e, OPTION_MAX_AGE, m->max_age);
	if (is_request(m)) {
		put_spans(e, OPTION_URI_QUERY, m->query, m->n_query);
		put_uint(e, OPTION_ACCEPT, m->accept);
	}
	put_block(e, OPTION_BLOCK2, &m->block2);
	put_block(e, OPTION_BLOCK1, &m->block1);
	put_uint(e, OPTION_SIZE2, m->size2);
	put_uint(e, OPTION_SIZE1, m->size1);
	put_span(e, OPTION_ECHO, m->echo);
	if (is_request(m) && m->request_tag.p)
		put_option(e, OPTION_REQUEST_TAG, m->request_tag.p, m->request_tag.n);
}

static void put_payload(struct encoder *e, struct span payload)
{
	if (e->error < 0 || payload.n == 0)
		return;
	if (payload.n + 1 > sizeof(e->data) - e->size) {
		e->error = -EMSGSIZE;
		return;
	}
	e->data[e->size++] = PAYLOAD_MARKER;
	memcpy(e->data + e->size, payload.p, payload.n);
	e->size += payload.n;
}

int message_encode(const struct message *m, struct buf *out)
{
	struct encoder e;

	if (m->token_size > TOKEN_MAX)
		return -EINVAL;
	e.number = 0;
	e.error = 0;
	put_header(&e, m);
	if (m->code != CODE_EMPTY) {
		put_options(&e, m);
		put_payload(&e, m->payload);
	}
	if (e.error < 0)
		return e.error;
	return buf_append(out, e.data, e.size);
}
