/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <errno.h>
#include <string.h>

#define MBAP_BYTES 7u
#define MBAP_LENGTH_AT 4u
#define CRC_BYTES 2u
#define RTU_SHORTEST (1u + 2u + CRC_BYTES)
#define RTU_LONGEST (1u + MAX_PDU_BYTES + CRC_BYTES)
#define EXCEPTION_FLAG 0x80u

/* ---- building ---- */

/* Serial Line V1.02, 6.2.2: generator 0xA001, low byte first. */
static uint16_t crc_of(const uint8_t *bytes, size_t n)
{
	uint16_t crc = 0xffff;

	for (size_t i = 0; i < n; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1);
	}
	return crc;
}

static size_t build_mbap(uint16_t transaction, uint8_t unit, const uint8_t *pdu, size_t size, uint8_t *ret)
{
	const uint8_t header[MBAP_BYTES] = { (uint8_t)(transaction >> 8), (uint8_t)transaction, 0, 0,
					     (uint8_t)((size + 1) >> 8), (uint8_t)(size + 1), unit };

	memcpy(ret, header, MBAP_BYTES);
	memcpy(ret + MBAP_BYTES, pdu, size);
	return MBAP_BYTES + size;
}

static size_t build_rtu(uint8_t unit, const uint8_t *pdu, size_t size, uint8_t *ret)
{
	uint16_t crc;

	ret[0] = unit;
	memcpy(ret + 1, pdu, size);
	crc = crc_of(ret, 1 + size);
	ret[1 + size] = (uint8_t)crc;
	ret[2 + size] = (uint8_t)(crc >> 8);
	return 1 + size + CRC_BYTES;
}

static uint8_t *put_digits(uint8_t *to, uint8_t byte)
{
	static const char digits[] = "0123456789ABCDEF";

	*to++ = (uint8_t)digits[byte >> 4];
	*to++ = (uint8_t)digits[byte & 15];
	return to;
}

/* Serial Line V1.02, 6.2.1: the LRC is what makes the sum of all bytes 0. */
static size_t build_ascii(uint8_t unit, const uint8_t *pdu, size_t size, uint8_t *ret)
{
	uint8_t *end = ret, sum = unit;

	*end++ = ':';
	end = put_digits(end, unit);
	for (size_t i = 0; i < size; i++) {
		end = put_digits(end, pdu[i]);
		sum = (uint8_t)(sum + pdu[i]);
	}
	end = put_digits(end, (uint8_t)-sum);
	*end++ = '\r';
	*end++ = '\n';
	return (size_t)(end - ret);
}

size_t frame_build(enum framing framing, uint16_t transaction, uint8_t unit, const uint8_t *pdu,
		   size_t size, uint8_t *ret)
{
	switch (framing) {
	case FRAMING_MBAP:
		return build_mbap(transaction, unit, pdu, size, ret);
	case FRAMING_RTU:
		return build_rtu(unit, pdu, size, ret);
	case FRAMING_ASCII:
		return build_ascii(unit, pdu, size, ret);
	}
	return 0;
}

/* ---- finding ---- */

static void frame_take(struct frame *ret, uint8_t unit, const uint8_t *pdu, size_t size, size_t skipped)
{
	ret->transaction = 0;
	ret->unit = unit;
	memcpy(ret->pdu, pdu, size);
	ret->size = size;
	ret->skipped = skipped;
}

/* The length delimits; where it is nonsense, nothing behind it makes sense either. */
static int find_mbap(const uint8_t *bytes, size_t size, struct frame *ret)
{
	size_t length;

	if (size < MBAP_LENGTH_AT + 2)
		return size ? 0 : -EAGAIN;
	length = (size_t)bytes[MBAP_LENGTH_AT] << 8 | bytes[MBAP_LENGTH_AT + 1];
	if (bytes[2] != 0 || bytes[3] != 0 || length < 3 || length > 1 + MAX_PDU_BYTES)
		return -EBADMSG;
	if (size < MBAP_BYTES - 1 + length)
		return 0;
	frame_take(ret, bytes[MBAP_BYTES - 1], bytes + MBAP_BYTES, length - 1, 0);
	ret->transaction = (uint16_t)(bytes[0] << 8 | bytes[1]);
	return (int)(MBAP_BYTES - 1 + length);
}

