/* SPDX-License-Identifier: Apache-2.0 */
#include "line.h"

#include <errno.h>
#include <string.h>

#include "decode.h"
#include "driver.h"
#include "exchange.h"
#include "line_state.h"
#include "plugins/lib/moment.h"

/* The longest write: header, PDU, answer. */
#define WRITE_OVERHEAD 32u

static void put16(uint8_t *bytes, uint32_t number)
{
	bytes[0] = (uint8_t)(number >> 8);
	bytes[1] = (uint8_t)number;
}

/* Application Protocol V1.1b3, sections 6.1 to 6.4. */
static uint8_t read_function(enum area area)
{
	static const uint8_t functions[] = {
		[AREA_COIL] = MODBUS_FC_READ_COILS,
		[AREA_DISCRETE] = MODBUS_FC_READ_DISCRETE_INPUTS,
		[AREA_INPUT] = MODBUS_FC_READ_INPUT_REGISTERS,
		[AREA_HOLDING] = MODBUS_FC_READ_HOLDING_REGISTERS,
	};

	return functions[area];
}

/* 0 and the answer's data, as many bytes as the span has; or libmodbus's errno. */
static int read_span(struct fieldway_line *line, uint8_t unit, const struct span *span,
		     const uint8_t **ret_bytes)
{
	uint8_t pdu[5] = { read_function(span->area) };
	const uint8_t *answer;
	size_t size;
	int r;

	put16(pdu + 1, span->address);
	put16(pdu + 3, span->count);
	r = exchange_run(line, unit, pdu, sizeof(pdu), &answer, &size);
	if (r)
		return r;
	if (answer[1] != span_bytes(span) || size != 2 + span_bytes(span))
		return EMBBADDATA;
	*ret_bytes = answer + 2;
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
	const uint8_t *bytes;
	int r;

	r = line_prepare(line, driver->unit, request->wire_bytes, deadline_usec, result, ret_broken);
	if (r < 0)
		return r;
	r = read_span(line, driver->unit, &span, &bytes);
	line_settle(line, driver->unit, r, result, ret_broken);
	if (r)
		return result->error;
	return decode_samples(driver, request, bytes, span_bytes(&span), samples, text, text_size, result);
}

/* Sections 6.5, 6.6, 6.11, 6.12. Returns the PDU's size. */
static size_t write_request(const struct point *p, const uint16_t *registers, uint8_t *pdu)
{
	bool bit = registers[0] != 0;

	pdu[0] = (uint8_t)p->write.function;
	put16(pdu + 1, p->write.address);
	switch (p->write.function) {
	case FUNCTION_WRITE_COIL:
		put16(pdu + 3, bit ? 0xff00 : 0);
		return 5;
	case FUNCTION_WRITE_REGISTER:
		put16(pdu + 3, registers[0]);
		return 5;
	case FUNCTION_WRITE_COILS:
		put16(pdu + 3, 1);
		pdu[5] = 1;
		pdu[6] = bit;
		return 7;
	case FUNCTION_WRITE_REGISTERS:
		break;
	}
	put16(pdu + 3, p->count);
	pdu[5] = (uint8_t)(2 * p->count);
	for (size_t i = 0; i < p->count; i++)
		put16(pdu + 6 + 2 * i, registers[i]);
	return 6 + 2u * p->count;
}

/* 0, or libmodbus's errno. */
static int write_registers(struct fieldway_line *line, uint8_t unit, const struct point *p,
			   const uint16_t *registers)
{
	uint8_t pdu[MAX_PDU_BYTES];
	const uint8_t *answer;
	size_t size;
	int r;

	r = exchange_run(line, unit, pdu, write_request(p, registers, pdu), &answer, &size);
	if (r)
		return r;
	/* It repeats address and value, or count: one that does not confirms another write. */
	return size == 5 && memcmp(answer, pdu, 5) == 0 ? 0 : EMBBADDATA;
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
	r = write_registers(line, driver->unit, p, registers);
	line_settle(line, driver->unit, r, result, ret_broken);
	return r ? error_outcome(r) : FIELDWAY_ACCEPTED;
}
