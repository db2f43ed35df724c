/* SPDX-License-Identifier: Apache-2.0 */
#include "line.h"

#include <errno.h>
#include <string.h>

#include "decode.h"
#include "driver.h"
#include "line_state.h"
#include "moment.h"

/* The longest write: header, PDU, answer. */
#define WRITE_OVERHEAD 32u

static int read_bits(modbus_t *m, const struct span *span, uint8_t *bytes)
{
	uint8_t bits[MAX_READ_BITS];
	int r;

	r = span->area == AREA_COIL ? modbus_read_bits(m, (int)span->address, (int)span->count, bits) :
				      modbus_read_input_bits(m, (int)span->address, (int)span->count, bits);
	if (r < 0)
		return errno;
	memset(bytes, 0, span_bytes(span));
	for (uint32_t i = 0; i < span->count; i++)
		bytes[i / 8] |= (uint8_t)((bits[i] != 0) << i % 8);
	return 0;
}

static int read_registers(modbus_t *m, const struct span *span, uint8_t *bytes)
{
	uint16_t registers[MAX_READ_REGISTERS];
	int r;

	r = span->area == AREA_INPUT ?
		    modbus_read_input_registers(m, (int)span->address, (int)span->count, registers) :
		    modbus_read_registers(m, (int)span->address, (int)span->count, registers);
	if (r < 0)
		return errno;
	for (uint32_t i = 0; i < span->count; i++) {
		bytes[2 * i] = (uint8_t)(registers[i] >> 8);
		bytes[2 * i + 1] = (uint8_t)registers[i];
	}
	return 0;
}

static int decode_samples(const struct fieldway_driver *driver, const struct fieldway_request *request,
			  const uint8_t *bytes, size_t size, struct fieldway_sample *samples, char *text,
			  size_t text_size, struct fieldway_result *result)
{
	uint64_t now = moment_boottime_usec();
	int r;

	r = answer_decode(driver->points, request, bytes, size, samples, text, text_size);
	if (r < 0) {
		result->error = r;
		strcpy(result->detail, "answer could not be decoded");
		return r;
	}
	for (size_t i = 0; i < request->n_points; i++)
		samples[i].boottime_usec = now;
	return 0;
}

int line_read(struct fieldway_line *line, const struct fieldway_driver *driver,
	      const struct fieldway_request *request, uint64_t deadline_usec,
	      struct fieldway_sample *samples, char *text, size_t text_size,
	      struct fieldway_result *result, bool *ret_broken)
{
	struct span span = request_span(request);
	uint8_t bytes[MAX_ANSWER_BYTES];
	int r;

	r = line_prepare(line, driver->unit, request->wire_bytes, deadline_usec, result, ret_broken);
	if (r < 0)
		return r;
	r = area_has_bits(span.area) ? read_bits(line->modbus, &span, bytes) :
				       read_registers(line->modbus, &span, bytes);
	line_settle(line, driver->unit, r, result, ret_broken);
	if (r)
		return result->error;
	return decode_samples(driver, request, bytes, span_bytes(&span), samples, text, text_size, result);
}

/* 0, or libmodbus's errno. */
static int write_registers(modbus_t *m, const struct point *p, const uint16_t *registers)
{
	uint8_t bit = registers[0] != 0;
	int r = -1;

	errno = EOPNOTSUPP;
	switch (p->write.function) {
	case FUNCTION_WRITE_COIL:
		r = modbus_write_bit(m, p->write.address, bit);
		break;
	case FUNCTION_WRITE_REGISTER:
		r = modbus_write_register(m, p->write.address, registers[0]);
		break;
	case FUNCTION_WRITE_COILS:
		r = modbus_write_bits(m, p->write.address, 1, &bit);
		break;
	case FUNCTION_WRITE_REGISTERS:
		r = modbus_write_registers(m, p->write.address, p->count, registers);
		break;
	}
	return r < 0 ? errno : 0;
}

enum fieldway_outcome line_write(struct fieldway_line *line, const struct fieldway_driver *driver,
				 uint32_t point, const struct fieldway_value *value,
				 uint64_t deadline_usec, struct fieldway_result *result, bool *ret_broken)
{
	const struct point *p = &driver->points[point];
	uint16_t registers[MAX_READ_REGISTERS];
	struct fieldway_error error;
	int r;

	*result = (struct fieldway_result){ 0 };
	*ret_broken = false;
	r = driver_write_check(driver, point, value, &error);
	if (r < 0) {
		result->error = r;
		memcpy(result->detail, error.text, sizeof(result->detail) - 1);
		return FIELDWAY_NOT_SENT;
	}
	value_encode(p, value, registers, &error);
	r = line_prepare(line, driver->unit, WRITE_OVERHEAD + 2u * p->count, deadline_usec, result, ret_broken);
	if (r < 0)
		return FIELDWAY_NOT_SENT;
	r = write_registers(line->modbus, p, registers);
	line_settle(line, driver->unit, r, result, ret_broken);
	return r ? error_outcome(r) : FIELDWAY_ACCEPTED;
}