/*
 * Application Protocol V1.1b3, section 6: where a function's answer says how long
 * it is. Bytes of the PDU before its data, of which the last `counted` are the
 * number of bytes that follow.
 */
static const struct {
	uint8_t function, fixed, counted;
} answers[] = {
	{ 1, 2, 1 },  { 2, 2, 1 },  { 3, 2, 1 },  { 4, 2, 1 },	{ 5, 5, 0 },  { 6, 5, 0 },
	{ 7, 2, 0 },  { 11, 5, 0 }, { 12, 2, 1 }, { 15, 5, 0 }, { 16, 5, 0 }, { 17, 2, 1 },
	{ 20, 2, 1 }, { 21, 2, 1 }, { 22, 7, 0 }, { 23, 2, 1 }, { 24, 3, 2 },
};

/* Section 6.21, function 43 / 14: objects of {id, length, value}, as many as said. 0: more bytes needed. */
#define IDENTIFICATION_FUNCTION 43
#define IDENTIFICATION_TYPE 14
#define IDENTIFICATION_BYTES 7u
#define LENGTH_UNKNOWN SIZE_MAX

static size_t identification_length(const uint8_t *pdu, size_t size)
{
	size_t length = IDENTIFICATION_BYTES;

	if (size >= 2 && pdu[1] != IDENTIFICATION_TYPE)
		return LENGTH_UNKNOWN;
	if (size < IDENTIFICATION_BYTES)
		return 0;
	for (unsigned n = pdu[IDENTIFICATION_BYTES - 1]; n > 0; n--) {
		if (size < length + 2)
			return 0;
		length += 2u + pdu[length + 1];
	}
	return length;
}

/* Of the answer's PDU. 0: more bytes are needed to tell. */
static size_t pdu_length(const uint8_t *pdu, size_t size)
{
	if (size == 0)
		return 0;
	if (pdu[0] & EXCEPTION_FLAG)
		return 2;
	if (pdu[0] == IDENTIFICATION_FUNCTION)
		return identification_length(pdu, size);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		size_t fixed = answers[i].fixed, data = 0;

		if (answers[i].function != pdu[0])
			continue;
		if (answers[i].counted && size < fixed)
			return 0;
		for (size_t at = fixed - answers[i].counted; at < fixed; at++)
			data = data << 8 | pdu[at];
		return fixed + data;
	}
	return LENGTH_UNKNOWN;
}

/* As frame_find(), of a frame that begins with the first byte. */
static int match_rtu(const uint8_t *bytes, size_t size, bool ended)
{
	size_t length = size > 1 ? pdu_length(bytes + 1, size - 1) : 0;

	if (length == 0)
		return size < RTU_LONGEST ? 0 : -EBADMSG;
	if (length == LENGTH_UNKNOWN && !ended)
		return -EAGAIN;
	length = length == LENGTH_UNKNOWN ? size : 1 + length + CRC_BYTES;
	if (length > RTU_LONGEST || length < RTU_SHORTEST)
		return -EBADMSG;
	if (length > size)
		return 0;
	/* Over a frame with its CRC, low byte first, the CRC is 0. */
	return crc_of(bytes, length) == 0 ? (int)length : -EBADMSG;
}

static bool rtu_is_wanted(const struct frame_wanted *wanted, const uint8_t *bytes, size_t size)
{
	return bytes[0] == wanted->unit &&
	       (size < 2 || (bytes[1] & ~EXCEPTION_FLAG) == (wanted->function & ~EXCEPTION_FLAG));
}

