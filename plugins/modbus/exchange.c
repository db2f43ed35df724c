/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange.h"

#include <errno.h>
#include <string.h>

#include "plugins/lib/moment.h"
#include "wire.h"

#define EXCEPTION_FLAG 0x80u

/* Devices behind no gateway answer with 0 or 255, or call themselves what they like. */
static bool unit_means_device(uint8_t unit)
{
	return unit == 0 || unit == 255;
}

static bool unit_fits(const struct fieldway_line *line, uint8_t asked, uint8_t unit)
{
	return unit == asked || (line->bus.framing == FRAMING_MBAP &&
				 (unit_means_device(unit) || unit_means_device(asked)));
}

/* To 1 to 4: as many bytes as it says that there are. A request that comes back as an echo never has them. */
static bool size_fits(const struct frame *f)
{
	return f->pdu[0] > MODBUS_FC_READ_INPUT_REGISTERS || (f->size > 1 && f->size == 2u + f->pdu[1]);
}

/* 0: the frame is the answer. Else why it is not. */
static int answer_check(const struct fieldway_line *line, const struct frame_wanted *wanted,
			const struct frame *f)
{
	if (line->bus.framing == FRAMING_MBAP && f->transaction != line->transaction)
		return EMBBADDATA;
	if (!unit_fits(line, wanted->unit, f->unit))
		return EMBBADSLAVE;
	if (f->pdu[0] == wanted->function)
		return size_fits(f) ? 0 : EMBBADDATA;
	return f->pdu[0] == (wanted->function | EXCEPTION_FLAG) && f->size == 2 ? 0 : EMBBADDATA;
}

/* What came in place of the echo: somebody else has talked as well, or there is no echo, but an answer. */
static int echo_differs(const struct fieldway_line *line, const struct frame_wanted *wanted,
			const uint8_t *bytes, size_t n)
{
	struct frame f;

	if (frame_find(line->bus.framing, wanted, bytes, n, true, &f) > 0 && answer_check(line, wanted, &f) == 0)
		return ERROR_NO_ECHO;
	return n ? ERROR_ECHO_DIFFERS : ERROR_NO_ECHO;
}

/* An adapter that hears what it sends: its bytes come first, and are looked at as they come. */
static int take_echo(struct fieldway_line *line, const struct frame_wanted *wanted, const uint8_t *frame,
		     size_t size)
{
	uint8_t echo[MAX_FRAME_BYTES];
	size_t n = 0;

	while (n < size) {
		ssize_t r = wire_receive(line, echo + n, size - n, line->answer_usec);

		if (r < 0)
			return r != -ETIMEDOUT ? (int)-r : echo_differs(line, wanted, echo, n);
		n += (size_t)r;
	}
	return memcmp(echo, frame, size) == 0 ? 0 : echo_differs(line, wanted, echo, n);
}

int exchange_send(struct fieldway_line *line, uint8_t unit, const uint8_t *pdu, size_t size)
{
	const struct frame_wanted wanted = { .unit = unit, .function = pdu[0] };
	uint8_t frame[MAX_FRAME_BYTES];
	size_t n;
	int r;

	line->n_bytes = 0;
	n = frame_build(line->bus.framing, ++line->transaction, unit, pdu, size, frame);
	r = -wire_send(line, frame, n, line->answer_usec);
	return r == 0 && line->bus.line.rs485.echo ? take_echo(line, &wanted, frame, n) : r;
}

/* The first bytes are done with. */
static void drop_bytes(struct fieldway_line *line, size_t n)
{
	line->n_bytes -= n;
	memmove(line->bytes, line->bytes + n, line->n_bytes);
}

static void drop_noise(struct fieldway_line *line, size_t n)
{
	line->met.garbled += (unsigned)n;
	drop_bytes(line, n);
}

/* A collision before the answer is not the answer: that is waited for. */
static int look_at_noise(struct fieldway_line *line, const struct frame_wanted *wanted, int *why)
{
	if (line->bus.framing == FRAMING_MBAP)
		return EMBBADDATA;
	if (frame_resembles(line->bus.framing, wanted, line->bytes, line->n_bytes))
		return EMBBADCRC;
	*why = EMBBADCRC;
	drop_noise(line, line->n_bytes);
	return EAGAIN;
}

/*
 * What has come so far. 0: it is the answer; EAGAIN: it may still come, and
 * *ret_until is when to look again, with or without more; else the errno of bytes
 * that will be none any more.
 */
static int look(struct fieldway_line *line, const struct frame_wanted *wanted, bool ended, int *why,
		uint64_t *ret_until)
{
	for (;;) {
		int n = frame_find(line->bus.framing, wanted, line->bytes, line->n_bytes, ended, &line->answer);
		int r;

		*ret_until = line->answer_usec;
		if (n == 0 && line->n_bytes == sizeof(line->bytes))
			drop_noise(line, sizeof(line->bytes) - MAX_FRAME_BYTES);
		if (n == 0 || line->n_bytes == 0)
			return EAGAIN;
		if (n < 0) {
			uint64_t gap = moment_now_usec() + line->bus.gap_usec;

			if (ended || line->n_bytes == sizeof(line->bytes))
				return look_at_noise(line, wanted, why);
			*ret_until = gap < line->answer_usec ? gap : line->answer_usec;
			return EAGAIN;
		}
		line->met.garbled += (unsigned)line->answer.skipped;
		drop_bytes(line, (size_t)n);
		r = answer_check(line, wanted, &line->answer);
		if (r == 0)
			return 0;
		*why = r;
		line->met.unit = line->answer.unit;
		line->met.foreign++;
	}
}

/*
 * When all that came is no answer, the worst of it is what people want to know.
 * A peer that never stops talking is not listened to for longer than a silent one.
 */
static int await_answer(struct fieldway_line *line, const struct frame_wanted *wanted)
{
	int why = ETIMEDOUT, r;
	bool ended = false, over = false;
	uint64_t until;

	for (;;) {
		ssize_t n;

		r = look(line, wanted, ended, &why, &until);
		if (r != EAGAIN)
			break;
		if (over) {
			r = why;
			break;
		}
		n = wire_receive(line, line->bytes + line->n_bytes, sizeof(line->bytes) - line->n_bytes, until);
		ended = n == -ETIMEDOUT;
		if (n < 0 && !ended)
			return (int)-n;
		if (n > 0)
			line->n_bytes += (size_t)n;
		over = moment_now_usec() >= line->answer_usec;
	}
	if (r)
		line->met.garbled += (unsigned)line->n_bytes;
	return r;
}

int exchange_transfer(struct fieldway_line *line, uint8_t unit, const uint8_t *pdu, size_t size,
		      const uint8_t **ret_answer, size_t *ret_size)
{
	const struct frame_wanted wanted = { .unit = unit, .function = pdu[0] };
	int r;

	line->unheard++;
	r = exchange_send(line, unit, pdu, size);
	if (r == 0)
		r = await_answer(line, &wanted);
	if (r)
		return r;
	*ret_answer = line->answer.pdu;
	*ret_size = line->answer.size;
	return 0;
}

int exchange_run(struct fieldway_line *line, uint8_t unit, const uint8_t *pdu, size_t size,
		 const uint8_t **ret_answer, size_t *ret_size)
{
	const uint8_t *answer;
	size_t n;
	int r = exchange_transfer(line, unit, pdu, size, &answer, &n);

	if (r)
		return r;
	if (answer[0] & EXCEPTION_FLAG)
		return ERROR_EXCEPTION(answer[1]);
	*ret_answer = answer;
	*ret_size = n;
	return 0;
}
