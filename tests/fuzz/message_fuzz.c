/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "transport/message.h"

/* Any bytes as a datagram: what is understood can be written again and means the same. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf out = { 0 };
	struct message m, again;

	if (message_decode(data, size, &m) < 0)
		return 0;
	require(message_encode(&m, &out) == 0);
	require(message_decode(out.data, out.size, &again) == 0);
	compare(&m, &again);
	return 0;
}
