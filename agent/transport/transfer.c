/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "transport/internal.h"

#define REQUEST_TAG_SIZE 4u
#define ECHO_MAX 40u /* RFC 9175 section 2.2.1 */
#define ECHO_OPTION_MAX (ECHO_MAX + 5)

/* The Block1 half sends the request's body, the Block2 half collects the response's. */
struct transfer {
	size_t offset;
	uint16_t size; /* of a block; 0: the request fits one message */
	uint8_t request_tag[REQUEST_TAG_SIZE];
	bool receiving;
	uint32_t next; /* block to ask for */
	uint16_t received_size;
	struct buf received;
	uint8_t etag_size, etag[8];
	uint8_t echo_size, echo[ECHO_MAX];
};

static void drop_received(struct call *c)
{
	struct transfer *t = c->transfer;

	c->session->transport->assembling -= t->received.size;
	t->received.size = 0;
	t->receiving = false;
}

void transfer_done(struct call *c)
{
	if (!c->transfer)
		return;
	drop_received(c);
	buf_done(&c->transfer->received);
	free(c->transfer);
	c->transfer = NULL;
}

static struct transfer *get_transfer(struct call *c)
{
	if (!c->transfer) {
		c->transfer = calloc(1, sizeof(*c->transfer));
		if (c->transfer)
			c->transfer->received.limit = RESPONSE_SIZE_MAX;
	}
	return c->transfer;
}

int transfer_start(struct call *c)
{
	struct transfer *t = get_transfer(c);
	struct message head;
	int r;

	if (!t)
		return -ENOMEM;
	r = message_decode(c->head, c->head_size, &head);
	if (r < 0)
		return r;
	/* What transfer_fill() will add takes room as well. */
	random_bytes(t->request_tag, sizeof(t->request_tag));
	head.token_size = sizeof(head.token);
	head.request_tag = span_of(t->request_tag, sizeof(t->request_tag));
	head.size1 = (int64_t)c->body_size;
	head.echo = span_of(t->echo, t->echo_size);
	t->size = block_size_fit(&head, c->body_size, BLOCK_SIZE_MAX);
	return t->size > 0 ? 0 : -EMSGSIZE;
}

static void fill_block1(const struct call *c, struct message *m)
{
	const struct transfer *t = c->transfer;

	block_cut(span_of(c->body, c->body_size), (uint32_t)(t->offset / t->size), t->size, &m->block1,
		  &m->payload);
	m->request_tag = span_of(t->request_tag, sizeof(t->request_tag));
	if (t->offset == 0)
		m->size1 = (int64_t)c->body_size;
}

void transfer_fill(const struct call *c, struct message *m)
{
	const struct transfer *t = c->transfer;

	if (t->receiving) {
		/* RFC 7959 3.3: later blocks are asked for without the request's own body. */
		m->block2 = (struct message_block){ .present = true, .number = t->next, .size = t->received_size };
		m->payload = span_of(NULL, 0);
	} else if (t->size > 0) {
		fill_block1(c, m);
	}
	m->echo = span_of(t->echo, t->echo_size);
}

static bool fits_with_echo(const struct call *c)
{
	return c->head_size + sizeof(c->token) + ECHO_OPTION_MAX + 1 + c->body_size <= MESSAGE_SIZE_MAX;
}

/* RFC 9175 2.3: once more, with what the server wants to see. */
static int take_echo(struct call *c, const struct message *response)
{
	struct transfer *t = get_transfer(c);

	if (!t)
		return -ENOMEM;
	t->echo_size = (uint8_t)response->echo.n;
	memcpy(t->echo, response->echo.p, response->echo.n);
	t->offset = 0;
	drop_received(c);
	return t->size > 0 || !fits_with_echo(c) ? transfer_start(c) : 0;
}

static bool wants_echo(const struct call *c, const struct message *response)
{
	return response->code == CODE(4, 01) && response->echo.n > 0 && response->echo.n <= ECHO_MAX &&
	       (!c->transfer || c->transfer->echo_size == 0);
}

static bool wants_smaller(const struct transfer *t, const struct message *response)
{
	return response->code == CODE(4, 13) && t->offset == 0 && response->block1.present &&
	       response->block1.size < t->size;
}

/* 0: goes on; 1: this is the response. */
static int take_block1(struct call *c, const struct message *response)
{
	struct transfer *t = c->transfer;

	if (wants_smaller(t, response)) {
		t->size = response->block1.size;
		return 0;
	}
	if (response->code != CODE(2, 31))
		return 1;
	if (!response->block1.present || response->block1.number != t->offset / t->size ||
	    t->offset + t->size >= c->body_size)
		return -EPROTO;
	t->offset += t->size;
	t->size = MIN(t->size, response->block1.size);
	return 0;
}

static bool same_etag(struct transfer *t, const struct message *response)
{
	if (!t->receiving) {
		t->etag_size = (uint8_t)MIN(response->etag.n, sizeof(t->etag));
		if (t->etag_size > 0)
			memcpy(t->etag, response->etag.p, t->etag_size);
		return true;
	}
	return response->etag.n == t->etag_size &&
	       (t->etag_size == 0 || memcmp(response->etag.p, t->etag, t->etag_size) == 0);
}

static int receive(struct call *c, struct span payload)
{
	struct transport *t = c->session->transport;
	int r;

	if (t->assembling + payload.n > ASSEMBLY_TOTAL_MAX)
		return -EFBIG;
	r = buf_append(&c->transfer->received, payload.p, payload.n);
	if (r >= 0)
		t->assembling += payload.n;
	return r;
}

static int take_block2(struct call *c, const struct message *response)
{
	struct transfer *t = get_transfer(c);
	const struct message_block *block = &response->block2;
	int r;

	if (!t)
		return -ENOMEM;
	if ((size_t)block->number * block->size != t->received.size || !same_etag(t, response) ||
	    (block->more && response->payload.n != block->size))
		return -EPROTO;
	r = receive(c, response->payload);
	if (r < 0)
		return r;
	t->receiving = true;
	t->received_size = block->size;
	t->next = block->number + 1;
	return block->more ? 0 : 1;
}

static bool is_block_of_body(const struct call *c, const struct message *response)
{
	return code_class(response->code) == 2 && response->block2.present &&
	       (response->block2.more || (c->transfer && c->transfer->receiving));
}

int transfer_take(struct call *c, const struct message *response, struct message *ret)
{
	int r = 1;

	if (wants_echo(c, response))
		return take_echo(c, response);
	if (c->transfer && c->transfer->size > 0 && !c->transfer->receiving)
		r = take_block1(c, response);
	if (r == 1 && c->one_block) {
		*ret = *response;
		return 1;
	}
	if (r == 1 && is_block_of_body(c, response))
		r = take_block2(c, response);
	if (r <= 0)
		return r;
	*ret = *response;
	if (is_block_of_body(c, response))
		ret->payload = span_of(c->transfer->received.data, c->transfer->received.size);
	ret->block1 = ret->block2 = (struct message_block){ 0 };
	return 1;
}
