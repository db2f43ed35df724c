/* SPDX-License-Identifier: Apache-2.0 */
#include "line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "decode.h"
#include "driver.h"
#include "exchange.h"
#include "plugins/lib/moment.h"
#include "point.h"
#include "request.h"

/* The longest write: header, PDU, answer. */
#define WRITE_OVERHEAD 32u

/* ---- reading ---- */

static int decode_samples(const struct task *t, const struct fieldway_request *request,
			  const uint8_t *bytes, size_t size, struct fieldway_sample *samples,
			  char *text, size_t text_size)
{
	uint64_t now = moment_boottime_usec();
	int r;

	r = answer_decode(t->driver->points, request, bytes, size, samples, text, text_size);
	if (r < 0) {
		t->result->error = r;
		strcpy(t->result->detail, "answer could not be decoded");
		return r;
	}
	for (size_t i = 0; i < request->n_points; i++)
		samples[i].boottime_usec = now;
	return 0;
}

/* Does what the model's own registers say, where they were read, still hold? */
static bool model_is_there(const struct model *model, const struct span *span, const uint8_t *bytes)
{
	const uint16_t header[MODEL_HEADER] = { model->id, model->length };

	for (uint32_t i = span->address; i < MODEL_HEADER && i < span->address + span->count; i++) {
		const uint8_t *b = bytes + 2 * (i - span->address);

		if ((b[0] << 8 | b[1]) != header[i])
			return false;
	}
	return true;
}

static int models_have_moved(struct task *t)
{
	task_forget_models(t);
	t->result->error = -EBUSY;
	strcpy(t->result->detail, "its models have moved and are looked for again");
	return t->result->error;
}

/* What of the span the device's model has, none where it has no such model. */
static int read_model(struct task *t, struct span *span, const uint8_t **ret_bytes)
{
	const struct model *model;
	struct model found;
	struct span device;
	int r;

	r = task_find_models(t);
	if (r < 0)
		return r;
	model = walk_find(t->driver->walk, &t->driver->wishes.items[span->model - 1]);
	span->count = model ? model_clip(model, span->address, span->count) : 0;
	if (span->count == 0)
		return 0;
	found = *model;
	device = (struct span){ .area = AREA_HOLDING,
				.address = found.address + span->address,
				.count = span->count };
	r = task_read_span(t, &device, ret_bytes);
	task_check_models(t);
	if (r < 0)
		return r;
	if (model_is_there(&found, span, *ret_bytes))
		return 0;
	return models_have_moved(t);
}

static int read_registers(struct task *t, const struct fieldway_request *request,
			  struct fieldway_sample *samples, char *text, size_t text_size)
{
	struct span span = request_span(request);
	const uint8_t *bytes = NULL;
	int r;

	r = span.model ? read_model(t, &span, &bytes) : task_read_span(t, &span, &bytes);
	if (r < 0)
		return r;
	return decode_samples(t, request, bytes, span_bytes(&span), samples, text, text_size);
}

static int read_identification(struct task *t, const struct fieldway_request *request,
			       struct fieldway_sample *samples, char *text, size_t text_size)
{
	uint8_t bytes[MAX_REQUEST_OBJECTS * (2u + MAX_OBJECT_BYTES)];
	ssize_t n = task_identify(t, request, bytes, sizeof(bytes));

	if (n < 0)
		return (int)n;
	return decode_samples(t, request, bytes, (size_t)n, samples, text, text_size);
}

int line_read(struct fieldway_line *line, const struct fieldway_driver *driver,
	      const struct fieldway_request *request, uint64_t deadline_usec,
	      struct fieldway_sample *samples, char *text, size_t text_size,
	      struct fieldway_result *result, bool *ret_broken)
{
	struct task t = { .line = line,
			  .driver = driver,
			  .deadline_usec = deadline_usec,
			  .result = result,
			  .broken = ret_broken };

	*result = (struct fieldway_result){ 0 };
	*ret_broken = false;
	if (request_span(request).area == AREA_IDENTIFICATION)
		return read_identification(&t, request, samples, text, text_size);
	return read_registers(&t, request, samples, text, text_size);
}

/* ---- writing ---- */

/* What is to be written where: a point's value as it lies in its bytes, and in the device. */
struct change {
	const struct point *point;
	uint8_t bytes[MAX_ANSWER_BYTES],
		mask[MAX_ANSWER_BYTES]; /* registers, or a coil's one byte */
	uint32_t address;		/* in the device */
	uint32_t read_address;
};

