/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator.h"

#include <errno.h>
#include <string.h>

/* Frames as a device has them, written apart from the plugin's: requests are found, answers made. */

#define MBAP_BYTES 7

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

/* unit and PDU become what libmodbus has over TCP. */
static int make_mbap(const uint8_t *unit_pdu, size_t n, uint8_t *ret)
{
	if (n < 2 || n > MODBUS_MAX_ADU_LENGTH - (MBAP_BYTES - 1))
		return -EBADMSG;
	memset(ret, 0, MBAP_BYTES - 1);
	ret[4] = (uint8_t)(n >> 8);
	ret[5] = (uint8_t)n;
	memcpy(ret + MBAP_BYTES - 1, unit_pdu, n);
	return MBAP_BYTES - 1 + (int)n;
}

static int take_mbap(const uint8_t *input, size_t n, uint8_t *ret, int *ret_size)
{
	size_t length;

	if (n < MBAP_BYTES - 1)
		return 0;
	length = (size_t)input[4] << 8 | input[5];
	if (input[2] || input[3] || length < 2 || length > 254)
		return -EBADMSG;
	if (n < MBAP_BYTES - 1 + length)
		return 0;
	memcpy(ret, input, MBAP_BYTES - 1 + length);
	*ret_size = MBAP_BYTES - 1 + (int)length;
	return *ret_size;
}

/* Of an RTU request with its checksum; 0: more bytes are needed; what is not known is all that has come. */
static size_t request_length(const uint8_t *input, size_t n)
{
	if (n < 4)
		return 0;
	switch (input[1]) {
	case 1 ... 6:
		return 8;
	case 7:
	case 11:
	case 12:
	case 17:
		return 4;
	case 15:
	case 16:
		return n < 7 ? 0 : 9u + input[6];
	case 22:
		return 10;
	case 23:
		return n < 11 ? 0 : 13u + input[10];
	case 43:
		return 7;
	}
	return n;
}

static int take_rtu(const uint8_t *input, size_t n, uint8_t *ret, int *ret_size)
{
	size_t length = request_length(input, n);
	int size;

	if (length == 0 || length > n)
		return 0;
	if (crc_of(input, length - 2) != (input[length - 2] | input[length - 1] << 8))
		return -EBADMSG;
	size = make_mbap(input, length - 2, ret);
	if (size < 0)
		return size;
	*ret_size = size;
	return (int)length;
}

static int take_ascii(const uint8_t *input, size_t n, uint8_t *ret, int *ret_size)
{
	const uint8_t *end = memchr(input, '\n', n);
	uint8_t bytes[MODBUS_MAX_ADU_LENGTH], sum = 0;
	size_t count = 0;
	unsigned byte;
	int size;

	if (input[0] != ':')
		return -EBADMSG;
	if (!end)
		return 0;
	for (const uint8_t *at = input + 1; at + 2 < end && count < sizeof(bytes); at += 2) {
		const char digits[3] = { (char)at[0], (char)at[1], '\0' };

		if (sscanf(digits, "%2X", &byte) != 1)
			return -EBADMSG;
		bytes[count++] = (uint8_t)byte;
		sum = (uint8_t)(sum + byte);
	}
	if (sum != 0 || count < 3)
		return -EBADMSG;
	size = make_mbap(bytes, count - 1, ret);
	if (size < 0)
		return size;
	*ret_size = size;
	return (int)(end + 1 - input);
}

int simulator_frame_take(enum simulator_framing framing, const uint8_t *input, size_t n, uint8_t *ret,
			 int *ret_size)
{
	return framing == SIMULATOR_MBAP ? take_mbap(input, n, ret, ret_size) :
	       framing == SIMULATOR_RTU	 ? take_rtu(input, n, ret, ret_size) :
					   take_ascii(input, n, ret, ret_size);
}

static size_t make_rtu(const uint8_t *unit_pdu, size_t n, uint8_t *ret)
{
	uint16_t crc = crc_of(unit_pdu, n);

	memcpy(ret, unit_pdu, n);
	ret[n] = (uint8_t)crc;
	ret[n + 1] = (uint8_t)(crc >> 8);
	return n + 2;
}

static size_t make_ascii(const uint8_t *unit_pdu, size_t n, uint8_t *ret)
{
	char *at = (char *)ret;
	uint8_t sum = 0;

	*at++ = ':';
	for (size_t i = 0; i < n; i++) {
		at += sprintf(at, "%02X", unit_pdu[i]);
		sum = (uint8_t)(sum + unit_pdu[i]);
	}
	at += sprintf(at, "%02X\r\n", (256 - sum) & 255);
	return (size_t)(at - (char *)ret);
}

size_t simulator_frame_make(enum simulator_framing framing, const uint8_t *answer, int size, uint8_t *ret)
{
	const uint8_t *unit_pdu = answer + MBAP_BYTES - 1;
	size_t n = (size_t)size - (MBAP_BYTES - 1);

	if (framing == SIMULATOR_RTU)
		return make_rtu(unit_pdu, n, ret);
	if (framing == SIMULATOR_ASCII)
		return make_ascii(unit_pdu, n, ret);
	memcpy(ret, answer, (size_t)size);
	return (size_t)size;
}
