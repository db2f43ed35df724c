/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Answers that are wrong: the right one is made first, so a write has been done when its answer is spoilt. */

#define MBAP_BYTES 7
#define CRC_BYTES 2

struct frame {
	uint8_t bytes[2 * MODBUS_MAX_ADU_LENGTH];
	int size;
	int header; /* bytes before the function */
	bool serial, hangup, reset;
};

static void crc_set(struct frame *f)
{
	uint16_t crc = 0xffff;

	for (int i = 0; i < f->size - CRC_BYTES; i++) {
		crc ^= f->bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1);
	}
	f->bytes[f->size - 2] = (uint8_t)crc;
	f->bytes[f->size - 1] = (uint8_t)(crc >> 8);
}

/* What a frame says about itself is right again, whatever it says to its request. */
static void frame_seal(struct frame *f)
{
	if (f->serial) {
		crc_set(f);
		return;
	}
	f->bytes[4] = 0;
	f->bytes[5] = (uint8_t)(f->size - MBAP_BYTES + 1);
}

static void spoil_unit(struct frame *f)
{
	f->bytes[f->header - 1] = (uint8_t)(f->bytes[f->header - 1] + 1);
	frame_seal(f);
}

static void spoil_transaction(struct frame *f)
{
	if (!f->serial)
		f->bytes[1] ^= 1;
}

static void spoil_function(struct frame *f)
{
	f->bytes[f->header] ^= 7; /* 3 and 4, 5 and 2, 6 and 1 */
	frame_seal(f);
}

/* A register, or byte, more than was asked for. */
static void spoil_length(struct frame *f)
{
	int end = f->size - (f->serial ? CRC_BYTES : 0);

	memset(f->bytes + end, 0x11, 2);
	f->size += 2;
	if (f->bytes[f->header] <= MODBUS_FC_READ_INPUT_REGISTERS)
		f->bytes[f->header + 1] = (uint8_t)(f->bytes[f->header + 1] + 2);
	frame_seal(f);
}

/* The last byte of the data: of a write, what it says to have done. */
static void spoil_data(struct frame *f)
{
	f->bytes[f->size - 1 - (f->serial ? CRC_BYTES : 0)] ^= 0x40;
	frame_seal(f);
}

static void spoil_crc(struct frame *f)
{
	if (f->serial)
		f->bytes[f->size - 1] ^= 0xff;
}

static void spoil_truncate(struct frame *f)
{
	f->size = f->size / 2 + 1;
}

static void spoil_noise(struct frame *f)
{
	static const uint8_t noise[] = { 0xff, 0x00, 0x55 };

	memmove(f->bytes + sizeof(noise), f->bytes, (size_t)f->size);
	memcpy(f->bytes, noise, sizeof(noise));
	f->size += (int)sizeof(noise);
}

static void spoil_mute(struct frame *f)
{
	f->size = 0;
}

static void spoil_half(struct frame *f)
{
	spoil_truncate(f);
	f->hangup = true;
}

static void spoil_close(struct frame *f)
{
	f->size = 0;
	f->hangup = true;
}

static void spoil_reset(struct frame *f)
{
	spoil_close(f);
	f->reset = true;
}

static const struct simulator_fault {
	const char *name;
	void (*spoil)(struct frame *f);
} faults[] = {
	{ "unit", spoil_unit },
	{ "transaction", spoil_transaction },
	{ "function", spoil_function },
	{ "length", spoil_length },
	{ "data", spoil_data },
	{ "crc", spoil_crc },
	{ "truncate", spoil_truncate },
	{ "noise", spoil_noise },
	{ "mute", spoil_mute },
	{ "half", spoil_half },
	{ "close", spoil_close },
	{ "reset", spoil_reset },
};

const struct simulator_fault *simulator_fault_find(const char *name)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (strcmp(faults[i].name, name) == 0)
			return &faults[i];
	return NULL;
}

/* libmodbus writes its answer into a socket of ours instead of the line. */
static int answer_take(struct simulator *s, struct simulator_client *c, int size, struct frame *f)
{
	int ends[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
		return -errno;
	modbus_set_socket(c->modbus, ends[0]);
	simulator_reply(s, c, size);
	modbus_set_socket(c->modbus, c->fd);
	r = (int)read(ends[1], f->bytes, MODBUS_MAX_ADU_LENGTH);
	close(ends[0]);
	close(ends[1]);
	f->size = r;
	f->serial = s->serial;
	f->header = modbus_get_header_length(c->modbus);
	return r > 0 ? 0 : -EIO;
}

void simulator_answer_spoilt(struct simulator *s, struct simulator_client *c, int size)
{
	const struct linger at_once = { .l_onoff = 1 };
	struct frame f = { 0 };

	if (answer_take(s, c, size, &f) < 0)
		return;
	s->fault->spoil(&f);
	if (s->fault_count > 0 && --s->fault_count == 0)
		s->fault = NULL;
	if (f.size > 0 && write(c->fd, f.bytes, (size_t)f.size) < 0)
		return;
	if (f.reset && !s->serial)
		(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	if (f.hangup)
		simulator_cut(s);
}
