/* SPDX-License-Identifier: Apache-2.0 */
#include "builtin/modbus_pdu.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"

/* Function, address, and a number or the value itself. */
#define HEAD_BYTES 5u

enum {
	WRITE_COIL = 5,
	WRITE_REGISTER = 6,
	WRITE_COILS = 15,
	WRITE_REGISTERS = 16,
	COIL_ON = 0xff00,
	EXCEPTION = 0x80, /* on top of the function */
};

static size_t put_head(uint8_t *to, uint8_t function, uint16_t address, uint16_t number)
{
	to[0] = function;
	to[1] = address >> 8;
	to[2] = address & 0xff;
	to[3] = number >> 8;
	to[4] = number & 0xff;
	return HEAD_BYTES;
}

size_t pdu_read(const struct cluster *c, uint8_t ret[PDU_MAX])
{
	return put_head(ret, c->type, c->start, c->quantity);
}

static size_t bytes_of(const struct cluster *c, size_t n)
{
	return cluster_is_bits(c) ? (n + 7) / 8 : n * 2;
}

int pdu_read_answer(const struct cluster *c, const uint8_t *answer, size_t size, uint16_t *ret)
{
	size_t n = bytes_of(c, c->quantity);
	const uint8_t *data = answer + 2;

	if (size != n + 2 || answer[0] != c->type || answer[1] != n)
		return -EBADMSG;
	for (size_t i = 0; i < c->quantity; i++)
		ret[i] = cluster_is_bits(c) ? data[i / 8] >> i % 8 & 1 :
					      (uint16_t)(data[2 * i] << 8 | data[2 * i + 1]);
	return 0;
}

size_t pdu_write_max(const struct cluster *c)
{
	return cluster_is_bits(c) ? WRITE_BITS_MAX : WRITE_REGISTERS_MAX;
}

static size_t write_one(const struct cluster *c, uint16_t address, uint16_t value, uint8_t *ret)
{
	if (cluster_is_bits(c))
		return put_head(ret, WRITE_COIL, address, value ? COIL_ON : 0);
	return put_head(ret, WRITE_REGISTER, address, value);
}

size_t pdu_write(const struct cluster *c, uint16_t offset, const uint16_t *values, size_t n,
		 uint8_t ret[PDU_MAX])
{
	uint16_t address = (uint16_t)(c->start + offset);
	size_t bytes = bytes_of(c, n);
	uint8_t *data;

	if (n == 1)
		return write_one(c, address, *values, ret);
	put_head(ret, cluster_is_bits(c) ? WRITE_COILS : WRITE_REGISTERS, address, (uint16_t)n);
	ret[HEAD_BYTES] = (uint8_t)bytes;
	data = ret + HEAD_BYTES + 1;
	memset(data, 0, bytes);
	for (size_t i = 0; i < n; i++) {
		if (cluster_is_bits(c)) {
			data[i / 8] |= (uint8_t)((values[i] != 0) << i % 8);
			continue;
		}
		data[2 * i] = values[i] >> 8;
		data[2 * i + 1] = values[i] & 0xff;
	}
	return HEAD_BYTES + 1 + bytes;
}

int pdu_write_answer(const uint8_t *request, const uint8_t *answer, size_t size)
{
	return size == HEAD_BYTES && memcmp(request, answer, HEAD_BYTES) == 0 ? 0 : -EBADMSG;
}

static const struct {
	int error;
	const char *text;
} exceptions[] = {
	[1] = { -EIO, "illegal function" },
	[2] = { -EIO, "illegal data address" },
	[3] = { -EIO, "illegal data value" },
	[4] = { -EIO, "device failure" },
	[5] = { -EBUSY, "acknowledge, still working" },
	[6] = { -EBUSY, "device busy" },
	[8] = { -EIO, "memory parity error" },
	[10] = { -EHOSTDOWN, "gateway path unavailable" },
	[11] = { -ETIMEDOUT, "gateway target did not answer" },
};

int pdu_exception(const uint8_t *request, const uint8_t *answer, size_t size, char ret_text[EXCEPTION_TEXT_MAX])
{
	unsigned code;
	bool known;

	if (size != 2 || answer[0] != (*request | EXCEPTION))
		return 0;
	code = answer[1];
	known = code < ARRAY_SIZE(exceptions) && exceptions[code].text;
	snprintf(ret_text, EXCEPTION_TEXT_MAX, "exception %u (%s)", code,
		 known ? exceptions[code].text : "that no standard knows");
	return known ? exceptions[code].error : -EIO;
}