static void change_mask(const struct change *c, uint8_t *and_mask)
{
	for (size_t i = 0; i < 2; i++)
		and_mask[i] = (uint8_t)~c->mask[i];
}

/* Sections 6.5, 6.6, 6.11, 6.12, 6.16, 6.17. Returns the PDU's size. */
static size_t write_request(const struct change *c, uint8_t *pdu)
{
	size_t count = c->point->count, size = 2 * count;

	pdu[0] = (uint8_t)c->point->write.function;
	put16(pdu + 1, c->address);
	switch (c->point->write.function) {
	case FUNCTION_WRITE_COIL:
		put16(pdu + 3, c->bytes[0] ? 0xff00 : 0);
		return 5;
	case FUNCTION_WRITE_REGISTER:
		memcpy(pdu + 3, c->bytes, 2);
		return 5;
	case FUNCTION_WRITE_COILS:
		put16(pdu + 3, 1);
		pdu[5] = 1;
		pdu[6] = c->bytes[0];
		return 7;
	case FUNCTION_MASK_REGISTER:
		change_mask(c, pdu + 3);
		memcpy(pdu + 5, c->bytes, 2);
		return 7;
	case FUNCTION_WRITE_AND_READ:
		put16(pdu + 1, c->read_address);
		put16(pdu + 3, (uint32_t)count);
		put16(pdu + 5, c->address);
		put16(pdu + 7, (uint32_t)count);
		pdu[9] = (uint8_t)size;
		memcpy(pdu + 10, c->bytes, size);
		return 10 + size;
	case FUNCTION_WRITE_REGISTERS:
		break;
	}
	put16(pdu + 3, (uint32_t)count);
	pdu[5] = (uint8_t)size;
	memcpy(pdu + 6, c->bytes, size);
	return 6 + size;
}

/* What the answer has to be to confirm: a copy of the request or of its first bytes, or what is there now. */
static bool write_is_confirmed(const struct change *c, const uint8_t *pdu, const uint8_t *answer,
			       size_t size)
{
	size_t bytes = 2u * c->point->count;

	switch (c->point->write.function) {
	case FUNCTION_WRITE_COIL:
	case FUNCTION_WRITE_REGISTER:
	case FUNCTION_WRITE_COILS:
	case FUNCTION_WRITE_REGISTERS:
		return size == 5 && memcmp(answer, pdu, 5) == 0;
	case FUNCTION_MASK_REGISTER:
		return size == 7 && memcmp(answer, pdu, 7) == 0;
	case FUNCTION_WRITE_AND_READ:
		return size == 2 + bytes && answer[1] == bytes;
	}
	return false;
}

/* Function 23 reads after it has written: what lies there now is not always what was written. */
static bool reads_back_another(const struct change *c, const uint8_t *answer)
{
	return c->point->write.function == FUNCTION_WRITE_AND_READ &&
	       c->read_address == c->address &&
	       memcmp(answer + 2, c->bytes, 2u * c->point->count) != 0;
}

static enum fieldway_outcome write_now(struct task *t, const struct change *c)
{
	uint8_t pdu[MAX_PDU_BYTES];
	size_t n = write_request(c, pdu), size;
	const uint8_t *answer;

	if (task_run(t, pdu, n, WRITE_OVERHEAD + 4u * c->point->count, &answer, &size) < 0)
		return t->sent ? error_outcome(t->error) : FIELDWAY_NOT_SENT;
	if (!write_is_confirmed(c, pdu, answer, size)) {
		task_spoilt(t);
		return FIELDWAY_UNKNOWN;
	}
	if (!reads_back_another(c, answer))
		return FIELDWAY_ACCEPTED;
	t->result->error = -EBADMSG;
	strcpy(t->result->detail, "the device reads back another value");
	return FIELDWAY_UNKNOWN;
}

/* An exception means that the device will not have it; after anything else nothing has been written either. */
static enum fieldway_outcome read_outcome(const struct task *t)
{
	return t->sent && error_outcome(t->error) == FIELDWAY_REFUSED ? FIELDWAY_REFUSED :
									FIELDWAY_NOT_SENT;
}

/* The registers around the bits, as they are. */
static enum fieldway_outcome merge(struct task *t, struct change *c)
{
	const struct span span = { .area = AREA_HOLDING,
				   .address = c->address,
				   .count = c->point->count };
	const uint8_t *bytes;

