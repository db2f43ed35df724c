/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "transport/message.h"
#include "transport/uri.h"

/* Every vector here is a whole datagram. */
static const char *const valid[] = {
	/* RFC 7252 appendix A, figure 16: GET /temperature, CON 0x7d34, and its answer "22.3 C" */
	"40017d34bb74656d7065726174757265",
	"60457d34ff32322e332043",
	/* figure 17: the same with token 0x20 */
	"41017d3520bb74656d7065726174757265",
	"61457d3520ff32322e332043",
	/* figure 18: an empty ACK */
	"60007d38",
	/* RFC 7641 figure 6's form: Observe 0 register, notification 12 with Max-Age */
	"41017d394a605b74656d7065726174757265",
	"5145a0004a610c823c1eff32322e332043",
	/* RFC 7959 figure 7's form: PUT with Block1 0/1/128, and 2.31 */
	"40031234b7" "6f7074696f6e73" "d103" "0b" "ff00",
	"605f1234d10e0b",
	/* LwM2M Register: POST /rd?ep=a&lt=300&lwm2m=1.1 ct 40, payload </1/0> */
	"48020001aabbccddeeff0011b27264" "1128" "3465703d61" "066c743d333030" "096c776d326d3d312e31"
	"ff3c2f312f303e",
	/* Location-Path rd/5a3f */
	"68410001aabbccddeeff00118272640435613366",
	/* FETCH with Accept, Size1, Echo, Request-Tag */
	"40050001" "c170" "5170" "d11e0a" "d2b3abcd" "d11b01" "ff01",
};

static struct span from_hex(const char *text)
{
	uint8_t *data;
	size_t size;

	ck_assert_int_eq(hex_decode(text, &data, &size), 0);
	return span_of(data, size);
}

static void free_span(struct span *s)
{
	free((void *)(uintptr_t)s->p);
}
#define _cleanup_span_ _cleanup_(free_span)

