/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/macro.h"
#include "tests/fuzz/fuzz.h"
#include "transport/message.h"
#include "transport/record.h"

/* Any bytes as a datagram: what is understood can be written again and means the same. And any bytes as DTLS records. */

static const struct fuzz_seed seeds[] = {
	{ "41017d3520bb74656d7065726174757265", NULL }, /* GET */
	{ "61457d3520ff32322e332043", NULL }, /* 2.05 */
	{ "60007d38", NULL }, /* empty ACK */
	{ "5145a0004a610cff32", NULL }, /* notification */
	{ "40031234b76f7074696f6e73d1030bff00", NULL }, /* Block1 */
	/* Register */
	{ "48020001aabbccddeeff0011b2726411283465703d61066c743d333030ff3c2f3e", NULL },
	{ "68410001aabbccddeeff00118272640435613366", NULL }, /* Location-Path */
	{ "40050001c1705170d11e0ad2b3abcdd11b01ff01", NULL }, /* FETCH */
	{ "40010001b100e1ffff00", NULL }, /* odd numbers */
	/* HelloVerifyRequest; ChangeCipherSpec and what is no record */
	{ "16feff000000000000000000100300000400000000000004feff0101aa", NULL },
	{ "14fefd0000000000000001000101ff", NULL },
};
const struct fuzz_target fuzz_target = { "message", seeds, ARRAY_SIZE(seeds) };

static int same_span(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static void compare(const struct message *a, const struct message *b)
{
	require(a->type == b->type && a->code == b->code && a->id == b->id);
	require(same_span(span_of(a->token, a->token_size), span_of(b->token, b->token_size)));
	require(a->n_path == b->n_path && a->n_query == b->n_query);
	for (unsigned i = 0; i < a->n_path; i++)
		require(same_span(a->path[i], b->path[i]));
	for (unsigned i = 0; i < a->n_query; i++)
		require(same_span(a->query[i], b->query[i]));
	require(a->content_format == b->content_format && a->accept == b->accept);
	require(a->observe == b->observe && a->size1 == b->size1 && a->size2 == b->size2);
	require(a->block1.present == b->block1.present && a->block1.number == b->block1.number);
	require(a->block2.more == b->block2.more && a->block2.size == b->block2.size);
	require(same_span(a->etag, b->etag) && same_span(a->echo, b->echo));
	require(same_span(a->request_tag, b->request_tag) && same_span(a->payload, b->payload));
}

/* What is sound is so without what follows it. */
static void check_records(const uint8_t *data, size_t size)
{
	bool change = false, again = false;
	size_t sound = record_sound_part(data, size, &change);

	require(sound <= size && record_sound_part(data, sound, &again) == sound);
	require(change == again);
	require(!record_is_verify_request(data, sound) || sound > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf out = { 0 };
	struct message m, again;

	check_records(data, size);
	if (message_decode(data, size, &m) < 0)
		return 0;
	require(message_encode(&m, &out) == 0);
	require(message_decode(out.data, out.size, &again) == 0);
	compare(&m, &again);
	return 0;
}
