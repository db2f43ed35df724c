/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Messaging on TCP/IP V1.0b, 3.1.3: transaction, protocol, length, unit. */
#define MBAP_BYTES 7u
#define CRC_BYTES 2u
#define EXCEPTION_FLAG 0x80u

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

static size_t frame_serial(uint8_t unit, const uint8_t *pdu, size_t size, uint8_t *frame)
{
	uint16_t crc;

	frame[0] = unit;
	memcpy(frame + 1, pdu, size);
	crc = crc_of(frame, 1 + size);
	frame[1 + size] = (uint8_t)crc;
	frame[2 + size] = (uint8_t)(crc >> 8);
	return 1 + size + CRC_BYTES;
}

static size_t frame_tcp(uint16_t transaction, uint8_t unit, const uint8_t *pdu, size_t size,
			uint8_t *frame)
{
	const uint8_t header[MBAP_BYTES] = { (uint8_t)(transaction >> 8), (uint8_t)transaction, 0, 0,
					     (uint8_t)((size + 1) >> 8), (uint8_t)(size + 1), unit };

	memcpy(frame, header, MBAP_BYTES);
	memcpy(frame + MBAP_BYTES, pdu, size);
	return MBAP_BYTES + size;
}

/* The line is idle and its buffer empty: what does not take a frame at once will not take it. */
static int frame_send(struct fieldway_line *line, const uint8_t *frame, size_t size)
{
	int fd = modbus_get_socket(line->modbus);
	ssize_t n = line->bus.serial ? write(fd, frame, size) : send(fd, frame, size, MSG_NOSIGNAL);

	if (n < 0)
		return errno;
	return (size_t)n == size ? 0 : EIO;
}

/* Devices behind no gateway answer with 0 or 255, or call themselves what they like. */
static bool unit_means_device(uint8_t unit)
{
	return unit == 0 || unit == 255;
}

static int header_check(const struct fieldway_line *line, uint8_t unit, const uint8_t *frame,
			size_t size)
{
	if (line->bus.serial)
		return frame[0] == unit ? 0 : EMBBADSLAVE;
	if ((frame[0] << 8 | frame[1]) != line->transaction || frame[2] != 0 || frame[3] != 0 ||
	    (size_t)(frame[4] << 8 | frame[5]) != size - MBAP_BYTES + 1)
		return EMBBADDATA;
	if (frame[6] != unit && !unit_means_device(frame[6]) && !unit_means_device(unit))
		return EMBBADSLAVE;
	return 0;
}

static int function_check(uint8_t asked, const uint8_t *pdu, size_t size)
{
	if (pdu[0] == asked)
		return 0;
	if (pdu[0] != (asked | EXCEPTION_FLAG) || size != 2)
		return EMBBADDATA;
	return pdu[1] > 0 && pdu[1] < MODBUS_EXCEPTION_MAX ? MODBUS_ENOBASE + pdu[1] : EMBBADEXC;
}

int exchange_run(struct fieldway_line *line, uint8_t unit, const uint8_t *pdu, size_t size,
		 const uint8_t **ret_answer, size_t *ret_size)
{
	size_t header = line->bus.serial ? 1 : MBAP_BYTES, trailer = line->bus.serial ? CRC_BYTES : 0;
	uint8_t frame[MODBUS_MAX_ADU_LENGTH];
	int n, r;

	r = frame_send(line, frame,
		       line->bus.serial ? frame_serial(unit, pdu, size, frame) :
					  frame_tcp(++line->transaction, unit, pdu, size, frame));
	if (r)
		return r;
	n = modbus_receive_confirmation(line->modbus, line->answer);
	if (n < 0)
		return errno;
	/* libmodbus says 0 for a serial frame of another unit. */
	if (n == 0)
		return EMBBADSLAVE;
	if ((size_t)n < header + 2 + trailer)
		return EMBBADDATA;
	r = header_check(line, unit, line->answer, (size_t)n);
	if (!r)
		r = function_check(pdu[0], line->answer + header, (size_t)n - header - trailer);
	if (r)
		return r;
	*ret_answer = line->answer + header;
	*ret_size = (size_t)n - header - trailer;
	return 0;
}

int exchange_send(struct fieldway_line *line, uint8_t unit, const uint8_t *pdu, size_t size)
{
	uint8_t frame[MODBUS_MAX_ADU_LENGTH];

	return frame_send(line, frame,
			  line->bus.serial ? frame_serial(unit, pdu, size, frame) :
					     frame_tcp(++line->transaction, unit, pdu, size, frame));
}