	if (task_read_span(t, &span, &bytes) < 0)
		return read_outcome(t);
	for (size_t i = 0; i < 2u * c->point->count; i++)
		c->bytes[i] = (uint8_t)((bytes[i] & ~c->mask[i]) | c->bytes[i]);
	return FIELDWAY_ACCEPTED;
}

static enum fieldway_outcome broadcast(struct task *t, const struct change *c)
{
	uint8_t pdu[MAX_PDU_BYTES];

	if (task_broadcast(t, pdu, write_request(c, pdu)) < 0)
		return t->sent ? FIELDWAY_UNKNOWN : FIELDWAY_NOT_SENT;
	if (t->driver->sent_is_accepted)
		return FIELDWAY_ACCEPTED;
	t->result->error = -ETIMEDOUT;
	strcpy(t->result->detail, "sent to everybody: nobody answers");
	return FIELDWAY_UNKNOWN;
}

static enum fieldway_outcome no_such_model(struct task *t, const struct point *p)
{
	char model[64];

	wish_text(&t->driver->wishes, p->model, model, sizeof(model));
	t->result->error = -ENXIO;
	snprintf(t->result->detail, sizeof(t->result->detail), "the device has no %s%u", model,
		 p->write.address);
	return FIELDWAY_NOT_SENT;
}

/* A device that has been swapped since the walk must not be written to where its predecessor had the model. */
static int check_model(struct task *t, const struct model *model)
{
	const struct span header = { .count = MODEL_HEADER };
	const struct span device = { .area = AREA_HOLDING, .address = model->address, .count = MODEL_HEADER };
	const uint8_t *bytes;
	int r = task_read_span(t, &device, &bytes);

	if (r < 0)
		return r;
	return model_is_there(model, &header, bytes) ? 0 : models_have_moved(t);
}

/* Where the point lies in this device; else ACCEPTED is what it is not. */
static enum fieldway_outcome place_change(struct task *t, struct change *c)
{
	const struct point *p = c->point;
	const struct model *found;
	struct model model;
	bool known;

	c->address = p->write.address;
	c->read_address = p->address;
	if (!p->model)
		return FIELDWAY_ACCEPTED;
	known = t->driver->walk->state == WALK_DONE;
	if (task_find_models(t) < 0)
		return read_outcome(t);
	found = walk_find(t->driver->walk, &t->driver->wishes.items[p->model - 1]);
	if (!found || model_clip(found, p->write.address, p->count) != p->count ||
	    model_clip(found, p->address, p->count) != p->count)
		return no_such_model(t, p);
	model = *found;
	if (known && check_model(t, &model) < 0)
		return read_outcome(t);
	c->address += model.address;
	c->read_address += model.address;
	return FIELDWAY_ACCEPTED;
}

static enum fieldway_outcome write_change(struct task *t, struct change *c)
{
	enum fieldway_outcome outcome = place_change(t, c);

	if (outcome == FIELDWAY_ACCEPTED && t->driver->broadcast)
		return broadcast(t, c);
	if (outcome == FIELDWAY_ACCEPTED && point_is_merged(c->point))
		outcome = merge(t, c);
	if (outcome == FIELDWAY_ACCEPTED)
		outcome = write_now(t, c);
	if (c->point->model)
		task_check_models(t);
	return outcome;
}

enum fieldway_outcome line_write(struct fieldway_line *line, const struct fieldway_driver *driver,
				 uint32_t point, const struct fieldway_value *value,
				 uint64_t deadline_usec, struct fieldway_result *result,
				 bool *ret_broken)
{
	struct task t = { .line = line,
			  .driver = driver,
			  .deadline_usec = deadline_usec,
			  .result = result,
			  .broken = ret_broken };
	struct change c = { .point = &driver->points[point] };
	struct fieldway_error error = { 0 };
	int r;

	*result = (struct fieldway_result){ 0 };
	*ret_broken = false;
	r = driver_write_check(driver, point, value, &error);
	if (r < 0) {
		result->error = r;
		snprintf(result->detail, sizeof(result->detail), "%.191s", error.text);
		return FIELDWAY_NOT_SENT;
	}
	(void)layout_encode(&c.point->layout, value, c.bytes, sizeof(c.bytes), &error);
	layout_mask(&c.point->layout, c.mask);
	return write_change(&t, &c);
}