static bool same_span(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static void assert_same(const struct message *a, const struct message *b)
{
	ck_assert_uint_eq(a->type, b->type);
	ck_assert_uint_eq(a->code, b->code);
	ck_assert_uint_eq(a->id, b->id);
	ck_assert(same_span(span_of(a->token, a->token_size), span_of(b->token, b->token_size)));
	ck_assert_uint_eq(a->n_path, b->n_path);
	for (unsigned i = 0; i < a->n_path; i++)
		ck_assert(same_span(a->path[i], b->path[i]));
	ck_assert_uint_eq(a->n_query, b->n_query);
	for (unsigned i = 0; i < a->n_query; i++)
		ck_assert(same_span(a->query[i], b->query[i]));
	ck_assert_int_eq(a->content_format, b->content_format);
	ck_assert_int_eq(a->accept, b->accept);
	ck_assert_int_eq(a->observe, b->observe);
	ck_assert_int_eq(a->size1, b->size1);
	ck_assert_int_eq(a->size2, b->size2);
	ck_assert_int_eq(a->block1.present, b->block1.present);
	ck_assert_uint_eq(a->block1.number, b->block1.number);
	ck_assert_uint_eq(a->block1.size, b->block1.size);
	ck_assert_int_eq(a->block2.more, b->block2.more);
	ck_assert_uint_eq(a->block2.number, b->block2.number);
	ck_assert(same_span(a->etag, b->etag));
	ck_assert(same_span(a->request_tag, b->request_tag));
	ck_assert(same_span(a->echo, b->echo));
	ck_assert(same_span(a->payload, b->payload));
}

/* What can be decoded can be encoded again, and means the same. */
static void round_trip(const void *data, size_t size)
{
	_cleanup_buf_ struct buf out = { 0 };
	struct message m, again;

	if (message_decode(data, size, &m) < 0)
		return;
	ck_assert_int_eq(message_encode(&m, &out), 0);
	ck_assert_int_eq(message_decode(out.data, out.size, &again), 0);
	assert_same(&m, &again);
	ck_assert_uint_eq(again.bad_option, 0);
}

START_TEST(vectors_are_read)
{
	_cleanup_span_ struct span get = from_hex(valid[2]);
	_cleanup_span_ struct span answer = from_hex(valid[3]);
	_cleanup_span_ struct span notification = from_hex(valid[6]);
	_cleanup_span_ struct span put = from_hex(valid[7]);
	struct message m;

	ck_assert_int_eq(message_decode(get.p, get.n, &m), 0);
	ck_assert_uint_eq(m.type, MESSAGE_CON);
	ck_assert_uint_eq(m.code, CODE_GET);
	ck_assert_uint_eq(m.id, 0x7d35);
	ck_assert_uint_eq(m.token_size, 1);
	ck_assert_uint_eq(m.token[0], 0x20);
	ck_assert_uint_eq(m.n_path, 1);
	ck_assert(same_span(m.path[0], span_of("temperature", 11)));
	ck_assert_int_eq(m.content_format, -1);
	ck_assert_int_eq(message_decode(answer.p, answer.n, &m), 0);
	ck_assert_uint_eq(m.type, MESSAGE_ACK);
	ck_assert_uint_eq(m.code, CODE(2, 5));
	ck_assert(same_span(m.payload, span_of("22.3 C", 6)));
	ck_assert_int_eq(message_decode(notification.p, notification.n, &m), 0);
	ck_assert_int_eq(m.observe, 12);
	ck_assert_uint_eq(m.bad_option, 0);
	ck_assert_int_eq(message_decode(put.p, put.n, &m), 0);
	ck_assert(m.block1.present && m.block1.more);
	ck_assert_uint_eq(m.block1.size, 128);
}
END_TEST

START_TEST(register_is_read)
{
	_cleanup_span_ struct span data = from_hex(valid[9]);
	_cleanup_span_ struct span created = from_hex(valid[10]);
	struct message m;

	ck_assert_int_eq(message_decode(data.p, data.n, &m), 0);
	ck_assert_uint_eq(m.code, CODE_POST);
	ck_assert_int_eq(m.content_format, 40);
	ck_assert_uint_eq(m.n_query, 3);
	ck_assert(same_span(m.query[1], span_of("lt=300", 6)));
	ck_assert(same_span(m.payload, span_of("</1/0>", 6)));
	ck_assert_int_eq(message_decode(created.p, created.n, &m), 0);
	ck_assert_uint_eq(m.n_path, 2);
	ck_assert(same_span(m.path[1], span_of("5a3f", 4)));
}
END_TEST

START_TEST(vectors_are_written)
{
	for (size_t i = 0; i < ARRAY_SIZE(valid); i++) {
		_cleanup_span_ struct span data = from_hex(valid[i]);
		_cleanup_buf_ struct buf out = { 0 };
		struct message m;

		ck_assert_int_eq(message_decode(data.p, data.n, &m), 0);
		ck_assert_uint_eq(m.bad_option, 0);
		ck_assert_int_eq(message_encode(&m, &out), 0);
		if (i == 6) /* Max-Age is read over */
			continue;
		ck_assert_msg(same_span(data, span_of(out.data, out.size)), "vector %zu: %s", i, valid[i]);
	}
}
END_TEST

START_TEST(requests_are_built)
{
	_cleanup_span_ struct span data = from_hex(valid[9]);
	_cleanup_buf_ struct buf out = { 0 };
	struct message m;

	message_init(&m, MESSAGE_CON, CODE_POST);
	m.id = 1;
	m.token_size = 8;
	memcpy(m.token, "\xaa\xbb\xcc\xdd\xee\xff\x00\x11", 8);
	ck_assert_int_eq(message_add_path(&m, "rd"), 0);
	ck_assert_int_eq(message_add_query(&m, "ep=a"), 0);
	ck_assert_int_eq(message_add_query(&m, "lt=300"), 0);
	ck_assert_int_eq(message_add_query(&m, "lwm2m=1.1"), 0);
	m.content_format = 40;
	m.payload = span_of("</1/0>", 6);
	ck_assert_int_eq(message_encode(&m, &out), 0);
	ck_assert(same_span(data, span_of(out.data, out.size)));
}
END_TEST

static const struct {
	const char *hex;
	int result;
	uint16_t bad_option;
} odd[] = {
	{ "", -EBADMSG, 0 },
	{ "400000", -EBADMSG, 0 },
	{ "00010001", -EPROTO, 0 },                 /* version 0 */
	{ "80010001", -EPROTO, 0 },                 /* version 2 */
	{ "49010001112233445566778899", -EBADMSG, 0 }, /* token length 9 */
	{ "4201000111", -EBADMSG, 0 },              /* token cut */
	{ "41000001aa", -EBADMSG, 0 },              /* empty message with a token */
	{ "40000001ff01", -EBADMSG, 0 },            /* empty message with a payload */
	{ "40010001ff", -EBADMSG, 0 },              /* marker without payload */
	{ "40010001f0", -EBADMSG, 0 },              /* option delta 15 */
	{ "400100010f", -EBADMSG, 0 },              /* option length 15 */
	{ "40010001d0", -EBADMSG, 0 },              /* extended delta missing */
	{ "40010001e0ff", -EBADMSG, 0 },            /* extended delta half there */
	{ "400100010d", -EBADMSG, 0 },              /* extended length missing */
	{ "40010001b3ab", -EBADMSG, 0 },            /* value cut */
	{ "40010001e0ffff", -EBADMSG, 0 },          /* option number over 65535 */
	{ "40010001e0fef2e0fef2", -EBADMSG, 0 },    /* the same by adding up */
	{ "4001000191aa", 0, 9 },                   /* OSCORE, critical, not known */
	{ "4001000111aa", 0, 1 },                   /* If-Match */
	{ "40010001d11600", 0, 35 },                /* Proxy-Uri */
	{ "40010001d1e301", 0, 0 },                 /* 240: elective, not known */
	{ "40010001c3000000", 0, 0 },               /* Content-Format of 3 bytes: elective */
	{ "40010001d304000000", 0, 17 },            /* Accept of 3 bytes: critical */
	{ "40010001d40a00000000", 0, 23 },          /* Block2 of 4 bytes */
	{ "40010001d1040000", 0, 17 },              /* Accept twice */
	{ "40010001d10a07", -ENOBUFS, 0 },          /* Block2 with the reserved size */
	{ "60450001b161", 0, 11 },                  /* Uri-Path in a response */
};

START_TEST(odd_messages)
{
	_cleanup_span_ struct span data = from_hex(odd[_i].hex);
	struct message m;

	ck_assert_int_eq(message_decode(data.p, data.n, &m), odd[_i].result);
	if (odd[_i].result == 0)
		ck_assert_uint_eq(m.bad_option, odd[_i].bad_option);
}
END_TEST

START_TEST(limits_hold)
{
	uint8_t data[MESSAGE_SIZE_MAX + 1] = { 0x40, 1, 0x12, 0x34, 0xb1, 'a' };
	_cleanup_buf_ struct buf out = { 0 };
	struct message m;
	size_t n = 6;

	for (unsigned i = 1; i < MESSAGE_SEGMENTS_MAX; i++) {
		data[n++] = 0x01;
		data[n++] = 'a';
	}
	ck_assert_int_eq(message_decode(data, n, &m), 0);
	ck_assert_uint_eq(m.n_path, MESSAGE_SEGMENTS_MAX);
	ck_assert_int_eq(message_add_path(&m, "a"), -ENOBUFS);
	data[n++] = 0x01;
	data[n++] = 'a';
	ck_assert_int_eq(message_decode(data, n, &m), -ENOBUFS);
	ck_assert_uint_eq(m.id, 0x1234);
	/* A format error behind the ninth segment is still one. */
	data[n++] = 0xff;
	ck_assert_int_eq(message_decode(data, n, &m), -EBADMSG);
	ck_assert_int_eq(message_decode(data, sizeof(data), &m), -ENOBUFS);

	message_init(&m, MESSAGE_CON, CODE_PUT);
	m.payload = span_of(data, MESSAGE_SIZE_MAX - 5);
	ck_assert_int_eq(message_encode(&m, &out), 0);
	ck_assert_uint_eq(out.size, MESSAGE_SIZE_MAX);
	m.payload.n++;
	ck_assert_int_eq(message_encode(&m, &out), -EMSGSIZE);
	ck_assert_uint_eq(out.size, MESSAGE_SIZE_MAX);
	m.payload.n = 0;
	m.block1 = (struct message_block){ .present = true, .number = 0x100000, .size = 16 };
	ck_assert_int_eq(message_encode(&m, &out), -EMSGSIZE);
}
END_TEST

/* malloc'd exactly, so that the sanitizer sees one byte too far. */
static void try_decode(const uint8_t *data, size_t size)
{
	_cleanup_free_ uint8_t *copy = malloc(size > 0 ? size : 1);

	memcpy(copy, data, size);
	round_trip(copy, size);
}

START_TEST(truncations)
{
	_cleanup_span_ struct span data = from_hex(valid[_i]);

	for (size_t n = 0; n <= data.n; n++)
		try_decode(data.p, n);
}
END_TEST

START_TEST(mutations)
{
	_cleanup_span_ struct span data = from_hex(valid[_i]);
	_cleanup_free_ uint8_t *copy = malloc(data.n);

	memcpy(copy, data.p, data.n);
	for (size_t i = 0; i < data.n; i++) {
		for (unsigned byte = 0; byte < 256; byte++) {
			copy[i] = (uint8_t)byte;
			try_decode(copy, data.n);
		}
		copy[i] = data.p[i];
	}
}
END_TEST

static const struct {
	const char *text, *host;
	int result;
	enum uri_scheme scheme;
	uint16_t port;
} uris[] = {
	{ "coap://example.org", "example.org", 0, URI_COAP, 5683 },
	{ "coaps://192.0.2.1", "192.0.2.1", 0, URI_COAPS, 5684 },
	{ "COAPS://leshan.example:1234/", "leshan.example", 0, URI_COAPS, 1234 },
	{ "coap://[2001:db8::1]:5700", "2001:db8::1", 0, URI_COAP, 5700 },
	{ "coap://[fe80::1%eth0]", "fe80::1%eth0", 0, URI_COAP, 5683 },
	{ "coap+tcp://h:", "h", 0, URI_COAP_TCP, 5683 },
	{ "coaps+tcp://h", "h", 0, URI_COAPS_TCP, 5684 },
	{ "http://h", NULL, -EINVAL, 0, 0 },
	{ "coap:/h", NULL, -EINVAL, 0, 0 },
	{ "coap://", NULL, -EINVAL, 0, 0 },
	{ "coap://:5683", NULL, -EINVAL, 0, 0 },
	{ "coap://h:0", NULL, -EINVAL, 0, 0 },
	{ "coap://h:65536", NULL, -EINVAL, 0, 0 },
	{ "coap://h:12x", NULL, -EINVAL, 0, 0 },
	{ "coap://h/path", NULL, -EINVAL, 0, 0 },
	{ "coap://h?q", NULL, -EINVAL, 0, 0 },
	{ "coap://[::1", NULL, -EINVAL, 0, 0 },
	{ "coap://[nonsense]", NULL, -EINVAL, 0, 0 },
	{ "coap://user@h", NULL, -EINVAL, 0, 0 },
	{ "coap://a b", NULL, -EINVAL, 0, 0 },
};

START_TEST(uri_vectors)
{
	struct uri uri = { .host = NULL };

	ck_assert_int_eq(uri_parse(uris[_i].text, &uri), uris[_i].result);
	if (uris[_i].result == 0) {
		ck_assert_int_eq(uri.scheme, uris[_i].scheme);
		ck_assert_str_eq(uri.host, uris[_i].host);
		ck_assert_uint_eq(uri.port, uris[_i].port);
	} else {
		ck_assert_ptr_null(uri.host);
	}
	uri_done(&uri);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("message");
	TCase *tcase = tcase_create("message");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, vectors_are_read);
	tcase_add_test(tcase, register_is_read);
	tcase_add_test(tcase, vectors_are_written);
	tcase_add_test(tcase, requests_are_built);
	tcase_add_loop_test(tcase, odd_messages, 0, ARRAY_SIZE(odd));
	tcase_add_test(tcase, limits_hold);
	tcase_add_loop_test(tcase, truncations, 0, ARRAY_SIZE(valid));
	tcase_add_loop_test(tcase, mutations, 0, ARRAY_SIZE(valid));
	tcase_add_loop_test(tcase, uri_vectors, 0, ARRAY_SIZE(uris));
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
