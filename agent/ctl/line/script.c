/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/line/script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "link/recording.h"

#define MBAP_BYTES 7u /* and the function behind it */
#define MBAP_LENGTH_END 6u

struct parsing {
	struct script *script;
	const char *wanted;
	char name[RECORDING_NAME_MAX + 1]; /* of the line that is taken; "": none yet */
	struct script_exchange *open;	   /* whose answer may go on */
	struct buf *answer;		   /* of it, or NULL: nothing has come */
	uint64_t first_usec;
	size_t last_sent; /* bytes of the last piece, if it was sent; else 0 */
};

/* ---- building ---- */

static int grow(void *items, size_t n, size_t *allocated, size_t size)
{
	void *grown;

	if (n < *allocated)
		return 0;
	grown = reallocarray(*(void **)items, 2 * *allocated + 16, size);
	if (!grown)
		return -ENOMEM;
	*(void **)items = grown;
	*allocated = 2 * *allocated + 16;
	return 0;
}

static int answer_new(struct script_exchange *e, struct buf **ret)
{
	int r = grow(&e->answers, e->n, &e->allocated, sizeof(*e->answers));

	if (r < 0)
		return r;
	e->answers[e->n] = (struct buf){ 0 };
	*ret = &e->answers[e->n++];
	return 0;
}

static int take_sent(struct parsing *p, const struct recording_piece *piece)
{
	struct script *s = p->script;
	/* What is longer than a piece takes several; two pieces are else two requests. */
	bool goes_on = p->last_sent == RECORDING_BYTES_MAX;
	int r = 0;

	p->last_sent = piece->n;
	if (!goes_on) {
		r = grow(&s->exchanges, s->n_exchanges, &s->allocated_exchanges,
			 sizeof(*s->exchanges));
		if (r < 0)
			return r;
		s->exchanges[s->n_exchanges] = (struct script_exchange){ 0 };
		p->open = &s->exchanges[s->n_exchanges++];
		r = answer_new(p->open, &p->answer);
	}
	return r < 0 ? r : buf_append(&p->open->request, piece->bytes, piece->n);
}

static int take_received(struct parsing *p, const struct recording_piece *piece)
{
	struct script *s = p->script;
	int r;

	p->last_sent = 0;
	if (p->answer)
		return buf_append(p->answer, piece->bytes, piece->n);
	r = grow(&s->words, s->n_words, &s->allocated_words, sizeof(*s->words));
	if (r < 0)
		return r;
	if (s->n_words == 0)
		p->first_usec = piece->usec;
	s->words[s->n_words++] = (struct script_word){ .usec = piece->usec - p->first_usec };
	return buf_append(&s->words[s->n_words - 1].bytes, piece->bytes, piece->n);
}

/* 1: of the line that is wanted. */
static int is_wanted(struct parsing *p, const struct recording_piece *piece, const char **ret_wrong)
{
	if (p->wanted)
		return streq(p->wanted, piece->name);
	if (!*p->name)
		strcpy(p->name, piece->name);
	if (streq(p->name, piece->name))
		return 1;
	*ret_wrong = "is of another line than those before: say which one, by --line";
	return -EINVAL;
}

static int take_line(struct parsing *p, const char *text, size_t size, const char **ret_wrong)
{
	struct recording_piece piece;
	int r = recording_parse(text, size, &piece);

	if (r == -EBADMSG) {
		*ret_wrong = "is no piece of a recording: +SECONDS LINE > or < BYTES";
		return -EINVAL;
	}
	if (r == 1)
		r = is_wanted(p, &piece, ret_wrong);
	if (r <= 0)
		return r;
	return piece.direction == FIELDWAY_SENT ? take_sent(p, &piece) : take_received(p, &piece);
}

/* ---- Modbus TCP ---- */

static bool is_mbap(const struct buf *b)
{
	return b->size > MBAP_BYTES && b->data[2] == 0 && b->data[3] == 0 &&
	       (size_t)(b->data[4] << 8 | b->data[5]) == b->size - MBAP_LENGTH_END;
}

static void forget_transactions(struct script *s)
{
	s->mbap = true;
	for (size_t i = 0; i < s->n_exchanges; i++)
		s->mbap &= is_mbap(&s->exchanges[i].request);
	for (size_t i = 0; s->mbap && i < s->n_exchanges; i++)
		memset(s->exchanges[i].request.data, 0, 2);
}

/* ---- equal requests become one, with all of their answers ---- */

