/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Answers that are wrong: the right one is made first, so a write has been done when its answer is spoilt. */

#define HEADER 7 /* of MBAP, which an answer has before it is framed */
#define PIECES_USEC UINT64_C(40000)

struct answer {
	uint8_t mbap[MODBUS_MAX_ADU_LENGTH + 2];
	int size;
	enum simulator_framing framing;
	uint8_t bytes[SIMULATOR_FRAME_MAX]; /* as it goes out */
	size_t n, first;                    /* so many, the first ones some time before the rest */
	bool hangup, reset;
};

static void answer_frame(struct answer *a)
{
	a->n = a->first = simulator_frame_make(a->framing, a->mbap, a->size, a->bytes);
}

/* ---- what it says ---- */

static void spoil_unit(struct answer *a)
{
	a->mbap[HEADER - 1] = (uint8_t)(a->mbap[HEADER - 1] + 1);
}

static void spoil_transaction(struct answer *a)
{
	a->mbap[1] ^= 1;
}

static void spoil_function(struct answer *a)
{
	a->mbap[HEADER] ^= 7; /* 3 and 4, 5 and 2, 6 and 1 */
}

/* A register, or byte, more than was asked for. */
static void spoil_length(struct answer *a)
{
	memset(a->mbap + a->size, 0x11, 2);
	a->size += 2;
	if (a->mbap[HEADER] <= MODBUS_FC_READ_INPUT_REGISTERS)
		a->mbap[HEADER + 1] = (uint8_t)(a->mbap[HEADER + 1] + 2);
	a->mbap[5] = (uint8_t)(a->mbap[5] + 2);
}

/* The last byte of the data: of a write, what it says to have done. */
static void spoil_data(struct answer *a)
{
	a->mbap[a->size - 1] ^= 0x40;
}

/* ---- how it comes ---- */

static void spoil_crc(struct answer *a)
{
	if (a->framing == SIMULATOR_RTU)
		a->bytes[a->n - 1] ^= 0xff;
	if (a->framing == SIMULATOR_ASCII)
		a->bytes[a->n - 3] = a->bytes[a->n - 3] == '0' ? '1' : '0';
}

/* As a receiver at half the rate takes it: fewer bytes, each of them from two. */
static void spoil_rate(struct answer *a)
{
	for (size_t i = 0; i < a->n / 2; i++)
		a->bytes[i] = (uint8_t)(a->bytes[2 * i] << 4 | (a->bytes[2 * i + 1] & 0x0f)) | 0x80;
	a->n = a->first = a->n / 2;
}

static void spoil_truncate(struct answer *a)
{
	a->n = a->first = a->n / 2 + 1;
}

static void spoil_noise(struct answer *a)
{
	static const uint8_t noise[] = { 0xff, 0x00, 0x55 };

	memmove(a->bytes + sizeof(noise), a->bytes, a->n);
	memcpy(a->bytes, noise, sizeof(noise));
	a->n = a->first = a->n + sizeof(noise);
}

static void spoil_split(struct answer *a)
{
	a->first = a->n / 2;
}

static void spoil_mute(struct answer *a)
{
	a->n = a->first = 0;
}

static void spoil_half(struct answer *a)
{
	spoil_truncate(a);
	a->hangup = true;
}

static void spoil_close(struct answer *a)
{
	spoil_mute(a);
	a->hangup = true;
}

static void spoil_reset(struct answer *a)
{
	spoil_close(a);
	a->reset = true;
}

static const struct simulator_fault {
	const char *name;
	void (*say)(struct answer *a);
	void (*come)(struct answer *a);
} faults[] = {
	{ "unit", spoil_unit, NULL },
	{ "transaction", spoil_transaction, NULL },
	{ "function", spoil_function, NULL },
	{ "length", spoil_length, NULL },
	{ "data", spoil_data, NULL },
	{ "crc", NULL, spoil_crc },
	{ "rate", NULL, spoil_rate },
	{ "truncate", NULL, spoil_truncate },
	{ "noise", NULL, spoil_noise },
	{ "split", NULL, spoil_split },
	{ "mute", NULL, spoil_mute },
	{ "half", NULL, spoil_half },
	{ "close", NULL, spoil_close },
	{ "reset", NULL, spoil_reset },
};

const struct simulator_fault *simulator_fault_find(const char *name)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (strcmp(faults[i].name, name) == 0)
			return &faults[i];
	return NULL;
}

static void send_pieces(struct simulator_client *c, const struct answer *a)
{
	if (a->first > 0)
		(void)simulator_write(c, a->bytes, a->first);
	c->n_rest = a->n - a->first;
	memcpy(c->rest, a->bytes + a->first, c->n_rest);
	c->rest_due_usec = simulator_now_usec() + PIECES_USEC;
}

void simulator_answer_spoilt(struct simulator *s, struct simulator_client *c,
			     const struct simulator_fault *fault, const uint8_t *answer, int size)
{
	const struct linger at_once = { .l_onoff = 1 };
	struct answer a = { .size = size, .framing = s->framing };

	memcpy(a.mbap, answer, (size_t)size);
	if (fault->say)
		fault->say(&a);
	answer_frame(&a);
	if (fault->come)
		fault->come(&a);
	if (s->fault_count > 0 && --s->fault_count == 0)
		s->fault = NULL;
	send_pieces(c, &a);
	if (a.reset && !s->serial)
		(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	if (a.hangup)
		simulator_cut(s);
}
