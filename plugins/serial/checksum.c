/* SPDX-License-Identifier: Apache-2.0 */
#include "checksum.h"

#include <errno.h>

const char *const checksum_names[] = { "none",	       "crc16-modbus", "crc16-ibm", "crc16-ccitt",
				       "crc16-xmodem", "crc16-kermit", "crc16-x25", "crc8",
				       "crc8-maxim",   "lrc",	       "sum8",	    "sum16",
				       "xor",	       NULL };
const char *const checksum_formats[] = { "binary", "hex", NULL };

/* As catalogues of CRCs have them: the polynomial without its highest bit, the highest first. */
struct crc {
	uint8_t width; /* bits; 0: no CRC */
	uint16_t polynomial, initial, final;
	bool reflected; /* in and out */
};

static const struct crc crcs[] = {
	[CHECKSUM_CRC16_MODBUS] = { 16, 0x8005, 0xffff, 0, true },
	[CHECKSUM_CRC16_IBM] = { 16, 0x8005, 0, 0, true },
	[CHECKSUM_CRC16_CCITT] = { 16, 0x1021, 0xffff, 0, false },
	[CHECKSUM_CRC16_XMODEM] = { 16, 0x1021, 0, 0, false },
	[CHECKSUM_CRC16_KERMIT] = { 16, 0x1021, 0, 0, true },
	[CHECKSUM_CRC16_X25] = { 16, 0x1021, 0xffff, 0xffff, true },
	[CHECKSUM_CRC8] = { 8, 0x07, 0, 0, false },
	[CHECKSUM_CRC8_MAXIM] = { 8, 0x31, 0, 0, true },
	[CHECKSUM_XOR] = { 0 },
};

static uint16_t reflect(uint16_t number, unsigned width)
{
	uint16_t r = 0;

	for (unsigned i = 0; i < width; i++)
		if (number & 1u << i)
			r |= (uint16_t)(1u << (width - 1 - i));
	return r;
}

/* Four bits at a time: what each of their values makes of a sum of 0. */
#define NIBBLES 16u

static uint16_t crc_reflected(const struct crc *c, const uint8_t *bytes, size_t size)
{
	uint16_t polynomial = reflect(c->polynomial, c->width), crc = c->initial, steps[NIBBLES];

	for (uint16_t i = 0; i < NIBBLES; i++) {
		steps[i] = i;
		for (int bit = 0; bit < 4; bit++)
			steps[i] = (uint16_t)(steps[i] & 1 ? steps[i] >> 1 ^ polynomial : steps[i] >> 1);
	}
	for (size_t i = 0; i < size; i++) {
		crc ^= bytes[i];
		crc = (uint16_t)(crc >> 4 ^ steps[crc & 15]);
		crc = (uint16_t)(crc >> 4 ^ steps[crc & 15]);
	}
	return crc ^ c->final;
}

static uint16_t crc_plain(const struct crc *c, const uint8_t *bytes, size_t size)
{
	uint32_t top = 1u << (c->width - 1), mask = (top << 1) - 1, crc = c->initial, steps[NIBBLES];
	unsigned high = c->width - 4u;

	for (uint32_t i = 0; i < NIBBLES; i++) {
		steps[i] = i << high;
		for (int bit = 0; bit < 4; bit++)
			steps[i] = (steps[i] & top ? steps[i] << 1 ^ c->polynomial : steps[i] << 1) & mask;
	}
	for (size_t i = 0; i < size; i++) {
		crc ^= (uint32_t)bytes[i] << (c->width - 8);
		crc = (crc << 4 ^ steps[crc >> high & 15]) & mask;
		crc = (crc << 4 ^ steps[crc >> high & 15]) & mask;
	}
	return (uint16_t)(crc ^ c->final);
}

static uint16_t sum_of(const uint8_t *bytes, size_t size)
{
	uint16_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = (uint16_t)(sum + bytes[i]);
	return sum;
}

static uint16_t xor_of(const uint8_t *bytes, size_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum ^= bytes[i];
	return sum;
}

uint16_t checksum_compute(enum checksum_kind kind, const uint8_t *bytes, size_t size)
{
	switch (kind) {
	case CHECKSUM_NONE:
		return 0;
	case CHECKSUM_CRC16_MODBUS:
	case CHECKSUM_CRC16_IBM:
	case CHECKSUM_CRC16_KERMIT:
	case CHECKSUM_CRC16_X25:
	case CHECKSUM_CRC8_MAXIM:
		return crc_reflected(&crcs[kind], bytes, size);
	case CHECKSUM_CRC16_CCITT:
	case CHECKSUM_CRC16_XMODEM:
	case CHECKSUM_CRC8:
		return crc_plain(&crcs[kind], bytes, size);
	case CHECKSUM_LRC:
		return (uint8_t)-sum_of(bytes, size);
	case CHECKSUM_SUM8:
		return (uint8_t)sum_of(bytes, size);
	case CHECKSUM_SUM16:
		return sum_of(bytes, size);
	case CHECKSUM_XOR:
		return xor_of(bytes, size);
	}
	return 0;
}

static size_t width_bytes(enum checksum_kind kind)
{
	if (kind == CHECKSUM_NONE)
		return 0;
	return kind == CHECKSUM_SUM16 || crcs[kind].width == 16 ? 2 : 1;
}

size_t checksum_size(const struct checksum *c)
{
	return width_bytes(c->kind) * (c->format == CHECKSUM_HEX ? 2 : 1);
}

void checksum_put(const struct checksum *c, uint16_t sum, uint8_t *ret)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t width = width_bytes(c->kind);

	for (size_t i = 0; i < width; i++) {
		uint8_t byte = (uint8_t)(sum >> 8 * (c->little ? i : width - 1 - i));

		if (c->format == CHECKSUM_BINARY) {
			ret[i] = byte;
			continue;
		}
		ret[2 * i] = (uint8_t)digits[byte >> 4];
		ret[2 * i + 1] = (uint8_t)digits[byte & 15];
	}
}

static uint8_t upper(uint8_t c)
{
	return c >= 'a' && c <= 'f' ? (uint8_t)(c - 'a' + 'A') : c;
}

/* Where a place lies in a frame of that size; negative: nowhere. */
static int64_t place(int32_t offset, size_t size)
{
	int64_t at = offset < 0 ? (int64_t)size + offset : offset;

	return at < (int64_t)size ? at : -1;
}

int checksum_check(const struct checksum *c, const uint8_t *frame, size_t size)
{
	int64_t first = place(c->first, size), last = place(c->last, size), at = place(c->at, size);
	size_t length = checksum_size(c);
	uint8_t expected[4];

	if (c->kind == CHECKSUM_NONE)
		return 0;
	if (first < 0 || last < 0 || last < first - 1 || at < 0 || (size_t)at + length > size)
		return -EBADMSG;
	checksum_put(c, checksum_compute(c->kind, frame + first, (size_t)(last - first + 1)), expected);
	for (size_t i = 0; i < length; i++)
		if ((c->format == CHECKSUM_HEX ? upper(frame[(size_t)at + i]) : frame[(size_t)at + i]) != expected[i])
			return -EBADMSG;
	return 0;
}