/*
 * What begins with the first byte may be anybody's; after noise it has to be
 * the one that is waited for, since any bytes are a frame now and then. Where
 * the one that is waited for has begun, what lies in it is its data.
 */
static int find_rtu(const struct frame_wanted *wanted, const uint8_t *bytes, size_t size, bool ended,
		    struct frame *ret)
{
	int first = -EAGAIN;

	for (size_t at = 0; at < size; at++) {
		int r;

		if (at > 0 && !rtu_is_wanted(wanted, bytes + at, size - at))
			continue;
		r = match_rtu(bytes + at, size - at, ended);
		if (r > 0) {
			frame_take(ret, bytes[at], bytes + at + 1, (size_t)r - 1 - CRC_BYTES, at);
			return (int)at + r;
		}
		if (at == 0)
			first = r;
		else if (first == -EBADMSG && r == 0)
			first = -EAGAIN;
		if (at == 0 && r == 0 && !ended && rtu_is_wanted(wanted, bytes, size))
			return 0;
	}
	return first;
}

static int digit_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Digits to bytes; their number, or -EBADMSG. */
static int take_digits(const uint8_t *digits, size_t n, uint8_t *ret)
{
	if (n % 2 != 0 || n / 2 > 1 + MAX_PDU_BYTES + 1)
		return -EBADMSG;
	for (size_t i = 0; i < n / 2; i++) {
		int high = digit_value(digits[2 * i]), low = digit_value(digits[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EBADMSG;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return (int)(n / 2);
}

/* The text between colon and CR LF. 0 or -EBADMSG. */
static int take_ascii(const uint8_t *digits, size_t n, size_t skipped, struct frame *ret)
{
	uint8_t bytes[1 + MAX_PDU_BYTES + 1], sum = 0;
	int size = take_digits(digits, n, bytes);

	if (size < 1 + 2 + 1)
		return -EBADMSG;
	for (int i = 0; i < size; i++)
		sum = (uint8_t)(sum + bytes[i]);
	if (sum != 0)
		return -EBADMSG;
	frame_take(ret, bytes[0], bytes + 1, (size_t)size - 2, skipped);
	return 0;
}

/* A colon begins a frame wherever it stands (2.5.2.1), so what precedes the last one is noise. */
static int find_ascii(const uint8_t *bytes, size_t size, struct frame *ret)
{
	size_t begin = SIZE_MAX;

	for (size_t i = 0; i < size; i++) {
		if (bytes[i] == ':')
			begin = i;
		if (bytes[i] != '\n' || begin == SIZE_MAX || bytes[i - 1] != '\r')
			continue;
		if (take_ascii(bytes + begin + 1, i - 1 - (begin + 1), begin, ret) == 0)
			return (int)i + 1;
		begin = SIZE_MAX;
	}
	if (begin == SIZE_MAX)
		return size ? -EBADMSG : -EAGAIN;
	return size - begin < MAX_FRAME_BYTES ? 0 : -EBADMSG;
}

int frame_find(enum framing framing, const struct frame_wanted *wanted, const uint8_t *bytes,
	       size_t size, bool ended, struct frame *ret)
{
	switch (framing) {
	case FRAMING_MBAP:
		return find_mbap(bytes, size, ret);
	case FRAMING_RTU:
		return find_rtu(wanted, bytes, size, ended, ret);
	case FRAMING_ASCII:
		return find_ascii(bytes, size, ret);
	}
	return -EBADMSG;
}

bool frame_resembles(enum framing framing, const struct frame_wanted *wanted, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i + 2 < size; i++) {
		if (framing == FRAMING_RTU && rtu_is_wanted(wanted, bytes + i, size - i))
			return true;
		if (framing == FRAMING_ASCII && bytes[i] == ':' &&
		    digit_value(bytes[i + 1]) == wanted->unit >> 4 &&
		    digit_value(bytes[i + 2]) == (wanted->unit & 15))
			return true;
	}
	return false;
}