static bool is_equal(const struct buf *a, const struct buf *b)
{
	return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

static void exchange_done(struct script_exchange *e)
{
	buf_done(&e->request);
	for (size_t i = 0; i < e->n; i++)
		buf_done(&e->answers[i]);
	free(e->answers);
}

static int by_request(const void *a, const void *b)
{
	const struct script_exchange *x = a, *y = b;
	int r = memcmp(x->request.data, y->request.data, MIN(x->request.size, y->request.size));

	if (r != 0)
		return r;
	if (x->request.size != y->request.size)
		return x->request.size < y->request.size ? -1 : 1;
	return x->next < y->next ? -1 : x->next > y->next;
}

static int move_answers(struct script_exchange *from, struct script_exchange *to)
{
	struct buf *answer;
	int r = 0;

	for (size_t i = 0; i < from->n && r >= 0; i++) {
		r = answer_new(to, &answer);
		if (r >= 0) {
			*answer = from->answers[i];
			from->answers[i] = (struct buf){ 0 };
		}
	}
	return r;
}

static int merge(struct script *s)
{
	size_t n = 0;
	int r = 0;

	/* `next` keeps the order of what is equal. */
	for (size_t i = 0; i < s->n_exchanges; i++)
		s->exchanges[i].next = i;
	if (s->n_exchanges > 0)
		qsort(s->exchanges, s->n_exchanges, sizeof(*s->exchanges), by_request);
	for (size_t i = 0; i < s->n_exchanges; i++) {
		struct script_exchange *e = &s->exchanges[i];

		e->next = 0;
		if (n > 0 && r >= 0 && is_equal(&s->exchanges[n - 1].request, &e->request)) {
			r = move_answers(e, &s->exchanges[n - 1]);
			exchange_done(e);
		} else {
			s->exchanges[n++] = *e;
		}
	}
	s->n_exchanges = n;
	return r;
}

/* ---- all of it ---- */

static void drop_words(struct script *s)
{
	for (size_t i = 0; i < s->n_words; i++)
		buf_done(&s->words[i].bytes);
	s->n_words = 0;
}

static int finish(struct script *s, const char **ret_wrong)
{
	if (s->n_exchanges == 0 && s->n_words == 0) {
		*ret_wrong = "there is nothing of that line in it";
		return -EINVAL;
	}
	/* What came before the first request was an answer to one that is not there. */
	if (s->n_exchanges > 0)
		drop_words(s);
	forget_transactions(s);
	return merge(s);
}

int script_read(const char *text, size_t size, const char *line, struct script *ret,
		unsigned *ret_line, const char **ret_wrong)
{
	struct script s = { 0 };
	struct parsing p = { .script = &s, .wanted = line };
	unsigned number = 0;
	int r = 0;

	for (size_t at = 0, n; at < size && r >= 0; at += n) {
		const char *end = memchr(text + at, '\n', size - at);

		n = end ? (size_t)(end - (text + at)) + 1 : size - at;
		number++;
		r = take_line(&p, text + at, n, ret_wrong);
	}
	if (r >= 0) {
		number = 0;
		r = finish(&s, ret_wrong);
	}
	if (r < 0) {
		script_done(&s);
		*ret_line = number;
		return r;
	}
	*ret = s;
	return 0;
}

void script_done(struct script *s)
{
	for (size_t i = 0; i < s->n_exchanges; i++)
		exchange_done(&s->exchanges[i]);
	drop_words(s);
	free(s->exchanges);
	free(s->words);
	*s = (struct script){ 0 };
}

/* ---- answering ---- */

static int give(const struct script *s, struct script_exchange *e, struct span request,
		struct buf *answer)
{
	const struct buf *given = &e->answers[e->next];
	size_t at = answer->size;
	int r = buf_append(answer, given->data, given->size);

	if (r < 0)
		return r;
	if (s->mbap && given->size >= 2)
		memcpy(answer->data + at, request.p, 2);
	e->next = (e->next + 1) % e->n;
	return SCRIPT_ANSWER;
}

static int take_mbap(struct script *s, struct span input, struct buf *answer, size_t *ret_size)
{
	size_t size;

	if (input.n < MBAP_LENGTH_END)
		return SCRIPT_MORE;
	size = MBAP_LENGTH_END + (size_t)(input.p[4] << 8 | input.p[5]);
	if (input.n < size)
		return SCRIPT_MORE;
	*ret_size = size;
	for (size_t i = 0; i < s->n_exchanges; i++)
		if (s->exchanges[i].request.size == size &&
		    memcmp(s->exchanges[i].request.data + 2, input.p + 2, size - 2) == 0)
			return give(s, &s->exchanges[i], input, answer);
	return SCRIPT_UNKNOWN;
}

/* Without a frame that is known, a request is what was sent: the longest that fits. */
int script_take(struct script *s, struct span input, struct buf *answer, size_t *ret_size)
{
	struct script_exchange *best = NULL;
	bool begun = false;

	if (s->mbap && s->n_exchanges > 0)
		return take_mbap(s, input, answer, ret_size);
	for (size_t i = 0; i < s->n_exchanges; i++) {
		struct script_exchange *e = &s->exchanges[i];
		size_t n = MIN(e->request.size, input.n);

		if (n == 0 || memcmp(e->request.data, input.p, n) != 0)
			continue;
		if (e->request.size > input.n)
			begun = true;
		else if (!best || e->request.size > best->request.size)
			best = e;
	}
	if (best) {
		*ret_size = best->request.size;
		return give(s, best, input, answer);
	}
	*ret_size = input.n;
	return begun || input.n == 0 ? SCRIPT_MORE : SCRIPT_UNKNOWN;
}
